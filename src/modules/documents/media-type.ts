/**
 * The media type that a document is stored under, told by its first bytes; what the client declares counts only where
 * the bytes do not say otherwise. The answer is a plain `type/subtype` without parameters, safe in a header. Whatever
 * it is, documents are served inert: the type is a label, not a permission.
 */

/** A declared type that may be kept (RFC 6838 names, in lower case). */
const grammar = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}$/;
const executable = 'application/vnd.microsoft.portable-executable';
const unknownType = 'application/octet-stream';

interface Signature {
  readonly type: string;
  readonly at: number;
  readonly bytes: Buffer;
}

const signature = (type: string, text: string, at = 0): Signature => ({ type, at, bytes: Buffer.from(text, 'latin1') });

const signatures: readonly Signature[] = [
  signature('application/pdf', '%PDF-'),
  signature('image/png', '\x89PNG\r\n\x1a\n'),
  signature('image/jpeg', '\xff\xd8\xff'),
  signature('image/gif', 'GIF87a'),
  signature('image/gif', 'GIF89a'),
  signature('image/tiff', 'II*\x00'),
  signature('image/tiff', 'MM\x00*'),
  signature('image/webp', 'WEBP', 8),
  signature('audio/wav', 'WAVE', 8),
  signature('application/zip', 'PK\x03\x04'),
  signature('application/zip', 'PK\x05\x06'),
  signature('application/gzip', '\x1f\x8b\x08'),
  signature('application/x-7z-compressed', "7z\xbc\xaf'\x1c"),
  signature('application/vnd.rar', 'Rar!\x1a\x07'),
  signature('application/x-ole-storage', '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'),
  signature(executable, 'MZ'),
  signature('application/x-executable', '\x7fELF'),
  signature('application/rtf', '{\\rtf'),
  signature('video/mp4', 'ftyp', 4),
  signature('video/webm', '\x1a\x45\xdf\xa3'),
  signature('audio/mpeg', 'ID3'),
  signature('audio/flac', 'fLaC'),
  signature('audio/ogg', 'OggS'),
];

/** Types whose files are containers of a sniffed form: the declared one, or that of the ending, says which. */
const inside: Readonly<Record<string, RegExp>> = {
  'application/zip':
    /^application\/(vnd\.openxmlformats-officedocument\.[a-z.]+|vnd\.oasis\.opendocument\.[a-z-]+|epub\+zip|java-archive|vnd\.ms-[a-z]+\.[a-z.0-9]+|vnd\.android\.package-archive)$/,
  'application/x-ole-storage': /^application\/(msword|vnd\.ms-(excel|powerpoint|outlook)|x-msi)$/,
  'video/mp4': /^(video\/(mp4|quicktime|3gpp)|audio\/(mp4|x-m4a)|image\/(heic|heif|avif))$/,
  'video/webm': /^(video|audio)\/(webm|x-matroska)$/,
  'audio/ogg': /^(audio|video|application)\/ogg$/,
};

const endings = new Map(
  Object.entries({
    txt: 'text/plain',
    log: 'text/plain',
    md: 'text/markdown',
    csv: 'text/csv',
    json: 'application/json',
    xml: 'application/xml',
    html: 'text/html',
    htm: 'text/html',
    svg: 'image/svg+xml',
    eml: 'message/rfc822',
    docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    pptx: 'application/vnd.openxmlformats-officedocument.presentationml.presentation',
    odt: 'application/vnd.oasis.opendocument.text',
    ods: 'application/vnd.oasis.opendocument.spreadsheet',
    doc: 'application/msword',
    xls: 'application/vnd.ms-excel',
    ppt: 'application/vnd.ms-powerpoint',
    jar: 'application/java-archive',
  }),
);

/** Types that a signature above would have told: declared without it, they are false. */
const told = new Set([...signatures.map(({ type }) => type), 'image/avif', 'image/heic']);

/** The type of a file with these first bytes, this name, and this declared type. */
export function mediaType(head: Uint8Array, filename: string, declared: string): string {
  const given = declared.split(';', 1)[0]!.trim().toLowerCase();
  const claimed = grammar.test(given) && given !== unknownType ? given : undefined;
  const byEnding = endings.get(filename.slice(filename.lastIndexOf('.') + 1).toLowerCase());
  const sniffed = sniff(head);
  if (sniffed !== undefined) {
    const container = inside[sniffed];
    if (container === undefined) return sniffed;
    return [claimed, byEnding].find((type) => type !== undefined && container.test(type)) ?? sniffed;
  }
  if (head.length === 0) return claimed ?? byEnding ?? unknownType;
  const text = textStart(head);
  const markup = text === undefined ? undefined : markupType(text);
  if (markup !== undefined) return markup;
  const likely =
    claimed ?? (text === undefined ? undefined : byEnding) ?? (text === undefined ? undefined : 'text/plain');
  if (likely === undefined || isFalse(likely, text !== undefined))
    return text === undefined ? unknownType : 'text/plain';
  return likely;
}

function isFalse(type: string, isText: boolean): boolean {
  if (told.has(type) || Object.values(inside).some((pattern) => pattern.test(type))) return true;
  return !isText && (type.startsWith('text/') || type === 'image/svg+xml');
}

function sniff(head: Uint8Array): string | undefined {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  for (const { type, at, bytes: wanted } of signatures) {
    if (!bytes.subarray(at, at + wanted.length).equals(wanted)) continue;
    // Two letters that a text may begin with, too.
    if (type !== executable || bytes.includes(0)) return type;
  }
  return undefined;
}

/** The beginning as text, or undefined where it is binary. A character cut at the end does not count. */
function textStart(head: Uint8Array): string | undefined {
  if (head.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
  } catch {
    return undefined;
  }
}

/** Markup is named even where something harmless was declared, so that nobody takes a page for a picture. */
function markupType(text: string): string | undefined {
  const start = text.slice(0, 1_024).trimStart().toLowerCase();
  if (/^(<!doctype html|<html|<head|<body|<script|<iframe|<img|<h1|<div|<style|<table|<a )/.test(start))
    return 'text/html';
  if (start.startsWith('<svg') || (start.startsWith('<?xml') && start.includes('<svg'))) return 'image/svg+xml';
  return start.startsWith('<?xml') ? 'application/xml' : undefined;
}

/**
 * The type to name where no header of ours stands beside it: one that no browser runs or guesses at. Anything else is
 * bytes.
 */
export function inertType(type: string): string {
  const harmless = told.has(type) || type === 'text/plain' || type === 'text/csv';
  return harmless || Object.values(inside).some((pattern) => pattern.test(type)) ? type : unknownType;
}

/** Whether one of a company's refused endings, types or families fits. */
export function isDenied(denied: readonly string[], filename: string, type: string): boolean {
  const name = filename.toLowerCase().replace(/[. ]+$/, '');
  return denied.some((entry) => {
    if (entry.startsWith('.')) return name.endsWith(entry);
    return entry.endsWith('/*') ? type.startsWith(entry.slice(0, -1)) : type === entry;
  });
}
