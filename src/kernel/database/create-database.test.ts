import { sql } from 'kysely';
import { afterEach, expect, test } from 'vitest';
import { createDatabase } from './create-database.ts';
import type { TenantTx } from './database.ts';
import { sqliteDialect } from './sqlite-dialect.ts';
import type { TenantTables } from './tables.ts';
import { silent, startFleet, type TestFleet } from './testing.ts';
import { isUniqueViolation } from './unique-violation.ts';

let fleet: TestFleet | undefined;
afterEach(async () => {
  await fleet?.close();
  fleet = undefined;
});
const start = (options?: Parameters<typeof startFleet>[0]) => {
  fleet = startFleet(options);
  return fleet;
};
const note = (id: string, size = 0) => ({ id, text: `text of ${id}`, size });
const insert = (tx: TenantTx, id: string) => tx.insertInto('test_notes').values(note(id)).execute();

test('work that throws leaves nothing, also after statements that went well', async () => {
  const { db } = await start().newTenant();
  const failed = db.transaction(async (tx) => {
    await insert(tx, 'one');
    throw new Error('changed my mind');
  });
  await expect(failed).rejects.toThrow('changed my mind');
  const clash = db.transaction(async (tx) => {
    await insert(tx, 'one');
    await insert(tx, 'two');
    await insert(tx, 'one');
  });
  await expect(clash).rejects.toThrow('UNIQUE');
  expect(await db.read.selectFrom('test_notes').selectAll().execute()).toEqual([]);
});

test('values come back as they went in', async () => {
  const { db } = await start().newTenant();
  const text = 'Grüße, 世界, 🗝️, "quotes", \\, \u0001';
  await db.transaction(async (tx) => {
    const result = await tx
      .insertInto('test_notes')
      .values([
        { id: 'a', text, size: Number.MAX_SAFE_INTEGER },
        { id: 'b', text: null, size: -1 },
      ])
      .executeTakeFirst();
    expect(result.numInsertedOrUpdatedRows).toBe(2n);
    const changed = await tx
      .updateTable('test_notes')
      .set({ size: 0 })
      .where('id', '=', 'b')
      .returning('size')
      .execute();
    expect(changed).toEqual([{ size: 0 }]);
  });
  expect(await db.read.selectFrom('test_notes').selectAll().orderBy('id').execute()).toEqual([
    { id: 'a', text, size: Number.MAX_SAFE_INTEGER },
    { id: 'b', text: null, size: 0 },
  ]);
  const odd = await sql<{ x: unknown }>`SELECT x'00ff' AS x UNION ALL SELECT 9e999 UNION ALL SELECT 0.5`.execute(
    db.read,
  );
  expect(odd.rows.map((row) => row.x)).toEqual([new Uint8Array([0, 255]), Number.POSITIVE_INFINITY, 0.5]);
  expect((await sql`SELECT 1 AS one WHERE 0`.execute(db.read)).rows).toEqual([]);
});

test('a transaction is dead after its end', async () => {
  const { db } = await start().newTenant();
  let kept: TenantTx | undefined;
  await db.transaction(async (tx) => {
    kept = tx;
  });
  await expect(insert(kept!, 'late')).rejects.toMatchObject({ code: 'transaction_ended' });
  expect(() => kept!.afterCommit(() => {})).toThrow();
  expect(() => kept!.dueAt(1)).toThrow();
  expect(await db.read.selectFrom('test_notes').selectAll().execute()).toEqual([]);
});

test('what is not awaited is part of the transaction or of nothing', async () => {
  const { db } = await start().newTenant();
  await db.transaction(async (tx) => {
    void insert(tx, 'sent before the commit');
  });
  expect(await db.read.selectFrom('test_notes').select('id').execute()).toHaveLength(1);
});

test('statements given at once run in order', async () => {
  const { db } = await start().newTenant();
  await db.transaction(async (tx) => {
    await Promise.all(['a', 'b', 'c'].map((id) => insert(tx, id)));
    const rows = await tx.selectFrom('test_notes').select('id').orderBy('id').execute();
    expect(rows.map((row) => row.id)).toEqual(['a', 'b', 'c']);
  });
});

test('writers of one tenant queue; those of two do not', async () => {
  const one = start({ workers: 1 });
  const a = await one.newTenant();
  const b = await one.newTenant();
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = a.db.transaction(async (tx) => {
    await insert(tx, 'first');
    order.push('first began');
    await gate.promise;
    order.push('first ends');
  });
  const second = a.db.transaction(async (tx) => {
    order.push('second began');
    expect(await tx.selectFrom('test_notes').select('id').execute()).toHaveLength(1);
  });
  await b.db.transaction((tx) => insert(tx, 'other'));
  order.push('other done');
  // Readers are not kept waiting either, and see what is committed.
  expect(await a.db.read.selectFrom('test_notes').select('id').execute()).toEqual([]);
  gate.resolve();
  await Promise.all([first, second]);
  expect(order).toEqual(['first began', 'other done', 'first ends', 'second began']);
});

test('a commit that fails leaves nothing, and the writer that followed at once is not hurt', async () => {
  const { db } = await start().newTenant();
  const failing = db.transaction(async (tx) => {
    await insert(tx, 'refused');
    await tx.insertInto('test_answers').values({ note_id: 'nobody' }).execute();
  });
  const following = ['one', 'two'].map((id) => db.transaction((tx) => insert(tx, id)));
  await expect(failing).rejects.toThrow('FOREIGN KEY');
  await Promise.all(following);
  await db.transaction((tx) => insert(tx, 'three'));
  const rows = await db.read.selectFrom('test_notes').select('id').orderBy('id').execute();
  expect(rows.map((row) => row.id)).toEqual(['one', 'three', 'two']);
  expect(await db.read.selectFrom('test_answers').selectAll().execute()).toEqual([]);
});

test('after a commit: in order, errors do not matter; after a rollback: nothing', async () => {
  const { db } = await start().newTenant();
  const ran: string[] = [];
  await db.transaction(async (tx) => {
    await insert(tx, 'a');
    tx.afterCommit(async () => {
      expect(await db.read.selectFrom('test_notes').select('id').execute()).toHaveLength(1);
      ran.push('one');
    });
    tx.afterCommit(() => {
      throw new Error('ignored');
    });
    tx.afterCommit(() => void ran.push('two'));
  });
  await db
    .transaction(async (tx) => {
      tx.afterCommit(() => void ran.push('never'));
      throw new Error('no');
    })
    .catch(() => {});
  expect(ran).toEqual(['one', 'two']);
});

test('a due time is marked before the commit, once, with the earliest', async () => {
  const seen: string[] = [];
  let db: Awaited<ReturnType<TestFleet['newTenant']>>['db'];
  const committed = async () => (await db.read.selectFrom('test_notes').select('id').execute()).length;
  const made = start({
    markWork: async (_tenant, dueAt) => {
      seen.push(`marked ${dueAt} with ${await committed()} rows`);
      return () => seen.push('commit tried');
    },
  });
  db = (await made.newTenant()).db;
  await db.transaction(async (tx) => {
    await insert(tx, 'a');
    tx.dueAt(30);
    tx.dueAt(20);
    tx.dueAt(40);
  });
  expect(seen).toEqual(['marked 20 with 0 rows', 'commit tried']);
  expect(await committed()).toBe(1);
});

test('where the due time cannot be marked, nothing is committed', async () => {
  const made = start({
    markWork: async () => {
      throw new Error('control database down');
    },
  });
  const { db } = await made.newTenant();
  const failed = db.transaction(async (tx) => {
    await insert(tx, 'a');
    tx.dueAt(1);
  });
  await expect(failed).rejects.toThrow('control database down');
  expect(await db.read.selectFrom('test_notes').selectAll().execute()).toEqual([]);
});

test('a transaction that takes too long is rolled back, and its late statements are refused', async () => {
  const made = start();
  const { ref } = await made.newTenant();
  const session = (await made.placement.open(ref, 'write')).session;
  let free = true;
  const release = () => {
    free = true;
  };
  const lease = () => ({ session, release });
  const db = createDatabase<TenantTables, 'tenant'>({
    kind: 'tenant',
    dialect: 'sqlite',
    grammar: sqliteDialect,
    log: silent,
    transactionMs: 50,
    source: { tryLease: () => (free ? lease() : undefined), lease: async () => lease() },
  });
  const late = Promise.withResolvers<string>();
  const slow = db.transaction(async (tx) => {
    await insert(tx, 'slow');
    await new Promise((resolve) => setTimeout(resolve, 120));
    await insert(tx, 'late').catch((error: { code: string }) => late.resolve(error.code));
  });
  await expect(slow).rejects.toMatchObject({ kind: 'unavailable', code: 'transaction_timeout' });
  expect(await late.promise).toBe('transaction_ended');
  await db.transaction(async (tx) => {
    expect(await tx.selectFrom('test_notes').select('id').execute()).toEqual([]);
  });
  await session.close();
});

test('a value that is taken is told by table and columns', async () => {
  const { db } = await start().newTenant();
  await db.transaction((tx) => insert(tx, 'a'));
  const twice = (id: string, text: string) =>
    db
      .transaction((tx) => tx.insertInto('test_notes').values({ id, text, size: 0 }).execute())
      .catch((error: unknown) => error);
  expect(isUniqueViolation(await twice('a', 'other'))).toEqual({ table: 'test_notes', columns: ['id'] });
  expect(isUniqueViolation(await twice('b', 'text of a'))).toEqual({ table: 'test_notes', columns: ['text'] });
  expect(isUniqueViolation(new Error('UNIQUE constraint failed: a.b'))).toBe(false);
});
