/**
 * How many server processes work on one control database (PostgreSQL) now: as many as listen to its messages.
 *
 * A process more is counted at once, by its own word and at the latest by the next look; a process less only when two
 * looks in a row did not see it, so that a listener that is made again does not count as gone.
 */
import { sql } from 'kysely';
import { controlListener } from './database/control-postgres.ts';
import type { ControlDb } from './database/database.ts';
import type { Logger } from './log.ts';

/** Payload: none. */
export const processChannel = 'strongroom_processes';

export interface ProcessCount {
  /** Another process came, or this one listens now. Resolves when it has been looked. */
  look(): Promise<void>;
  /** Tells the others that this process is there. Never fails. */
  announce(): Promise<void>;
  start(): void;
  close(): Promise<void>;
}

export interface ProcessCountOptions {
  readonly control: ControlDb;
  readonly changed: (count: number) => void;
  readonly log: Logger;
}

const lookEvery = 2_000;

export function createProcessCount({ control, changed, log }: ProcessCountOptions): ProcessCount {
  let known = 0;
  /** What the look before saw, where it was less than what is known. */
  let less: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> | undefined;
  let closed = false;

  async function count(): Promise<number> {
    const { rows } = await sql<{ count: number | string }>`select count(*) as count from pg_stat_activity
      where datname = current_database() and application_name = ${controlListener}`.execute(control.read);
    return Math.max(1, Number(rows[0]?.count ?? 1));
  }

  async function lookNow(scheduled: boolean): Promise<void> {
    try {
      const seen = await count();
      if (seen < known && (less === undefined || !scheduled)) {
        less ??= seen;
        return;
      }
      less = undefined;
      if (seen === known || closed) return;
      known = seen;
      changed(seen);
    } catch (error) {
      log.debug({ err: error }, 'the processes could not be counted; the last count holds');
    }
  }

  function look(scheduled: boolean): Promise<void> {
    // One that began before the word came may have missed it.
    const next = (looking ?? Promise.resolve()).then(() => (closed ? undefined : lookNow(scheduled)));
    looking = next;
    return next;
  }

  return {
    look: () => look(false),
    async announce() {
      await control
        .transaction((tx) => sql`select pg_notify(${sql.lit(processChannel)}, '')`.execute(tx))
        .catch((error) => log.debug({ err: error }, 'the other processes were not told of this one'));
    },
    start() {
      timer = setInterval(() => void look(true), lookEvery).unref();
    },
    async close() {
      closed = true;
      clearInterval(timer);
      await looking;
    },
  };
}
