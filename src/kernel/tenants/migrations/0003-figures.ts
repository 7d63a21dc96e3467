/** What was last counted in each company, and by day: asked of the control database, so that no company is opened. */
import { controlMigration } from '../../database/migration.ts';
import '../tables.ts';

export const tenantsMigration0003 = controlMigration('0003-figures', async (schema) => {
  await schema
    .createTable('tenant_figures')
    .addColumn('tenant_id', 'text', (c) => c.primaryKey())
    .addColumn('documents', 'bigint', (c) => c.notNull())
    .addColumn('bytes', 'bigint', (c) => c.notNull())
    .addColumn('database_bytes', 'bigint', (c) => c.notNull())
    .addColumn('counted_at', 'text', (c) => c.notNull())
    .execute();
  await schema.createIndex('tenant_figures_bytes').on('tenant_figures').columns(['bytes', 'tenant_id']).execute();
  await schema
    .createTable('tenant_days')
    .addColumn('tenant_id', 'text', (c) => c.notNull())
    .addColumn('day', 'text', (c) => c.notNull())
    .addColumn('added', 'bigint', (c) => c.notNull())
    .addColumn('documents', 'bigint')
    .addColumn('bytes', 'bigint')
    .addColumn('database_bytes', 'bigint')
    .addPrimaryKeyConstraint('tenant_days_pk', ['tenant_id', 'day'])
    .execute();
  // Sums by day over all companies, without touching the table.
  await schema.createIndex('tenant_days_day').on('tenant_days').columns(['day', 'added']).execute();
});
