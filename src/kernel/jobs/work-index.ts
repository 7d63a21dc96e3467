/**
 * The work index: which tenants have work due, and when. It stands in the control database (`tenant_work`), so that
 * idle tenants are never visited, and in memory while this process owns that database, so that asking costs nothing.
 *
 * Guarantees
 * - Work is never lost. A transaction that makes work marks the index *before* its commit (a crash right after the
 *   commit finds the row) and again in memory *after* it. A visit that looked before the commit cannot clear it away:
 *   either the second mark comes after the clearing, or the clearing sees by the generation that it came before.
 * - The durable due time is never later than the true one. It may be earlier (raising it waits until the tenant has
 *   been quiet): then the worst is one visit for nothing after a restart.
 * - A mark costs no query while the row already says as early; marks of several tenants share one commit.
 * - What is announced and dies with its process leaves a row that is due at the next start.
 */
import type { Insertable } from 'kysely';
import { isoTime, second } from '../clock.ts';
import type { ControlDb, ControlTx } from '../database/database.ts';
import type { TenantId } from '../ids.ts';
import type { Logger } from '../log.ts';
import './tables.ts';
import { slicesOf } from '../slices.ts';
import type { TenantWorkTable } from './tables.ts';

/** A tenant with work due, as it was when it was claimed; given back by `clear` or `retry`. */
export interface WorkClaim {
  readonly tenantId: TenantId;
  readonly generation: number;
  /** Aborted where the right to visit was lost; only with several processes. */
  readonly signal?: AbortSignal;
}

export interface WorkIndex {
  /**
   * Makes durable that the tenant has work at `dueAt` (ms): before the commit of every transaction that called `dueAt`.
   * Resolves to what must be called once the commit was tried, whatever came of it; that wakes the worker.
   * @throws unavailable where the control database is down
   */
  begin(tenantId: TenantId, dueAt: number): Promise<() => void>;
  /** The durable part of `mark` in the very transaction that makes the tenant: its first work costs no other commit. */
  reserve(tx: ControlTx, tenantId: TenantId, dueAt: number): Promise<void>;
  /**
   * The same for work that only a crash would leave over: the row is durable, and nobody visits because of it. What it
   * resolves to must be called at the end: with a time (ms) where a visit is needed after all.
   * @throws unavailable where the control database is down
   */
  announce(tenantId: TenantId, dueAt: number): Promise<(needed?: number) => void>;
  /** The same where nothing is to be committed: a tenant that came to life, or back. Also ends a `park`. */
  mark(tenantId: TenantId, dueAt: number): Promise<void>;
  /** Up to `limit` tenants whose work is due, longest unvisited first; none is given out twice before it comes back. */
  claimDue(now: number, limit: number): Promise<readonly WorkClaim[]>;
  /** The visit found nothing due before `nextDue` (null: nothing at all). False where a mark came in between: it counts. */
  clear(claim: WorkClaim, nextDue: number | null): boolean;
  /** The visit failed or did not finish: again at `at` (ms). */
  retry(claim: WorkClaim, at: number): void;
  /** The tenant is paused: not before the next `mark`, or the next start of the process. */
  park(claim: WorkClaim): void;
  /** Forgets a tenant that is gone. */
  forget(tenantId: TenantId): Promise<void>;
  /** When the next tenant is due (ms), Infinity for never. From memory alone. */
  nextDue(): number;
  /** Called whenever a tenant becomes due earlier than before. Returns the way to stop. */
  onEarlier(heard: (dueAt: number) => void): () => void;
  /** Writes what waits to be written. */
  close(): Promise<void>;
}

export interface WorkIndexOptions {
  readonly control: ControlDb;
  readonly log: Logger;
  /** How long (ms) a tenant must be quiet before its durable due time is raised. Default 30 s. */
  readonly quiet?: number;
}

interface Entry {
  /** When to visit next; Infinity for never. */
  due: number;
  /** What the row says, or is about to; Infinity where there is none. */
  durable: number;
  generation: number;
  /** Transactions between their mark and the end of their commit. While there is one, `durable` is not raised. */
  open: number;
  visiting: boolean;
  /** Earliest time marked since the claim. */
  since: number;
  visited: number;
  changed: number;
  /** The write that makes `durable` true. */
  writing: Promise<void> | null;
}

/** The index over `tenant_work`. This process must own the control database; several have `work-index-shared.ts`. */
export function createWorkIndex({ control, log, quiet = 30 * second }: WorkIndexOptions): WorkIndex {
  const view = new Map<TenantId, Entry>();
  const raisable = new Set<TenantId>();
  const heard = new Set<(dueAt: number) => void>();
  const writer = rowWriter(control, view);
  let loading: Promise<void> | null = null;
  let raising: NodeJS.Timeout | null = null;
  let visits = 0;
  let closed = false;

  function load(): Promise<void> {
    loading ??= readRows(control, view).catch((error) => {
      loading = null;
      throw error;
    });
    return loading;
  }

  function entryOf(tenantId: TenantId): Entry {
    let entry = view.get(tenantId);
    if (entry === undefined) {
      entry = newEntry(Number.POSITIVE_INFINITY);
      view.set(tenantId, entry);
    }
    return entry;
  }

  function lower(entry: Entry, dueAt: number): void {
    entry.generation += 1;
    entry.changed = performance.now();
    entry.since = Math.min(entry.since, dueAt);
    if (dueAt >= entry.due) return;
    entry.due = dueAt;
    for (const tell of heard) tell(dueAt);
  }

  async function announce(tenantId: TenantId, dueAt: number): Promise<(needed?: number) => void> {
    await load();
    const entry = entryOf(tenantId);
    entry.open += 1;
    let ended = false;
    const end = (needed?: number) => {
      if (ended) return;
      ended = true;
      entry.open -= 1;
      if (view.get(tenantId) !== entry) return;
      if (needed !== undefined) lower(entry, needed);
      else if (entry.due > entry.durable) raiseWhenQuiet(tenantId, entry);
    };
    try {
      if (dueAt < entry.durable) {
        entry.durable = dueAt;
        entry.writing = writer.write(tenantId);
      }
      if (entry.writing !== null) await entry.writing;
    } catch (error) {
      end(dueAt);
      throw error;
    }
    return end;
  }

  async function begin(tenantId: TenantId, dueAt: number): Promise<() => void> {
    const end = await announce(tenantId, dueAt);
    // Also after a failure: whether a commit took place can be unknown, and a visit for nothing is harmless.
    return () => end(dueAt);
  }

  /** Sets the due time; what was marked since the claim counts as well, since the visit may have missed it. */
  function settleAt(claim: WorkClaim, due: number): Entry | undefined {
    const entry = view.get(claim.tenantId);
    if (entry === undefined) return undefined;
    entry.visiting = false;
    entry.due = entry.generation === claim.generation ? due : Math.min(due, entry.since);
    for (const tell of heard) tell(entry.due);
    return entry;
  }

  function raiseWhenQuiet(tenantId: TenantId, entry: Entry): void {
    entry.changed = performance.now();
    raisable.add(tenantId);
    raiseLater();
  }

  function raiseLater(): void {
    if (raising !== null || closed) return;
    raising = setTimeout(() => {
      raising = null;
      raise(false).catch((error) => log.warn({ err: error }, 'the work index could not be written; trying again'));
      if (raisable.size > 0) raiseLater();
    }, quiet);
    raising.unref();
  }

  async function raise(all: boolean): Promise<void> {
    const before = performance.now() - quiet;
    const writes: Promise<void>[] = [];
    for (const tenantId of raisable) {
      const entry = view.get(tenantId);
      if (entry === undefined || entry.due <= entry.durable) raisable.delete(tenantId);
      else if (entry.open === 0 && !entry.visiting && (all || entry.changed <= before)) {
        raisable.delete(tenantId);
        entry.durable = entry.due;
        entry.writing = writer.write(tenantId);
        writes.push(entry.writing);
      }
    }
    await Promise.all(writes);
  }

  return {
    begin,
    announce,
    async reserve(tx, tenantId, dueAt) {
      await load();
      tx.afterCommit(() => {
        entryOf(tenantId).durable = dueAt;
      });
      await upsertRows(tx, [{ tenant_id: tenantId, due_at: isoTime(dueAt), generation: 0 }]);
    },
    mark: async (tenantId, dueAt) => (await begin(tenantId, dueAt))(),

    async claimDue(now, limit) {
      await load();
      const due: [TenantId, Entry][] = [];
      for (const pair of view) if (pair[1].due <= now && !pair[1].visiting) due.push(pair);
      due.sort(([, a], [, b]) => a.visited - b.visited || a.due - b.due);
      return due.slice(0, limit).map(([tenantId, entry]) => {
        entry.visiting = true;
        entry.since = Number.POSITIVE_INFINITY;
        visits += 1;
        entry.visited = visits;
        return { tenantId, generation: entry.generation };
      });
    },

    clear(claim, nextDue) {
      const entry = settleAt(claim, nextDue ?? Number.POSITIVE_INFINITY);
      if (entry === undefined) return true;
      if (entry.due > entry.durable) {
        raisable.add(claim.tenantId);
        raiseLater();
      }
      return entry.generation === claim.generation;
    },

    retry: (claim, at) => void settleAt(claim, at),
    park: (claim) => void settleAt(claim, Number.POSITIVE_INFINITY),

    async forget(tenantId) {
      await load();
      const entry = view.get(tenantId);
      if (entry === undefined) return;
      entry.due = Number.POSITIVE_INFINITY;
      entry.durable = Number.POSITIVE_INFINITY;
      await writer.write(tenantId);
    },

    nextDue() {
      let next = Number.POSITIVE_INFINITY;
      for (const entry of view.values()) if (!entry.visiting && entry.due < next) next = entry.due;
      return next;
    },

    onEarlier(tell) {
      heard.add(tell);
      return () => void heard.delete(tell);
    },

    async close() {
      closed = true;
      if (raising !== null) clearTimeout(raising);
      await raise(true);
      await writer.idle();
    },
  };
}

function newEntry(due: number): Entry {
  return {
    due,
    durable: due,
    generation: 0,
    open: 0,
    visiting: false,
    since: Number.POSITIVE_INFINITY,
    visited: 0,
    changed: 0,
    writing: null,
  };
}

async function readRows(control: ControlDb, view: Map<TenantId, Entry>): Promise<void> {
  const rows = await control.read.selectFrom('tenant_work').select(['tenant_id', 'due_at']).execute();
  for (const row of rows) view.set(row.tenant_id as TenantId, newEntry(Date.parse(row.due_at)));
}

/**
 * Writes rows as the view has them, one transaction at a time; what comes while one runs shares the next. After a
 * failure the row counts as absent, so that the next mark writes again.
 */
function rowWriter(control: ControlDb, view: Map<TenantId, Entry>) {
  let waiting: { ids: Set<TenantId>; done: Promise<void> } | null = null;
  let last: Promise<void> = Promise.resolve();

  async function run(ids: Set<TenantId>): Promise<void> {
    const entries = [...ids].map((id) => [id, view.get(id)] as const);
    try {
      await writeRows(control, entries);
    } catch (error) {
      for (const [id, entry] of entries) {
        if (entry !== undefined && !waiting?.ids.has(id)) entry.durable = Number.POSITIVE_INFINITY;
      }
      throw error;
    } finally {
      for (const [id, entry] of entries) {
        if (entry === undefined || waiting?.ids.has(id)) continue;
        entry.writing = null;
        const gone = entry.due === Number.POSITIVE_INFINITY && entry.durable === Number.POSITIVE_INFINITY;
        if (gone && entry.open === 0 && !entry.visiting) view.delete(id);
      }
    }
  }

  return {
    write(tenantId: TenantId): Promise<void> {
      if (waiting === null) {
        const ids = new Set<TenantId>();
        const done = last
          .catch(() => {})
          .then(() => {
            waiting = null;
            return run(ids);
          });
        waiting = { ids, done };
        last = done;
        // Whoever waits for this write hears of its failure; nobody may be waiting.
        done.catch(() => {});
      }
      waiting.ids.add(tenantId);
      return waiting.done;
    },
    idle: () => last.catch(() => {}),
  };
}

async function upsertRows(tx: ControlTx, rows: readonly Insertable<TenantWorkTable>[]): Promise<void> {
  await tx
    .insertInto('tenant_work')
    .values(rows)
    .onConflict((conflict) =>
      conflict.column('tenant_id').doUpdateSet((eb) => ({
        due_at: eb.ref('excluded.due_at'),
        generation: eb.ref('excluded.generation'),
      })),
    )
    .execute();
}

/** Rows that one statement writes or removes. */
const rowsOfStatement = 200;

async function writeRows(control: ControlDb, entries: (readonly [TenantId, Entry | undefined])[]): Promise<void> {
  const kept = entries.filter(([, entry]) => entry !== undefined && entry.durable !== Number.POSITIVE_INFINITY);
  const gone = entries.filter(([, entry]) => entry === undefined || entry.durable === Number.POSITIVE_INFINITY);
  const rows = kept.map(([tenantId, entry]) => ({
    tenant_id: tenantId,
    due_at: isoTime(entry!.durable),
    generation: entry!.generation,
  }));
  await control.transaction(async (tx) => {
    for (const some of slicesOf(rows, rowsOfStatement)) await upsertRows(tx, some);
    for (const some of slicesOf(gone, rowsOfStatement)) {
      const ids = some.map(([tenantId]) => tenantId);
      await tx.deleteFrom('tenant_work').where('tenant_id', 'in', ids).execute();
    }
  });
}
