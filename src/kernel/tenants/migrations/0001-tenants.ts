/** Registry, journal and fleet migrations: tables and the indexes that keep lists and counts cheap at 10,000 tenants. */
import { sql } from 'kysely';
import { controlMigration, type SchemaOf } from '../../database/migration.ts';
import type { ControlTables } from '../../database/tables.ts';
import '../tables.ts';

async function tenants(schema: SchemaOf<ControlTables>): Promise<void> {
  await schema
    .createTable('tenants')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('name', 'text')
    .addColumn('slug', 'text')
    .addColumn('email', 'text')
    .addColumn('sort_name', 'text')
    .addColumn('search', 'text')
    .addColumn('preset', 'text')
    .addColumn('region', 'text')
    .addColumn('quota_bytes', 'bigint')
    .addColumn('registration', 'text')
    .addColumn('placement', 'text')
    .addColumn('unit', 'text')
    .addColumn('server', 'text')
    .addColumn('generation', 'integer', (c) => c.notNull())
    .addColumn('bucket', 'text')
    .addColumn('wrapped_key', 'text')
    .addColumn('schema_version', 'integer', (c) => c.notNull())
    .addColumn('fingerprint', 'text')
    .addColumn('created_at', 'text')
    .addColumn('deleted_at', 'text')
    .addColumn('purge_after', 'text')
    .addColumn('restore_state', 'text')
    .execute();
  // Null is distinct from null in both dialects: tombstones give their slug back and do not collide.
  await schema.createIndex('tenants_slug').unique().on('tenants').column('slug').execute();
  await schema.createIndex('tenants_created').on('tenants').columns(['created_at', 'id']).execute();
  await schema.createIndex('tenants_name').on('tenants').columns(['sort_name', 'id']).execute();
  // Counts by status, and "who is behind", without touching the table.
  await schema.createIndex('tenants_state').on('tenants').columns(['state', 'schema_version', 'id']).execute();
  await schema.createIndex('tenants_placement').on('tenants').columns(['placement', 'state']).execute();
  await schema.createIndex('tenants_purge').on('tenants').columns(['state', 'purge_after']).execute();
}

async function journal(schema: SchemaOf<ControlTables>): Promise<void> {
  await schema
    .createTable('operations')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('tenant_id', 'text', (c) => c.notNull())
    .addColumn('verb', 'text', (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('attempts', 'integer', (c) => c.notNull())
    .addColumn('actor', 'text', (c) => c.notNull())
    .addColumn('started_at', 'text', (c) => c.notNull())
    .addColumn('finished_at', 'text')
    .addColumn('reason', 'text')
    .addColumn('payload', 'text')
    .addColumn('undoing', 'integer', (c) => c.notNull())
    .addColumn('lease_owner', 'text')
    .addColumn('lease_until', 'text')
    .addColumn('retry_at', 'text')
    .execute();
  await schema.createIndex('operations_tenant').on('operations').columns(['tenant_id', 'id']).execute();
  // At most one verb at a time works on a company, whichever process began it.
  await schema
    .createIndex('operations_running')
    .unique()
    .on('operations')
    .column('tenant_id')
    .where(sql.ref('status'), '=', sql.lit('running'))
    .execute();
  await schema
    .createTable('operation_steps')
    .addColumn('operation_id', 'text', (c) => c.notNull())
    .addColumn('position', 'integer', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('started_at', 'text')
    .addColumn('finished_at', 'text')
    .addColumn('reason', 'text')
    .addPrimaryKeyConstraint('operation_steps_key', ['operation_id', 'position'])
    .execute();
}

async function fleet(schema: SchemaOf<ControlTables>): Promise<void> {
  await schema
    .createTable('migration_runs')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('actor', 'text', (c) => c.notNull())
    .addColumn('started_at', 'text', (c) => c.notNull())
    .addColumn('finished_at', 'text')
    .addColumn('head', 'integer', (c) => c.notNull())
    .addColumn('total', 'integer', (c) => c.notNull())
    .addColumn('concurrency', 'integer', (c) => c.notNull())
    .addColumn('canary', 'integer', (c) => c.notNull())
    .addColumn('max_failures', 'integer', (c) => c.notNull())
    .addColumn('stop_requested', 'integer', (c) => c.notNull())
    .addColumn('reason', 'text')
    .addColumn('lease_owner', 'text')
    .addColumn('lease_until', 'text')
    .execute();
  // One run at a time, whichever process began it.
  await schema
    .createIndex('migration_runs_running')
    .unique()
    .on('migration_runs')
    .column('status')
    .where(sql.ref('status'), '=', sql.lit('running'))
    .execute();
  await schema
    .createTable('migration_results')
    .addColumn('run_id', 'text', (c) => c.notNull())
    .addColumn('position', 'integer', (c) => c.notNull())
    .addColumn('tenant_id', 'text', (c) => c.notNull())
    .addColumn('slug', 'text', (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('reason', 'text')
    .addColumn('from_version', 'integer', (c) => c.notNull())
    .addColumn('finished_at', 'text')
    .addPrimaryKeyConstraint('migration_results_key', ['run_id', 'position'])
    .execute();
  await schema
    .createIndex('migration_results_tenant')
    .on('migration_results')
    .columns(['tenant_id', 'run_id'])
    .execute();
}

export const tenantsMigration0001 = controlMigration('0001-tenants', async (schema) => {
  await tenants(schema);
  await journal(schema);
  await fleet(schema);
});
