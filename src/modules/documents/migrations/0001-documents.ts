/** Files, documents, versions, baskets, shares, history, resumable uploads, and the one row of usage. */
import { type RawBuilder, sql } from 'kysely';
import { type SchemaOf, tenantMigration } from '../../../kernel/database/migration.ts';
import type { TenantTables } from '../../../kernel/database/tables.ts';
import '../tables.ts';

type Schema = SchemaOf<TenantTables>;

/** Partial: what is in the trash is in none of the indexes that lists use. */
const alive: RawBuilder<boolean> = sql`trashed_at is null`;

export const createDocumentTables = tenantMigration('0001-documents', async (schema) => {
  await files(schema);
  await documents(schema);
  await versions(schema);
  await facts(schema);
  await sharing(schema);
  await uploads(schema);
});

async function files(schema: Schema): Promise<void> {
  await schema
    .createTable('files')
    .addColumn('key', 'text', (c) => c.primaryKey())
    .addColumn('sha256', 'text', (c) => c.notNull())
    .addColumn('size', 'bigint', (c) => c.notNull())
    .addColumn('refs', 'integer', (c) => c.notNull())
    .addColumn('unreferenced_since', 'text')
    .execute();
  await schema.createIndex('files_content').unique().on('files').columns(['sha256', 'size']).execute();
  await schema
    .createIndex('files_unreferenced')
    .on('files')
    .column('unreferenced_since')
    .where(sql`unreferenced_since is not null` as RawBuilder<boolean>)
    .execute();
}

async function documents(schema: Schema): Promise<void> {
  await schema
    .createTable('documents')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('owner_id', 'text', (c) => c.notNull())
    .addColumn('basket_id', 'text', (c) => c.notNull())
    .addColumn('filename', 'text', (c) => c.notNull())
    .addColumn('version', 'integer', (c) => c.notNull())
    .addColumn('version_id', 'text', (c) => c.notNull())
    .addColumn('mime_type', 'text', (c) => c.notNull())
    .addColumn('size_bytes', 'bigint', (c) => c.notNull())
    .addColumn('sha256', 'text', (c) => c.notNull())
    .addColumn('metadata', 'text', (c) => c.notNull())
    .addColumn('tags', 'text', (c) => c.notNull())
    .addColumn('created_at', 'text', (c) => c.notNull())
    .addColumn('updated_at', 'text', (c) => c.notNull())
    .addColumn('trashed_at', 'text')
    .execute();
  await schema
    .createIndex('documents_name')
    .unique()
    .on('documents')
    .columns(['owner_id', 'basket_id', 'filename'])
    .where(alive)
    .execute();
  const orders = [
    ['documents_created', ['created_at', 'id']],
    ['documents_updated', ['updated_at', 'id']],
    ['documents_filename', ['filename', 'id']],
    ['documents_size', ['size_bytes', 'id']],
    ['documents_owner', ['owner_id', 'created_at', 'id']],
    ['documents_basket', ['basket_id', 'created_at', 'id']],
  ] as const;
  for (const [name, columns] of orders) {
    await schema
      .createIndex(name)
      .on('documents')
      .columns([...columns])
      .where(alive)
      .execute();
  }
  await schema
    .createIndex('documents_trash')
    .on('documents')
    .columns(['trashed_at', 'id'])
    .where(sql`trashed_at is not null` as RawBuilder<boolean>)
    .execute();
}

async function versions(schema: Schema): Promise<void> {
  await schema
    .createTable('versions')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('document_id', 'text', (c) => c.notNull().references('documents.id'))
    .addColumn('number', 'integer', (c) => c.notNull())
    .addColumn('file_key', 'text', (c) => c.notNull().references('files.key'))
    .addColumn('mime_type', 'text', (c) => c.notNull())
    .addColumn('size_bytes', 'bigint', (c) => c.notNull())
    .addColumn('sha256', 'text', (c) => c.notNull())
    .addColumn('created_by', 'text', (c) => c.notNull())
    .addColumn('created_at', 'text', (c) => c.notNull())
    .addColumn('restored_from', 'integer')
    .execute();
  await schema.createIndex('versions_number').unique().on('versions').columns(['document_id', 'number']).execute();
  await schema.createIndex('versions_file').on('versions').column('file_key').execute();
}

async function facts(schema: Schema): Promise<void> {
  await schema
    .createTable('document_metadata')
    .addColumn('document_id', 'text', (c) => c.notNull().references('documents.id'))
    .addColumn('key', 'text', (c) => c.notNull())
    .addColumn('value', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('document_metadata_pk', ['document_id', 'key'])
    .execute();
  await schema
    .createIndex('document_metadata_value')
    .on('document_metadata')
    .columns(['key', 'value', 'document_id'])
    .execute();
  await schema
    .createTable('document_tags')
    .addColumn('document_id', 'text', (c) => c.notNull().references('documents.id'))
    .addColumn('tag', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('document_tags_pk', ['document_id', 'tag'])
    .execute();
  await schema.createIndex('document_tags_tag').on('document_tags').columns(['tag', 'document_id']).execute();
  await schema
    .createTable('document_history')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('document_id', 'text', (c) => c.notNull())
    .addColumn('at', 'text', (c) => c.notNull())
    .addColumn('action', 'text', (c) => c.notNull())
    .addColumn('actor_id', 'text', (c) => c.notNull())
    .addColumn('details', 'text', (c) => c.notNull())
    .execute();
  await schema
    .createIndex('document_history_document')
    .on('document_history')
    .columns(['document_id', 'at', 'id'])
    .execute();
}

async function sharing(schema: Schema): Promise<void> {
  await schema
    .createTable('baskets')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('owner_id', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('description', 'text', (c) => c.notNull())
    .addColumn('created_at', 'text', (c) => c.notNull())
    .addColumn('updated_at', 'text', (c) => c.notNull())
    .execute();
  await schema.createIndex('baskets_name').unique().on('baskets').columns(['owner_id', 'name']).execute();
  await schema.createIndex('baskets_created').on('baskets').columns(['created_at', 'id']).execute();
  await schema
    .createTable('shares')
    .addColumn('target_id', 'text', (c) => c.notNull())
    .addColumn('grantee', 'text', (c) => c.notNull())
    .addColumn('access', 'text', (c) => c.notNull())
    .addColumn('shared_by', 'text', (c) => c.notNull())
    .addColumn('created_at', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('shares_pk', ['target_id', 'grantee'])
    .execute();
  await schema.createIndex('shares_grantee').on('shares').columns(['grantee', 'target_id']).execute();
}

async function uploads(schema: Schema): Promise<void> {
  await schema
    .createTable('uploads')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('owner_id', 'text', (c) => c.notNull())
    .addColumn('length', 'bigint', (c) => c.notNull())
    .addColumn('filename', 'text', (c) => c.notNull())
    .addColumn('declared_type', 'text', (c) => c.notNull())
    .addColumn('basket_id', 'text', (c) => c.notNull())
    .addColumn('on_conflict', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('document_id', 'text')
    .addColumn('raw_metadata', 'text', (c) => c.notNull())
    .addColumn('created_at', 'text', (c) => c.notNull())
    .addColumn('expires_at', 'text', (c) => c.notNull())
    .execute();
  await schema.createIndex('uploads_expiry').on('uploads').column('expires_at').execute();
  await schema
    .createTable('document_usage')
    .addColumn('id', 'integer', (c) => c.primaryKey())
    .addColumn('bytes', 'bigint', (c) => c.notNull())
    .addColumn('reserved', 'bigint', (c) => c.notNull())
    .addColumn('denied_types', 'text', (c) => c.notNull())
    .execute();
  await schema.rows.insertInto('document_usage').values({ id: 1, bytes: 0, reserved: 0, denied_types: '[]' }).execute();
}
