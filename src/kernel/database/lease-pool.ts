/**
 * What a lease set knows of a key: its sessions by purpose, who waits for one, and how opening went lately. Data, and
 * what can be said of it alone; `lease-set.ts` decides.
 */
import { isStrongroomError, type StrongroomError, unavailable } from '../errors.ts';
import type { SqlSession } from './session.ts';

export type LeasePurpose = 'read' | 'write';

export interface Lease {
  readonly session: SqlSession;
  /** Exactly once a lease. */
  release(): void;
}

export interface Slot extends Lease {
  readonly pool: Pool;
  readonly session: SqlSession;
  leases: number;
  retiring: boolean;
  idleAt: number;
  /** When a lease last ended, or the first of several began: since then it has got nothing done. */
  movedAt: number;
  readonly life: Life;
}
/** A session from the first step of its opening to the last of its closing. */
export interface Life {
  /** It is to be closed with its last lease, also where it is only being opened. */
  leaving: boolean;
  readonly over: Promise<void>;
  end(): void;
}
export interface Waiter {
  resolve(lease: Lease): void;
  reject(error: Error): void;
  readonly timer: NodeJS.Timeout;
}
export interface Pool {
  readonly entry: Entry;
  readonly purpose: LeasePurpose;
  readonly slots: Slot[];
  readonly waiters: Set<Waiter>;
  /** Openings asked for or under way. */
  opening: number;
}
export interface Entry {
  readonly key: string;
  readonly pools: Readonly<Record<LeasePurpose, Pool>>;
  /** Sessions open, being opened or being closed. */
  readonly lives: Set<Life>;
  failures: number;
  refuseUntil: number;
  lastError: Error | undefined;
}

/** Failures of opening in a row after which a key is refused at once. */
const tolerated = 3;
const firstPause = 250;
const longestPause = 30_000;

/** A key of which nothing is open. */
function newEntry(key: string): Entry {
  const base = { key, lives: new Set(), failures: 0, refuseUntil: 0, lastError: undefined } as Entry;
  const pool = (purpose: LeasePurpose): Pool => ({ entry: base, purpose, slots: [], waiters: new Set(), opening: 0 });
  return Object.assign(base, { pools: { read: pool('read'), write: pool('write') } });
}

/** Begins the life of a session of this key. */
export function newLife(entry: Entry): Life {
  const { promise, resolve } = Promise.withResolvers<void>();
  const life: Life = {
    leaving: false,
    over: promise,
    end() {
      entry.lives.delete(life);
      resolve();
    },
  };
  entry.lives.add(life);
  return life;
}

export const poolsOf = ({ pools }: Entry): readonly Pool[] => [pools.read, pools.write];

const slotsOf = (entry: Entry): readonly Slot[] => poolsOf(entry).flatMap(({ slots }) => slots);

/** Nothing open, nobody waiting, nothing to be remembered. */
function isForgettable(entry: Entry): boolean {
  if (entry.lives.size > 0 || entry.failures > 0) return false;
  return poolsOf(entry).every((pool) => pool.waiters.size === 0 && pool.opening === 0);
}

/** The keys that there is something to say of. */
export function newEntries() {
  const entries = new Map<string, Entry>();
  return {
    entries,
    entryFor(key: string): Entry {
      let entry = entries.get(key);
      if (entry === undefined) {
        entry = newEntry(key);
        entries.set(key, entry);
      }
      return entry;
    },
    forgetIfEmpty(entry: Entry): void {
      if (isForgettable(entry)) entries.delete(entry.key);
    },
  };
}

export function unusedSlot(entry: Entry): Slot | undefined {
  return slotsOf(entry).find((slot) => slot.leases === 0);
}

/** A session that has got nothing done for so long (ms) gets no query more behind those that wait for it. */
const standstill = 5;

/**
 * Whether a session in use can take one more lease. It is preferred to an unused one while it is quick: queries that
 * travel together cost less, and the unused one may be closed.
 */
export function takesMore({ session, leases, movedAt }: Slot): boolean {
  if (leases === 0 || leases >= session.concurrency) return false;
  return session.concurrency === Number.POSITIVE_INFINITY || performance.now() - movedAt < standstill;
}

/** A failure more: from the third in a row on, the key is refused for a growing time. */
export function noteFailure(entry: Entry, error: Error, longestPauseMs: number = longestPause): void {
  entry.failures += 1;
  entry.lastError = error;
  if (entry.failures < tolerated) return;
  const pause = Math.min(longestPauseMs, firstPause * 2 ** (entry.failures - tolerated));
  entry.refuseUntil = performance.now() + pause;
}

/** How many openings are tried at once: one alone, while the last ones failed. */
export function tries(entry: Entry): number {
  return entry.failures >= tolerated ? 1 : Number.POSITIVE_INFINITY;
}

/** How long a key is refused whose own sessions were all too slow for one that waited. */
const slowPause = 1_000;

/** Those who come next are refused at once for a moment, instead of joining the ones that wait in vain. */
export function noteSlow(entry: Entry): void {
  entry.lastError = exhausted();
  entry.refuseUntil = Math.max(entry.refuseUntil, performance.now() + slowPause);
}

/**
 * A session was given back: three times in a row after a statement that took too long, and the key is refused as if it
 * could not be opened.
 * @returns what those who wait for it are to be told
 */
export function noteEnd(slot: Slot, longestPauseMs?: number): Error | undefined {
  const { entry } = slot.pool;
  if (slot.session.slow !== true) {
    entry.failures = 0;
    return undefined;
  }
  noteFailure(
    entry,
    unavailable('database_slow', 'The database takes too long. Try again in a moment.', 5),
    longestPauseMs,
  );
  return refusalOf(entry);
}

/** The server has no place for one more session now; nothing is wrong with this database. */
export function isFull(error: unknown): boolean {
  return isStrongroomError(error) && error.code === 'database_busy';
}

export function exhausted(): StrongroomError {
  return unavailable('connections_exhausted', 'The server is busy. Try again in a moment.', 1);
}

export function shuttingDown(): StrongroomError {
  return unavailable('shutting_down', 'The server is shutting down.');
}

/** What to refuse a lease with now, after failures. */
export function refusalOf(entry: Entry): Error | undefined {
  return entry.lastError !== undefined && performance.now() < entry.refuseUntil ? entry.lastError : undefined;
}

/** Ends the memory of failures some time after the last of them. */
export function forgetOldFailures(entry: Entry, now: number): void {
  if (entry.failures > 0 && now > entry.refuseUntil + longestPause) entry.failures = 0;
}

export interface EntryView {
  readonly key: string;
  readonly open: number;
  readonly leased: number;
  readonly idleSince: number | null;
}

export function describeEntry(entry: Entry): EntryView {
  const slots = slotsOf(entry);
  const leased = slots.reduce((count, slot) => count + slot.leases, 0);
  const idleSince = leased > 0 || slots.length === 0 ? null : Math.max(...slots.map((slot) => slot.idleAt));
  return { key: entry.key, open: entry.lives.size, leased, idleSince };
}
