/** Statements on shares, on history, and on the few facts about people that the rules of documents need. */
import type { TenantReader, TenantTx } from '../../../kernel/database/database.ts';
import { prepare } from '../../../kernel/database/prepared.ts';
import { rowsAtOnce, slicesOf } from '../../../kernel/slices.ts';
import type { HistoryTable, ShareTable } from '../tables.ts';

export async function listShares(source: TenantReader, target: string): Promise<ShareTable[]> {
  return source.selectFrom('shares').selectAll().where('target_id', '=', target).orderBy('grantee').execute();
}

/** Gives the share as it stands then: who gave it first, and when, stay. */
export async function putShare(tx: TenantTx, share: ShareTable): Promise<ShareTable> {
  return tx
    .insertInto('shares')
    .values(share)
    .onConflict((conflict) => conflict.columns(['target_id', 'grantee']).doUpdateSet({ access: share.access }))
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** False where there was none. */
export async function removeShare(tx: TenantTx, target: string, grantee: string): Promise<boolean> {
  const result = await tx
    .deleteFrom('shares')
    .where('target_id', '=', target)
    .where('grantee', '=', grantee)
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
}

/** The role of a person who can sign in; undefined for everybody else. */
export async function findActiveRole(source: TenantReader, userId: string): Promise<string | undefined> {
  const row = await source
    .selectFrom('users')
    .select('role')
    .where('id', '=', userId)
    .where('is_active', '=', 1)
    .executeTakeFirst();
  return row?.role;
}

/** The role of any person of the company. */
export async function findRole(source: TenantReader, userId: string): Promise<string | undefined> {
  const row = await source.selectFrom('users').select('role').where('id', '=', userId).executeTakeFirst();
  return row?.role;
}

const insertEntry = prepare<TenantTx, HistoryTable, unknown>((tx, slot) =>
  tx
    .insertInto('document_history')
    .values({
      id: slot('id'),
      document_id: slot('document_id'),
      at: slot('at'),
      action: slot('action'),
      actor_id: slot('actor_id'),
      details: slot('details'),
    })
    .compile(),
);
export async function insertHistory(tx: TenantTx, row: HistoryTable): Promise<void> {
  await insertEntry(tx, row);
}

export async function insertHistories(tx: TenantTx, rows: readonly HistoryTable[]): Promise<void> {
  for (const some of slicesOf(rows, rowsAtOnce)) await tx.insertInto('document_history').values(some).execute();
}

/** Newest first, from behind `after` (time and id). */
export async function listHistory(
  source: TenantReader,
  documentId: string,
  limit: number,
  after: readonly [string, string] | undefined,
) {
  let query = source
    .selectFrom('document_history as h')
    .leftJoin('users as u', 'u.id', 'h.actor_id')
    .selectAll('h')
    .select('u.full_name as actor_name')
    .where('h.document_id', '=', documentId)
    .orderBy('h.at', 'desc')
    .orderBy('h.id', 'desc')
    .limit(limit);
  if (after !== undefined) {
    query = query.where((eb) => eb(eb.refTuple('h.at', 'h.id'), '<', eb.tuple(after[0], after[1])));
  }
  return query.execute();
}
