/**
 * The worker: visits tenants that have work due, and runs the chores of the control database.
 *
 * Guarantees
 * - Wakes at once when this process marks work; while nothing is due it asks no database anything.
 * - Fair: tenants that are due take turns, one visit at a time each, at most `concurrency` at once.
 * - A tenant that fails is visited again later and later, and holds up no other. One that is not active is left alone
 *   until it is marked again.
 * - Visits leave the processor to requests that are being answered, for a second at most: the backlog cannot grow.
 * - What a crash interrupted is due again at the next start.
 */
import { type Clock, second } from '../clock.ts';
import { isStrongroomError } from '../errors.ts';
import type { Foreground } from '../foreground.ts';
import type { Actor, Tenant } from '../handles.ts';
import type { TenantId } from '../ids.ts';
import type { Logger } from '../log.ts';
import type { Tenants } from '../tenants/tenants.ts';
import { backoff } from './backoff.ts';
import type { Visitor } from './visit.ts';
import type { WorkClaim, WorkIndex } from './work-index.ts';

/**
 * Work of the control database itself (lifecycle, the fleet's audit trail): asked for its due time at the start, after
 * each run and when it is poked, and at no other time.
 */
export interface Chore {
  readonly name: string;
  /** Milliseconds since 1970; null when there is nothing to come. */
  nextDue(): Promise<number | null>;
  run(): Promise<void>;
}

export interface Worker {
  addChore(chore: Chore): void;
  /** The chore of this name may have become due earlier: it is asked again. */
  poke(chore: string): void;
  start(): void;
  /** Runs everything that is due now, and what that makes due; audit rows are sealed at once. */
  settle(): Promise<void>;
  /** Ends visits: waits `drain` ms for those that run, then aborts their jobs. */
  close(options?: { drain?: number }): Promise<void>;
}

export interface WorkerOptions {
  readonly tenants: Pick<Tenants, 'get' | 'open'>;
  readonly index: WorkIndex;
  readonly visitor: Visitor;
  readonly clock: Clock;
  readonly log: Logger;
  /** Aborted by `close` when the drain time is over; the visitor's jobs listen to it. */
  readonly abort: AbortController;
  /** Tenants visited at once. Default 8. */
  readonly concurrency?: number;
  /** Visits wait while it is busy, for `patience` at most. */
  readonly foreground?: Pick<Foreground, 'busy'>;
}

const system: Actor = { kind: 'system' };
/** Audit rows that wait for their second are due for `settle`. */
const settleHorizon = second;
/** Longest sleep: a clock that was moved is noticed after this. Waking asks memory alone. */
const longestSleep = 30 * second;
/** Work that is late by this goes on beside requests, and how often it is looked whether there are any (ms). */
const patience = second;
const yieldFor = 10;

export function createWorker(options: WorkerOptions): Worker {
  const { tenants, index, visitor, clock, log, abort, concurrency = 8 } = options;
  const running = new Map<TenantId, Promise<void>>();
  const failures = new Map<TenantId, number>();
  const chores = choreList({ clock, log, changed: () => wakeAt(clock.now()) });
  let round: WorkClaim[] = [];
  /** When the earliest of the round was due. */
  let roundDue = 0;
  let filling: Promise<void> | null = null;
  let started = false;
  let closed = false;
  let timer: NodeJS.Timeout | null = null;
  let timerAt = Number.POSITIVE_INFINITY;
  let settling = 0;

  index.onEarlier((due) => wakeAt(due));

  function wakeAt(due: number): void {
    if (!started || closed || due === Number.POSITIVE_INFINITY || due >= timerAt) return;
    if (timer !== null) clearTimeout(timer);
    timerAt = due;
    timer = setTimeout(wake, Math.min(longestSleep, Math.max(0, due - clock.now())));
    timer.unref();
  }

  function wake(): void {
    // Woken by the end of a visit, the timer still runs: left alone it would wake, and set another one, for ever.
    if (timer !== null) clearTimeout(timer);
    timer = null;
    timerAt = Number.POSITIVE_INFINITY;
    if (closed) return;
    fill(clock.now()).catch((error) => {
      log.warn({ err: error }, 'the work index could not be read; trying again');
      wakeAt(clock.now() + second);
    });
  }

  function yields(now: number): boolean {
    if (settling > 0 || options.foreground?.busy !== true) return false;
    return now - (round.length > 0 ? roundDue : index.nextDue()) < patience;
  }

  /** Starts visits while there is room and work; then sleeps until the next due time. */
  function fill(now: number): Promise<void> {
    filling ??= fillOnce(now).finally(() => {
      filling = null;
    });
    return filling;
  }

  async function fillOnce(now: number): Promise<void> {
    // Not awaited: a chore that takes long holds up no visit.
    void chores.runDue().then(() => wakeAt(chores.nextDue()));
    if (yields(now)) {
      wakeAt(now + yieldFor);
      return;
    }
    if (running.size < concurrency && round.length === 0) {
      roundDue = index.nextDue();
      round = [...(await index.claimDue(now, 10_000))];
    }
    while (running.size < concurrency && round.length > 0 && !closed) {
      const claim = round.shift()!;
      const visit = runVisit(claim).finally(() => {
        running.delete(claim.tenantId);
        if (started && !closed) setImmediate(wake);
      });
      running.set(claim.tenantId, visit);
    }
    // While every place is taken there is nothing to wake for but chores: the end of a visit wakes by itself.
    const room = round.length === 0 && running.size < concurrency;
    wakeAt(Math.min(room ? index.nextDue() : Number.POSITIVE_INFINITY, chores.nextDue()));
  }

  async function runVisit(claim: WorkClaim): Promise<void> {
    try {
      const tenant = await enter(claim);
      if (tenant === null) return;
      const next = await visitor.visit(tenant, { force: () => settling > 0 });
      failures.delete(claim.tenantId);
      if (abort.signal.aborted) index.retry(claim, next ?? clock.now());
      else index.clear(claim, next);
    } catch (error) {
      const times = (failures.get(claim.tenantId) ?? 0) + 1;
      failures.set(claim.tenantId, times);
      log.warn({ err: error, tenant: claim.tenantId, times }, 'a visit failed; it will be repeated');
      index.retry(claim, clock.now() + backoff(times, second, 300 * second));
    }
  }

  /** The handle, or null where there is nothing to be done for this tenant now. */
  async function enter(claim: WorkClaim): Promise<Tenant | null> {
    const record = await tenants.get(claim.tenantId);
    if (record === undefined || record.state === 'deleted') {
      index.park(claim);
      failures.delete(claim.tenantId);
      visitor.forget(claim.tenantId);
      await index.forget(claim.tenantId);
      return null;
    }
    if (record.state !== 'active') {
      index.park(claim);
      return null;
    }
    try {
      return await tenants.open(claim.tenantId, system);
    } catch (error) {
      // Suspended between the two look-ups.
      if (!isStrongroomError(error, 'unauthenticated')) throw error;
      index.park(claim);
      return null;
    }
  }

  async function settle(): Promise<void> {
    settling += 1;
    try {
      await chores.runDue(settleHorizon);
      await filling;
      await fill(clock.now() + settleHorizon);
      for (;;) {
        if (running.size > 0) await Promise.race(running.values());
        await chores.runDue();
        await fill(clock.now());
        const now = clock.now();
        const idle = running.size === 0 && round.length === 0;
        if (closed || (idle && index.nextDue() > now && chores.nextDue() > now)) return;
      }
    } finally {
      settling -= 1;
    }
  }

  return {
    addChore: chores.add,
    poke: chores.poke,
    start() {
      started = true;
      wakeAt(clock.now());
    },
    settle,
    async close({ drain = 10 * second } = {}) {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      const late = setTimeout(() => abort.abort(), drain);
      await filling?.catch(() => {});
      for (const claim of round.splice(0)) index.retry(claim, clock.now());
      await Promise.all(running.values());
      await chores.idle();
      clearTimeout(late);
      abort.abort();
    },
  };
}

interface ChoreState {
  readonly chore: Chore;
  due: number;
  failures: number;
  running: Promise<void> | null;
}

function choreList({ clock, log, changed }: { clock: Clock; log: Logger; changed: () => void }) {
  const list: ChoreState[] = [];

  async function ask(state: ChoreState): Promise<void> {
    state.due = Number.POSITIVE_INFINITY;
    const due = (await state.chore.nextDue()) ?? Number.POSITIVE_INFINITY;
    // A poke while it was being asked stays.
    state.due = Math.min(state.due, due);
  }

  async function run(state: ChoreState, horizon: number): Promise<void> {
    try {
      await ask(state);
      if (state.due > clock.now() + horizon) return;
      const before = state.due;
      await state.chore.run();
      await ask(state);
      // Still due for the same reason: no progress.
      if (state.due === before && before <= clock.now()) throw new Error('a chore made no progress');
      state.failures = 0;
    } catch (error) {
      state.failures += 1;
      state.due = clock.now() + backoff(state.failures, second, 300 * second);
      log.warn({ err: error, chore: state.chore.name }, 'a chore failed; it will be repeated');
    }
  }

  return {
    add(chore: Chore) {
      list.push({ chore, due: 0, failures: 0, running: null });
      changed();
    },
    poke(name: string) {
      for (const state of list) if (state.chore.name === name) state.due = 0;
      changed();
    },
    /** Of those that do not run now: the end of a run wakes by itself. */
    nextDue: () =>
      list.reduce(
        (next, state) => (state.running === null ? Math.min(next, state.due) : next),
        Number.POSITIVE_INFINITY,
      ),
    /** Runs those that are due (or are within the horizon) side by side. */
    async runDue(horizon = 0): Promise<void> {
      const due = list.filter((state) => state.due <= clock.now() + horizon);
      await Promise.all(
        due.map((state) => {
          state.running ??= run(state, horizon).finally(() => {
            state.running = null;
          });
          return state.running;
        }),
      );
    },
    async idle(): Promise<void> {
      await Promise.all(list.map((state) => state.running));
    },
  };
}
