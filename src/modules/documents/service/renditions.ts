/**
 * What is shown of a document: asked for when a version appears (or at the first look, where nobody has asked yet), and
 * served to whoever may read the document. What is served was made by us: pictures that were drawn anew, and plain
 * text; never a byte of the file under a type that a browser would run.
 */
import type { Readable } from 'node:stream';
import { minute } from '../../../kernel/clock.ts';
import { isStrongroomError, notFound, StrongroomError } from '../../../kernel/errors.ts';
import type { TenantEvent } from '../../../kernel/events.ts';
import type { Tenant } from '../../../kernel/handles.ts';
import { contentHeaders, isUnchanged } from '../content-headers.ts';
import { kindOf, madeOf, type Role } from '../renditions/kinds.ts';
import { findVersion, loadDocument } from '../repository/documents.ts';
import { removeUnused } from '../repository/files.ts';
import {
  countPages,
  findNamedVersion,
  findPart,
  findRendition,
  holdVersion,
  removeParts,
  versionsShownBy,
} from '../repository/renditions.ts';
import type { RenditionPartTable, RenditionTable, VersionTable } from '../tables.ts';
import type { Acting, Parts } from './acting.ts';
import { versionNumber } from './documents.ts';
import { noteRead } from './download.ts';
import { requestRendition } from './render.ts';

/** Asked again where nothing came of it in this time: its job was given up with its process. */
const lostAfter = 15 * minute;
/** When to look again (s). */
const lookAgain = 2;

type Header = (name: string) => string | undefined;
type Headers = Record<string, string>;

export type Shown =
  | { readonly status: 200; readonly headers: Headers; readonly body: Readable | Uint8Array }
  | { readonly status: 202; readonly headers: Headers; readonly body: { readonly status: 'pending' } }
  | { readonly status: 304; readonly headers: Headers };

export interface Asked {
  readonly version?: string | undefined;
  /** Of a preview, from 1. */
  readonly page?: number | undefined;
}

type VersionEvent = TenantEvent<'document.created' | 'document.version_added'>;

export interface Renditions {
  /** @throws not_found (`preview_unsupported`, `preview_failed` too), unavailable */
  open(acting: Acting, id: string, role: Role, asked: Asked, header: Header): Promise<Shown>;
  /** Has made again what is kept under this key and is lost. */
  renew(tenant: Tenant, key: string): Promise<void>;
  /** A version has appeared: what is shown of it is made soon. */
  heard(tenant: Tenant, event: VersionEvent): Promise<void>;
}

export function createRenditions(parts: Parts): Renditions {
  return {
    async heard(tenant, { payload }) {
      const version = await findNamedVersion(tenant.db.read, payload.version_id);
      if (version === undefined || kindOf(version.mime_type, version.filename) === undefined) return;
      if ((await findRendition(tenant.db.read, version.id)) === undefined) await request(parts, tenant, version);
    },
    renew: (tenant, key) => renew(parts, tenant, key),

    async open(acting, id, role, asked, header) {
      const { tenant, viewer } = acting;
      const document = await loadDocument(tenant.db.read, viewer, id, { level: 'read' });
      const number = asked.version === undefined ? document.version : versionNumber(asked.version);
      const version = number === undefined ? undefined : await findVersion(tenant.db.read, id, number);
      if (version === undefined) throw notFound();
      const kind = kindOf(version.mime_type, document.filename);
      if (kind === undefined || !madeOf[kind].includes(role)) throw unsupported();
      const rendition = await findRendition(tenant.db.read, version.id);
      if (rendition === undefined || isLost(tenant, rendition)) return pendingAfter(request(parts, tenant, version));
      if (rendition.state === 'pending') return pending;
      if (rendition.state === 'failed') throw failed(rendition.reason ?? 'unreadable');
      const page = asked.page ?? 1;
      const part = await findPart(tenant.db.read, { version_id: version.id, role, page });
      if (part === undefined) throw notFound();
      const tag = `${version.id}-${role}-${page}`;
      const headers = headersOf(part, rendition, tag, kind);
      if (isUnchanged(header('if-none-match'), tag)) return { status: 304, headers: unchanged(headers) };
      if (role === 'preview') headers['strongroom-pages-shown'] = String(await countPages(tenant.db.read, version.id));
      return serve(parts, acting, version, part, headers);
    },
  };
}

async function serve(
  parts: Parts,
  acting: Acting,
  version: VersionTable,
  part: RenditionPartTable,
  headers: Headers,
): Promise<Shown> {
  const { tenant } = acting;
  const size = Number(part.size_bytes);
  const body = await bytesOf(tenant, version, part, size).catch((error: unknown) => {
    // Made of what is still there: it can be made again. What the file itself lacks cannot.
    if (part.file_key === null || !isStrongroomError(error) || error.code !== 'object_missing') throw error;
    return undefined;
  });
  if (body === undefined) return pendingAfter(renew(parts, tenant, part.file_key!));
  // Reading is written down as a download is; thumbnails come with lists, which are not.
  if (part.role !== 'thumbnail' && part.page === 1) {
    const stream = 'destroy' in body ? body : undefined;
    await noteRead(parts, acting, version, { action: 'document.previewed', details: { part: part.role } }, stream);
  }
  return { status: 200, headers: { ...headers, 'content-length': String(size) }, body };
}

async function bytesOf(
  tenant: Tenant,
  version: VersionTable,
  part: RenditionPartTable,
  size: number,
): Promise<Readable | Uint8Array> {
  if (size === 0) return new Uint8Array(0);
  if (part.file_key !== null) return tenant.files.get(part.file_key);
  return tenant.files.get(version.file_key, { start: 0, end: size - 1 });
}

const pending: Shown = {
  status: 202,
  headers: { 'retry-after': String(lookAgain), 'cache-control': 'private, no-store' },
  body: { status: 'pending' },
};

async function pendingAfter(work: Promise<void>): Promise<Shown> {
  await work;
  return pending;
}

function unsupported(): StrongroomError {
  return new StrongroomError('not_found', 'preview_unsupported', 'Of a file of this kind there is no such view.');
}
function failed(reason: string): StrongroomError {
  const message = 'This file cannot be shown. It can be downloaded.';
  return new StrongroomError('not_found', 'preview_failed', message, { extra: { reason } });
}

function isLost(tenant: Tenant, { state, updated_at }: RenditionTable): boolean {
  return state === 'pending' && Date.parse(updated_at) < tenant.clock.now() - lostAfter;
}

async function request(parts: Parts, tenant: Tenant, version: VersionTable): Promise<void> {
  const of = { version_id: version.id, document_id: version.document_id };
  await tenant.db.transaction(async (tx) => {
    if (!(await holdVersion(tx, of.document_id, of.version_id))) return;
    const now = await findRendition(tx, version.id);
    // Somebody else has asked, or it was made, since it was looked at.
    if (now !== undefined && !isLost(tenant, now)) return;
    await requestRendition(parts, tx, tenant, of);
  });
}

/**
 * Asks once more for all that was made and kept under this key, whose object is lost. The row goes: equal bytes, made
 * again, would else be taken for the ones that are not there.
 */
async function renew(parts: Pick<Parts, 'jobs'>, tenant: Tenant, key: string): Promise<void> {
  await tenant.db.transaction(async (tx) => {
    for (const of of await versionsShownBy(tx, key)) {
      if (!(await holdVersion(tx, of.document_id, of.version_id))) continue;
      await removeParts(tx, of.version_id, tenant.clock.iso());
      await requestRendition(parts, tx, tenant, of);
    }
    await removeUnused(tx, key);
  });
}

function unchanged(headers: Headers): Headers {
  const { etag, 'cache-control': cacheControl } = headers;
  return { etag: etag!, 'cache-control': cacheControl! };
}

function headersOf(part: RenditionPartTable, rendition: RenditionTable, tag: string, kind: string): Headers {
  const mimeType = part.mime_type === 'image/webp' ? 'image/webp' : 'text/plain; charset=utf-8';
  const { 'accept-ranges': _, ...headers } = contentHeaders({ filename: '', mimeType, versionId: tag });
  return {
    ...headers,
    'content-disposition': 'inline',
    'strongroom-kind': kind,
    ...(rendition.pages === null ? {} : { 'strongroom-pages': String(rendition.pages) }),
    ...(rendition.encoding === null ? {} : { 'strongroom-encoding': rendition.encoding }),
    ...(rendition.truncated === 1 ? { 'strongroom-truncated': 'true' } : {}),
  };
}
