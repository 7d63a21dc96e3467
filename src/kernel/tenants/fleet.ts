/**
 * The fleet: who is behind, migrating them, and visiting many companies.
 *
 * Guarantees
 * - Counts and plan are one control query; no company is opened for them.
 * - One run at a time. It is durable: after a crash the next start goes on with the companies that are left.
 * - With a canary, the first companies alone must succeed before any other is touched. More failures than `maxFailures`
 *   end the run; until then a company that fails stays where it was and the others go on.
 * - A company is at its new version once its own ledger says so; the control row follows, and a crash between the two
 *   is mended by running again, which applies nothing.
 */
import { randomBytes } from 'node:crypto';
import { actorText } from '../audit/trail.ts';
import { type Clock, isoTime, second } from '../clock.ts';
import type { ControlDb } from '../database/database.ts';
import { notFound, StrongroomError } from '../errors.ts';
import type { Actor, Tenant } from '../handles.ts';
import { newId, type TenantId } from '../ids.ts';
import type { Logger } from '../log.ts';
import type { Placement } from '../placements/placement.ts';
import { failpoint } from './failpoints.ts';
import {
  countFailedBehind,
  endRun,
  insertRun,
  type ResultRow,
  type RunRow,
  releaseRun,
  renewRun,
  requestStop,
  selectResults,
  selectRun,
  selectRunList,
  selectRunningRun,
  takeRun,
  writeResult,
} from './fleet-repository.ts';
import { insertOperation, type Lease, pendingStep } from './journal.ts';
import { inLanes, type Locks } from './locks.ts';
import type { OpenTenant } from './open-tenant.ts';
import type { Registry } from './registry.ts';
import { countBehind, livingStates, selectBehind, selectById, setSchema } from './repository.ts';
import type { Fleet, MigrationRun, TenantRecord } from './tenants.ts';

export interface FleetParts {
  readonly control: ControlDb;
  readonly registry: Registry;
  readonly openTenant: OpenTenant;
  readonly placementOf: (record: TenantRecord) => Placement;
  /** The structure that the migrations of this release make in such a placement; null where it is not known. */
  readonly expectedFingerprint: (placement: Placement) => Promise<string | null>;
  readonly head: () => number;
  readonly locks: Locks;
  readonly concurrency: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly exclusive: boolean;
  /** Whether this process can migrate every company there is; else it leaves runs to one that can. Default: yes. */
  readonly drives?: () => Promise<boolean>;
}

export interface FleetService extends Fleet {
  /** Goes on with the run that a process left behind, in the background. */
  resume(): Promise<void>;
  /** Lets the companies being worked on finish; the run goes on at the next start. */
  close(): Promise<void>;
}

interface LiveRun {
  readonly row: RunRow;
  readonly results: ResultRow[];
  failures: number;
  stopping: boolean;
  readonly heard: Set<() => void>;
  ended: Promise<void>;
}

type StartOptions = Parameters<Fleet['start']>[0];

const system: Actor = { kind: 'system' };
const leaseTime = 60 * second;
const renewEvery = 20 * second;
const pollEvery = 300;
const progressEvery = 100;

export function createFleet(parts: FleetParts): FleetService {
  const { control, registry, clock, log } = parts;
  const owner = `${process.pid}-${randomBytes(6).toString('hex')}`;
  let live: LiveRun | undefined;
  let closing = false;

  const lease = (): Lease => ({ owner, until: isoTime(clock.now() + leaseTime) });

  // --- One company ---------------------------------------------------------------------------------------------------

  /** Migrates one company; what is wrong with it stays with it. */
  async function migrate(run: LiveRun, result: ResultRow): Promise<void> {
    result.status = 'running';
    const startedAt = clock.iso();
    let reason: string | null = null;
    try {
      await failpoint('fleet.company.before');
      const done = await parts.locks.run(result.tenantId, () => migrateNow(run, result, startedAt));
      result.status = done ? 'done' : 'skipped';
      await failpoint('fleet.company.after');
    } catch (error) {
      reason = reasonText(error);
      log.error({ err: error, company: result.tenantId, run: run.row.id }, 'the migration of a company failed');
    }
    if (reason !== null) {
      result.status = 'failed';
      result.reason = reason;
      run.failures += 1;
      await recordFailure(run, result, startedAt, reason);
    }
    for (const tell of run.heard) tell();
  }

  /** False where the company is no longer there to be migrated. */
  async function migrateNow(run: LiveRun, result: ResultRow, startedAt: string): Promise<boolean> {
    const record = await selectById(control.read, result.tenantId);
    if (record === undefined || !(livingStates as readonly string[]).includes(record.state)) {
      await control.transaction((tx) =>
        writeResult(tx, run.row.id, { ...result, status: 'skipped', reason: 'Not active any more.' }, clock.iso()),
      );
      return false;
    }
    const placement = parts.placementOf(record);
    const { fingerprint } = await placement.migrate(record.placement);
    const expected = await parts.expectedFingerprint(placement);
    const drifted = expected !== null && expected !== fingerprint;
    await control.transaction(async (tx) => {
      const now = clock.iso();
      await setSchema(tx, record.id, { version: run.row.head, fingerprint });
      const row = { id: newId('operation', clock.now()), tenantId: record.id, verb: 'migrate' as const, startedAt };
      await insertOperation(tx, { ...row, status: 'succeeded', actor: run.row.actor }, [
        { ...pendingStep('migrate'), status: 'done', startedAt, finishedAt: now },
      ]);
      if (!drifted) await writeResult(tx, run.row.id, { ...result, status: 'done' }, now);
    });
    registry.invalidate(record.id);
    if (drifted) throw new StrongroomError('internal', 'structure_drifted', driftText);
    return true;
  }

  async function recordFailure(run: LiveRun, result: ResultRow, startedAt: string, reason: string): Promise<void> {
    await control
      .transaction(async (tx) => {
        await writeResult(tx, run.row.id, result, clock.iso());
        const row = { id: newId('operation', clock.now()), tenantId: result.tenantId, verb: 'migrate' as const };
        await insertOperation(tx, { ...row, startedAt, status: 'failed', actor: run.row.actor, reason }, [
          { ...pendingStep('migrate'), status: 'failed', startedAt, finishedAt: clock.iso(), reason },
        ]);
      })
      .catch((error) => log.error({ err: error, run: run.row.id }, 'the result of a migration could not be written'));
  }

  // --- A run ---------------------------------------------------------------------------------------------------------

  function drive(row: RunRow, results: ResultRow[]): LiveRun {
    const failures = results.filter((result) => result.status === 'failed').length;
    const run: LiveRun = { row, results, failures, stopping: false, heard: new Set(), ended: Promise.resolve() };
    live = run;
    const renewing = setInterval(() => {
      control
        .transaction((tx) => renewRun(tx, row.id, lease()))
        .catch((error) => log.warn({ err: error, run: row.id }, 'the lease of a migration run could not be renewed'));
    }, renewEvery).unref();
    run.ended = rounds(run)
      .catch((error) => log.error({ err: error, run: row.id }, 'a migration run broke off; the next start goes on'))
      .finally(() => {
        clearInterval(renewing);
        if (live === run) live = undefined;
        for (const tell of run.heard) tell();
      });
    return run;
  }

  async function rounds(run: LiveRun): Promise<void> {
    const { row, results } = run;
    const left = results.filter((result) => result.status === 'waiting' || result.status === 'running');
    const canary = left.filter((result) => result.position < row.canary);
    const others = left.filter((result) => result.position >= row.canary);
    const canaryFailed = () => results.some((result) => result.position < row.canary && result.status === 'failed');
    const more = () => !closing && !run.stopping && run.failures <= row.maxFailures;
    await inLanes(canary, row.concurrency, (result) => migrate(run, result), more);
    if (!canaryFailed()) await inLanes(others, row.concurrency, (result) => migrate(run, result), more);
    const over = run.stopping || canaryFailed() || run.failures > row.maxFailures;
    if (closing && !over && results.some((result) => result.status === 'waiting')) {
      await control.transaction((tx) => releaseRun(tx, row.id));
      return;
    }
    const end = ending(run, canaryFailed());
    await control.transaction((tx) => endRun(tx, row.id, { ...end, at: clock.iso() }));
    for (const result of results) if (result.status === 'waiting') result.status = 'skipped';
    log.info({ run: row.id, status: end.status, total: results.length, failed: run.failures }, 'fleet migration ended');
  }

  function ending(run: LiveRun, canaryFailed: boolean): { status: MigrationRun['status']; reason: string | null } {
    if (run.stopping) return { status: 'stopped', reason: 'Stopped by an operator.' };
    if (canaryFailed) return { status: 'failed', reason: 'One of the first companies failed; no other was touched.' };
    if (run.failures > run.row.maxFailures) return { status: 'failed', reason: 'Too many companies failed.' };
    return { status: run.failures > 0 ? 'failed' : 'succeeded', reason: null };
  }

  async function start(options: StartOptions, actor: Actor): ReturnType<Fleet['start']> {
    const head = parts.head();
    const behind = await selectBehind(control.read, head, options.only);
    const results = behind.map(
      (company, position): ResultRow => ({
        position,
        tenantId: company.id,
        slug: company.slug,
        status: 'waiting',
        reason: null,
        from: company.schemaVersion,
      }),
    );
    const row: RunRow = {
      id: newId('migration', clock.now()),
      head,
      actor: actorText(actor),
      concurrency: options.concurrency ?? parts.concurrency,
      canary: options.canary ?? 0,
      maxFailures: options.maxFailures ?? Math.max(5, Math.ceil(results.length / 10)),
    };
    const status = results.length === 0 ? ('succeeded' as const) : ('running' as const);
    const drives = (await parts.drives?.()) ?? true;
    // A lease that is over: free to be taken by whoever looks next.
    const held = drives ? lease() : { owner: 'nobody', until: clock.iso() };
    const running = await control.transaction(async (tx) => {
      const found = await selectRunningRun(tx);
      if (found === undefined) {
        await insertRun(tx, { ...row, status, startedAt: clock.iso(), lease: held }, results);
      }
      return found?.id;
    });
    if (running === undefined && status === 'running' && drives) drive(row, results);
    else if (running !== undefined && live === undefined) await resume();
    return { run: (await get(running ?? row.id))!, already: running !== undefined };
  }

  async function resume(): Promise<void> {
    if (live !== undefined || closing || (await selectRunningRun(control.read)) === undefined) return;
    if ((await parts.drives?.()) === false) return;
    const taken = await control.transaction(async (tx) => {
      const run = await selectRunningRun(tx);
      if (run === undefined) return undefined;
      const mine = await takeRun(tx, run, { lease: lease(), now: clock.iso(), exclusive: parts.exclusive });
      return mine ? { run, results: await selectResults(tx, run.id) } : undefined;
    });
    if (taken === undefined || live !== undefined) return;
    const { run } = taken;
    const begun = drive(
      {
        id: run.id,
        // A newer release goes on to its own head.
        head: Math.max(run.head, parts.head()),
        actor: run.actor,
        concurrency: run.concurrency,
        canary: run.canary,
        maxFailures: run.max_failures,
      },
      taken.results,
    );
    begun.stopping = run.stop_requested === 1;
  }

  async function get(id: string): Promise<MigrationRun | undefined> {
    const found = await selectRun(control.read, id);
    if (found === undefined || live?.row.id !== id || found.status !== 'running') return found;
    return snapshot(found, live);
  }

  /** What this process knows is newer than what it has written. */
  function snapshot(found: MigrationRun, run: LiveRun): MigrationRun {
    const items = run.results.map(({ tenantId, slug, status, reason }) => ({ tenantId, slug, status, reason }));
    const count = (status: string) => items.filter((item) => item.status === status).length;
    return { ...found, items, done: count('done'), failed: count('failed') };
  }

  async function wait(id: string, progress?: (run: MigrationRun) => void): Promise<MigrationRun> {
    for (;;) {
      const run = await get(id);
      if (run === undefined) throw notFound('There is no such migration run.');
      progress?.(run);
      if (run.status !== 'running') return run;
      await changed(id);
    }
  }

  /** Until the run has something new to tell. */
  async function changed(id: string): Promise<void> {
    const run = live?.row.id === id ? live : undefined;
    if (run === undefined) return pause(pollEvery);
    const told = Promise.withResolvers<void>();
    run.heard.add(told.resolve);
    await Promise.race([told.promise, run.ended]);
    run.heard.delete(told.resolve);
    // Building a snapshot costs as much as the run has companies.
    if (live === run) await Promise.race([pause(progressEvery), run.ended]);
  }

  return {
    get head() {
      return parts.head();
    },
    async counts() {
      const head = parts.head();
      const behind = await countBehind(control.read, head);
      return { head, behind, failed: behind === 0 ? 0 : await countFailedBehind(control.read, head) };
    },
    async plan(only) {
      const head = parts.head();
      const behind = await selectBehind(control.read, head, only);
      const items = behind.map((company) => ({
        tenantId: company.id,
        slug: company.slug,
        from: company.schemaVersion,
        to: head,
      }));
      return { head, behind: items.length, items };
    },
    start,
    wait,
    get,
    list: (limit) => selectRunList(control.read, limit),
    async stop(id) {
      const run = await selectRun(control.read, id);
      if (run === undefined) throw notFound('There is no such migration run.');
      await control.transaction((tx) => requestStop(tx, id));
      if (live?.row.id === id) {
        live.stopping = true;
        await live.ended;
      }
    },
    visit: (ids, work, options = {}) => visit(parts, ids, work, options.concurrency ?? parts.concurrency),
    resume,
    async close() {
      closing = true;
      await live?.ended;
    },
  };
}

async function visit<T>(
  parts: FleetParts,
  ids: readonly TenantId[],
  work: (tenant: Tenant) => Promise<T>,
  concurrency: number,
): Promise<readonly { readonly tenantId: TenantId; readonly value?: T; readonly error?: unknown }[]> {
  const results = new Map<TenantId, { value?: T; error?: unknown }>();
  await inLanes(ids, concurrency, async (id) => {
    try {
      const record = await parts.registry.get(id);
      if (record === undefined || record.state === 'deleted') throw notFound('There is no such company.');
      results.set(id, { value: await work(parts.openTenant(record, system)) });
    } catch (error) {
      results.set(id, { error });
    }
  });
  return ids.map((tenantId) => ({ tenantId, ...results.get(tenantId) }));
}

const driftText = 'The structure of the database is not what the migrations make. Doctor tells more.';

function reasonText(error: unknown): string {
  return error instanceof StrongroomError ? error.message : 'An unexpected error; the log has the details.';
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
