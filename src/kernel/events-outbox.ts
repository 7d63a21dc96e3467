/**
 * The event outbox of a tenant (the interface is in `events.ts`).
 *
 * Guarantees
 * - An event stands in the tenant's database exactly when the transaction that recorded it was committed.
 * - Each listening module hears every event of the types it listens to, at least once, in the order of commits.
 *   Its place is a cursor of its own: a listener that fails is tried again, later and later, and holds up neither
 *   other modules nor other tenants.
 * - Events stay for `keepDays` and are then removed, those that a listener still waits for excepted.
 */
import { type Clock, day, isoTime } from './clock.ts';
import type { TenantTx } from './database/database.ts';
import { prepare } from './database/prepared.ts';
import type { Events, EventType, Listeners, TenantEvent } from './events.ts';
import { holdSequence, lastNumber, nextNumber } from './events-sequence.ts';
import type { EventTable } from './events-tables.ts';
import type { Actor, Tenant } from './handles.ts';
import { newId } from './ids.ts';
import { backoff, safeReason } from './jobs/backoff.ts';
import type { Schedule } from './jobs/jobs.ts';
import { rowsAtOnce, slicesOf } from './slices.ts';

const batch = 100;

export interface EventsOutbox extends Events {
  /** A module's listeners, by the module's name; before anything is recorded. */
  register(listener: string, listeners: Listeners): void;
  /**
   * Delivers what waits, up to a batch for each module.
   * @returns when (ms) there is more to deliver; null for nothing
   */
  deliver(tenant: Tenant): Promise<number | null>;
  /** Removes old events. */
  readonly prune: Schedule;
}

export interface EventsOptions {
  readonly clock: Clock;
  /** Age at which events are removed. Default 90. */
  readonly keepDays?: number;
  /** Longest a listener may take for one event (ms); then it counts as failed. Default 60 s. */
  readonly timeout?: number;
}

const insertEvent = prepare<TenantTx, Omit<EventTable, 'seq'>, unknown>((tx, slot) =>
  tx
    .insertInto('events')
    .values({
      seq: nextNumber('events'),
      id: slot('id'),
      type: slot('type'),
      at: slot('at'),
      actor: slot('actor'),
      payload: slot('payload'),
    })
    .compile(),
);

type Listen = (tenant: Tenant, event: TenantEvent) => Promise<void>;
interface Registered {
  readonly name: string;
  readonly heard: ReadonlyMap<string, Listen>;
}
interface Cursor {
  readonly seq: number;
  readonly failures: number;
  readonly retry_at: string | null;
}

export function createEvents({ clock, keepDays = 90, timeout = 60_000 }: EventsOptions): EventsOutbox {
  const registered: Registered[] = [];

  function due(tx: TenantTx, tenant: Pick<Tenant, 'clock'>, type: string): void {
    // Without a listener there is nothing to do: the row waits for whoever reads events.
    if (registered.some((module) => module.heard.has(type))) tx.dueAt(tenant.clock.now());
  }

  async function record(...[tx, tenant, type, payload]: Parameters<Events['record']>): Promise<string> {
    const row = rowOf(tenant, type, payload);
    await holdSequence(tx, 'events');
    await insertEvent(tx, row);
    due(tx, tenant, type);
    return row.id;
  }

  async function recordAll(...[tx, tenant, events]: Parameters<Events['recordAll']>): Promise<void> {
    if (events.length === 0) return;
    await holdSequence(tx, 'events');
    const last = await lastNumber(tx, 'events');
    const rows = events.map(({ type, payload }, index) => ({ seq: last + 1 + index, ...rowOf(tenant, type, payload) }));
    for (const some of slicesOf(rows, rowsAtOnce)) await tx.insertInto('events').values(some).execute();
    for (const type of new Set(events.map((event) => event.type))) due(tx, tenant, type);
  }

  async function deliverTo(module: Registered, tenant: Tenant, cursor: Cursor): Promise<number | null> {
    const now = clock.now();
    if (cursor.retry_at !== null && Date.parse(cursor.retry_at) > now) return Date.parse(cursor.retry_at);
    const rows = await tenant.db.read
      .selectFrom('events')
      .selectAll()
      .where('seq', '>', cursor.seq)
      .where('type', 'in', [...module.heard.keys()])
      .orderBy('seq')
      .limit(batch)
      .execute();
    let reached = cursor.seq;
    let failure: { error: unknown } | null = null;
    for (const row of rows) {
      const event = {
        id: row.id,
        type: row.type as EventType,
        at: row.at,
        actor: JSON.parse(row.actor) as Actor,
        payload: JSON.parse(row.payload),
      } as TenantEvent;
      try {
        await withDeadline(module.heard.get(row.type)!(tenant, event), timeout);
        reached = Number(row.seq);
      } catch (error) {
        failure = { error };
        tenant.log.warn({ err: error, listener: module.name, event: row.id, type: row.type }, 'a listener failed');
        break;
      }
    }
    if (rows.length === 0) return null;
    const failures = failure === null ? 0 : reached === cursor.seq ? cursor.failures + 1 : 1;
    const retryAt = failure === null ? null : clock.now() + backoff(failures);
    await moveCursor(tenant, module.name, {
      seq: reached,
      failures,
      retry_at: retryAt === null ? null : isoTime(retryAt),
      last_error: failure === null ? null : safeReason(failure.error),
    });
    return retryAt ?? (rows.length === batch ? now : null);
  }

  return {
    record,
    recordAll,
    register(name, listeners) {
      const heard = new Map(Object.entries(listeners) as [string, Listen][]);
      if (heard.size > 0) registered.push({ name, heard });
    },
    async deliver(tenant) {
      if (registered.length === 0) return null;
      const cursors = await readCursors(tenant);
      let next: number | null = null;
      for (const module of registered) {
        const due = await deliverTo(module, tenant, cursors.get(module.name) ?? start);
        if (due !== null) next = Math.min(next ?? due, due);
      }
      return next;
    },
    prune: pruning(registered, clock, keepDays),
  };
}

function rowOf(tenant: Pick<Tenant, 'actor' | 'clock'>, type: string, payload: unknown): Omit<EventTable, 'seq'> {
  const now = tenant.clock.now();
  return {
    id: newId('event', now),
    type,
    at: isoTime(now),
    actor: JSON.stringify(tenant.actor),
    payload: JSON.stringify(payload ?? null),
  };
}

const start: Cursor = { seq: 0, failures: 0, retry_at: null };

async function readCursors(tenant: Tenant): Promise<Map<string, Cursor>> {
  const rows = await tenant.db.read.selectFrom('event_cursors').selectAll().execute();
  return new Map(rows.map((row) => [row.listener, { ...row, seq: Number(row.seq) }]));
}

async function moveCursor(
  tenant: Tenant,
  listener: string,
  to: { seq: number; failures: number; retry_at: string | null; last_error: string | null },
): Promise<void> {
  await tenant.db.transaction(async (tx) => {
    await tx
      .insertInto('event_cursors')
      .values({ listener, ...to })
      .onConflict((conflict) => conflict.column('listener').doUpdateSet(to))
      .execute();
  });
}

/** Rejects when `work` takes longer than `ms`; the work itself cannot be stopped and its end is not heard. */
async function withDeadline(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`a listener took longer than ${ms} ms`)), ms);
  });
  try {
    await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Once a day at most. The newest event always stays, since the next number is counted from it; so does everything
 * after the first event that a listener has not heard.
 */
function pruning(registered: readonly Registered[], clock: Clock, keepDays: number): Schedule {
  return {
    name: 'events-prune',
    async nextDue(tenant) {
      const rows = await tenant.db.read.selectFrom('events').select('at').orderBy('seq').limit(2).execute();
      const oldest = rows[0];
      if (oldest === undefined || rows.length < 2) return null;
      return Math.ceil((Date.parse(oldest.at) + keepDays * day) / day) * day;
    },
    async run(tenant) {
      const cursors = await readCursors(tenant);
      const newest = await tenant.db.read.selectFrom('events').select('seq').orderBy('seq', 'desc').limit(1).execute();
      let before = Number(newest[0]?.seq ?? 0);
      for (const module of registered) {
        const first = await tenant.db.read
          .selectFrom('events')
          .select('seq')
          .where('seq', '>', cursors.get(module.name)?.seq ?? 0)
          .where('type', 'in', [...module.heard.keys()])
          .orderBy('seq')
          .limit(1)
          .execute();
        if (first[0] !== undefined) before = Math.min(before, Number(first[0].seq));
      }
      const oldest = isoTime(clock.now() - keepDays * day);
      await tenant.db.transaction(async (tx) => {
        await tx.deleteFrom('events').where('seq', '<', before).where('at', '<', oldest).execute();
      });
    },
  };
}
