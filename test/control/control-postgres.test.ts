/** What the control database promises on PostgreSQL, on a real server and below HTTP. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/kernel/clock.ts';
import { openPostgresControl, type PostgresControl } from '../../src/kernel/database/control-postgres.ts';
import { isUniqueViolation } from '../../src/kernel/database/unique-violation.ts';
import { newId } from '../../src/kernel/ids.ts';
import { createSharedWorkIndex } from '../../src/kernel/jobs/work-index-shared.ts';
import { checkRing, requireRingFor } from '../../src/kernel/key-check.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { kernelControlMigrations } from '../../src/kernel/migrations.ts';
import { secretsFromRing } from '../../src/kernel/secrets-ring.ts';
import { announceChange, createChangeWatch } from '../../src/kernel/tenants/changes.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';

const log = createLogger({ level: 'silent', format: 'json' });
let server: PostgresServer;
let databases = 0;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());

async function newControl(): Promise<{ url: string; control: PostgresControl }> {
  databases += 1;
  const url = await server.newDatabase(`control_${databases}`);
  const control = await open(url);
  await control.migrate(kernelControlMigrations);
  return { url, control };
}

async function open(url: string, waitSeconds = 5): Promise<PostgresControl> {
  const control = await openPostgresControl({ url, log, waitSeconds });
  onTestFinished(() => control.close());
  return control;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('of several first starts at once each migration is applied once', async () => {
  databases += 1;
  const url = await server.newDatabase(`control_${databases}`);
  const controls = await Promise.all([1, 2, 3].map(() => open(url)));
  const applied = await Promise.all(controls.map((control) => control.migrate(kernelControlMigrations)));
  const names = kernelControlMigrations.flatMap((one) => one.migrations.map(({ name }) => `${one.module}/${name}`));
  expect(applied.flat().toSorted()).toEqual(names.toSorted());
});

test('a read and a write after it are one decision, whatever number of processes decides', async () => {
  const { url, control } = await newControl();
  const others = [control, await open(url), await open(url)];
  const count = async (one: PostgresControl) =>
    one.db.transaction(async (tx) => {
      const key = 'key_check' as const;
      const row = await tx.selectFrom('installation').select('value').where('key', '=', key).executeTakeFirst();
      await pause(1);
      if (row === undefined) await tx.insertInto('installation').values({ key, value: '1' }).execute();
      else
        await tx
          .updateTable('installation')
          .set({ value: `${Number(row.value) + 1}` })
          .execute();
    });
  await Promise.all(Array.from({ length: 60 }, (_, index) => count(others[index % 3]!)));
  expect(await control.db.read.selectFrom('installation').select('value').execute()).toEqual([{ value: '60' }]);
});

test('a transaction whose statement failed is not reported as committed; a taken value is told', async () => {
  const { control } = await newControl();
  const row = { key: 'key_check', value: 'x' } as const;
  const twice = control.db.transaction(async (tx) => {
    await tx.insertInto('installation').values(row).execute();
    const clash = await tx
      .insertInto('installation')
      .values(row)
      .execute()
      .catch((error: unknown) => error);
    expect(isUniqueViolation(clash)).toMatchObject({ table: 'installation' });
  });
  await expect(twice).rejects.toMatchObject({ kind: 'unavailable' });
  expect(await control.db.read.selectFrom('installation').selectAll().execute()).toEqual([]);
});

test('who holds the turn for too long keeps others for a bounded time, with 503', async () => {
  const { url, control } = await newControl();
  const other = await open(url, 1);
  const gate = Promise.withResolvers<void>();
  const slow = control.db.transaction(async (tx) => {
    await tx.selectFrom('installation').selectAll().execute();
    await gate.promise;
  });
  await pause(100);
  const began = performance.now();
  const refused = other.db.transaction((tx) => tx.selectFrom('installation').selectAll().execute());
  await expect(refused).rejects.toMatchObject({ kind: 'unavailable', code: 'database_busy' });
  expect(performance.now() - began).toBeLessThan(3_000);
  // Reading, and what takes no turn, went on.
  await other.db.read.selectFrom('installation').selectAll().execute();
  await other.unordered.transaction((tx) => tx.selectFrom('tenant_work').selectAll().execute());
  gate.resolve();
  await slow;
});

test('a backend that is ended is answered 503 once, and never lent again', async () => {
  const { url, control } = await newControl();
  await control.db.read.selectFrom('installation').selectAll().execute();
  await terminate(url, 'strongroom control');
  for (let count = 0; count < 5; count += 1) {
    await control.db.read.selectFrom('installation').selectAll().execute();
    await control.db.transaction((tx) => tx.selectFrom('installation').selectAll().execute());
  }
  const broken = control.db.transaction(async (tx) => {
    await tx.insertInto('installation').values({ key: 'key_check', value: 'lost' }).execute();
    await terminate(url, 'strongroom control');
  });
  await expect(broken).rejects.toMatchObject({ kind: 'unavailable', code: 'control_database_unreachable' });
  expect(await control.db.read.selectFrom('installation').selectAll().execute()).toEqual([]);
});

test('a server that is not there is told at the start, without its address', async () => {
  const refused = await openPostgresControl({ url: 'postgres://nobody@127.0.0.1:1/none', log }).catch((error) => error);
  expect(refused).toMatchObject({ kind: 'unavailable', code: 'control_database_unreachable' });
  expect(refused.message).not.toContain('127.0.0.1');
});

test('changes are heard with and without messages, and what is remembered stops counting when nobody looks', async () => {
  const { url, control } = await newControl();
  const seen: string[] = [];
  let all = 0;
  const watcher = await open(url);
  const watch = createChangeWatch({
    control: watcher.db,
    changed: (id) => seen.push(id),
    changedAll: () => {
      all += 1;
    },
    log,
    lookEvery: 100,
    countsFor: 400,
  });
  await watch.start();
  expect([all, watch.fresh()]).toEqual([1, true]);
  const ids = [newId('company'), newId('company')];
  for (const id of ids) await control.db.transaction((tx) => announceChange(tx, id));
  await control.db
    .transaction(async (tx) => {
      await announceChange(tx, 'rolled-back');
      throw new Error('no');
    })
    .catch(() => {});
  await expect.poll(() => seen).toEqual(ids);
  // The same company again is a new change.
  await control.db.transaction((tx) => announceChange(tx, ids[0]!));
  await expect.poll(() => seen).toEqual([...ids, ids[0]]);
  // Put back from a copy: numbers fall.
  await control.db.transaction((tx) => tx.deleteFrom('tenant_changes').execute());
  await expect.poll(() => all).toBe(2);
  await watch.close();
  await pause(450);
  expect(watch.fresh()).toBe(false);
});

test('a key ring that is not the one of the control database is refused, and none is made beside it', async () => {
  const { control } = await newControl();
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const ring = (fill: number) => secretsFromRing([{ id: 'k1', bytes: Buffer.alloc(32, fill) }]);
  await requireRingFor(control.db, { dataDir: folder, keyRing: null });
  await Promise.all([checkRing(control.db, ring(1)), checkRing(control.db, ring(1))]);
  await checkRing(control.db, ring(1));
  await expect(checkRing(control.db, ring(2))).rejects.toMatchObject({ code: 'key_ring_mismatch' });
  const beside = requireRingFor(control.db, { dataDir: folder, keyRing: null });
  await expect(beside).rejects.toMatchObject({ code: 'key_ring_missing' });
  await requireRingFor(control.db, { dataDir: folder, keyRing: 'given' });
});

test('a tenant is claimed by one process at a time; marks during a visit, and before a late commit, stay', async () => {
  const { url, control } = await newControl();
  const time = 60_000;
  const made = async (options: { leaseTime?: number; openTime?: number } = {}) =>
    createSharedWorkIndex({ control: (await open(url)).unordered, clock: systemClock, log, ...options });
  const [a, b] = [await made({ openTime: 400 }), await made({ openTime: 400 })];
  const ids = Array.from({ length: 40 }, () => newId('company'));
  await Promise.all(ids.map((id, index) => (index % 2 === 0 ? a : b).mark(id, Date.now())));
  const claimed: string[] = [];
  for (let round = 0; round < 5; round += 1) {
    const both = await Promise.all([a.claimDue(Date.now(), 100), b.claimDue(Date.now(), 100)]);
    claimed.push(...both.flat().map((claim) => claim.tenantId));
  }
  expect(claimed.toSorted()).toEqual(ids.toSorted());

  // Marked while it is visited: due again as soon as it is given back.
  const [first, second] = ids as [(typeof ids)[0], (typeof ids)[0]];
  const owner = async (id: string) =>
    (await control.db.read.selectFrom('tenant_work').selectAll().where('tenant_id', '=', id).executeTakeFirst())?.owner;
  const ownerOfFirst = await owner(first);
  await b.mark(first, Date.now());
  for (const index of [a, b]) index.clear({ tenantId: first, generation: 0 }, null);
  await expect.poll(() => owner(first)).not.toBe(ownerOfFirst);
  await expect.poll(async () => (await b.claimDue(Date.now(), 100)).map((claim) => claim.tenantId)).toEqual([first]);

  // A mark whose commit is still to come keeps the row, though the visit found nothing.
  for (const index of [a, b]) index.clear({ tenantId: second, generation: 0 }, null);
  await a.claimDue(Date.now() - time, 1);
  await b.claimDue(Date.now() - time, 1);
  const end = await a.begin(second, Date.now());
  const [visit] = await b.claimDue(Date.now(), 1);
  expect(visit?.tenantId).toBe(second);
  b.clear(visit!, null);
  // The process that marked dies here, its commit having come after the visit.
  await expect.poll(async () => (await b.claimDue(Date.now(), 1)).map((claim) => claim.tenantId)).toEqual([second]);
  end();
  await a.close();
  await b.close();
});

test('a claim of a process that died is free when its lease ends; one that cannot be renewed ends its visit', async () => {
  const { url, control } = await newControl();
  const made = async (leaseTime: number) =>
    createSharedWorkIndex({ control: (await open(url)).unordered, clock: systemClock, log, leaseTime });
  const id = newId('company');
  const a = await made(800);
  const b = await made(800);
  await a.mark(id, Date.now());
  const [claim] = await a.claimDue(Date.now(), 10);
  expect(claim?.tenantId).toBe(id);
  await pause(1_200);
  // Renewed by the process that lives.
  expect(await b.claimDue(Date.now(), 10)).toEqual([]);
  expect(claim!.signal!.aborted).toBe(false);
  // Taken away behind its back: the visit is ended.
  await control.db.transaction((tx) =>
    tx.updateTable('tenant_work').set({ owner: 'somebody', lease_until: '2000-01-01T00:00:00.000Z' }).execute(),
  );
  await expect.poll(() => claim!.signal!.aborted).toBe(true);
  expect((await b.claimDue(Date.now(), 10)).map((one) => one.tenantId)).toEqual([id]);
  await a.close();
  await b.close();
});

test('what is announced makes a tenant due when its process dies, and not while it lives', async () => {
  const { url, control } = await newControl();
  const made = async () =>
    createSharedWorkIndex({ control: (await open(url)).unordered, clock: systemClock, log, openTime: 1_200 });
  const [a, b] = [await made(), await made()];
  /** Visits whoever is due, to find nothing. */
  const visit = async () => {
    const claims = await b.claimDue(Date.now(), 10);
    for (const claim of claims) b.clear(claim, null);
    return claims.map((claim) => claim.tenantId);
  };
  const rows = () => control.db.read.selectFrom('tenant_work').select('tenant_id').execute();
  const id = newId('company');
  const over = await a.announce(id, Date.now());
  await pause(2_000);
  expect(await visit()).toEqual([]);
  over(Date.now());
  over();
  await expect.poll(visit).toEqual([id]);
  // Once more when the commit that the mark was for can come no more, and then no row.
  const untilNoRow = async () => {
    await visit();
    return rows();
  };
  await expect.poll(untilNoRow).toEqual([]);
  // Taken back, or left behind by a process that died: one visit, and then no row.
  const [takenBack, left] = [newId('company'), newId('company')];
  (await a.announce(takenBack, Date.now()))();
  await a.announce(left, Date.now());
  await a.close();
  const visits: string[] = [];
  const untilBoth = async () => visits.push(...(await visit()));
  await expect.poll(untilBoth).toBe(2);
  expect(visits.toSorted()).toEqual([takenBack, left].toSorted());
  await expect.poll(rows).toEqual([]);

  // Reserved with the tenant: with the transaction and not without it, and nobody comes at once.
  const broken = control.db.transaction(async (tx) => {
    await b.reserve(tx, id, 0);
    throw new Error('taken back');
  });
  await expect(broken).rejects.toThrow('taken back');
  expect(await rows()).toEqual([]);
  await control.db.transaction((tx) => b.reserve(tx, id, 0));
  expect(await visit()).toEqual([]);
  await expect.poll(visit).toEqual([id]);
  await b.close();
});

/**
 * Ends the backends of one kind, from outside, and waits until they are gone: without a time the server only sends a
 * signal, and a statement that comes before it is the one that is answered 503.
 */
async function terminate(url: string, name: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const text =
    'select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = $1 and datname = current_database()';
  await client.query(text, [name]);
  await client.end();
}

test('raw SQL of another dialect is not hidden: an error of a statement stays what it is', async () => {
  const { control } = await newControl();
  await expect(sql`select nothing from nowhere`.execute(control.db.read)).rejects.toMatchObject({ code: '42P01' });
});
