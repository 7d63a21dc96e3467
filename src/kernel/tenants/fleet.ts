/**
 * The fleet: who is behind, migrating them, and visiting many companies.
 *
 * Guarantees
 * - Counts and plan are one control query; no company is opened for them.
 * - One run at a time, over all processes. It is durable: after a crash the next start, or another process once the
 *   lease is over, goes on with the companies that are left. A release leaves the runs of a newer one alone.
 * - A company is at its new version once its own ledger says so; the control row follows, and a crash between the two
 *   is mended by running again, which applies nothing.
 */
import { randomBytes } from 'node:crypto';
import { actorText } from '../audit/trail.ts';
import type { Clock } from '../clock.ts';
import type { ControlDb } from '../database/database.ts';
import { notFound } from '../errors.ts';
import type { Actor, Tenant } from '../handles.ts';
import { newId, type TenantId } from '../ids.ts';
import type { Logger } from '../log.ts';
import type { Placement } from '../placements/placement.ts';
import {
  countFailedBehind,
  endRun,
  insertRun,
  type ResultRow,
  type RunRow,
  requestStop,
  selectFailedLast,
  selectResults,
  selectRun,
  selectRunList,
  selectRunningRun,
  takeRun,
  withResults,
} from './fleet-repository.ts';
import { driveRun, type LiveRun, leaseOf } from './fleet-run.ts';
import { inLanes, type Locks } from './locks.ts';
import type { OpenTenant } from './open-tenant.ts';
import type { Registry } from './registry.ts';
import { countBehind, selectBehind } from './repository.ts';
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

type StartOptions = Parameters<Fleet['start']>[0];

const system: Actor = { kind: 'system' };
const pollEvery = 300;
const progressEvery = 100;

export function createFleet(parts: FleetParts): FleetService {
  const { control, clock, log } = parts;
  const owner = `${process.pid}-${randomBytes(6).toString('hex')}`;
  let live: LiveRun | undefined;
  let closing = false;

  function drive(row: RunRow, results: ResultRow[], stopping = false): void {
    const run = driveRun(parts, owner, { row, results, stopping }, () => closing);
    live = run;
    void run.ended.then(() => {
      if (live === run) live = undefined;
    });
  }

  async function start(options: StartOptions, actor: Actor): ReturnType<Fleet['start']> {
    const head = parts.head();
    const behind = await selectBehind(control.read, head, options.only);
    const order = behind.length === 0 ? [] : inOrder(behind, await selectFailedLast(control.read), options.canary ?? 0);
    const results = order.map(
      ({ id, slug, placement, schemaVersion }, position): ResultRow => ({
        position,
        tenantId: id,
        slug,
        placement,
        status: 'waiting',
        reason: null,
        from: schemaVersion,
      }),
    );
    const row: RunRow = {
      id: newId('migration', clock.now()),
      head,
      actor: actorText(actor),
      concurrency: options.concurrency ?? parts.concurrency,
      canary: options.canary ?? 0,
      maxFailures: allowedFailures(options, results.length),
    };
    const status = results.length === 0 ? ('succeeded' as const) : ('running' as const);
    const drives = (await parts.drives?.()) ?? true;
    // A lease that is over: free to be taken by whoever looks next.
    const held = drives ? leaseOf(parts, owner) : { owner: 'nobody', until: clock.iso() };
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
      // A newer release began it: this one does not have its migrations.
      if (run === undefined || run.head > parts.head()) return undefined;
      const take = { lease: leaseOf(parts, owner), now: clock.iso(), exclusive: parts.exclusive };
      return (await takeRun(tx, run, take)) ? { run, results: await selectResults(tx, run.id) } : undefined;
    });
    if (taken === undefined || live !== undefined) return;
    const { run, results } = taken;
    const { id, actor, concurrency, canary } = run;
    log.info({ run: id }, 'going on with a fleet migration');
    // A newer release goes on to its own head.
    const row = { id, head: parts.head(), actor, concurrency, canary, maxFailures: run.max_failures };
    drive(row, results, run.stop_requested === 1);
  }

  /** A run that nobody drives is over as soon as an operator says so, also where only another release could go on. */
  async function endLeftBehind(id: string): Promise<void> {
    await control.transaction(async (tx) => {
      const run = await selectRunningRun(tx);
      if (run?.id !== id) return;
      const take = { lease: leaseOf(parts, owner), now: clock.iso(), exclusive: parts.exclusive };
      if (!(await takeRun(tx, run, take))) return;
      await endRun(tx, id, { status: 'stopped', reason: 'Stopped by an operator.', at: clock.iso() });
    });
  }

  async function get(id: string): Promise<MigrationRun | undefined> {
    const found = await selectRun(control.read, id);
    if (found === undefined || live?.row.id !== id || found.status !== 'running') return found;
    // What this process knows is newer than what it has written.
    return withResults(found, live.results);
  }

  async function wait(id: string, progress?: (run: MigrationRun) => void): Promise<MigrationRun> {
    for (;;) {
      const run = await get(id);
      if (run === undefined) throw notFound('There is no such migration run.');
      progress?.(run);
      if (run.status !== 'running') return run;
      // The process that drove it may be gone.
      if (live === undefined) await resume();
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
      } else await endLeftBehind(id);
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

type Behind = Awaited<ReturnType<typeof selectBehind>>[number];

/**
 * Those that failed last time go last: they say little about the release. At the head stand as many as go first, spread
 * over the placements.
 */
function inOrder(behind: readonly Behind[], failedLast: ReadonlySet<TenantId>, canary: number): readonly Behind[] {
  const rest = behind.filter(({ id }) => !failedLast.has(id));
  const kinds = [...new Set(rest.map(({ placement }) => placement))];
  const first: Behind[] = [];
  while (first.length < canary && rest.length > 0) {
    const kind = kinds[first.length % kinds.length];
    const at = rest.findIndex(({ placement }) => placement === kind);
    first.push(...rest.splice(Math.max(0, at), 1));
  }
  return [...first, ...rest, ...behind.filter(({ id }) => failedLast.has(id))];
}

function allowedFailures({ maxFailures, maxFailureShare }: StartOptions, companies: number): number {
  const share = maxFailureShare === undefined ? undefined : Math.floor(maxFailureShare * companies);
  const given = [maxFailures, share].filter((limit) => limit !== undefined);
  return given.length > 0 ? Math.min(...given) : Math.max(5, Math.ceil(companies / 10));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
