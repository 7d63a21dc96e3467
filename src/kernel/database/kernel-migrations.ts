/** The kernel's own migrations of this folder. The ledger itself is made by the migrator, before the first of them. */
import './kernel-tables.ts';
import { sql } from 'kysely';
import { type ControlMigration, type TenantMigration, tenantMigration } from './migration.ts';

/** Name under which these stand in the ledger. */
export const databaseModule = 'database';

export const databaseTenantMigrations: readonly TenantMigration[] = [
  tenantMigration('0001-identity', async (schema) => {
    await schema
      .createTable('identity')
      .addColumn('singleton', 'integer', (column) => column.primaryKey().check(sql`singleton = 1`))
      .addColumn('tenant_id', 'text', (column) => column.notNull())
      .addColumn('generation', 'integer', (column) => column.notNull())
      .addColumn('fingerprint', 'text', (column) => column.notNull())
      .execute();
  }),
];

export const databaseControlMigrations: readonly ControlMigration[] = [];
