/**
 * Migrating a schema among many in one database, and what structure the migrations make there.
 *
 * Promises: all that a schema lacks is applied in one transaction, with ledger, identity row and grants, or nothing of
 * it; the identity row is compared in that transaction. It acts as the tenant's owner on a connection that stays open
 * from one schema to the next, because signing in a thousand times would cost more than the migration. Whatever is not
 * as expected goes the way of the tenant's own login, which tells what is wrong.
 */
import { randomBytes } from 'node:crypto';
import { fingerprint } from '../database/fingerprint.ts';
import { applyMigrations, migrationsDigest, schemaLock } from '../database/migrator.ts';
import { postgresDialect } from '../database/postgres-dialect.ts';
import { isConnectionLost, postgresError } from '../database/postgres-errors.ts';
import type { PostgresSession } from '../database/postgres-session.ts';
import { kyselyOver } from '../database/session.ts';
import type { TenantTables } from '../database/tables.ts';
import { isStrongroomError } from '../errors.ts';
import { failpoint } from '../tenants/failpoints.ts';
import type { PlacementRef } from './placement.ts';
import { literal, quoted } from './postgres-names.ts';
import { grantsText, memberText, tablesText } from './postgres-roles.ts';
import { fillSchema, type SchemaParts, sharedDatabase } from './postgres-schema.ts';
import type { ServerTraits } from './postgres-server.ts';
import { migrateUnit, type UnitMigration } from './postgres-unit.ts';

/** How long a migration waits for those who use a table: all others wait behind it. */
const lockTimeout = '10s';

type Outcome = { readonly done: UnitMigration } | { readonly failed: unknown } | 'other way';

export async function migrateSchemaUnit(parts: SchemaParts, ref: PlacementRef): Promise<UnitMigration> {
  const logins = await parts.credentials.find(ref.tenantId);
  if (logins === undefined) return migrateUnit(parts, ref);
  const outcome = await parts.server
    .admin((session, traits) => attempt(parts, session, traits, ref), logins.request.database)
    // Without a provisioner, or where it cannot get in.
    .catch((error: unknown): Outcome => {
      if (isStrongroomError(error)) return 'other way';
      throw error;
    });
  if (outcome === 'other way') return migrateUnit(parts, ref);
  if ('failed' in outcome) throw postgresError(outcome.failed);
  return outcome.done;
}

/** What goes wrong with the statements is an outcome; only a lost connection is thrown. */
async function attempt(
  parts: SchemaParts,
  session: PostgresSession,
  traits: ServerTraits,
  ref: PlacementRef,
): Promise<Outcome> {
  await session.begin();
  try {
    const found = await actAsOwner(parts, session, traits, ref);
    if (found === undefined) {
      await session.rollback();
      return 'other way';
    }
    const done = await applyAll(parts, session, ref, found);
    await failpoint('migrate.schema.applied');
    await session.commit();
    return { done };
  } catch (error) {
    await session.rollback().catch(() => {});
    if (isConnectionLost(error)) throw error;
    return { failed: error };
  }
}

interface Found {
  readonly tenant_id: string;
  readonly generation: number;
  readonly tables: readonly string[];
  readonly ledger: readonly string[];
}

/** In the transaction: role, search path, the lock of the schema, and what is there. Undefined where it is not the tenant's. */
async function actAsOwner(
  parts: SchemaParts,
  session: PostgresSession,
  traits: ServerTraits,
  ref: PlacementRef,
): Promise<Found | undefined> {
  const { owner } = parts.names.roles(ref.unit);
  const { join } = memberText(traits, owner);
  try {
    const rows = await session.script<Found>(
      `${join} SET LOCAL ROLE ${quoted(owner)}; SET LOCAL search_path = ${quoted(ref.unit)};
       SET LOCAL lock_timeout = '${lockTimeout}'; ${schemaLock};
       SELECT tenant_id, generation, ARRAY(${tablesText(ref.unit)})::text[] AS tables,
         ARRAY(SELECT module || '/' || name FROM migrations) AS ledger FROM identity`,
    );
    const [row] = rows;
    return rows.length === 1 && row!.tenant_id === ref.tenantId && row!.generation === ref.generation ? row : undefined;
  } catch (error) {
    if (isConnectionLost(error)) throw error;
    return undefined;
  }
}

async function applyAll(
  parts: SchemaParts,
  session: PostgresSession,
  ref: PlacementRef,
  found: Found,
): Promise<UnitMigration> {
  const applied = await applyMigrations<TenantTables>({
    session: within(session),
    grammar: postgresDialect,
    list: parts.migrations,
    clock: parts.clock,
    present: new Set(found.ledger),
  });
  const db = kyselyOver<TenantTables>(postgresDialect, (query) => session.execute(query));
  const structure = await fingerprint(db, 'postgres');
  if (applied.length > 0) {
    // One message; the commit behind it is another, whose answer counts.
    const tables = await session.script<{ relname: string }>(
      `UPDATE identity SET fingerprint = ${literal(structure)}; ${tablesText(ref.unit)}`,
    );
    const names = tables.map(({ relname }) => relname);
    const roles = parts.names.roles(ref.unit);
    if (names.join() !== found.tables.join()) await session.script(grantsText(ref.unit, roles, names));
  }
  return { applied, fingerprint: structure };
}

/** The session within the caller's transaction. */
function within(session: PostgresSession): PostgresSession {
  const passed = () => Promise.resolve();
  return {
    ...session,
    get usable() {
      return session.usable;
    },
    begin: passed,
    commit: passed,
    rollback: passed,
  };
}

/** The structure that the migrations make in a schema. */
export async function schemaStructure(parts: SchemaParts): Promise<string> {
  const known = parts.replays.get(migrationsDigest(parts.migrations));
  if (known !== undefined) return known.fingerprint;
  return parts.server.admin((session) => probeStructure(parts, session), await sharedDatabase(parts));
}

/** Makes the structure in a schema of no tenant, in a transaction that is never committed. */
export async function probeStructure(
  parts: Pick<SchemaParts, 'migrations' | 'clock' | 'replays'>,
  session: PostgresSession,
): Promise<string> {
  const probe = `strongroom_probe_${randomBytes(8).toString('hex')}`;
  await session.begin();
  try {
    await session.script(`CREATE SCHEMA ${quoted(probe)}; SET LOCAL search_path = ${quoted(probe)}`);
    return (await fillSchema(parts, session, probe)).fingerprint;
  } finally {
    await session.rollback().catch(() => {});
  }
}
