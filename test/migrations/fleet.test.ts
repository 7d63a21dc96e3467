/**
 * Fleet migrations over companies on sqlite, schema and database: who goes first, when a run ends, what is found to be
 * changed by hand, and two that migrate at once.
 */
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { shiftedClock } from '../../src/kernel/clock.ts';
import type { PlacementKind } from '../../src/kernel/placements/placement.ts';
import { armFailpoints, disarmFailpoints, failpointHits } from '../../src/kernel/tenants/failpoints.ts';
import { testOperatorActor } from '../support/actors.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import {
  applied,
  brokenRelease,
  type MixedFleet,
  makeMixedFleet,
  migrateVerbs,
  nextRelease,
  statusOf,
  untouched,
} from './mixed-fleet.ts';

let server: PostgresServer;
let fleet: MixedFleet;

beforeAll(async () => {
  server = await startPostgres();
}, 120_000);
afterAll(async () => {
  await server?.stop();
});
afterEach(async () => {
  disarmFailpoints();
  await fleet?.remove();
}, 60_000);

/** Somebody was quicker than the release: its migration is refused there. */
const conflicting = 'ALTER TABLE %documents ADD COLUMN next_column text';
/** Structure that no migration makes, and that none minds. */
const planted = 'CREATE TABLE %planted_by_hand (id text)';

async function allMarks() {
  return Promise.all(fleet.records.map((record) => fleet.marks(record)));
}

describe('over nine companies', () => {
  beforeEach(async () => {
    fleet = await makeMixedFleet(server, { sqlite: 3, schema: 3, database: 3 });
  }, 60_000);

  test('all come to the head once, and doctor finds nothing', async () => {
    const kernel = await fleet.open([nextRelease]);
    const { run } = await kernel.fleet.start({}, testOperatorActor);
    const ended = await kernel.fleet.wait(run.id);
    expect(ended).toMatchObject({ status: 'succeeded', total: 9, done: 9, failed: 0, skipped: 0, reason: null });
    expect(await allMarks()).toEqual(fleet.records.map(() => applied));
    expect(await kernel.doctor.examine({ repair: false })).toEqual([]);
    for (const { id } of fleet.records) {
      expect(await migrateVerbs(kernel, id)).toEqual(['succeeded']);
      const tenant = await kernel.tenants.open(id, testOperatorActor);
      await tenant.db.transaction((tx) => tx.insertInto('next_marks').values({ mark: 'by a request' }).execute());
    }
    const again = await kernel.fleet.start({}, testOperatorActor);
    expect(again.run).toMatchObject({ status: 'succeeded', total: 0 });
    const fresh = await kernel.tenants.create(
      { name: 'Fresh', email: 'office@example.com', placement: 'schema' },
      testOperatorActor,
    );
    const tenant = await kernel.tenants.open(fresh.record.id, testOperatorActor);
    expect(await tenant.db.read.selectFrom('next_marks').selectAll().execute()).toEqual([{ mark: 'applied' }]);
    await kernel.tenants.purge(fresh.record.id, testOperatorActor);
  });

  test('a canary that fails keeps every other untouched, whatever its placement', async () => {
    const first = fleet.records[1]!;
    await fleet.byHand(first, conflicting);
    const kernel = await fleet.open([nextRelease]);
    const ended = await kernel.fleet.wait((await kernel.fleet.start({ canary: 3 }, testOperatorActor)).run.id);
    expect(ended).toMatchObject({ status: 'failed', failed: 1, done: 2, skipped: 6 });
    expect(ended.reason).toContain('no other was touched');
    const kinds = ended.items.slice(0, 3).map((item) => item.placement);
    expect(kinds.toSorted()).toEqual(['database', 'schema', 'sqlite']);
    expect(statusOf(ended, first.id)).toBe('failed');
    const marks = await allMarks();
    expect(marks.filter(({ ledger }) => ledger > 0)).toHaveLength(2);
    expect(marks.slice(3)).toEqual(fleet.records.slice(3).map(() => untouched));
    // The one that failed stays where it was, ledger and structure, and goes last the next time.
    expect(await fleet.marks(first)).toEqual(untouched);
    expect((await kernel.tenants.get(first.id))?.schemaVersion).toBe(kernel.fleet.head - 2);
    const second = await kernel.fleet.wait((await kernel.fleet.start({ canary: 3 }, testOperatorActor)).run.id);
    expect(second).toMatchObject({ status: 'failed', done: 6, failed: 1, skipped: 0 });
    expect(second.items.at(-1)).toMatchObject({ tenantId: first.id, status: 'failed' });
  });

  test('a release that works nowhere reaches two companies of a placement and no more', async () => {
    const kernel = await fleet.open([brokenRelease]);
    armFailpoints('');
    const ended = await kernel.fleet.wait((await kernel.fleet.start({ maxFailures: 100 }, testOperatorActor)).run.id);
    expect(ended).toMatchObject({ status: 'failed', done: 0 });
    expect(ended.failed).toBeLessThanOrEqual(6);
    expect(ended.skipped).toBeGreaterThanOrEqual(3);
    expect(failpointHits().get('fleet.company.before')).toBe(ended.failed);
    expect(await allMarks()).toEqual(fleet.records.map(() => untouched));
  });

  test('one company that fails does not keep the others, and the run says which and why', async () => {
    const first = fleet.records[0]!;
    // Two in a row of one placement would end the run.
    const other = fleet.records.slice(3).find(({ placement }) => placement.kind !== first.placement.kind)!;
    for (const record of [first, other]) await fleet.byHand(record, conflicting);
    const kernel = await fleet.open([nextRelease]);
    const ended = await kernel.fleet.wait((await kernel.fleet.start({}, testOperatorActor)).run.id);
    expect(ended).toMatchObject({ status: 'failed', done: 7, failed: 2, skipped: 0, reason: null });
    for (const record of [first, other]) {
      expect(await fleet.marks(record)).toEqual(untouched);
      expect(statusOf(ended, record.id)).toBe('failed');
    }
    const reasons = ended.items.flatMap(({ reason }) => reason ?? []);
    expect(reasons).toHaveLength(2);
    expect(reasons.join()).not.toMatch(/column|ALTER|postgres|127\.0\.0\.1|\.db/);
  });

  test('what was changed by hand is reported by the run and by doctor, before and after it', async () => {
    const changed = fleet.records.slice(0, 3);
    for (const record of changed) await fleet.byHand(record, planted);
    const kernel = await fleet.open([nextRelease]);
    const drifted = async () => {
      const findings = await kernel.doctor.examine({ repair: true });
      return findings.filter(({ problem }) => problem.includes('structure')).map(({ subject }) => subject);
    };
    const ids = changed.map(({ id }) => id).toSorted();
    expect((await drifted()).toSorted()).toEqual(ids);
    const ended = await kernel.fleet.wait((await kernel.fleet.start({}, testOperatorActor)).run.id);
    expect(ended).toMatchObject({ status: 'failed', failed: 3, done: 6 });
    for (const { id } of changed) {
      expect(ended.items.find((item) => item.tenantId === id)?.reason).toContain('somebody changed it');
      expect(await migrateVerbs(kernel, id)).toEqual(['failed']);
    }
    expect((await drifted()).toSorted()).toEqual(ids);
  });

  test('doctor finds a version on record that the ledger does not know, and a run mends it', async () => {
    const kernel = await fleet.open([nextRelease]);
    const ids = fleet.records.slice(0, 3).map(({ id }) => id);
    await kernel.control.transaction((tx) =>
      tx.updateTable('tenants').set({ schema_version: kernel.fleet.head }).where('id', 'in', ids).execute(),
    );
    expect((await kernel.fleet.counts()).behind).toBe(6);
    const findings = await kernel.doctor.examine({ repair: true, only: ids });
    expect(findings.filter(({ repaired }) => repaired)).toHaveLength(3);
    const ended = await kernel.fleet.wait((await kernel.fleet.start({}, testOperatorActor)).run.id);
    expect(ended).toMatchObject({ status: 'succeeded', done: 9 });
    expect(await allMarks()).toEqual(fleet.records.map(() => applied));
  });
});

describe('a stop rule', () => {
  test.each([
    ['so many', { sqlite: 4, schema: 4, database: 1 }, { maxFailures: 1 }],
    ['such a share', { sqlite: 9 }, { maxFailureShare: 0.15 }],
    ['the smaller of both', { sqlite: 9 }, { maxFailures: 8, maxFailureShare: 0.15 }],
  ] as const)('%s failures end the run', async (_, counts, rule) => {
    fleet = await makeMixedFleet(server, counts);
    for (const record of fleet.records.slice(3, 7)) await fleet.byHand(record, conflicting);
    const kernel = await fleet.open([nextRelease]);
    const options = { ...rule, concurrency: 1 };
    const ended = await kernel.fleet.wait((await kernel.fleet.start(options, testOperatorActor)).run.id);
    expect(ended).toMatchObject({ status: 'failed', done: 3, failed: 2, skipped: 4 });
    expect(ended.reason).toContain('More than 1');
    expect((await allMarks()).slice(7)).toEqual([untouched, untouched]);
  });
});

describe('several processes on one control database', () => {
  async function made(counts: Partial<Record<PlacementKind, number>>) {
    const controlUrl = await server.newDatabase(`control_${Math.trunc(performance.now())}`);
    fleet = await makeMixedFleet(server, counts, { controlUrl, fileStore: 'disk' });
  }

  test('two that start at once have one run between them', async () => {
    await made({ schema: 4 });
    const two = [await fleet.open([nextRelease]), await fleet.open([nextRelease])];
    armFailpoints('fleet.company.before=delay:50');
    const started = await Promise.all(two.map((kernel) => kernel.fleet.start({ concurrency: 1 }, testOperatorActor)));
    expect(started.map(({ already }) => already).toSorted()).toEqual([false, true]);
    expect(new Set(started.map(({ run }) => run.id)).size).toBe(1);
    const ended = await Promise.all(two.map((kernel, index) => kernel.fleet.wait(started[index]!.run.id)));
    for (const run of ended) expect(run).toMatchObject({ status: 'succeeded', done: 4 });
    expect(await allMarks()).toEqual(fleet.records.map(() => applied));
  });

  test('one that was taken for dead writes nothing more, and no company is migrated twice', async () => {
    await made({ schema: 4, database: 1 });
    const slow = await fleet.open([nextRelease]);
    armFailpoints('fleet.company.applied=delay:400');
    const { run } = await slow.fleet.start({ concurrency: 1 }, testOperatorActor);
    // To this one the lease of the first is long over.
    const taker = await fleet.open([nextRelease], { clock: shiftedClock(() => 120_000) });
    const ended = await taker.fleet.wait(run.id);
    expect(ended).toMatchObject({ status: 'succeeded', done: 5, failed: 0 });
    expect(await slow.fleet.wait(run.id)).toMatchObject({ status: 'succeeded', done: 5 });
    expect(await allMarks()).toEqual(fleet.records.map(() => applied));
    for (const { id } of fleet.records) expect(await migrateVerbs(taker, id)).toEqual(['succeeded']);
  });

  test('a run of a newer release is left alone by an older one, which can end it', async () => {
    await made({ schema: 2 });
    const newer = await fleet.open([nextRelease]);
    armFailpoints('fleet.company.before=delay:300');
    const { run } = await newer.fleet.start({ concurrency: 1 }, testOperatorActor);
    await newer.close();
    const older = await fleet.open([]);
    disarmFailpoints();
    await older.fleet.start({}, testOperatorActor);
    const holder = older.control.read.selectFrom('migration_runs').select('lease_owner').where('id', '=', run.id);
    expect(await holder.executeTakeFirst()).toEqual({ lease_owner: null });
    expect(await older.fleet.get(run.id)).toMatchObject({ status: 'running', done: 1 });
    await older.fleet.stop(run.id);
    expect(await older.fleet.get(run.id)).toMatchObject({ status: 'stopped' });
    const version = sql<number>`count(*)`.as('n');
    const rows = await older.control.read.selectFrom('tenants').select(version).where('schema_version', '=', run.head);
    expect(Number((await rows.executeTakeFirstOrThrow()).n)).toBe(1);
  });
});
