/**
 * Statements of one transaction that do not wait for each other: on SQLite they travel to the database's thread as one
 * message, in this order, which is what an upload's speed depends on. PostgreSQL gets them one after the other.
 *
 * All are through before the first failure is thrown, so that none comes after the rollback.
 */
import type { TenantTx } from '../../../kernel/database/database.ts';

type Results<T extends readonly (() => Promise<unknown>)[]> = { -readonly [K in keyof T]: Awaited<ReturnType<T[K]>> };

export async function together<const T extends readonly (() => Promise<unknown>)[]>(
  tx: Pick<TenantTx, 'dialect'>,
  steps: T,
): Promise<Results<T>> {
  const results: unknown[] = [];
  if (tx.dialect === 'postgres') {
    for (const step of steps) results.push(await step());
    return results as Results<T>;
  }
  const settled = await Promise.allSettled(steps.map((step) => step()));
  for (const one of settled) {
    if (one.status === 'rejected') throw one.reason;
    results.push(one.value);
  }
  return results as Results<T>;
}
