/** Structure of the job queue and of the work index. */
import { sql } from 'kysely';
import { controlMigration, tenantMigration } from '../database/migration.ts';
import './tables.ts';

export const jobsTenantMigrations = [
  tenantMigration('0001-jobs', async (schema) => {
    await schema
      .createTable('jobs')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('type', 'text', (c) => c.notNull())
      .addColumn('dedupe_key', 'text')
      .addColumn('payload', 'text', (c) => c.notNull())
      .addColumn('sealed', 'integer', (c) => c.notNull())
      .addColumn('due_at', 'text', (c) => c.notNull())
      .addColumn('attempts', 'integer', (c) => c.notNull())
      .addColumn('owner', 'text')
      .addColumn('locked_until', 'text')
      .addColumn('last_error', 'text')
      .addColumn('failed_at', 'text')
      .addColumn('created_at', 'text', (c) => c.notNull())
      .execute();
    await schema.createIndex('jobs_due').on('jobs').columns(['failed_at', 'due_at']).execute();
    // One waiting job a key: a running one no longer counts, since it may have missed what the new one is about.
    await schema
      .createIndex('jobs_waiting_key')
      .unique()
      .on('jobs')
      .column('dedupe_key')
      .where(sql.ref('owner'), 'is', null)
      .where(sql.ref('failed_at'), 'is', null)
      .execute();
  }),
];

export const jobsControlMigrations = [
  controlMigration('0001-tenant-work', async (schema) => {
    await schema
      .createTable('tenant_work')
      .addColumn('tenant_id', 'text', (c) => c.primaryKey())
      .addColumn('due_at', 'text', (c) => c.notNull())
      .addColumn('generation', 'integer', (c) => c.notNull())
      .execute();
  }),
];

/** After those of audit and idempotency, which have the numbers between. */
export const workLeasesMigrations = [
  controlMigration('0004-work-leases', async (schema) => {
    await schema.alterTable('tenant_work').addColumn('owner', 'text').execute();
    await schema.alterTable('tenant_work').addColumn('lease_until', 'text').execute();
    await schema.alterTable('tenant_work').addColumn('open_until', 'text').execute();
    await schema.alterTable('tenant_work').addColumn('announced_until', 'text').execute();
    await schema.createIndex('tenant_work_due').on('tenant_work').column('due_at').execute();
  }),
];
