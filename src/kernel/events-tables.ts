/** Tables of the event outbox, in each tenant's database, and their structure. */
import { tenantMigration } from './database/migration.ts';

export interface EventTable {
  /** Counts without a gap, in the order of commits. */
  seq: number;
  id: string;
  type: string;
  at: string;
  /** JSON. */
  actor: string;
  payload: string;
}

/** How far a listener has heard. */
export interface EventCursorTable {
  /** Name of the module that listens. */
  listener: string;
  /** Everything up to this event was delivered. */
  seq: number;
  /** Failures of the event after it, in a row. */
  failures: number;
  retry_at: string | null;
  last_error: string | null;
}

declare module './database/tables.ts' {
  interface TenantTables {
    events: EventTable;
    event_cursors: EventCursorTable;
  }
}

export const eventsTenantMigrations = [
  tenantMigration('0002-events', async (schema) => {
    await schema
      .createTable('events')
      .addColumn('seq', schema.dialect === 'sqlite' ? 'integer' : 'bigint', (c) => c.primaryKey())
      .addColumn('id', 'text', (c) => c.notNull().unique())
      .addColumn('type', 'text', (c) => c.notNull())
      .addColumn('at', 'text', (c) => c.notNull())
      .addColumn('actor', 'text', (c) => c.notNull())
      .addColumn('payload', 'text', (c) => c.notNull())
      .execute();
    await schema
      .createTable('event_cursors')
      .addColumn('listener', 'text', (c) => c.primaryKey())
      .addColumn('seq', 'bigint', (c) => c.notNull())
      .addColumn('failures', 'integer', (c) => c.notNull())
      .addColumn('retry_at', 'text')
      .addColumn('last_error', 'text')
      .execute();
  }),
];
