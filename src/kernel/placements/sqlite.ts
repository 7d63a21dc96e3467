/**
 * Placement `sqlite`: one file a tenant, `tenants/<id>/tenant.db`, copied from a migrated template.
 *
 * Promises: a file is whole and durable or not there; it is never created by opening; every opening compares the
 * identity row, and a mismatch is refused with an alarm and never repaired; files are 0600, folders 0700.
 */
import { existsSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Clock } from '../clock.ts';
import { syncPath } from '../database/durable.ts';
import { fingerprint } from '../database/fingerprint.ts';
import type { TenantMigration } from '../database/migration.ts';
import { appliedMigrations, applyMigrations, type ModuleMigrations } from '../database/migrator.ts';
import { kyselyOver } from '../database/session.ts';
import { sqliteDialect } from '../database/sqlite-dialect.ts';
import type { SqliteHost } from '../database/sqlite-host.ts';
import type { SqliteSession } from '../database/sqlite-session.ts';
import type { TenantTables } from '../database/tables.ts';
import { conflict, isStrongroomError } from '../errors.ts';
import type { TenantId } from '../ids.ts';
import type { Identity, Placement, PlacementAlarm, PlacementRef, Purpose } from './placement.ts';
import { createSqlitePaths, type SqlitePaths } from './sqlite-paths.ts';
import { createSqliteTemplate, type SqliteTemplate } from './sqlite-template.ts';

export interface SqlitePlacementOptions {
  readonly dataDir: string;
  readonly schemaTemplate: string;
  readonly pathTemplate: string;
  readonly host: SqliteHost;
  /** Tenant migrations of kernel and modules, in order. */
  readonly migrations: readonly ModuleMigrations<TenantMigration>[];
  readonly clock: Clock;
  readonly alarm: (event: PlacementAlarm) => void;
}

interface Context extends SqlitePlacementOptions {
  readonly paths: SqlitePaths;
  readonly template: () => Promise<SqliteTemplate>;
}

export function createSqlitePlacement(given: SqlitePlacementOptions): Placement {
  const options = { ...given, dataDir: resolve(given.dataDir) };
  const paths = createSqlitePaths(options.dataDir, options.schemaTemplate, options.pathTemplate);
  const context: Context = { ...options, paths, template: createSqliteTemplate(options) };
  return {
    kind: 'sqlite',
    dialect: 'sqlite',
    capabilities: { needsFolderOwner: true, clonesTemplate: true, connections: { read: 1, write: 1, migrate: 1 } },
    unitName: paths.unitName,
    create: (ref) => create(context, ref),
    stamp: (ref) => stamp(context, ref),
    async open(ref, purpose) {
      const session = await openChecked(context, ref, purpose);
      return {
        kysely: kyselyOver<TenantTables>(sqliteDialect, (query) => session.execute(query)),
        session,
        get usable() {
          return session.usable;
        },
        close: () => session.close(),
      };
    },
    migrate: (ref) => migrate(context, ref),
    structure: async () => (await context.template()).fingerprint,
    inspect: (ref) => inspect(context, ref),
    size: (ref) => size(paths.file(ref.tenantId)),
    destroy: (ref) => destroy(context, ref.tenantId),
    listUnits: () => listUnits(context),
    async destroyUnit(unit) {
      const tenantId = paths.tenantOf(unit);
      if (tenantId === undefined) throw conflict('not_a_unit', 'This name does not belong to a company.');
      await destroy(context, tenantId);
    },
    close: () => Promise.resolve(),
  };
}

const threadOf = (ref: PlacementRef, purpose: Purpose) =>
  purpose === 'migrate' ? { migrate: ref.tenantId } : { tenant: ref.tenantId };

async function openChecked(context: Context, ref: PlacementRef, purpose: Purpose): Promise<SqliteSession> {
  try {
    return await context.host.open(threadOf(ref, purpose), {
      path: context.paths.file(ref.tenantId),
      purpose,
      create: false,
      identity: { tenantId: ref.tenantId, generation: ref.generation },
    });
  } catch (error) {
    if (isStrongroomError(error) && error.code === 'identity_mismatch') {
      const { tenantId, kind, unit } = ref;
      context.alarm({ kind: 'identity_mismatch', tenantId, placement: kind, unit, at: context.clock.iso() });
    }
    throw error;
  }
}

/** A copy gets its identity before its name, so that one fsync of the file serves both. */
async function create({ host, paths, template }: Context, { tenantId, generation }: PlacementRef) {
  const path = paths.file(tenantId);
  if (existsSync(path)) return { stamped: false };
  const { path: source, fingerprint: structure } = await template();
  await host.copy({ template: source, path, identity: { tenantId, generation, fingerprint: structure } });
  return { stamped: true };
}

/** Opens without comparing identities: for stamping and looking only. */
function openUnchecked({ host, paths }: Context, ref: PlacementRef, purpose: Purpose): Promise<SqliteSession> {
  return host.open('maintenance', { path: paths.file(ref.tenantId), purpose, create: false });
}

const kyselyOf = (session: SqliteSession) => kyselyOver<TenantTables>(sqliteDialect, (query) => session.execute(query));

async function stamp(context: Context, ref: PlacementRef): Promise<void> {
  const session = await openUnchecked(context, ref, 'migrate');
  try {
    const db = kyselyOf(session);
    const found = await db.selectFrom('identity').selectAll().executeTakeFirst();
    if (found !== undefined && (found.tenant_id !== ref.tenantId || found.generation > ref.generation)) {
      throw conflict('database_taken', 'This database belongs to another company.');
    }
    if (found?.generation === ref.generation) return;
    const structure = await fingerprint(db, 'sqlite');
    await session.begin();
    const row = { tenant_id: ref.tenantId, generation: ref.generation, fingerprint: structure };
    await db
      .insertInto('identity')
      .values({ singleton: 1, ...row })
      .onConflict((taken) => taken.column('singleton').doUpdateSet(row).where('identity.tenant_id', '=', ref.tenantId))
      .execute();
    await session.commit();
  } finally {
    await session.close();
  }
}

async function migrate(context: Context, ref: PlacementRef): Promise<{ applied: string[]; fingerprint: string }> {
  const session = await openChecked(context, ref, 'migrate');
  try {
    let structure: string | undefined;
    const applied = await applyMigrations<TenantTables>({
      session,
      grammar: sqliteDialect,
      list: context.migrations,
      clock: context.clock,
      afterEach: async (db) => {
        structure = await fingerprint(db, 'sqlite');
        await db.updateTable('identity').set({ fingerprint: structure }).execute();
      },
    });
    return { applied, fingerprint: structure ?? (await fingerprint(kyselyOf(session), 'sqlite')) };
  } finally {
    await session.close();
  }
}

async function inspect(context: Context, ref: PlacementRef) {
  let session: SqliteSession;
  try {
    session = await openUnchecked(context, ref, 'read');
  } catch (error) {
    if (isStrongroomError(error) && error.code === 'database_missing') {
      return { exists: false, identity: null, applied: [] };
    }
    throw error;
  }
  try {
    const applied = await appliedMigrations(session, sqliteDialect);
    return { exists: true, identity: await identityOf(session), applied };
  } finally {
    await session.close();
  }
}

async function identityOf(session: SqliteSession): Promise<Identity | null> {
  const db = kyselyOf(session);
  const table = await db
    .withTables<{ sqlite_schema: { name: string; type: string } }>()
    .selectFrom('sqlite_schema')
    .select('name')
    .where('type', '=', 'table')
    .where('name', '=', 'identity')
    .executeTakeFirst();
  if (table === undefined) return null;
  const row = await db.selectFrom('identity').selectAll().executeTakeFirst();
  if (row === undefined) return null;
  return { tenantId: row.tenant_id, generation: row.generation, fingerprint: row.fingerprint };
}

async function size(path: string): Promise<number> {
  let bytes = 0;
  for (const ending of ['', '-wal']) {
    bytes += await stat(path + ending).then(
      (found) => found.size,
      () => 0,
    );
  }
  return bytes;
}

async function destroy({ paths }: Context, tenantId: TenantId): Promise<void> {
  const file = paths.file(tenantId);
  for (const ending of ['', '-wal', '-shm', '-journal', '.new', '.new-wal', '.new-shm']) {
    await rm(file + ending, { force: true });
  }
  const folder = paths.folder(tenantId);
  if (folder !== null) await rm(folder, { recursive: true, force: true });
  const parent = folder === null ? dirname(file) : dirname(folder);
  if (existsSync(parent)) await syncPath(parent);
}

async function* listUnits({ paths }: Context): AsyncIterable<string> {
  const seen = new Set<TenantId>();
  const entries = await readdir(paths.listing.folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  for (const entry of entries) {
    const tenantId = paths.listing.tenantOf(entry);
    if (tenantId === undefined || seen.has(tenantId)) continue;
    seen.add(tenantId);
    yield paths.unitName(tenantId);
  }
}
