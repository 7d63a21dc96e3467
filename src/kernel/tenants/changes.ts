/**
 * Changes of companies, told between the processes of one control database (PostgreSQL).
 *
 * Guarantees
 * - A change is numbered and announced in the transaction that makes it; numbers rise in the order of commits, since
 *   the writers of the control database take turns.
 * - Every other process hears of it at once by message, and within `lookEvery` by looking where the message was lost.
 * - `fresh` says whether this process has looked recently enough for what it remembers to count. While it cannot look
 *   (the database is down, the process was stopped) nothing remembered counts: no stale answer is older than 5 s.
 */
import { sql } from 'kysely';
import type { ControlDb, ControlTx } from '../database/database.ts';
import type { TenantId } from '../ids.ts';
import type { Logger } from '../log.ts';
import './tables.ts';

/** Payload: the id of the company. */
export const changeChannel = 'strongroom_changed';

/** In the transaction that changes a company's record. One process alone, on SQLite, needs no telling. */
export const announceChange = (tx: ControlTx, id: string): Promise<void> => announceChanges(tx, [id]);

/** The same for several, in one statement. */
export async function announceChanges(tx: ControlTx, ids: readonly string[]): Promise<void> {
  if (tx.dialect !== 'postgres' || ids.length === 0) return;
  // In one order everywhere, so that two transactions never wait for each other's rows.
  const rows = ids.toSorted().map((id) => sql`(${id})`);
  await sql`with changed (id) as (values ${sql.join(rows)}), numbered as (
      insert into tenant_changes (tenant_id, seq)
      select id, (select coalesce(max(seq), 0) + 1 from tenant_changes) from changed order by id
      on conflict (tenant_id) do update set seq = excluded.seq
    ) select pg_notify(${sql.lit(changeChannel)}, id) from changed`.execute(tx);
}

export interface ChangeWatch {
  /** Begins to look. Resolves once it has looked, or has failed to. */
  start(): Promise<void>;
  /** What was loaded and not invalidated since counts. */
  fresh(): boolean;
  /** A message came. */
  heard(id: string): void;
  /** Looks now: messages may have been lost. */
  look(): Promise<void>;
  close(): Promise<void>;
}

export interface ChangeWatchOptions {
  readonly control: ControlDb;
  readonly changed: (id: TenantId) => void;
  /** What changed cannot be told: everything remembered is to be forgotten. */
  readonly changedAll: () => void;
  readonly log: Logger;
  /** Milliseconds between looks, and for how long one counts. Default 2 s and 4.5 s. */
  readonly lookEvery?: number;
  readonly countsFor?: number;
}

/** Changes that are told one by one; more than that, and everything is forgotten. */
const most = 2_000;

export function createChangeWatch(options: ChangeWatchOptions): ChangeWatch {
  const { control, log, lookEvery = 2_000, countsFor = 4_500 } = options;
  let cursor: number | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;
  let failing = false;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  async function readHead(): Promise<number> {
    const row = await control.read
      .selectFrom('tenant_changes')
      .select(({ fn }) => fn.max('seq').as('seq'))
      .executeTakeFirst();
    return Number(row?.seq ?? 0);
  }

  async function lookNow(): Promise<void> {
    const began = performance.now();
    const head = await readHead();
    // The first look, or a control database that was put back from a copy.
    if (cursor === undefined || head < cursor) options.changedAll();
    else if (head > cursor) {
      const rows = await control.read
        .selectFrom('tenant_changes')
        .select(['tenant_id', 'seq'])
        .where('seq', '>', cursor)
        .orderBy('seq')
        .limit(most + 1)
        .execute();
      if (rows.length > most) options.changedAll();
      else for (const row of rows) options.changed(row.tenant_id as TenantId);
    }
    cursor = head;
    lookedAt = began;
  }

  function look(): Promise<void> {
    looking ??= lookNow()
      .then(() => {
        failing = false;
      })
      .catch((error) => {
        if (!failing) log.warn({ err: error }, 'changes of companies could not be read; trying again');
        failing = true;
      })
      .finally(() => {
        looking = undefined;
        again();
      });
    return looking;
  }

  function again(): void {
    clearTimeout(timer);
    if (!closed) timer = setTimeout(() => void look(), failing ? Math.min(500, lookEvery) : lookEvery).unref();
  }

  return {
    start: look,
    fresh: () => performance.now() - lookedAt < countsFor,
    heard: (id) => options.changed(id as TenantId),
    look,
    async close() {
      closed = true;
      clearTimeout(timer);
      await looking;
    },
  };
}
