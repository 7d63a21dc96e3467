/** The table `idempotency`, in both kinds of database: members' requests in their company's, all others in the control one. */
import { controlMigration, type SchemaOf, tenantMigration } from '../database/migration.ts';

export interface IdempotencyTable {
  /** Keyed digest of caller, route and key. */
  id: string;
  /** Keyed digest of the request's body. */
  request: string;
  state: 'running' | 'done';
  /** Who runs it; a random text made by each request. */
  owner: string;
  /** While it runs: until when nobody else may. */
  lease_until: string;
  status: number | null;
  /** JSON object with `headers` and `body`, or sealed JSON where `sealed` is 1. */
  answer: string | null;
  sealed: number;
  expires_at: string;
}

export interface IdempotencyTables {
  idempotency: IdempotencyTable;
}

declare module '../database/tables.ts' {
  interface TenantTables extends IdempotencyTables {}
  interface ControlTables extends IdempotencyTables {}
}

async function makeTable(schema: SchemaOf<IdempotencyTables>): Promise<void> {
  await schema
    .createTable('idempotency')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('request', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('owner', 'text', (c) => c.notNull())
    .addColumn('lease_until', 'text', (c) => c.notNull())
    .addColumn('status', 'integer')
    .addColumn('answer', 'text')
    .addColumn('sealed', 'integer', (c) => c.notNull())
    .addColumn('expires_at', 'text', (c) => c.notNull())
    .execute();
  await schema.createIndex('idempotency_expires').on('idempotency').column('expires_at').execute();
}

export const idempotencyTenantMigrations = [
  tenantMigration('0004-idempotency', (schema) => makeTable(schema as unknown as SchemaOf<IdempotencyTables>)),
];

export const idempotencyControlMigrations = [
  controlMigration('0003-idempotency', (schema) => makeTable(schema as unknown as SchemaOf<IdempotencyTables>)),
];
