/** Migrations of documents, importable without a kernel. */
import { createDocumentTables } from './0001-documents.ts';

export const documentsMigrations = {
  module: 'documents',
  controlMigrations: [],
  tenantMigrations: [createDocumentTables],
} as const;
