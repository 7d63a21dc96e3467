/**
 * Headers around a document's bytes: RFC 6266 and 8187 (names), RFC 9110 (conditions and ranges), and those that keep
 * what is served inert. Never throws on what a client sends: a condition that cannot be read is one that fails, a
 * range that cannot be read is none.
 */
import { StrongroomError } from '../../kernel/errors.ts';
import type { ByteRange } from '../../kernel/files/file-store.ts';

/** `attachment` with an ASCII name for old clients and the exact one in UTF-8. Any text is safe here. */
export function contentDisposition(filename: string): string {
  const fallback = filename.replace(/[^\x20-\x7e]|["\\%]/gu, '_');
  return `attachment; filename="${fallback}"; filename*=UTF-8''${extendedValue(filename)}`;
}

/** RFC 8187: everything but attr-char as percent-encoded UTF-8. */
function extendedValue(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /['()*]/g,
    (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** A strong entity tag. */
export function entityTag(versionId: string): string {
  return `"${versionId}"`;
}

export interface ContentFacts {
  readonly filename: string;
  readonly mimeType: string;
  readonly versionId: string;
}

/** Whatever a browser does with what people stored, no script of it runs in our origin, and nothing keeps it. */
export const inertHeaders = {
  'cache-control': 'private, no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
} as const;

/** What goes with every answer about content. */
export function contentHeaders(facts: ContentFacts): Record<string, string> {
  return {
    'content-type': facts.mimeType,
    'content-disposition': contentDisposition(facts.filename),
    etag: entityTag(facts.versionId),
    'accept-ranges': 'bytes',
    ...inertHeaders,
  };
}

const tagList = /^[ \t,]*(?:(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"[ \t,]*)+$/;
const oneTag = /(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/g;

/** Whether a list of tags names this version. `strong`: weak tags do not count. Undefined where it cannot be read. */
function names(header: string, versionId: string, strong: boolean): boolean | undefined {
  if (header.trim() === '*') return true;
  if (header.length > 8_192 || !tagList.test(header)) return undefined;
  for (const [, weak, value] of header.matchAll(oneTag)) {
    if (value === versionId && !(strong && weak !== undefined)) return true;
  }
  return false;
}

/** @throws precondition `etag_mismatch` where If-Match is given and does not name this version */
export function requireMatch(ifMatch: string | undefined, versionId: string): void {
  if (ifMatch === undefined || names(ifMatch, versionId, true) === true) return;
  throw new StrongroomError('precondition', 'etag_mismatch', 'The document has changed since: read it again.');
}

/** Whether If-None-Match says that the client has this version already. */
export function isUnchanged(ifNoneMatch: string | undefined, versionId: string): boolean {
  return ifNoneMatch !== undefined && names(ifNoneMatch, versionId, false) === true;
}

/**
 * The range that is asked for, or undefined for the whole: no header, another unit, several ranges, something that
 * cannot be read, or an If-Range that names another version (or a date, which we do not give).
 * @throws range `range_not_satisfiable`
 */
export function requestedRange(
  range: string | undefined,
  ifRange: string | undefined,
  size: number,
  versionId: string,
): ByteRange | undefined {
  if (range === undefined) return undefined;
  if (ifRange !== undefined && ifRange.trim() !== entityTag(versionId)) return undefined;
  const found = /^bytes=[ \t]*([0-9]{0,16})-([0-9]{0,16})[ \t]*$/i.exec(range);
  if (found === null || (found[1] === '' && found[2] === '')) return undefined;
  const [, from, to] = found as unknown as [string, string, string];
  if (from !== '' && to !== '' && Number(to) < Number(from)) return undefined;
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (start >= size || (from === '' && Number(to) === 0)) {
    throw new StrongroomError('range', 'range_not_satisfiable', `The document has ${size} bytes.`, { extra: { size } });
  }
  return { start, end };
}
