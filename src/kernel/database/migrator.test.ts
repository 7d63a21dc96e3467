import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../clock.ts';
import { openControlDatabase } from './control-database.ts';
import { fingerprint } from './fingerprint.ts';
import type { Migration } from './migration.ts';
import { appliedMigrations, applyMigrations, migrationNames, migrationsDigest } from './migrator.ts';
import { kyselyOver } from './session.ts';
import { sqliteDialect } from './sqlite-dialect.ts';
import { createSqliteHost, type SqliteHost } from './sqlite-host.ts';
import type { SqliteSession } from './sqlite-session.ts';
import { silent } from './testing.ts';

interface Tables {
  things: { id: string };
}
type List = { module: string; migrations: Migration<Tables>[] }[];

let dir: string;
let host: SqliteHost;
let files = 0;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'strongroom-migrator-'));
  host = createSqliteHost({ workers: 1, statementSeconds: 10, log: silent });
});
afterAll(async () => {
  await host.close();
  rmSync(dir, { recursive: true, force: true });
});

async function newFile(): Promise<string> {
  files += 1;
  const path = join(dir, `${files}.db`);
  await (await host.open('maintenance', { path, purpose: 'maintain', create: true })).close();
  return path;
}
const open = (path: string, thread: 'maintenance' | 'control' = 'maintenance') =>
  host.open(thread, { path, purpose: 'migrate', create: false });
const dbOf = (session: SqliteSession) => kyselyOver<Tables>(sqliteDialect, (query) => session.execute(query));
const apply = (session: SqliteSession, list: List) =>
  applyMigrations<Tables>({ session, grammar: sqliteDialect, list, clock: systemClock });
const step = (name: string, ...statements: string[]): Migration<Tables> => ({
  name,
  async up(schema) {
    for (const statement of statements) await schema.run(sql.raw(statement));
  },
});

test('steps run in order, once', async () => {
  const session = await open(await newFile());
  const list: List = [
    { module: 'b', migrations: [step('0001-make', 'CREATE TABLE things (id text)')] },
    { module: 'a', migrations: [step('0001-fill', "INSERT INTO things VALUES ('x')")] },
  ];
  expect(await apply(session, list)).toEqual(['b/0001-make', 'a/0001-fill']);
  expect(await apply(session, list)).toEqual([]);
  list[1]!.migrations.push(step('0002-more', "INSERT INTO things VALUES ('y')"));
  expect(await apply(session, list)).toEqual(['a/0002-more']);
  expect(await dbOf(session).selectFrom('things').select('id').execute()).toHaveLength(2);
  expect(await appliedMigrations(session, sqliteDialect)).toHaveLength(3);
  await session.close();
});

test('a step that fails leaves nothing of itself and runs whole the next time', async () => {
  const session = await open(await newFile());
  const first = step('0001-make', 'CREATE TABLE things (id text)');
  const broken = step('0002-more', 'CREATE TABLE half (id text)', 'CREATE TABLE things (id text)');
  await expect(apply(session, [{ module: 'a', migrations: [first, broken] }])).rejects.toThrow('already exists');
  expect(await appliedMigrations(session, sqliteDialect)).toEqual(['a/0001-make']);
  const mended = step('0002-more', 'CREATE TABLE half (id text)');
  expect(await apply(session, [{ module: 'a', migrations: [first, mended] }])).toEqual(['a/0002-more']);
  await session.close();
});

test('two runners at once apply each step once', async () => {
  const path = await newFile();
  const list: List = [
    {
      module: 'a',
      migrations: [
        step('0001-make', 'CREATE TABLE things (id text)'),
        ...Array.from({ length: 8 }, (_, index) =>
          step(`000${index + 2}-row`, `INSERT INTO things VALUES ('${index}')`),
        ),
      ],
    },
  ];
  const sessions = [await open(path), await open(path, 'control')];
  const applied = await Promise.all(sessions.map((session) => apply(session, list)));
  expect(applied.flat().toSorted()).toEqual(migrationNames(list));
  expect(await dbOf(sessions[0]!).selectFrom('things').select('id').execute()).toHaveLength(8);
  for (const session of sessions) await session.close();
});

test('names out of order or doubled are refused', () => {
  expect(() => migrationNames([{ module: 'a', migrations: [{ name: '0002-b' }, { name: '0001-a' }] }])).toThrow();
  expect(() => migrationNames([{ module: 'a', migrations: [{ name: 'first' }] }])).toThrow();
  expect(() =>
    migrationNames([
      { module: 'a', migrations: [{ name: '0001-a' }] },
      { module: 'a', migrations: [{ name: '0001-a' }] },
    ]),
  ).toThrow();
});

test('the digest of a list changes with its code', () => {
  const digest = (statement: string) =>
    migrationsDigest([
      {
        module: 'a',
        migrations: [{ name: '0001-a', up: new Function('schema', `return '${statement}'`) as Migration<never>['up'] }],
      },
    ]);
  expect(digest('one')).toBe(digest('one'));
  expect(digest('one')).not.toBe(digest('two'));
});

async function fingerprintOf(...statements: string[]): Promise<string> {
  const session = await open(await newFile());
  try {
    for (const statement of statements) await sql.raw(statement).execute(dbOf(session));
    return await fingerprint(dbOf(session), 'sqlite');
  } finally {
    await session.close();
  }
}

test('the fingerprint ignores the order of columns, whether made at once or added', async () => {
  const columns = ['"b" text', '"c" integer default 0', '"d" text default \'x, (y\'', '"e" text not null default \'\''];
  await fc.assert(
    fc.asyncProperty(
      fc.shuffledSubarray(columns, { minLength: 4 }),
      fc.nat({ max: 4 }),
      fc.shuffledSubarray(['CREATE INDEX one ON t (b)', 'CREATE TABLE "u" ("x" text)'], { minLength: 2 }),
      async (order, atOnce, rest) => {
        const made = `CREATE TABLE "t" (${['"a" text primary key', ...order.slice(0, atOnce)].join(', ')})`;
        const added = order.slice(atOnce).map((column) => `ALTER TABLE "t" ADD COLUMN ${column}`);
        const plain = [`CREATE TABLE t (a text primary key, ${columns.join(',\n  ')})`, 'CREATE TABLE u (x text)'];
        const grown = await fingerprintOf(made, ...added, ...rest);
        expect(grown).toBe(await fingerprintOf(...plain, 'CREATE INDEX one ON t (b)'));
      },
    ),
    { numRuns: 12 },
  );
});

test('the fingerprint tells every other difference', async () => {
  const table = 'CREATE TABLE t (a text primary key, b text, c integer)';
  const all = await Promise.all([
    fingerprintOf(table),
    fingerprintOf('CREATE TABLE t (a text primary key, b text, c text)'),
    fingerprintOf('CREATE TABLE t (a text primary key, b text not null, c integer)'),
    fingerprintOf("CREATE TABLE t (a text primary key, b text default 'X', c integer)"),
    fingerprintOf("CREATE TABLE t (a text primary key, b text default 'x', c integer)"),
    fingerprintOf('CREATE TABLE t (a text primary key, b text, c integer check (c > 0))'),
    fingerprintOf('CREATE TABLE t (a text, b text primary key, c integer)'),
    fingerprintOf(table, 'CREATE INDEX i ON t (b, c)'),
    fingerprintOf(table, 'CREATE INDEX i ON t (c, b)'),
    fingerprintOf(table, 'CREATE UNIQUE INDEX i ON t (b, c)'),
    fingerprintOf(table, 'CREATE INDEX i ON t (b, c) WHERE c > 0'),
  ]);
  expect(new Set(all).size).toBe(all.length);
});

test('the control database is made on the first start, whole, and found by the next', async () => {
  const folder = join(dir, 'data');
  const path = join(folder, 'control.db');
  const list = [
    {
      module: 'a',
      migrations: [{ target: 'control' as const, ...step('0001-make', 'CREATE TABLE things (id text)') }],
    },
  ];
  const first = await openControlDatabase({ host, path, log: silent });
  expect(await first.migrate(list as never)).toEqual(['a/0001-make']);
  await first.db.transaction((tx) => sql`INSERT INTO things VALUES ('kept')`.execute(tx));
  await expect(sql`INSERT INTO things VALUES ('x')`.execute(first.db.read)).rejects.toMatchObject({
    code: 'statement_refused',
  });
  await first.close();
  // A start that died before the file was whole.
  copyFileSync(path, `${path}.new`);
  const second = await openControlDatabase({ host, path, log: silent });
  expect(await second.migrate(list as never)).toEqual([]);
  expect((await sql`SELECT id FROM things`.execute(second.db.read)).rows).toEqual([{ id: 'kept' }]);
  await second.close();
  expect(readdirSync(folder)).toContain('control.db');
});
