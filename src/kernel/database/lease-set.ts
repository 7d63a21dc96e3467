/**
 * A leased, least-recently-used set of sessions under one budget.
 *
 * Promises: never more sessions open (or being opened or closed) than the budget, nor than `perKey` for one key; opening
 * is single-flight where sessions are shared; nobody queues behind a session that stands still while another can be had;
 * waiters are served first come, first served, and give up in time with 503
 * `connections_exhausted`; eviction takes the session unused for longest, else the one that was busy for longest once
 * its last lease ends; a key whose opening fails again and again, or whose own sessions are all too slow, is refused at
 * once for a short, growing time, and then tried with one session; what is above a budget made smaller goes the same way.
 */
import type { Logger } from '../log.ts';
import {
  describeEntry,
  type EntryView,
  exhausted,
  forgetOldFailures,
  isFull,
  type Lease,
  type LeasePurpose,
  newEntries,
  newLife,
  noteEnd,
  noteFailure,
  noteSlow,
  type Pool,
  poolsOf,
  refusalOf,
  type Slot,
  shuttingDown,
  takesMore,
  tries,
  unusedSlot,
  type Waiter,
} from './lease-pool.ts';
import type { SqlSession } from './session.ts';

export type { Lease, LeasePurpose } from './lease-pool.ts';

export interface LeaseSetOptions {
  readonly budget: number;
  readonly perKey: number;
  /** Longest wait for a session, in milliseconds. */
  readonly waitMs: number;
  /** An unused session is closed after this long; Infinity keeps it. */
  readonly idleMs: number;
  /** Longest time for which a key is refused after failures of opening, in milliseconds. Default 30 s. */
  readonly longestPauseMs?: number;
  open(key: string, purpose: LeasePurpose): Promise<SqlSession>;
  /** How many sessions of this purpose make sense for a key at once. */
  limit(key: string, purpose: LeasePurpose): number;
  readonly log: Logger;
}

export interface LeaseSet {
  /** A lease if a session is free now. */
  tryLease(key: string, purpose: LeasePurpose): Lease | undefined;
  /** @throws unavailable `connections_exhausted` | `shutting_down`, or what opening threw */
  lease(key: string, purpose: LeasePurpose): Promise<Lease>;
  /**
   * Closes the sessions of the keys that match, those being opened too, each as soon as its leases end; resolves when
   * they are closed. Whoever asks later gets a new one, and so does whoever waits for a place in the budget.
   */
  closeKeys(matches: (key: string) => boolean): Promise<void>;
  closeAll(): Promise<void>;
  /** Refuses new leases, then closes all. */
  close(): Promise<void>;
  /** From now on. Sessions above it are closed, those in use as soon as their leases end. */
  setBudget(budget: number): void;
  readonly budget: number;
  readonly open: number;
  readonly waiting: number;
  list(): readonly EntryView[];
}

export function createLeaseSet(options: LeaseSetOptions): LeaseSet {
  const { entries, entryFor, forgetIfEmpty } = newEntries();
  /** Sessions without a lease, the one unused for longest first. */
  const idle = new Set<Slot>();
  /** Sessions with leases, the one busy for longest first. */
  const busy = new Set<Slot>();
  /** Pools that want one more session, in order of asking. */
  let wanted: Pool[] = [];
  let budget = options.budget;
  let open = 0;
  /** Of the open ones. */
  let closing = 0;
  let waiting = 0;
  let closed = false;
  let sweep: NodeJS.Timeout | undefined;

  /** A session of this pool that can take one more lease now: one that gets on with its work, else an unused one. */
  function freeSlot(pool: Pool): Slot | undefined {
    let unused: Slot | undefined;
    for (const slot of pool.slots) {
      if (slot.retiring) continue;
      if (!slot.session.usable) {
        retire(slot);
        return freeSlot(pool);
      }
      if (takesMore(slot)) return slot;
      if (slot.leases === 0) unused ??= slot;
    }
    return unused;
  }

  function take(slot: Slot): Lease {
    if (slot.leases === 0) {
      idle.delete(slot);
      busy.add(slot);
      slot.movedAt = performance.now();
    }
    slot.leases += 1;
    return slot;
  }

  function release(slot: Slot): void {
    slot.leases -= 1;
    slot.movedAt = performance.now();
    const refusal = noteEnd(slot, options.longestPauseMs);
    if (refusal !== undefined) refuse(slot.pool, refusal);
    if (refusal !== undefined || !slot.session.usable) slot.retiring = true;
    if (slot.leases > 0) {
      if (!slot.retiring && slot.pool.waiters.size > 0) serve(slot.pool);
      return;
    }
    busy.delete(slot);
    slot.idleAt = slot.movedAt;
    if (slot.retiring) {
      shut(slot);
      return;
    }
    idle.add(slot);
    if (slot.pool.waiters.size > 0) serve(slot.pool);
    if (wanted.length > 0) grow();
    startSweep();
  }

  /** No new leases; closes now or with the last lease. */
  function retire(slot: Slot): void {
    if (slot.retiring) return;
    slot.retiring = true;
    if (slot.leases === 0) shut(slot);
  }

  function shut(slot: Slot): void {
    idle.delete(slot);
    const { pool } = slot;
    pool.slots.splice(pool.slots.indexOf(slot), 1);
    closing += 1;
    void slot.session
      .close()
      .catch((error: unknown) => options.log.warn({ err: error }, 'a database connection did not close'))
      .then(() => {
        closing -= 1;
        open -= 1;
        slot.life.end();
        want(pool);
        grow();
        forgetIfEmpty(pool.entry);
      });
  }

  function serve(pool: Pool): void {
    for (const waiter of pool.waiters) {
      const slot = freeSlot(pool);
      if (slot === undefined) break;
      settle(pool, waiter);
      waiter.resolve(take(slot));
    }
    want(pool);
  }

  function settle(pool: Pool, waiter: Waiter): void {
    clearTimeout(waiter.timer);
    pool.waiters.delete(waiter);
    waiting -= 1;
  }

  /** Asks for as many sessions as this pool's waiters can use. */
  function want(pool: Pool): void {
    // A writer that is to go still holds its transaction; a reader beside it hurts nobody.
    const counts = (slot: Slot) => !slot.retiring || pool.purpose === 'write';
    const live = pool.slots.filter(counts).length;
    const limit = options.limit(pool.entry.key, pool.purpose);
    let missing = Math.min(pool.waiters.size, limit - live, tries(pool.entry)) - pool.opening;
    while (missing > 0) {
      pool.opening += 1;
      wanted.push(pool);
      missing -= 1;
    }
  }

  /** Starts openings in order, as far as budgets allow; makes room where they do not. */
  function grow(): void {
    const blocked: Pool[] = [];
    let short = 0;
    const asked = wanted;
    wanted = [];
    for (const pool of asked) {
      if (pool.waiters.size === 0) {
        pool.opening -= 1;
        forgetIfEmpty(pool.entry);
      } else if (pool.entry.lives.size >= options.perKey) {
        // Another purpose of the same key holds the place: its unused session goes.
        const unused = unusedSlot(pool.entry);
        if (unused !== undefined) retire(unused);
        blocked.push(pool);
      } else if (open >= budget) {
        short += 1;
        blocked.push(pool);
      } else {
        void start(pool);
      }
    }
    wanted = blocked.concat(wanted);
    if (short > 0) evict(short);
  }

  function evict(count: number): void {
    let missing = count - closing;
    for (const slot of busy) if (slot.retiring) missing -= 1;
    for (const slot of [...idle, ...busy]) {
      if (missing <= 0) return;
      if (slot.retiring) continue;
      retire(slot);
      missing -= 1;
    }
  }

  function setBudget(changed: number): void {
    budget = changed;
    if (open > budget) evict(open - budget);
    grow();
  }

  async function start(pool: Pool): Promise<void> {
    const { entry } = pool;
    const life = newLife(entry);
    open += 1;
    try {
      if (open > budget || entry.lives.size > options.perKey) throw new Error('the connection budget is exceeded');
      const session = await options.open(entry.key, pool.purpose);
      pool.opening -= 1;
      entry.failures = 0;
      const slot: Slot = {
        pool,
        session,
        leases: 0,
        retiring: false,
        idleAt: performance.now(),
        movedAt: performance.now(),
        life,
        release: () => release(slot),
      };
      pool.slots.push(slot);
      idle.add(slot);
      // Those who waited before it was told to leave have their turn.
      serve(pool);
      if (life.leaving) {
        retire(slot);
        want(pool);
      } else startSweep();
      // The budget was made smaller meanwhile.
      if (open > budget) evict(open - budget);
      if (wanted.length > 0) grow();
    } catch (error) {
      pool.opening -= 1;
      open -= 1;
      life.end();
      openingFailed(pool, error instanceof Error ? error : new Error(String(error)));
    }
  }

  function openingFailed(pool: Pool, error: Error): void {
    // Those who wait are served by the sessions that are there.
    if (isFull(error) && pool.slots.some((slot) => !slot.retiring)) {
      grow();
      return;
    }
    noteFailure(pool.entry, error, options.longestPauseMs);
    refuse(pool, error);
    grow();
    startSweep();
  }

  function refuse(pool: Pool, error: Error): void {
    for (const waiter of [...pool.waiters]) {
      settle(pool, waiter);
      waiter.reject(error);
    }
  }

  function startSweep(): void {
    if (sweep !== undefined || !Number.isFinite(options.idleMs)) return;
    sweep = setInterval(
      () => {
        const now = performance.now();
        for (const slot of idle) if (now - slot.idleAt >= options.idleMs) retire(slot);
        for (const entry of entries.values()) {
          forgetOldFailures(entry, now);
          forgetIfEmpty(entry);
        }
        if (entries.size === 0) {
          clearInterval(sweep);
          sweep = undefined;
        }
      },
      Math.max(10, options.idleMs / 4),
    );
    sweep.unref();
  }

  /** A lease when this waiter's turn comes, or 503 when that takes too long. */
  function queue(pool: Pool): Promise<Lease> {
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        settle(pool, waiter);
        reject(exhausted());
        // It waited for its own sessions alone, not for others to give theirs up.
        if (pool.opening === 0 && pool.slots.every((slot) => slot.leases > 0)) noteSlow(pool.entry);
        forgetIfEmpty(pool.entry);
      };
      const waiter: Waiter = { resolve, reject, timer: setTimeout(giveUp, options.waitMs) };
      pool.waiters.add(waiter);
      waiting += 1;
      want(pool);
      grow();
    });
  }

  function tryLease(key: string, purpose: LeasePurpose): Lease | undefined {
    if (closed) return undefined;
    const pool = entries.get(key)?.pools[purpose];
    if (pool === undefined || pool.waiters.size > 0) return undefined;
    const slot = freeSlot(pool);
    return slot === undefined ? undefined : take(slot);
  }

  function lease(key: string, purpose: LeasePurpose): Promise<Lease> {
    const free = tryLease(key, purpose);
    if (free !== undefined) return Promise.resolve(free);
    if (closed) return Promise.reject(shuttingDown());
    const entry = entryFor(key);
    const refusal = refusalOf(entry);
    return refusal === undefined ? queue(entry.pools[purpose]) : Promise.reject(refusal);
  }

  async function closeKeys(matches: (key: string) => boolean): Promise<void> {
    const gone = [...entries.values()].filter(({ key }) => matches(key));
    const lives = gone.flatMap((entry) => [...entry.lives]);
    for (const life of lives) life.leaving = true;
    for (const pool of gone.flatMap(poolsOf)) {
      for (const slot of [...pool.slots]) retire(slot);
      want(pool);
    }
    grow();
    await Promise.all(lives.map(({ over }) => over));
  }

  const closeAll = () => closeKeys(() => true);

  return {
    setBudget,
    get budget() {
      return budget;
    },
    get open() {
      return open;
    },
    get waiting() {
      return waiting;
    },
    tryLease,
    lease,
    closeKeys,
    closeAll,
    async close() {
      closed = true;
      clearInterval(sweep);
      sweep = undefined;
      for (const pool of [...entries.values()].flatMap(poolsOf)) refuse(pool, shuttingDown());
      await closeAll();
    },
    list: () => [...entries.values()].filter((entry) => entry.lives.size > 0).map(describeEntry),
  };
}
