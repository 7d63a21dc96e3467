/**
 * Downloads. What is sent is what was received: the size is compared before the first byte, and the digest of a whole
 * file before the last. A mismatch breaks the connection and goes into the audit trail; it never ends cleanly.
 *
 * Where the operator has chosen that the storage serves downloads itself, the answer is its address: given out after
 * the same checks, with the same row in the audit trail, and alive for a short time. The digest is not compared then.
 */
import { createHash } from 'node:crypto';
import { pipeline, type Readable, Transform, type TransformCallback } from 'node:stream';
import { isStrongroomError, notFound, StrongroomError, unavailable } from '../../../kernel/errors.ts';
import type { ByteRange } from '../../../kernel/files/file-store.ts';
import {
  contentDisposition,
  contentHeaders,
  entityTag,
  isUnchanged,
  requestedRange,
  requireMatch,
} from '../content-headers.ts';
import { inertType } from '../media-type.ts';
import { findVersion, loadDocument } from '../repository/documents.ts';
import type { VersionTable } from '../tables.ts';
import type { Acting, Parts } from './acting.ts';
import { versionNumber } from './documents.ts';

type Header = (name: string) => string | undefined;
type Headers = Record<string, string>;

export type Download =
  | { readonly status: 200 | 206; readonly headers: Headers; readonly body: Readable }
  | { readonly status: 302 | 304; readonly headers: Headers };

export interface Downloads {
  /** @throws not_found, precondition, range, unavailable */
  open(acting: Acting, id: string, version: string | undefined, header: Header): Promise<Download>;
  /** The headers of the whole, without its bytes. */
  head(
    acting: Acting,
    id: string,
    version: string | undefined,
    header: Header,
  ): Promise<{ status: 200 | 304; headers: Headers }>;
}

export function createDownloads(parts: Parts): Downloads {
  async function look(acting: Acting, id: string, version: string | undefined, header: Header) {
    const { tenant, viewer } = acting;
    const document = await loadDocument(tenant.db.read, viewer, id, { level: 'read' });
    const number = version === undefined ? document.version : versionNumber(version);
    const found = number === undefined ? undefined : await findVersion(tenant.db.read, id, number);
    if (found === undefined) throw notFound();
    requireMatch(header('if-match'), found.id);
    const { filename } = document;
    const headers = contentHeaders({ filename, mimeType: found.mime_type, versionId: found.id });
    return { content: { ...found, size_bytes: Number(found.size_bytes) }, filename, headers };
  }

  return {
    async head(acting, id, version, header) {
      const { content, headers } = await look(acting, id, version, header);
      if (isUnchanged(header('if-none-match'), content.id)) return { status: 304, headers: unchanged(headers) };
      await requireWhole(parts, acting, content);
      return { status: 200, headers: { ...headers, 'content-length': String(content.size_bytes) } };
    },

    async open(acting, id, version, header) {
      const { content, filename, headers } = await look(acting, id, version, header);
      if (isUnchanged(header('if-none-match'), content.id)) return { status: 304, headers: unchanged(headers) };
      const range = requestedRange(header('range'), header('if-range'), content.size_bytes, content.id);
      await requireWhole(parts, acting, content);
      const location = await addressOf(acting, content, filename);
      if (location !== undefined) {
        // Whoever has the address reads all of it, whatever range was asked for here.
        await noteDownload(parts, acting, content);
        return { status: 302, headers: { ...addressHeaders, location } };
      }
      const body = await contentStream(parts, acting, content, range);
      // One row for a download, however many ranges it comes in.
      if (range === undefined || range.start === 0) await noteDownload(parts, acting, content, {}, body);
      if (range === undefined) {
        return { status: 200, headers: { ...headers, 'content-length': String(content.size_bytes) }, body };
      }
      const length = String(range.end - range.start + 1);
      const contentRange = `bytes ${range.start}-${range.end}/${content.size_bytes}`;
      return { status: 206, headers: { ...headers, 'content-length': length, 'content-range': contentRange }, body };
    },
  };
}

/** @throws unavailable where the object is missing or has another size; the damage is then written down */
export async function requireWhole(parts: Parts, acting: Acting, content: VersionTable): Promise<void> {
  const size = await acting.tenant.files.size(content.file_key);
  if (size === content.size_bytes) return;
  await noteCorrupt(parts, acting, content, size === undefined ? 'missing' : 'size');
  const more = { retryAfter: 3_600, extra: { document_id: content.document_id } };
  throw new StrongroomError(
    'unavailable',
    'object_damaged',
    'The content of this document is damaged; it is not served.',
    more,
  );
}

/** A 304 has the headers that tell a cache what it has, and no more. */
function unchanged(headers: Headers): Headers {
  const { etag, 'cache-control': cacheControl } = headers;
  return { etag: etag!, 'cache-control': cacheControl! };
}

/** Nothing keeps the address, and the storage is not told from where somebody came. */
const addressHeaders = { 'cache-control': 'private, no-store', 'referrer-policy': 'no-referrer' } as const;

/** Where the storage itself serves the content; undefined where all passes through here. */
async function addressOf(acting: Acting, content: VersionTable, filename: string): Promise<string | undefined> {
  const as = { disposition: contentDisposition(filename), mediaType: inertType(content.mime_type) };
  return acting.tenant.files.downloadAddress?.(content.file_key, as);
}

export function noteDownload(
  parts: Parts,
  acting: Acting,
  content: VersionTable,
  details: Readonly<Record<string, string>> = {},
  body?: Readable,
): Promise<void> {
  return noteRead(parts, acting, content, { action: 'document.downloaded', details }, body);
}

/** Writes down that somebody reads content. Where that cannot be, `body` is destroyed and nothing is given out. */
export async function noteRead(
  parts: Parts,
  acting: Acting,
  content: VersionTable,
  read: { readonly action: string; readonly details?: Readonly<Record<string, string>> },
  body?: Readable,
): Promise<void> {
  try {
    await parts.audit.note(acting.tenant, {
      action: read.action,
      actor: acting.tenant.actor,
      target: content.document_id,
      outcome: 'success',
      details: { version: content.number, ...read.details },
      source: acting.source,
    });
  } catch (error) {
    if (isStrongroomError(error, 'no_space')) {
      // A full disk stops writing, not reading: the log is then the only place that is left to write it down.
      const { actor } = acting.tenant;
      const facts = { actor, document: content.document_id, version: content.number, source: acting.source };
      acting.tenant.log.error({ alarm: 'audit_row_missing', ...facts }, 'a download could not be audited: no space');
      return;
    }
    // What cannot be written down for another reason is not given out.
    body?.destroy();
    throw error;
  }
}

async function noteCorrupt(parts: Parts, acting: Acting, content: VersionTable, what: string): Promise<void> {
  const { tenant, source } = acting;
  tenant.log.error({ alarm: 'document_corrupt', document: content.document_id, what }, 'content is damaged');
  await parts.audit.note(tenant, {
    action: 'document.corrupt',
    actor: { kind: 'system' },
    target: content.document_id,
    outcome: 'failed',
    details: { version: content.number, what },
    source,
  });
}

/** The bytes of a version; the whole is compared with its digest before the last of them goes. @throws unavailable */
export async function contentStream(
  parts: Parts,
  acting: Acting,
  content: VersionTable,
  range: ByteRange | undefined,
): Promise<Readable> {
  const { tenant } = acting;
  const stream = await tenant.files.get(content.file_key, range).catch((error: unknown) => {
    if (!isStrongroomError(error)) throw error;
    throw unavailable('object_damaged', 'The content of this document is damaged; it is not served.', 3_600, error);
  });
  if (range !== undefined) return stream;
  const checked = verifying(content, () => {
    noteCorrupt(parts, acting, content, 'digest').catch((error: unknown) => {
      tenant.log.error({ err: error }, 'damage could not be recorded');
    });
  });
  // An error on either side ends both; whoever reads `checked` hears of it.
  return pipeline(stream, checked, () => undefined) as unknown as Readable;
}

/** Passes bytes on, always one chunk behind, so that the last goes only when the digest of all was right. */
function verifying(content: Pick<VersionTable, 'sha256' | 'size_bytes'>, onMismatch: () => void): Transform {
  const hash = createHash('sha256');
  let size = 0;
  let held: Uint8Array | undefined;
  return new Transform({
    highWaterMark: 256 * 1024,
    transform(chunk: Uint8Array, _encoding, done: TransformCallback) {
      hash.update(chunk);
      size += chunk.length;
      const ready = held;
      held = chunk;
      if (ready === undefined) done();
      else done(null, ready);
    },
    flush(done: TransformCallback) {
      if (size === content.size_bytes && hash.digest('hex') === content.sha256) {
        done(null, held);
        return;
      }
      onMismatch();
      done(new Error('the content does not have the digest that it was stored with'));
    },
  });
}

export { entityTag };
