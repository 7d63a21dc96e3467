/** What several processes on one control database need: which records changed, and what the installation is. */
import { controlMigration } from '../../database/migration.ts';
import '../tables.ts';

export const tenantsMigration0002 = controlMigration('0002-several-processes', async (schema) => {
  await schema
    .createTable('tenant_changes')
    .addColumn('tenant_id', 'text', (c) => c.primaryKey())
    .addColumn('seq', 'bigint', (c) => c.notNull())
    .execute();
  await schema.createIndex('tenant_changes_seq').on('tenant_changes').column('seq').execute();
  await schema
    .createTable('installation')
    .addColumn('key', 'text', (c) => c.primaryKey())
    .addColumn('value', 'text', (c) => c.notNull())
    .execute();
});
