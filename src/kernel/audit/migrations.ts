/** Structure of the audit trail. The triggers are a second lock: nothing relies on them, and PostgreSQL has none. */
import { sql } from 'kysely';
import { controlMigration, type SchemaOf, tenantMigration } from '../database/migration.ts';
import type { AuditTables } from './tables.ts';

async function makeTrail(schema: SchemaOf<AuditTables>): Promise<void> {
  const whole = schema.dialect === 'sqlite' ? 'integer' : 'bigint';
  await schema
    .createTable('audit_log')
    .addColumn('seq', whole, (c) => c.primaryKey())
    .addColumn('id', 'text', (c) => c.notNull())
    .addColumn('at', 'text', (c) => c.notNull())
    .addColumn('actor', 'text', (c) => c.notNull())
    .addColumn('action', 'text', (c) => c.notNull())
    .addColumn('target', 'text')
    .addColumn('outcome', 'text', (c) => c.notNull())
    .addColumn('details', 'text', (c) => c.notNull())
    .addColumn('ip', 'text')
    .addColumn('request_id', 'text')
    .execute();
  await schema
    .createTable('audit_seals')
    .addColumn('number', whole, (c) => c.primaryKey())
    .addColumn('from_seq', whole, (c) => c.notNull())
    .addColumn('to_seq', whole, (c) => c.notNull())
    .addColumn('rows', 'integer', (c) => c.notNull())
    .addColumn('digests', 'text', (c) => c.notNull())
    .addColumn('previous', 'text', (c) => c.notNull())
    .addColumn('at', 'text', (c) => c.notNull())
    .addColumn('hmac', 'text', (c) => c.notNull())
    .execute();
  if (schema.dialect !== 'sqlite') return;
  for (const table of ['audit_log', 'audit_seals'] as const) {
    for (const change of ['update', 'delete'] as const) {
      await schema.run(
        sql`create trigger ${sql.ref(`${table}_no_${change}`)} before ${sql.raw(change)} on ${sql.table(table)}
            begin select raise(abort, 'the audit trail is append-only'); end`,
      );
    }
  }
}

export const auditTenantMigrations = [
  tenantMigration('0003-audit', (schema) => makeTrail(schema as unknown as SchemaOf<AuditTables>)),
];

export const auditControlMigrations = [
  controlMigration('0002-audit', async (schema) => {
    await makeTrail(schema as unknown as SchemaOf<AuditTables>);
    await schema
      .createTable('audit_heads')
      .addColumn('trail', 'text', (c) => c.primaryKey())
      .addColumn('number', schema.dialect === 'sqlite' ? 'integer' : 'bigint', (c) => c.notNull())
      .addColumn('to_seq', schema.dialect === 'sqlite' ? 'integer' : 'bigint', (c) => c.notNull())
      .addColumn('hmac', 'text', (c) => c.notNull())
      .execute();
  }),
];
