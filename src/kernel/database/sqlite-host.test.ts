/** Threads: what they keep, and what happens to the others when one of them fails. */
import { copyFileSync, existsSync } from 'node:fs';
import { sql } from 'kysely';
import { afterEach, expect, test } from 'vitest';
import { newId } from '../ids.ts';
import { kyselyOver } from './session.ts';
import { sqliteDialect } from './sqlite-dialect.ts';
import type { SqliteSession } from './sqlite-session.ts';
import { startFleet, type TestFleet } from './testing.ts';

let fleet: TestFleet | undefined;
afterEach(async () => {
  await fleet?.close();
  fleet = undefined;
});
const start = (options?: Parameters<typeof startFleet>[0]) => {
  fleet = startFleet(options);
  return fleet;
};
const kyselyOf = (session: SqliteSession) => kyselyOver(sqliteDialect, (query) => session.execute(query));

/** Some seconds of native work that nothing can interrupt, and that ends by itself so that the test can. */
const hanging = sql`WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 12000000) SELECT count(*) FROM c`;

/** Tenants on different threads: ids are tried until they are pinned apart. */
async function onTwoThreads(made: TestFleet) {
  const a = await made.newTenant();
  for (;;) {
    const b = await made.newTenant();
    const shared = made.host.threadOf({ tenant: a.ref.tenantId }) === made.host.threadOf({ tenant: b.ref.tenantId });
    if (!shared) return { a, b };
  }
}

test('a statement that hangs ends with 503; other threads answer meanwhile, its own tenants soon after', async () => {
  const made = start({ workers: 2, statementSeconds: 0.4 });
  const { a, b } = await onTwoThreads(made);
  await a.db.transaction((tx) => tx.insertInto('test_notes').values({ id: 'kept', text: null, size: 1 }).execute());
  await b.db.read.selectFrom('test_notes').select('id').execute();
  const writing = a.db.transaction(async (tx) => {
    await tx.insertInto('test_notes').values({ id: 'lost', text: null, size: 1 }).execute();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await tx.selectFrom('test_notes').select('id').execute();
  });
  writing.catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 50));
  const began = performance.now();
  const hung = hanging.execute(a.db.read).catch((error: unknown) => error);
  const behind = a.db.read
    .selectFrom('test_notes')
    .select('id')
    .execute()
    .catch((error: unknown) => error);
  let over = false;
  void hung.then(() => {
    over = true;
  });
  let answered = 0;
  while (!over) {
    await b.db.read.selectFrom('test_notes').select('id').execute();
    if (!over) answered += 1;
  }
  expect(answered).toBeGreaterThan(20);
  expect(await hung).toMatchObject({ kind: 'unavailable', code: 'database_timeout' });
  expect(await behind).toMatchObject({ kind: 'unavailable' });
  expect(performance.now() - began).toBeLessThan(4_000);
  expect(made.host.abandoned).toBe(1);
  expect(await a.db.read.selectFrom('test_notes').select('id').execute()).toEqual([{ id: 'kept' }]);
  await expect(writing).rejects.toMatchObject({ kind: 'unavailable' });
  await expect.poll(() => made.host.abandoned, { timeout: 170_000, interval: 50 }).toBe(0);
  await a.db.transaction((tx) => tx.insertInto('test_notes').values({ id: 'again', text: null, size: 1 }).execute());
  expect(await a.db.read.selectFrom('test_notes').select('id').orderBy('id').execute()).toHaveLength(2);
  // The thread that was given up runs at the lowest priority: on a busy machine it takes its time.
}, 180_000);

test('structure changes may take longer than a statement', async () => {
  const made = start({ statementSeconds: 0.1 });
  const { ref } = await made.newTenant();
  const migrate = await made.placement.open(ref, 'migrate');
  const long = sql<{ n: number }>`WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 3000000)
    SELECT count(*) AS n FROM c`;
  expect((await long.execute(migrate.kysely)).rows).toEqual([{ n: 3_000_000 }]);
  await migrate.close();
});

test('statements are prepared once, and the cache is bounded', async () => {
  const made = start();
  const { ref, path } = await made.newTenant();
  const session = await made.host.open({ tenant: ref.tenantId }, { path, purpose: 'read', create: false });
  const db = kyselyOf(session);
  for (let round = 0; round < 3; round += 1) {
    for (let index = 0; index < 400; index += 1) {
      expect((await sql.raw(`SELECT ${index} AS n`).execute(db)).rows).toEqual([{ n: index }]);
    }
  }
  expect(session.cached).toBeLessThanOrEqual(250);
  const before = session.prepared;
  for (let round = 0; round < 50; round += 1) await sql`SELECT ${round} AS n`.execute(db);
  expect(session.prepared).toBe(before + 1);
  await session.close();
});

test('a statement that cannot be prepared is refused each time, and hurts no other', async () => {
  const made = start();
  const { db } = await made.newTenant();
  for (let round = 0; round < 3; round += 1) {
    await expect(sql`SELECT a FROM nowhere`.execute(db.read)).rejects.toThrow('no such table');
    expect((await sql`SELECT 1 AS one`.execute(db.read)).rows).toEqual([{ one: 1 }]);
  }
});

test('cached statements follow a change of structure', async () => {
  const made = start();
  const { ref, db } = await made.newTenant();
  await db.transaction((tx) => tx.insertInto('test_notes').values({ id: 'a', text: null, size: 1 }).execute());
  const all = () => db.read.selectFrom('test_notes').selectAll().execute();
  expect(await all()).toEqual([{ id: 'a', text: null, size: 1 }]);
  const migrate = await made.placement.open(ref, 'migrate');
  await migrate.kysely.schema.alterTable('test_notes').addColumn('added', 'text').execute();
  expect(await all()).toEqual([{ id: 'a', text: null, size: 1, added: null }]);
  await migrate.kysely.schema.alterTable('test_notes').dropColumn('added').execute();
  expect(await all()).toEqual([{ id: 'a', text: null, size: 1 }]);
  await migrate.kysely.schema.alterTable('test_notes').renameColumn('size', 'bytes').execute();
  expect(await all()).toEqual([{ id: 'a', text: null, bytes: 1 }]);
  await migrate.close();
});

test('a full disk is told as such, and writing works again when there is space', async () => {
  const made = start();
  const { path } = await made.newTenant();
  const session = await made.host.open('maintenance', { path, purpose: 'maintain', create: false });
  const db = kyselyOf(session);
  await session.script('PRAGMA max_page_count = 20');
  const fill = sql`INSERT INTO test_notes SELECT hex(randomblob(16)), hex(randomblob(500)), value
    FROM (WITH RECURSIVE c(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM c LIMIT 200) SELECT value FROM c)`;
  await expect(fill.execute(db)).rejects.toMatchObject({ kind: 'no_space', code: 'disk_full' });
  expect((await sql`SELECT count(*) AS n FROM test_notes`.execute(db)).rows).toEqual([{ n: 0 }]);
  await session.script('PRAGMA max_page_count = 10000');
  await fill.execute(db);
  await session.close();
});

test('a writer that finds the file locked from outside waits without stopping its thread', async () => {
  const made = start({ workers: 1 });
  const a = await made.newTenant();
  const b = await made.newTenant();
  await b.db.read.selectFrom('test_notes').select('id').execute();
  const outside = await made.host.open('maintenance', { path: a.path, purpose: 'maintain', create: false });
  await outside.script('BEGIN IMMEDIATE');
  const writing = a.db.transaction((tx) =>
    tx.insertInto('test_notes').values({ id: 'a', text: null, size: 1 }).execute(),
  );
  writing.catch(() => {});
  const asked = performance.now();
  for (let round = 0; round < 10; round += 1) await b.db.read.selectFrom('test_notes').select('id').execute();
  expect(performance.now() - asked).toBeLessThan(3_000);
  await outside.script('COMMIT');
  await writing;
  expect(await a.db.read.selectFrom('test_notes').select('id').execute()).toEqual([{ id: 'a' }]);
  await outside.close();
});

test('what a kill left in the log is there for a reader that opens first', async () => {
  const made = start();
  const { ref, db, path } = await made.newTenant();
  await db.transaction((tx) => tx.insertInto('test_notes').values({ id: 'a', text: null, size: 1 }).execute());
  // The log as it stands while the writer is open, without the shared-memory file: what a kill leaves.
  const copy = made.pathOf({ ...ref, tenantId: newId('company') });
  for (const ending of ['', '-wal']) copyFileSync(path + ending, copy + ending);
  expect(existsSync(`${copy}-shm`)).toBe(false);
  const reader = await made.host.open('control', { path: copy, purpose: 'read', create: false });
  const { rows } = await sql`SELECT id FROM test_notes`.execute(kyselyOf(reader));
  expect(rows).toEqual([{ id: 'a' }]);
  await reader.close();
});
