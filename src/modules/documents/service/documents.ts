/** The rules of documents: read, list, change, trash, restore, purge, versions, history. */

import { day, isoTime, second } from '../../../kernel/clock.ts';
import { createCursors } from '../../../kernel/cursors.ts';
import type { TenantTx } from '../../../kernel/database/database.ts';
import { notFound } from '../../../kernel/errors.ts';
import type { Tenant } from '../../../kernel/handles.ts';
import { requireMatch } from '../content-headers.ts';
import type {
  Document,
  DocumentSort,
  DocumentVersion,
  HistoryEntry,
  ListDocuments,
  UpdateDocument,
} from '../contract.ts';
import { loadBasket } from '../repository/baskets.ts';
import {
  changeDocument,
  countOf,
  findByName,
  findVersion,
  type LoadedDocument,
  listVersions,
  loadDocument,
  removeDocument,
  writeMetadataFacts,
  writeTags,
} from '../repository/documents.ts';
import { referenceAgain, releaseDocument } from '../repository/files.ts';
import { countDocuments, type DocumentFilter, listDocuments } from '../repository/list.ts';
import { findRole, listHistory } from '../repository/shares.ts';
import { requireLevel } from '../visibility.ts';
import { type Acting, type Parts, writeDown } from './acting.ts';
import { filenameTaken, metadataFacts, nextVersion } from './content.ts';
import { canSeePerson } from './people.ts';
import { documentView, historyView, versionView } from './views.ts';

export interface Page<T> {
  readonly items: T[];
  readonly next_cursor: string | null;
  readonly total?: number;
}
export interface PlainPage {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly total?: boolean | undefined;
}
export const defaultLimit = 50;

export interface Documents {
  get(acting: Acting, id: string): Promise<{ document: Document; versionId: string }>;
  list(acting: Acting, query: ListDocuments): Promise<Page<Document>>;
  update(
    acting: Acting,
    id: string,
    change: UpdateDocument,
    ifMatch?: string,
  ): Promise<{ document: Document; versionId: string }>;
  trash(acting: Acting, id: string, ifMatch?: string): Promise<void>;
  restore(acting: Acting, id: string): Promise<{ document: Document; versionId: string }>;
  purge(acting: Acting, id: string, ifMatch?: string): Promise<void>;
  listVersions(acting: Acting, id: string, page: PlainPage): Promise<Page<DocumentVersion>>;
  restoreVersion(acting: Acting, id: string, number: string): Promise<{ document: Document; versionId: string }>;
  listHistory(acting: Acting, id: string, page: PlainPage): Promise<Page<HistoryEntry>>;
}

export function createDocumentRules(parts: Parts): Documents {
  const cursors = createCursors(parts.secrets);
  const seen = (row: LoadedDocument) => ({ document: documentView(row), versionId: row.version_id });

  return {
    get: async ({ tenant, viewer }, id) => seen(await loadDocument(tenant.db.read, viewer, id, { level: 'read' })),

    async list(acting, query) {
      const { tenant, viewer } = acting;
      const { source, filter } = { source: tenant.db.read, filter: filterOf(query) };
      if (filter.basket !== undefined) await loadBasket(source, viewer, filter.basket, 'read');
      const sort: DocumentSort = query.sort ?? '-created_at';
      const limit = query.limit ?? defaultLimit;
      const list = ['documents', tenant.id, viewer.id, sort, JSON.stringify(filter)].join('\n');
      const after = cursors.read(list, query.cursor) as [string | number, string] | undefined;
      const rows = await listDocuments(source, viewer, { filter, sort, limit: limit + 1, after });
      if (rows.length === 0 && filter.owner !== undefined) await requirePerson(acting, filter.owner);
      const items = rows.slice(0, limit);
      const last = rows.length > limit ? items.at(-1)! : undefined;
      const column = sort.replace('-', '') as 'created_at' | 'updated_at' | 'filename' | 'size_bytes';
      const value = last?.[column];
      return {
        items: items.map(documentView),
        next_cursor: cursors.write(
          list,
          last === undefined ? null : [column === 'size_bytes' ? Number(value) : (value as string), last.id],
        ),
        ...(query.total === true ? { total: await countDocuments(source, viewer, filter) } : {}),
      };
    },

    update: (acting, id, change, ifMatch) =>
      acting.tenant.db.transaction(async (tx) => {
        const before = await loadDocument(tx, acting.viewer, id, { level: 'write' });
        requireMatch(ifMatch, before.version_id);
        return seen(await update(parts, tx, acting, before, change));
      }),

    trash: (acting, id, ifMatch) =>
      acting.tenant.db.transaction(async (tx) => {
        const document = await loadDocument(tx, acting.viewer, id, { level: 'manage' });
        requireMatch(ifMatch, document.version_id);
        const now = acting.tenant.clock.now();
        await changeDocument(tx, id, { trashed_at: isoTime(now) });
        await writeDown(parts, tx, acting, {
          action: 'document.trashed',
          documentId: id,
          payload: { document_id: id },
        });
        tx.dueAt(now + parts.config.trashDays * day);
      }),

    restore: (acting, id) =>
      acting.tenant.db.transaction(async (tx) => {
        const document = await loadDocument(tx, acting.viewer, id, { level: 'manage', trash: 'either' });
        if (document.trashed_at === null) return seen(document);
        const taken = await findByName(tx, document.owner_id, document.basket_id, document.filename);
        if (taken !== undefined) throw filenameTaken(taken);
        await nameConflicts(() => changeDocument(tx, id, { trashed_at: null }));
        await writeDown(parts, tx, acting, {
          action: 'document.restored',
          documentId: id,
          payload: { document_id: id },
        });
        return seen({ ...document, trashed_at: null });
      }),

    purge: (acting, id, ifMatch) =>
      acting.tenant.db.transaction(async (tx) => {
        const document = await loadDocument(tx, acting.viewer, id, { level: 'full', trash: 'either' });
        requireMatch(ifMatch, document.version_id);
        await purgeInside(parts, tx, acting, id);
      }),

    async listVersions({ tenant, viewer }, id, page) {
      const document = await loadDocument(tenant.db.read, viewer, id, { level: 'read' });
      const list = ['versions', tenant.id, viewer.id, id].join('\n');
      const before = cursors.read(list, page.cursor)?.[0] as number | undefined;
      const limit = page.limit ?? defaultLimit;
      const rows = await listVersions(tenant.db.read, id, limit + 1, before);
      const items = rows.slice(0, limit);
      return {
        items: items.map((row) => versionView(row, document.version)),
        next_cursor: cursors.write(list, rows.length > limit ? [items.at(-1)!.number] : null),
        ...(page.total === true ? { total: await countOf(tenant.db.read, 'versions', id) } : {}),
      };
    },

    restoreVersion: (acting, id, text) =>
      acting.tenant.db.transaction(async (tx) => {
        const before = await loadDocument(tx, acting.viewer, id, { level: 'write' });
        const number = versionNumber(text);
        const version = number === undefined ? undefined : await findVersion(tx, id, number);
        if (version === undefined) throw notFound();
        return nextVersion(parts, tx, acting, before, {
          reference: () => referenceAgain(tx, version.file_key),
          mimeType: version.mime_type,
          size: Number(version.size_bytes),
          sha256: version.sha256,
          reserved: 0,
          restoredFrom: version.number,
        });
      }),

    async listHistory({ tenant, viewer }, id, page) {
      await loadDocument(tenant.db.read, viewer, id, { level: 'read' });
      const list = ['history', tenant.id, viewer.id, id].join('\n');
      const after = cursors.read(list, page.cursor) as [string, string] | undefined;
      const limit = page.limit ?? defaultLimit;
      const rows = await listHistory(tenant.db.read, id, limit + 1, after);
      const items = rows.slice(0, limit);
      const last = rows.length > limit ? items.at(-1)! : undefined;
      return {
        items: items.map(historyView),
        next_cursor: cursors.write(list, last === undefined ? null : [last.at, last.id]),
        ...(page.total === true ? { total: await countOf(tenant.db.read, 'document_history', id) } : {}),
      };
    },
  };
}

/** The number of a version, or undefined where the text is none: then there is no such version. */
export function versionNumber(text: string): number | undefined {
  return /^[1-9][0-9]{0,8}$/.test(text) ? Number(text) : undefined;
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

async function update(
  parts: Parts,
  tx: TenantTx,
  acting: Acting,
  before: LoadedDocument,
  change: UpdateDocument,
): Promise<LoadedDocument> {
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
    if (basket !== '') await loadBasket(tx, viewer, basket, 'write');
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
  await writeDown(parts, tx, acting, {
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

/** The id, where the caller may see the document. */
async function visibleId(tx: TenantTx, { viewer }: Acting, id: string): Promise<string | undefined> {
  return loadDocument(tx, viewer, id, { level: 'read' }).then(
    () => id,
    () => undefined,
  );
}

/** On PostgreSQL another transaction may take the name between the look and the write. */
async function nameConflicts<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    const cause = (error as { cause?: unknown }).cause ?? error;
    if ((cause as { code?: unknown }).code === '23505') throw filenameTaken();
    throw error;
  }
}

/** An owner of nothing that the caller sees: unknown, of another company, or somebody whom the caller may not know. */
async function requirePerson({ tenant, viewer }: Acting, id: string): Promise<void> {
  const role = await findRole(tenant.db.read, id);
  if (role === undefined || !canSeePerson(viewer, id, role)) throw notFound();
}

const named = new Set([
  'limit',
  'cursor',
  'total',
  'sort',
  'q',
  'owner',
  'basket_id',
  'mime_type',
  'tag',
  'created_from',
  'created_to',
  'trashed',
]);

function filterOf(query: ListDocuments): DocumentFilter {
  const metadata = Object.entries(query as Record<string, unknown>)
    .filter(([name]) => !named.has(name))
    .map(([name, value]) => [name.slice('metadata.'.length), String(value)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    trashed: query.trashed === true,
    q: query.q,
    owner: query.owner,
    basket: query.basket_id,
    mimeType: query.mime_type?.toLowerCase(),
    tag: query.tag?.normalize('NFC'),
    from: query.created_from,
    to: query.created_to,
    metadata,
  };
}
