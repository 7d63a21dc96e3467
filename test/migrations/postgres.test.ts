/**
 * Every migration of kernel and modules runs on a real PostgreSQL server, can run again, and makes the same tables and
 * columns as on SQLite.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/kernel/clock.ts';
import { fingerprint } from '../../src/kernel/database/fingerprint.ts';
import type { Migration } from '../../src/kernel/database/migration.ts';
import { applyMigrations, type ModuleMigrations, migrationNames } from '../../src/kernel/database/migrator.ts';
import { postgresDialect } from '../../src/kernel/database/postgres-dialect.ts';
import { openPostgresSession } from '../../src/kernel/database/postgres-session.ts';
import { kyselyOver, type SqlSession } from '../../src/kernel/database/session.ts';
import { sqliteDialect } from '../../src/kernel/database/sqlite-dialect.ts';
import { createSqliteHost, type SqliteHost } from '../../src/kernel/database/sqlite-host.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { allControlMigrations, allTenantMigrations, type MigratingModule } from '../../src/kernel/migrations.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';

type List = readonly ModuleMigrations<Migration<unknown>>[];

const list = new URL('../../src/modules/index.ts', import.meta.url);
const modules: readonly MigratingModule[] = existsSync(list)
  ? ((await import(list.href)) as { moduleMigrations: readonly MigratingModule[] }).moduleMigrations
  : [];
const kinds = [
  { name: 'control', migrations: allControlMigrations(modules) as unknown as List },
  { name: 'tenant', migrations: allTenantMigrations(modules) as unknown as List },
];

let server: PostgresServer;
let host: SqliteHost;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'strongroom-migrations-'));
  host = createSqliteHost({ workers: 1, statementSeconds: 30, log: createLogger({ level: 'silent', format: 'json' }) });
  server = await startPostgres();
});
afterAll(async () => {
  await host?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const apply = (session: SqlSession, migrations: List) =>
  applyMigrations({
    session,
    grammar: session.dialect === 'sqlite' ? sqliteDialect : postgresDialect,
    list: migrations,
    clock: systemClock,
  });

async function openSqlite(name: string): Promise<SqlSession> {
  const path = join(folder, `${name}.db`);
  const made = await host.open('maintenance', { path, purpose: 'maintain', create: true });
  await made.close();
  return host.open('maintenance', { path, purpose: 'migrate', create: false });
}

/** `table.column`, with `?` where it may be null, of all tables that are not the engine's own. */
async function columns(session: SqlSession): Promise<string[]> {
  const sqlite = session.dialect === 'sqlite';
  const db = kyselyOver(sqlite ? sqliteDialect : postgresDialect, (query) => session.execute(query));
  const { rows } = await (sqlite
    ? sql<{
        name: string;
      }>`SELECT s.name || '.' || c.name || iif(c."notnull" OR c.pk, '', '?') AS name FROM sqlite_schema s, pragma_table_info(s.name) c
        WHERE s.type = 'table' AND s.name NOT LIKE 'sqlite%'`
    : sql<{
        name: string;
      }>`SELECT table_name || '.' || column_name || CASE is_nullable WHEN 'NO' THEN '' ELSE '?' END AS name FROM information_schema.columns
        WHERE table_schema = current_schema()`
  ).execute(db);
  return rows.map((row) => row.name).toSorted();
}

describe.each(kinds)('$name migrations', ({ name, migrations }) => {
  test('run on PostgreSQL, run again for nothing, and agree with SQLite', async () => {
    const sqlite = await openSqlite(name);
    const postgres = await openPostgresSession({ connectionString: await server.newDatabase(name) });
    try {
      const names = migrationNames(migrations);
      expect(names.length).toBeGreaterThan(2);
      expect(await apply(sqlite, migrations)).toEqual(names);
      expect(await apply(postgres, migrations)).toEqual(names);
      const db = kyselyOver(postgresDialect, (query) => postgres.execute(query));
      const before = await fingerprint(db, 'postgres');
      expect(await apply(sqlite, migrations)).toEqual([]);
      expect(await apply(postgres, migrations)).toEqual([]);
      expect(await fingerprint(db, 'postgres')).toBe(before);
      expect(await columns(postgres)).toEqual(await columns(sqlite));
    } finally {
      await sqlite.close();
      await postgres.close();
    }
  });

  test('two runners at once apply each step once', async () => {
    const address = await server.newDatabase(`${name}_twice`);
    const sessions = await Promise.all([1, 2].map(() => openPostgresSession({ connectionString: address })));
    try {
      const applied = await Promise.all(sessions.map((session) => apply(session, migrations)));
      expect(applied.flat().toSorted()).toEqual(migrationNames(migrations).toSorted());
    } finally {
      await Promise.all(sessions.map((session) => session.close()));
    }
  });
});
