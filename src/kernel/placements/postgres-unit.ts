/**
 * A tenant's unit on PostgreSQL, seen through the tenant's own logins: the same for a schema and for a database.
 *
 * Promises: opening never creates; every opening compares the identity row, and a mismatch is refused with an alarm and
 * never repaired; a unit that should be there and is not is an alarm too; nothing here uses the provisioner's login.
 */
import type pg from 'pg';
import type { Clock } from '../clock.ts';
import { fingerprint } from '../database/fingerprint.ts';
import type { TenantMigration } from '../database/migration.ts';
import { appliedMigrations, applyMigrations, type ModuleMigrations } from '../database/migrator.ts';
import { postgresDialect } from '../database/postgres-dialect.ts';
import { openPostgresSession, type PostgresSession } from '../database/postgres-session.ts';
import { kyselyOver } from '../database/session.ts';
import type { TenantTables } from '../database/tables.ts';
import { conflict, isStrongroomError, type StrongroomError, unavailable } from '../errors.ts';
import type { Identity, PlacedConnection, PlacementAlarm, PlacementRef, PlacementState, Purpose } from './placement.ts';
import type { PostgresCredentials } from './postgres-credentials.ts';
import type { PostgresNames } from './postgres-names.ts';
import { grantsText, tablesOf } from './postgres-roles.ts';
import type { PostgresServer } from './postgres-server.ts';

export interface UnitParts {
  readonly server: PostgresServer;
  readonly credentials: PostgresCredentials;
  readonly names: PostgresNames;
  /** The schema in which a unit's tables stand. */
  readonly schemaOf: (unit: string) => string;
  /** Tenant migrations of kernel and modules, in order. */
  readonly migrations: readonly ModuleMigrations<TenantMigration>[];
  readonly clock: Clock;
  readonly statementSeconds: number;
  /** Keep statements prepared, and let `read` be read-only by a start-up option: not behind a transaction pooler. */
  readonly prepared: boolean;
  readonly alarm: (event: PlacementAlarm) => void;
}

/** What the driver waits beyond the server's own limit before it gives a connection up. */
const graceMs = 5_000;

/** Queries under way on one reader: enough to spare most of the messages, few enough to wait for behind a slow one. */
const readsAtOnce = 8;

const kyselyOf = (session: PostgresSession) =>
  kyselyOver<TenantTables>(postgresDialect, (query) => session.execute(query));

function raise(parts: UnitParts, kind: PlacementAlarm['kind'], ref: PlacementRef): void {
  const { tenantId, unit } = ref;
  parts.alarm({ kind, tenantId, placement: ref.kind, unit, at: parts.clock.iso() });
}

const missing = () => unavailable('database_missing', 'The database is not there.', 30);
const mismatch = () => unavailable('identity_mismatch', 'The database is not the one that belongs here.', 30);

/** A connection with the tenant's own login; its identity row is still to be compared. */
async function connect(parts: UnitParts, ref: PlacementRef, purpose: Purpose): Promise<PostgresSession> {
  const logins = await parts.credentials.find(ref.tenantId);
  if (logins === undefined) throw missing();
  const login = logins[purpose === 'migrate' ? 'migrate' : 'request'];
  const limits = purpose === 'migrate' ? {} : { query_timeout: parts.statementSeconds * 1_000 + graceMs };
  const readOnly = purpose === 'read' && parts.prepared ? { options: '-c default_transaction_read_only=on' } : {};
  const way = purpose === 'migrate' ? 'direct' : 'request';
  try {
    return await openPostgresSession(
      { ...parts.server.clientConfig(login, way), ...limits, ...readOnly },
      {
        mapErrors: true,
        prepared: parts.prepared && purpose !== 'migrate',
        stateless: purpose !== 'migrate',
        concurrency: purpose === 'read' && parts.prepared ? readsAtOnce : 1,
        onRefused: () => raise(parts, 'statement_refused', ref),
      },
    );
  } catch (error) {
    // What is remembered may be what was before.
    parts.credentials.refresh(ref.tenantId);
    const gone =
      isMissing(error) ||
      (way === 'request' && parts.server.pooled && (await isGone(parts.server.clientConfig(login))));
    if (!gone) throw error;
    raise(parts, 'database_missing', ref);
    throw missing();
  }
}

/** A pooler says only that it could not connect: the server itself says whether the database is there. */
async function isGone(config: pg.ClientConfig): Promise<boolean> {
  try {
    await (await openPostgresSession(config, { mapErrors: true })).close();
    return false;
  } catch (error) {
    return isMissing(error);
  }
}

interface FoundIdentity {
  readonly schema: boolean;
  readonly identity: Identity | null;
}

/** The identity row, where there is a schema, a table and one row. */
async function readIdentity(session: PostgresSession): Promise<FoundIdentity> {
  const [there] = await session.script<{ schema: string | null; identity: string | null }>(
    `SELECT current_schema() AS schema, to_regclass('identity') AS identity`,
  );
  if (there === undefined || there.schema === null) return { schema: false, identity: null };
  if (there.identity === null) return { schema: true, identity: null };
  const rows = await session.script<{ tenant_id: string; generation: number; fingerprint: string }>(
    'SELECT tenant_id, generation, fingerprint FROM identity',
  );
  const row = rows[0];
  if (row === undefined || rows.length !== 1) return { schema: true, identity: null };
  return {
    schema: true,
    identity: { tenantId: row.tenant_id, generation: row.generation, fingerprint: row.fingerprint },
  };
}

/** @throws unavailable `database_missing` | `identity_mismatch`, after an alarm */
async function requireOwn(parts: UnitParts, ref: PlacementRef, session: PostgresSession): Promise<void> {
  const rows = await session
    .script<{ tenant_id: string; generation: number }>('SELECT tenant_id, generation FROM identity')
    .catch((error: unknown) => {
      const code = (error as { code?: unknown }).code;
      if (code === '42P01') return undefined;
      throw error;
    });
  const row = rows?.[0];
  if (rows?.length === 1 && row!.tenant_id === ref.tenantId && row!.generation === ref.generation) return;
  const gone = rows === undefined && !(await readIdentity(session)).schema;
  raise(parts, gone ? 'database_missing' : 'identity_mismatch', ref);
  throw gone ? missing() : mismatch();
}

async function openOwn(parts: UnitParts, ref: PlacementRef, purpose: Purpose): Promise<PostgresSession> {
  const session = await connect(parts, ref, purpose);
  try {
    await requireOwn(parts, ref, session);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}

export async function openUnit(parts: UnitParts, ref: PlacementRef, purpose: Purpose): Promise<PlacedConnection> {
  const session = await openOwn(parts, ref, purpose);
  return {
    kysely: kyselyOf(session),
    session,
    get usable() {
      return session.usable;
    },
    close: () => session.close(),
  };
}

/** @throws conflict `database_taken` where the row is another tenant's or of a later generation */
export function requireFree(found: Identity | null, ref: PlacementRef): void {
  if (found === null || (found.tenantId === ref.tenantId && found.generation <= ref.generation)) return;
  throw conflict('database_taken', 'This database belongs to another company.');
}

/** Writes the identity row with a session that acts as the owner, in a transaction of the caller's. */
export async function writeIdentity(session: PostgresSession, ref: PlacementRef, structure: string): Promise<void> {
  const row = { tenant_id: ref.tenantId, generation: ref.generation, fingerprint: structure };
  await kyselyOf(session)
    .insertInto('identity')
    .values({ singleton: 1, ...row })
    .onConflict((taken) => taken.column('singleton').doUpdateSet(row).where('identity.tenant_id', '=', ref.tenantId))
    .execute();
}

export async function stampUnit(parts: UnitParts, ref: PlacementRef): Promise<void> {
  const session = await connect(parts, ref, 'migrate');
  try {
    const { schema, identity } = await readIdentity(session);
    if (!schema) throw missing();
    requireFree(identity, ref);
    if (identity?.generation === ref.generation) return;
    const structure = await fingerprint(kyselyOf(session), 'postgres');
    await session.begin();
    await writeIdentity(session, ref, structure);
    await session.commit();
  } finally {
    await session.close();
  }
}

export interface UnitMigration {
  /** Names of the migrations that this call applied. */
  readonly applied: readonly string[];
  /** Of the structure that is there now. */
  readonly fingerprint: string;
}

export async function migrateUnit(parts: UnitParts, ref: PlacementRef): Promise<UnitMigration> {
  const session = await openOwn(parts, ref, 'migrate');
  try {
    const schema = parts.schemaOf(ref.unit);
    let structure: string | undefined;
    const applied = await applyMigrations<TenantTables>({
      session,
      grammar: postgresDialect,
      list: parts.migrations,
      clock: parts.clock,
      afterEach: async (db) => {
        structure = await fingerprint(db, 'postgres');
        await db.updateTable('identity').set({ fingerprint: structure }).execute();
        // With the tables or not at all: what a request may do with them is part of the step.
        await session.script(grantsText(schema, parts.names.roles(ref.unit), await tablesOf(session, schema)));
      },
    });
    return { applied, fingerprint: structure ?? (await fingerprint(kyselyOf(session), 'postgres')) };
  } finally {
    await session.close();
  }
}

/**
 * Fills a unit that may be half full, for where making one cannot be one transaction: every migration with the rights on
 * its tables. The identity row is for `stamp`. Does nothing more where it is full.
 */
export async function fillUnit(parts: UnitParts, ref: PlacementRef): Promise<void> {
  const session = await connect(parts, ref, 'migrate');
  try {
    const { schema, identity } = await readIdentity(session);
    if (!schema) throw missing();
    requireFree(identity, ref);
    const own = parts.schemaOf(ref.unit);
    await applyMigrations<TenantTables>({
      session,
      grammar: postgresDialect,
      list: parts.migrations,
      clock: parts.clock,
      afterEach: async () => {
        await session.script(grantsText(own, parts.names.roles(ref.unit), await tablesOf(session, own)));
      },
    });
  } finally {
    await session.close();
  }
}

const nothing: PlacementState = { exists: false, identity: null, applied: [] };

export async function inspectUnit(parts: UnitParts, ref: PlacementRef): Promise<PlacementState> {
  if ((await parts.credentials.find(ref.tenantId)) === undefined) return nothing;
  let session: PostgresSession;
  try {
    session = await connect(parts, ref, 'migrate');
  } catch (error) {
    if (isMissing(error)) return nothing;
    throw error;
  }
  try {
    const { schema, identity } = await readIdentity(session);
    if (!schema) return nothing;
    return { exists: true, identity, applied: await appliedMigrations(session, postgresDialect) };
  } finally {
    await session.close();
  }
}

function isMissing(error: unknown): error is StrongroomError {
  return isStrongroomError(error) && error.code === 'database_missing';
}

/** Asks with the tenant's request login, past every pool; the identity row is not compared. */
export async function askUnit<T>(
  parts: UnitParts,
  ref: PlacementRef,
  ask: (session: PostgresSession) => Promise<T>,
): Promise<T> {
  const session = await connect(parts, ref, 'read');
  try {
    return await ask(session);
  } finally {
    await session.close();
  }
}

/** Bytes, by a statement that gives one number. */
export function sizeOfUnit(
  parts: UnitParts,
  ref: PlacementRef,
  statement: string | ((session: PostgresSession) => Promise<string>),
): Promise<number> {
  return askUnit(parts, ref, async (session) => {
    const text = typeof statement === 'string' ? statement : await statement(session);
    const [row] = await session.script<{ bytes: number }>(text);
    return row?.bytes ?? 0;
  });
}
