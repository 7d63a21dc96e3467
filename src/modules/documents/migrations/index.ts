/** Migrations of documents, importable without a kernel. */
import { createDocumentTables } from './0001-documents.ts';
import { createRenditionTables } from './0002-renditions.ts';

export const documentsMigrations = {
  module: 'documents',
  controlMigrations: [],
  tenantMigrations: [createDocumentTables, createRenditionTables],
} as const;
