/**
 * What is done with one document inside of a transaction that has loaded and judged its row: the same for a request
 * about one and for a request about many. A refusal comes before the first statement that writes.
 */
import { day, isoTime, second } from '../../../kernel/clock.ts';
import type { TenantTx } from '../../../kernel/database/database.ts';
import { isUniqueViolation } from '../../../kernel/database/unique-violation.ts';
import { isStrongroomError, notFound, StrongroomError } from '../../../kernel/errors.ts';
import type { Tenant } from '../../../kernel/handles.ts';
import type { UpdateDocument } from '../contract.ts';
import { loadBasket } from '../repository/baskets.ts';
import {
  changeDocument,
  findByName,
  type LoadedDocument,
  loadDocument,
  removeDocument,
  writeMetadataFacts,
  writeTags,
} from '../repository/documents.ts';
import { releaseDocument } from '../repository/files.ts';
import { requireLevel } from '../visibility.ts';
import { type Acting, type Fact, type Parts, writeDown } from './acting.ts';
import { filenameTaken, metadataFacts } from './content.ts';

/** A transaction that somebody's changes are made in. */
export interface Changing {
  readonly parts: Parts;
  readonly tx: TenantTx;
  readonly acting: Acting;
  /** Takes what is to be written down, to write it with other facts before the commit; else it is written at once. */
  readonly note?: (fact: Fact) => void;
}

async function down({ parts, tx, acting, note }: Changing, fact: Fact): Promise<void> {
  if (note === undefined) await writeDown(parts, tx, acting, fact);
  else note(fact);
}

/** What each change needs of the document it is about. */
export const needs = {
  update: { level: 'write' },
  trash: { level: 'manage' },
  restore: { level: 'manage', trash: 'either' },
  purge: { level: 'full', trash: 'either' },
} as const;

/** @param basketIsOpen the caller has looked already whether documents may be put into the basket of `change` */
export async function updateInside(
  changing: Changing,
  before: LoadedDocument,
  change: UpdateDocument,
  basketIsOpen = false,
): Promise<LoadedDocument> {
  const { tx, acting } = changing;
  const { tenant, viewer } = acting;
  if (change.basket_id === '') throw notFound();
  const basket = change.basket_id === undefined ? before.basket_id : (change.basket_id ?? '');
  const filename = change.filename ?? before.filename;
  const metadata = change.metadata === undefined ? before.metadata : JSON.stringify(change.metadata);
  const given = change.tags === undefined ? undefined : [...new Set(change.tags)];
  const tags = given === undefined ? before.tags : JSON.stringify(given);
  const after = { ...before, basket_id: basket, filename, metadata, tags };
  const fields = (['filename', 'basket_id', 'metadata', 'tags'] as const).filter(
    (name) => after[name] !== before[name],
  );
  if (fields.length === 0) return before;
  if (basket !== before.basket_id) {
    // Moving changes who sees it: not for those to whom it is merely shared.
    requireLevel(before.level, 'manage');
    if (basket !== '' && !basketIsOpen) await loadBasket(tx, viewer, basket, 'write');
  }
  if (basket !== before.basket_id || filename !== before.filename) {
    const taken = await findByName(tx, before.owner_id, basket, filename);
    if (taken !== undefined) throw filenameTaken(await visibleId(tx, acting, taken));
  }
  const updated = { ...after, updated_at: tenant.clock.iso() };
  const { basket_id, updated_at } = updated;
  await nameConflicts(() => changeDocument(tx, before.id, { filename, basket_id, metadata, tags, updated_at }));
  if (fields.includes('metadata')) {
    await writeMetadataFacts(tx, before.id, metadataFacts(change.metadata!), false);
  }
  if (fields.includes('tags')) await writeTags(tx, before.id, given!);
  await down(changing, {
    action: 'document.updated',
    documentId: before.id,
    payload: { document_id: before.id, fields },
    details: {
      fields: fields.join(),
      ...(fields.includes('filename') ? { filename, previous_filename: before.filename } : {}),
      ...(fields.includes('basket_id') ? { basket_id: basket_id || null } : {}),
    },
  });
  return updated;
}

export async function trashInside(changing: Changing, { id }: Pick<LoadedDocument, 'id'>): Promise<void> {
  const { parts, tx, acting } = changing;
  const now = acting.tenant.clock.now();
  await changeDocument(tx, id, { trashed_at: isoTime(now) });
  await down(changing, {
    action: 'document.trashed',
    documentId: id,
    payload: { document_id: id },
  });
  tx.dueAt(now + parts.config.trashDays * day);
}

/** Does nothing to one that is not in the trash. */
export async function restoreInside(changing: Changing, document: LoadedDocument): Promise<LoadedDocument> {
  const { tx } = changing;
  const { id } = document;
  if (document.trashed_at === null) return document;
  const taken = await findByName(tx, document.owner_id, document.basket_id, document.filename);
  if (taken !== undefined) throw filenameTaken(taken);
  await nameConflicts(() => changeDocument(tx, id, { trashed_at: null }));
  await down(changing, {
    action: 'document.restored',
    documentId: id,
    payload: { document_id: id },
  });
  return { ...document, trashed_at: null };
}

/** Purges a document whose row is held by this transaction. */
export async function purgeInside(
  parts: Parts,
  tx: TenantTx,
  acting: Pick<Acting, 'source'> & { readonly tenant: Tenant },
  id: string,
): Promise<void> {
  const now = acting.tenant.clock.now();
  await releaseDocument(tx, id, isoTime(now));
  await removeDocument(tx, id);
  await writeDown(parts, tx, acting, { action: 'document.purged', documentId: id, payload: { document_id: id } });
  tx.dueAt(now + parts.config.objectGraceSeconds * second);
}

/** The id, where the caller may see the document. */
async function visibleId(tx: TenantTx, { viewer }: Acting, id: string): Promise<string | undefined> {
  return loadDocument(tx, viewer, id, { level: 'read' }).then(
    () => id,
    () => undefined,
  );
}

/** On PostgreSQL another transaction may take the name between the look and the write, which ends this one. */
async function nameConflicts<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (isUniqueViolation(error) === false) throw error;
    throw new StrongroomError('conflict', 'filename_taken', filenameTaken().message, { cause: error });
  }
}

/** Whether somebody took a name between the look and the write: then the transaction can only be begun again. */
export function endedByName(error: unknown): boolean {
  return isStrongroomError(error, 'conflict') && error.code === 'filename_taken' && error.cause !== undefined;
}
