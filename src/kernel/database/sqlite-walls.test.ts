/** Arbitrary SQL through a tenant's own handle reaches nothing but that tenant's rows. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isStrongroomError, type StrongroomError } from '../errors.ts';
import { startFleet, type TestFleet } from './testing.ts';

let fleet: TestFleet;
let a: Awaited<ReturnType<TestFleet['newTenant']>>;
let b: typeof a;
beforeAll(async () => {
  fleet = startFleet();
  a = await fleet.newTenant();
  b = await fleet.newTenant();
  for (const { db, ref } of [a, b]) {
    await db.transaction(async (tx) => {
      await tx
        .insertInto('test_notes')
        .values({ id: 'note', text: `of ${ref.tenantId}`, size: 1 })
        .execute();
    });
  }
});
afterAll(() => fleet?.close());

async function code(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(
    () => 'went through',
    (error: unknown) => (isStrongroomError(error) ? error.code : (error as Error).message),
  );
}
const onReader = (text: string) => code(sql.raw(text).execute(a.db.read));
const onWriter = (text: string) => code(a.db.transaction((tx) => sql.raw(text).execute(tx)));

/** Statements that reach beyond the tenant's rows. `OUT` is a file that must not appear, `B` the file of another tenant. */
const beyond = [
  "ATTACH 'B' AS other",
  "ATTACH 'file:B?mode=ro' AS other",
  "ATTACH 'OUT' AS other",
  "ATTACH ':memory:' AS other",
  'DETACH main',
  "VACUUM INTO 'OUT'",
  'VACUUM',
  "SELECT load_extension('OUT')",
  "SELECT fts3_tokenizer('simple')",
  'PRAGMA writable_schema = ON',
  'PRAGMA query_only = OFF',
  'PRAGMA foreign_keys = OFF',
  'PRAGMA journal_mode = DELETE',
  'PRAGMA synchronous = OFF',
  'PRAGMA trusted_schema = ON',
  'PRAGMA user_version = 7',
  "PRAGMA temp_store_directory = '/'",
  'PRAGMA wal_checkpoint(TRUNCATE)',
  'PRAGMA cache_size = 100000',
  'BEGIN IMMEDIATE',
  'COMMIT',
  'ROLLBACK',
  'SAVEPOINT planted',
  'CREATE TABLE planted (id)',
  'CREATE TEMP TABLE planted (id)',
  'CREATE VIRTUAL TABLE planted USING fts5(text)',
  'CREATE TRIGGER planted AFTER INSERT ON test_notes BEGIN SELECT 1; END',
  'DROP TABLE test_notes',
  'ALTER TABLE test_notes ADD COLUMN planted',
  'REINDEX',
  'ANALYZE',
  'UPDATE identity SET generation = 9',
  'DELETE FROM identity',
  'DELETE FROM migrations',
  "UPDATE sqlite_schema SET sql = ''",
];

describe.each(beyond)('%s', (statement) => {
  test('is refused to reader and writer, and does nothing', async () => {
    const out = join(fleet.dataDir, 'out.db');
    const text = statement.replace('OUT', out).replace('B?', `${b.path}?`).replace("'B'", `'${b.path}'`);
    const refused = /^(statement_refused|.*(not authorized|readonly|cannot VACUUM|may not be modified).*)$/;
    expect(await onReader(text)).toMatch(refused);
    expect(await onWriter(text)).toMatch(refused);
    expect(existsSync(out)).toBe(false);
    const rows = await a.db.read.selectFrom('test_notes').select('text').execute();
    expect(rows).toEqual([{ text: `of ${a.ref.tenantId}` }]);
    const state = await fleet.placement.inspect(a.ref);
    expect(state.identity).toMatchObject({ tenantId: a.ref.tenantId, generation: 1 });
  });
});

test('two statements in one text: the second does not run', async () => {
  await onWriter(`SELECT 1; DELETE FROM test_notes`);
  await onReader(`SELECT 1; ATTACH '${b.path}' AS other`);
  expect(await a.db.read.selectFrom('test_notes').select('id').execute()).toHaveLength(1);
  expect(await onReader('SELECT * FROM other.test_notes')).toMatch(/no such table/);
});

test('a reader changes no row', async () => {
  for (const text of [
    "INSERT INTO test_notes VALUES ('x', 'x', 1)",
    'UPDATE test_notes SET size = 2',
    'DELETE FROM test_notes',
    "WITH x AS (SELECT 1) INSERT INTO test_notes SELECT 'y', 'y', 1 FROM x RETURNING id",
  ]) {
    expect(await onReader(text)).toBe('statement_refused');
  }
  const rows = await a.db.read.selectFrom('test_notes').select(['id', 'size']).execute();
  expect(rows).toEqual([{ id: 'note', size: 1 }]);
});

test('errors for callers carry no SQL and no path', async () => {
  const error = await sql
    .raw(`ATTACH '${b.path}' AS other`)
    .execute(a.db.read)
    .catch((thrown: unknown) => thrown as StrongroomError);
  expect(error).toMatchObject({ kind: 'forbidden' });
  expect(String((error as Error).message)).not.toMatch(/ATTACH|strongroom-test/);
});

test('what only tells something is allowed', async () => {
  expect(await onReader('PRAGMA table_info(test_notes)')).toBe('went through');
  expect(await onReader('PRAGMA page_count')).toBe('went through');
  expect(await onWriter('PRAGMA quick_check')).toBe('went through');
});
