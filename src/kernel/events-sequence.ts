/**
 * Numbers in commit order: rows of the event outbox and of the audit trail are counted without a gap, and a row with a
 * lower number is never committed after one with a higher number, so that a cursor or a seal over a range is complete.
 *
 * On SQLite one writer gives this by itself. On PostgreSQL the writers of one tenant take turns from here to their
 * commit.
 */
import { type RawBuilder, sql } from 'kysely';
import type { Transaction } from './database/database.ts';

/** What a transaction holds already: until its commit nobody else can have it. */
const held = new WeakMap<object, Set<string>>();

/** Call before the statement that uses `nextNumber` of the same table. */
export async function holdSequence(tx: Pick<Transaction<unknown>, 'dialect' | 'getExecutor'>, table: string) {
  if (tx.dialect !== 'postgres') return;
  const tables = held.get(tx) ?? new Set();
  if (tables.has(table)) return;
  held.set(tx, tables.add(table));
  await sql`select pg_advisory_xact_lock(hashtextextended(current_schema() || ${`:${table}`}, 0))`.execute(tx);
}

/** The number after the highest of `table`, for the column `seq` in the inserting statement itself. */
export function nextNumber(table: 'events' | 'audit_log'): RawBuilder<number> {
  return sql<number>`(select coalesce(max(seq), 0) + 1 from ${sql.table(table)})`;
}

/** The highest number so far, for several rows at once; in a transaction that holds the sequence. */
export async function lastNumber(tx: Pick<Transaction<unknown>, 'getExecutor'>, table: 'events' | 'audit_log') {
  const { rows } = await sql<{ last: number }>`select coalesce(max(seq), 0) as last from ${sql.table(table)}`.execute(
    tx,
  );
  return Number(rows[0]!.last);
}
