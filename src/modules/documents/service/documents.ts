/** The rules of documents: read, list, change, trash, restore, purge, versions, history. */

import { createCursors } from '../../../kernel/cursors.ts';
import type { TenantReader } from '../../../kernel/database/database.ts';
import { notFound } from '../../../kernel/errors.ts';
import { requireMatch } from '../content-headers.ts';
import type {
  BulkFilter,
  Document,
  DocumentSort,
  DocumentVersion,
  HistoryEntry,
  ListDocuments,
  UpdateDocument,
} from '../contract.ts';
import { loadBasket } from '../repository/baskets.ts';
import { countOf, findVersion, type LoadedDocument, listVersions, loadDocument } from '../repository/documents.ts';
import { referenceAgain } from '../repository/files.ts';
import {
  countDocuments,
  type DocumentFilter,
  type DocumentPage,
  type ListedDocument,
  listDocuments,
} from '../repository/list.ts';
import { findRole, listHistory } from '../repository/shares.ts';
import type { Acting, Parts } from './acting.ts';
import { needs, purgeInside, restoreInside, trashInside, updateInside } from './changes.ts';
import { nextVersion } from './content.ts';
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
      const sort: DocumentSort = query.sort ?? '-created_at';
      const limit = query.limit ?? defaultLimit;
      const list = ['documents', tenant.id, viewer.id, sort, JSON.stringify(filter)].join('\n');
      const after = cursors.read(list, query.cursor) as [string | number, string] | undefined;
      const rows = await findMatching(source, acting, { filter, sort, limit: limit + 1, after });
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
        const before = await loadDocument(tx, acting.viewer, id, needs.update);
        requireMatch(ifMatch, before.version_id);
        return seen(await updateInside({ parts, tx, acting }, before, change));
      }),

    trash: (acting, id, ifMatch) =>
      acting.tenant.db.transaction(async (tx) => {
        const document = await loadDocument(tx, acting.viewer, id, needs.trash);
        requireMatch(ifMatch, document.version_id);
        await trashInside({ parts, tx, acting }, document);
      }),

    restore: (acting, id) =>
      acting.tenant.db.transaction(async (tx) => {
        const document = await loadDocument(tx, acting.viewer, id, needs.restore);
        return seen(await restoreInside({ parts, tx, acting }, document));
      }),

    purge: (acting, id, ifMatch) =>
      acting.tenant.db.transaction(async (tx) => {
        const document = await loadDocument(tx, acting.viewer, id, needs.purge);
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

/**
 * What a filter finds of what the caller may see.
 * @throws not_found where it names a basket or a person that the caller may not know of
 */
export async function findMatching(
  source: TenantReader,
  acting: Acting,
  page: DocumentPage,
): Promise<readonly ListedDocument[]> {
  const { basket, owner } = page.filter;
  if (basket !== undefined) await loadBasket(source, acting.viewer, basket, 'read');
  const rows = await listDocuments(source, acting.viewer, page);
  if (rows.length === 0 && owner !== undefined) await requirePerson(source, acting, owner);
  return rows;
}

/** An owner of nothing that the caller sees: unknown, of another company, or somebody whom the caller may not know. */
async function requirePerson(source: TenantReader, { viewer }: Acting, id: string): Promise<void> {
  const role = await findRole(source, id);
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

export function filterOf(query: ListDocuments | BulkFilter): DocumentFilter {
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
