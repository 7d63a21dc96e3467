/**
 * One action on many documents, in one transaction.
 *
 * - Each document is judged and changed by the rules of the request for it alone (`changes.ts`), with the same rows in
 *   history, audit trail and outbox. One that is refused keeps none of the others from being done.
 * - What is refused is refused before anything of it is written, so that nothing has to be taken back. What was done is
 *   written down at the end, in few statements.
 * - A rehearsal does all of it and commits nothing.
 */
import type { TenantTx } from '../../../kernel/database/database.ts';
import { isStrongroomError, StrongroomError } from '../../../kernel/errors.ts';
import { isId } from '../../../kernel/ids.ts';
import {
  type BulkAction,
  type BulkAnswer,
  type BulkBody,
  type BulkFilter,
  type BulkItem,
  bulkLimit,
  tagLimit,
} from '../contract.ts';
import { loadBasket } from '../repository/baskets.ts';
import { findDocuments, judgedDocument, type LoadedDocument, type Wanted } from '../repository/documents.ts';
import { countDocuments } from '../repository/list.ts';
import { accessOf } from '../visibility.ts';
import { type Acting, type Fact, type Parts, writeAllDown } from './acting.ts';
import { type Changing, endedByName, needs, restoreInside, trashInside, updateInside } from './changes.ts';
import { filterOf, findMatching } from './documents.ts';

export interface Bulk {
  /**
   * @throws not_found (a basket that the caller may not know of), forbidden (one that is only for reading), invalid
   * `too_many_documents`
   */
  run(acting: Acting, body: BulkBody): Promise<BulkAnswer>;
}

/** How often it is begun again where somebody takes a name between the look and the write. */
const attempts = 4;
/** Ids that nobody has, of one request, that the audit trail is told of. */
const unknownTold = 20;

/** Ends the transaction of a rehearsal. */
class Rehearsed extends Error {
  override readonly name = 'Rehearsed';
}

export function createBulk(parts: Parts): Bulk {
  return {
    async run(acting, body) {
      const items = await committed(acting, body, (tx) => actOnAll(parts, tx, acting, body));
      tellUnknown(parts, acting, items);
      const done = items.filter(({ status }) => status === 'done').length;
      return { done, failed: items.length - done, dry_run: body.dry_run === true, items };
    },
  };
}

async function committed(
  { tenant }: Acting,
  { dry_run }: BulkBody,
  work: (tx: TenantTx) => Promise<BulkItem[]>,
): Promise<BulkItem[]> {
  for (let attempt = 1; ; attempt += 1) {
    let items: BulkItem[] = [];
    try {
      await tenant.db.transaction(async (tx) => {
        items = await work(tx);
        if (dry_run === true) throw new Rehearsed();
      });
      return items;
    } catch (error) {
      if (error instanceof Rehearsed) return items;
      if (!endedByName(error) || attempt === attempts) throw error;
    }
  }
}

async function actOnAll(parts: Parts, tx: TenantTx, acting: Acting, body: BulkBody): Promise<BulkItem[]> {
  const { viewer } = acting;
  const { action } = body;
  const ids = body.ids ?? (await matchingIds(tx, acting, body));
  // Documents before the basket, as a request for one locks them.
  const rows = await findDocuments(tx, viewer, ids);
  if (action.type === 'move' && action.basket_id !== null) await loadBasket(tx, viewer, action.basket_id, 'write');
  const facts: Fact[] = [];
  const changing: Changing = { parts, tx, acting, note: (fact) => void facts.push(fact) };
  const items: BulkItem[] = [];
  for (const id of ids) items.push(await actOnOne(changing, action, { id, row: rows.get(id) }));
  await writeAllDown(parts, tx, acting, facts);
  return items;
}

async function matchingIds(tx: TenantTx, acting: Acting, { filter = {}, action }: BulkBody): Promise<string[]> {
  const wanted = filterOf({ ...filter, trashed: action.type === 'restore' } as BulkFilter);
  const rows = await findMatching(tx, acting, { filter: wanted, sort: '-created_at', limit: bulkLimit + 1 });
  if (rows.length <= bulkLimit) return rows.map(({ id }) => id);
  throw new StrongroomError('invalid', 'too_many_documents', 'The filter finds more than 1,000 documents.', {
    fields: [{ path: 'filter', message: 'finds more than 1,000 documents: narrow it, or send ids' }],
    extra: { matching: await countDocuments(tx, acting.viewer, wanted) },
  });
}

type Found = Parameters<typeof judgedDocument>[1];

async function actOnOne(
  changing: Changing,
  action: BulkAction,
  { id, row }: { readonly id: string; readonly row: Found },
): Promise<BulkItem> {
  const wanted: Wanted = action.type === 'move' || action.type === 'tag' ? needs.update : needs[action.type];
  try {
    const document = judgedDocument(changing.acting.viewer, row, wanted);
    await change(changing, action, document);
    const moved = action.type === 'move' ? { moved_from: document.basket_id || null } : {};
    return { id, status: 'done', filename: document.filename, ...moved };
  } catch (error) {
    if (!isRefusal(error) || endedByName(error)) throw error;
    return { id, status: 'failed', ...nameOf(changing.acting, row), code: error.code, title: error.message };
  }
}

async function change(changing: Changing, action: BulkAction, document: LoadedDocument): Promise<unknown> {
  switch (action.type) {
    case 'move':
      return updateInside(changing, document, { basket_id: action.basket_id }, true);
    case 'tag':
      return updateInside(changing, document, { tags: retagged(document, action) });
    case 'trash':
      return trashInside(changing, document);
    case 'restore':
      return restoreInside(changing, document);
  }
}

function retagged({ tags }: LoadedDocument, { add = [], remove = [] }: BulkAction & { type: 'tag' }): string[] {
  const kept = (JSON.parse(tags) as string[]).filter((tag) => !remove.includes(tag));
  const all = [...new Set([...kept, ...add])];
  if (all.length <= tagLimit) return all;
  throw new StrongroomError('invalid', 'too_many_tags', 'The document would have more than 50 tags.');
}

/** A refusal of this one document, and no failure of the whole. */
function isRefusal(error: unknown): error is StrongroomError {
  return isStrongroomError(error) && ['not_found', 'forbidden', 'conflict', 'invalid'].includes(error.kind);
}

/** Its name, for those who may see it where it is. */
function nameOf({ viewer }: Acting, row: Found): { filename?: string } {
  if (row === undefined) return {};
  return accessOf(viewer, row) === 'none' ? {} : { filename: row.filename };
}

/** As for requests whose whole answer is 404 (`server/attempts.ts`). */
function tellUnknown(parts: Parts, { tenant, source }: Acting, items: readonly BulkItem[]): void {
  const unknown = items.filter(({ id, code }) => code === 'not_found' && isId('document', id));
  for (const { id } of unknown.slice(0, unknownTold)) {
    const refused = { action: 'isolation.unknown_id', outcome: 'refused' } as const;
    parts.audit.attempt(tenant, { ...refused, actor: tenant.actor, target: id, source });
  }
}
