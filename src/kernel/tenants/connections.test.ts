/** The budget of connections, and fairness under it. */
import { rmSync, writeFileSync } from 'node:fs';
import { sql } from 'kysely';
import { afterEach, expect, test } from 'vitest';
import type { TenantDb } from '../database/database.ts';
import { startFleet, type TestFleet } from '../database/testing.ts';

let fleet: TestFleet | undefined;
afterEach(async () => {
  await fleet?.close();
  fleet = undefined;
});
const start = (config: NonNullable<Parameters<typeof startFleet>[0]>['config'] = {}) => {
  fleet = startFleet({ config });
  return fleet;
};
const tenants = (made: TestFleet, count: number) => Promise.all(Array.from({ length: count }, () => made.newTenant()));
const count = (db: TenantDb) => db.read.selectFrom('test_notes').select('id').execute();
const insert = (db: TenantDb, id: string) =>
  db.transaction((tx) => tx.insertInto('test_notes').values({ id, text: null, size: 1 }).execute());

/** A transaction that stays open until told. */
async function held(db: TenantDb) {
  const began = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const done = db.transaction(async (tx) => {
    await sql`SELECT 1`.execute(tx);
    began.resolve();
    await gate.promise;
  });
  await Promise.race([began.promise, done]);
  return {
    async end() {
      gate.resolve();
      await done;
    },
  };
}

test('the budget is never exceeded under skewed load, and nobody fails', async () => {
  const made = start({ maxConnections: 3, tenantConnections: 2, connectionWaitSeconds: 30 });
  const all = await tenants(made, 8);
  let most = 0;
  const look = () => {
    most = Math.max(most, made.connections.open);
  };
  const work = all.flatMap(({ db }, index) =>
    // The first tenant has ten times the load of the others.
    Array.from({ length: index === 0 ? 100 : 10 }, async (_, round) => {
      await insert(db, `${round}`);
      look();
      await count(db);
      look();
    }),
  );
  await Promise.all(work);
  expect(most).toBeLessThanOrEqual(3);
  expect(most).toBeGreaterThan(1);
  expect(await count(all[0]!.db)).toHaveLength(100);
  for (const { db } of all.slice(1)) expect(await count(db)).toHaveLength(10);
});

test('tenants under constant load, never idle, do not starve another that needs a place', async () => {
  const made = start({ maxConnections: 2, connectionWaitSeconds: 20 });
  const [a, b, quiet] = await tenants(made, 3);
  let stop = false;
  /** The next read is sent before the one before it is answered, so that the lease never ends. */
  const overlapping = async (db: TenantDb) => {
    let last = count(db);
    while (!stop) {
      const next = count(db);
      await last;
      last = next;
    }
    await last;
  };
  const load = Promise.all([overlapping(a!.db), overlapping(b!.db)]);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const asked = performance.now();
  await insert(quiet!.db, 'mine');
  expect(await count(quiet!.db)).toHaveLength(1);
  const took = performance.now() - asked;
  stop = true;
  await load;
  expect(took).toBeLessThan(10_000);
});

test('who waits too long gets 503 with a time to come back, and the place is not lost', async () => {
  const made = start({ maxConnections: 2, connectionWaitSeconds: 3 });
  const [a, b, c] = await tenants(made, 3);
  // The first opening starts a thread, which may take its time on a busy machine.
  for (const { db } of [a!, b!, c!]) await count(db).catch(() => {});
  const first = await held(a!.db);
  const second = await held(b!.db);
  await expect(count(c!.db)).rejects.toMatchObject({
    kind: 'unavailable',
    code: 'connections_exhausted',
    retryAfter: 1,
  });
  expect(made.connections.waiting).toBe(0);
  expect(made.connections.open).toBe(2);
  await first.end();
  await second.end();
  expect(await count(c!.db)).toEqual([]);
});

test('writers of a tenant are served in the order in which they came', async () => {
  const made = start();
  const [a] = await tenants(made, 1);
  const first = await held(a!.db);
  const order: number[] = [];
  const others = Array.from({ length: 10 }, (_, index) =>
    a!.db.transaction(async (tx) => {
      await sql`SELECT 1`.execute(tx);
      order.push(index);
    }),
  );
  expect(made.connections.waiting).toBe(10);
  await first.end();
  await Promise.all(others);
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('many at once open a tenant once', async () => {
  const made = start();
  const [a] = await tenants(made, 1);
  await Promise.all(Array.from({ length: 50 }, () => count(a!.db)));
  expect(made.connections.open).toBe(1);
  expect(made.connections.list()).toMatchObject([{ tenantId: a!.ref.tenantId, open: 1, leased: 0 }]);
});

test('the least recently used goes first', async () => {
  const made = start({ maxConnections: 2 });
  const [a, b, c] = await tenants(made, 3);
  await count(a!.db);
  await count(b!.db);
  await count(a!.db);
  await count(c!.db);
  const open = made.connections.list().map((entry) => entry.tenantId);
  expect(open.toSorted()).toEqual([a!.ref.tenantId, c!.ref.tenantId].toSorted());
});

test('closing a tenant waits for its last lease, and leaves the others', async () => {
  const made = start();
  const [a, b] = await tenants(made, 2);
  await count(b!.db);
  const running = await held(a!.db);
  let closed = false;
  const closing = made.connections.closeTenant(a!.ref.tenantId).then(() => {
    closed = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(closed).toBe(false);
  await running.end();
  await closing;
  expect(made.connections.list().map((entry) => entry.tenantId)).toEqual([b!.ref.tenantId]);
  // It opens again when it is asked for again.
  expect(await count(a!.db)).toEqual([]);
  await made.connections.closeAll();
  expect(made.connections.open).toBe(0);
});

test('idle tenants hold nothing', async () => {
  const made = start({ connectionIdleSeconds: 0.3 });
  const all = await tenants(made, 3);
  await Promise.all(all.map(({ db }) => insert(db, 'a')));
  expect(made.connections.open).toBeGreaterThan(0);
  await expect.poll(() => made.connections.open).toBe(0);
  expect(made.connections.list()).toEqual([]);
  expect(await count(all[0]!.db)).toHaveLength(1);
});

test('a database that cannot be opened is refused fast after some tries, alone, and served again when it is back', async () => {
  const made = start();
  const [a, b] = await tenants(made, 2);
  writeFileSync(a!.path, 'no database');
  let opened = 0;
  const open = made.placement.open;
  Object.assign(made.placement, {
    open: (...given: Parameters<typeof open>) => {
      opened += 1;
      return open(...given);
    },
  });
  for (let round = 0; round < 10; round += 1) {
    await expect(count(a!.db)).rejects.toMatchObject({ kind: 'unavailable', code: 'database_unreadable' });
    expect(await count(b!.db)).toEqual([]);
  }
  expect(opened).toBeLessThanOrEqual(4);
  rmSync(a!.path);
  await made.placement.create(a!.ref);
  await made.placement.stamp(a!.ref);
  await expect.poll(() => count(a!.db).catch(() => undefined)).toEqual([]);
});

test('an identity that does not match raises the alarm through any handle', async () => {
  const made = start();
  const [a, b] = await tenants(made, 2);
  await count(a!.db);
  const wrong = made.connections.database({ ...a!.ref, generation: 2 });
  await expect(count(wrong)).rejects.toMatchObject({ code: 'identity_mismatch' });
  expect(made.alarms).toHaveLength(1);
  expect(await count(b!.db)).toEqual([]);
});

test('after close nothing opens any more', async () => {
  const made = start();
  const [a] = await tenants(made, 1);
  const running = await held(a!.db);
  const waiting = insert(a!.db, 'late').catch((error: unknown) => error);
  const closing = made.connections.close();
  expect(await waiting).toMatchObject({ code: 'shutting_down' });
  await running.end();
  await closing;
  await expect(count(a!.db)).rejects.toMatchObject({ code: 'shutting_down' });
  expect(made.connections.open).toBe(0);
});
