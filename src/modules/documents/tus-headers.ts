/** What tus puts into headers, read strictly: a value that is not exactly what the protocol says is refused. */
import { conflict, invalidField, StrongroomError } from '../../kernel/errors.ts';
import { Filename, OnConflict, type onConflictChoices } from './contract.ts';
import { tusVersion } from './upload-contract.ts';

type Header = (name: string) => string | undefined;

/** @throws precondition `tus_version` */
export function requireTus(header: Header): void {
  if (header('tus-resumable') === tusVersion) return;
  throw new StrongroomError('precondition', 'tus_version', `Send Tus-Resumable: ${tusVersion}.`);
}

/** Bytes that will come. The length must be known: it is what the quota is reserved by. */
export function uploadLength(header: Header): number {
  const text = header('upload-length');
  if (text === undefined) throw invalidField('upload-length', 'is missing: deferred lengths are not supported');
  if (!/^[0-9]{1,15}$/.test(text)) throw invalidField('upload-length', 'must be a whole number of bytes');
  return Number(text);
}

/** @throws conflict where it is not the offset that the upload has; what is no number is not either */
export function requireOffset(header: Header, offset: number): void {
  const text = header('upload-offset');
  if (text === undefined) throw invalidField('upload-offset', 'is missing');
  if (!/^[0-9]{1,15}$/.test(text) || Number(text) !== offset) {
    throw conflict('offset_mismatch', `The upload has ${offset} bytes; send what follows them.`, { offset });
  }
}

/** @throws unsupported `unsupported_media_type` */
export function requireOffsetStream(header: Header): void {
  if (isOffsetStream(header)) return;
  const message = 'Send application/offset+octet-stream.';
  throw new StrongroomError('unsupported', 'unsupported_media_type', message);
}

export function isOffsetStream(header: Header): boolean {
  return header('content-type')?.toLowerCase() === 'application/offset+octet-stream';
}

/** What the request says of the length of its body; undefined where it does not. */
export function bodyLength(header: Header): number | undefined {
  const text = header('content-length');
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined;
}

export interface UploadFacts {
  readonly filename: string;
  readonly declaredType: string;
  readonly basketId: string;
  readonly onConflict: (typeof onConflictChoices)[number];
  readonly raw: string;
}

/** Upload-Metadata. Keys that nobody asked for are ignored, as clients add some of their own. @throws invalid */
export function uploadFacts(header: Header): UploadFacts {
  const raw = header('upload-metadata') ?? '';
  if (raw.length > 8_192) throw invalidField('upload-metadata', 'at most 8192 characters');
  const values = new Map<string, string>();
  for (const pair of raw.split(',')) {
    if (pair.trim() === '') continue;
    const [key = '', value = '', ...rest] = pair.trim().split(' ');
    if (rest.length > 0 || !/^[\x21-\x7e]{1,100}$/.test(key)) {
      throw invalidField('upload-metadata', 'must be pairs of a key and a value in base64');
    }
    if (values.has(key)) throw invalidField('upload-metadata', `says ${key} twice`);
    values.set(key, decode(key, value));
  }
  const filename = Filename.safeParse(values.get('filename') ?? '');
  if (!filename.success) {
    throw invalidField('upload-metadata', `the filename ${filename.error.issues[0]!.message}`, 'filename_invalid');
  }
  const onConflict = OnConflict.safeParse(values.get('on_conflict') || 'error');
  if (!onConflict.success) throw invalidField('upload-metadata', 'on_conflict is error, version or rename');
  return {
    filename: filename.data,
    declaredType: (values.get('filetype') ?? values.get('mime_type') ?? '').slice(0, 200),
    basketId: values.get('basket_id') ?? '',
    onConflict: onConflict.data,
    raw,
  };
}

function decode(key: string, value: string): string {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(value)) throw invalidField('upload-metadata', `${key} is not base64`);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(value, 'base64'));
  } catch {
    throw invalidField('upload-metadata', `${key} is not UTF-8`);
  }
}
