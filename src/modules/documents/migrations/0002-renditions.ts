/** What is made of a version to be shown: how far that has come, and the parts that were made. */
import { tenantMigration } from '../../../kernel/database/migration.ts';
import '../tables.ts';

export const createRenditionTables = tenantMigration('0002-renditions', async (schema) => {
  await schema
    .createTable('renditions')
    .addColumn('version_id', 'text', (c) => c.primaryKey().references('versions.id'))
    .addColumn('document_id', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('reason', 'text')
    .addColumn('pages', 'integer')
    .addColumn('encoding', 'text')
    .addColumn('truncated', 'integer', (c) => c.notNull())
    .addColumn('updated_at', 'text', (c) => c.notNull())
    .execute();
  await schema.createIndex('renditions_document').on('renditions').column('document_id').execute();
  await schema
    .createTable('rendition_parts')
    .addColumn('version_id', 'text', (c) => c.notNull().references('renditions.version_id'))
    .addColumn('role', 'text', (c) => c.notNull())
    .addColumn('page', 'integer', (c) => c.notNull())
    .addColumn('document_id', 'text', (c) => c.notNull())
    .addColumn('file_key', 'text', (c) => c.references('files.key'))
    .addColumn('mime_type', 'text', (c) => c.notNull())
    .addColumn('size_bytes', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('rendition_parts_pk', ['version_id', 'role', 'page'])
    .execute();
  await schema.createIndex('rendition_parts_document').on('rendition_parts').column('document_id').execute();
  await schema.createIndex('rendition_parts_file').on('rendition_parts').column('file_key').execute();
});
