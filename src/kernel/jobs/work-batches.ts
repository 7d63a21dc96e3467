/**
 * Writes to the work index that several callers share: what comes while one runs goes with the next. Each caller is
 * told once its own is durable, or has failed.
 */
import { isStrongroomError } from '../errors.ts';
import type { TenantId } from '../ids.ts';

/** A time (ms) of each tenant. */
export type Given = ReadonlyMap<TenantId, number>;

/** Collects what comes while a write runs for the next one: of each tenant the earliest time. */
export function batches(write: (given: Given) => Promise<void>) {
  let waiting: { given: Map<TenantId, number>; done: Promise<void> } | null = null;
  let last: Promise<void> = Promise.resolve();
  return {
    add(tenantId: TenantId, dueAt: number): Promise<void> {
      if (waiting === null) {
        const given = new Map<TenantId, number>();
        const done = last
          .catch(() => {})
          .then(() => {
            waiting = null;
            return retryOnce(() => write(given));
          });
        done.catch(() => {});
        waiting = { given, done };
        last = done;
      }
      waiting.given.set(tenantId, Math.min(dueAt, waiting.given.get(tenantId) ?? dueAt));
      return waiting.done;
    },
    idle: () => last.catch(() => {}),
  };
}

/** Two processes that write the same rows may wait for each other; the server then ends one of them. */
export async function retryOnce(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isStrongroomError(error) || !['transaction_conflict', 'database_busy'].includes(error.code)) throw error;
    await work();
  }
}

/** Ordered by id, so that processes lock rows in the same order. */
export function valuesOf(given: Given) {
  return [...given].toSorted(([a], [b]) => (a < b ? -1 : 1));
}
