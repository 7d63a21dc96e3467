/**
 * Uploads: one multipart form, streamed, with progress — through XMLHttpRequest where a browser has it (its `fetch`
 * tells nothing of progress), else as a stream — one attempt at a resumable upload, and the options with which
 * `tus-js-client` uploads resumably.
 */
import type { z } from 'zod';
import { documentsContract } from '../modules/documents/contract.ts';
import { tusVersion, uploadsContract } from '../modules/documents/upload-contract.ts';
import { problemErrorFrom, problemErrorOf } from './problem-error.ts';

/** Bytes at hand, or a stream that can be read once. */
export type UploadSource = Blob | Uint8Array | ReadableStream<Uint8Array>;

export interface Progress {
  readonly sentBytes: number;
  /** Undefined where the size of a stream is not known. */
  readonly totalBytes: number | undefined;
}

/** What stands beside the file, as the contract says. */
type Form = z.input<(typeof documentsContract)['uploadDocument']['body']>;

export interface Upload {
  readonly filename: string;
  readonly mimeType?: string;
  readonly basketId?: NonNullable<Form['basket_id']>;
  readonly metadata?: Readonly<NonNullable<Form['metadata']>>;
  readonly onConflict?: NonNullable<Form['on_conflict']>;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
  readonly idempotencyKey?: string;
  /** Adds a version to this document instead of making one: neither name nor form is then used. */
  readonly versionOf?: string;
  /** Of a version: refused where the document's content is another one by now. */
  readonly ifMatch?: string;
}

export interface UploadTransport {
  readonly base: string;
  readonly doFetch: (input: string, init?: RequestInit) => Promise<Response>;
  headers(): Record<string, string>;
  renew(): Promise<boolean>;
  repeatable(): boolean;
}

type Document = z.output<(typeof documentsContract)['uploadDocument']['answers'][201]>;

/** @throws ProblemError */
export async function uploadForm(transport: UploadTransport, source: UploadSource, upload: Upload): Promise<Document> {
  const send = async () => {
    const url = transport.base + addressOf(upload);
    const headers = transport.headers();
    if (upload.ifMatch !== undefined) headers['if-match'] = upload.ifMatch;
    if (upload.idempotencyKey !== undefined) headers['idempotency-key'] = upload.idempotencyKey;
    const inBrowser = typeof globalThis.XMLHttpRequest === 'function' && !(source instanceof ReadableStream);
    if (inBrowser && upload.onProgress !== undefined) return await sendByXhr(url, headers, source, upload);
    return await sendByFetch(transport, url, headers, source, upload);
  };
  const first = await send();
  // A stream is used up; bytes at hand can be sent again with the new token.
  const again = first.status === 401 && !(source instanceof ReadableStream) && transport.repeatable();
  const answer = again && (await transport.renew()) ? await send() : first;
  if (answer.ok) return (await answer.json()) as Document;
  throw await problemErrorOf(answer);
}

function addressOf({ versionOf }: Upload): string {
  if (versionOf === undefined) return documentsContract.uploadDocument.path;
  return documentsContract.addVersion.path.replace('{id}', encodeURIComponent(versionOf));
}

function formOf(source: Blob | Uint8Array, upload: Upload): FormData {
  const form = new FormData();
  for (const [name, value] of fieldsOf(upload)) form.append(name, value);
  const type = upload.mimeType ?? (source instanceof Blob ? source.type : '');
  form.append(
    'file',
    new Blob([source as BlobPart], { type: type === '' ? 'application/octet-stream' : type }),
    upload.filename,
  );
  return form;
}

function fieldsOf(upload: Upload): [string, string][] {
  const form: { readonly [Name in keyof Required<Form>]: Form[Name] } = {
    basket_id: upload.basketId,
    metadata: upload.metadata,
    on_conflict: upload.onConflict,
  };
  return Object.entries(form)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]);
}

function sendByXhr(
  url: string,
  headers: Record<string, string>,
  source: Blob | Uint8Array,
  upload: Upload,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => {
      upload.onProgress?.({ sentBytes: event.loaded, totalBytes: event.lengthComputable ? event.total : undefined });
    };
    request.onload = () => resolve(new Response(request.responseText, { status: request.status }));
    request.onerror = () => reject(problemErrorFrom(0, ''));
    request.onabort = () => reject(upload.signal?.reason ?? new DOMException('The upload was given up.', 'AbortError'));
    upload.signal?.addEventListener('abort', () => request.abort(), { once: true });
    request.send(formOf(source, upload));
  });
}

async function sendByFetch(
  transport: UploadTransport,
  url: string,
  headers: Record<string, string>,
  source: UploadSource,
  upload: Upload,
): Promise<Response> {
  const init: RequestInit & { duplex?: 'half' } = { method: 'POST', headers };
  if (upload.signal !== undefined) init.signal = upload.signal;
  if (upload.onProgress === undefined && !(source instanceof ReadableStream)) {
    init.body = formOf(source, upload);
    return await transport.doFetch(url, init);
  }
  const boundary = `strongroom-${crypto.randomUUID()}`;
  headers['content-type'] = `multipart/form-data; boundary=${boundary}`;
  init.body = streamOf(formBytes(source, upload, boundary));
  init.duplex = 'half';
  return await transport.doFetch(url, init);
}

/** A stream that takes a piece when the connection has room for one (`ReadableStream.from` is not in every browser). */
function streamOf(pieces: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const next = await pieces.next();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
    async cancel() {
      await pieces.return(undefined);
    },
  });
}

/** The form as bytes, piece by piece, telling of progress as they are taken. */
async function* formBytes(source: UploadSource, upload: Upload, boundary: string): AsyncGenerator<Uint8Array> {
  const text = new TextEncoder();
  for (const [name, value] of fieldsOf(upload)) {
    yield text.encode(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`);
  }
  const name = encodeURIComponent(upload.filename);
  const type = upload.mimeType ?? 'application/octet-stream';
  yield text.encode(
    `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename*=UTF-8''${name}\r\nContent-Type: ${type}\r\n\r\n`,
  );
  const totalBytes = source instanceof Blob ? source.size : source instanceof Uint8Array ? source.length : undefined;
  let sentBytes = 0;
  for await (const piece of piecesOf(source)) {
    yield piece;
    sentBytes += piece.length;
    upload.onProgress?.({ sentBytes, totalBytes });
  }
  yield text.encode(`\r\n--${boundary}--\r\n`);
}

const pieceBytes = 256 * 1024;

async function* piecesOf(source: UploadSource): AsyncGenerator<Uint8Array> {
  if (source instanceof Uint8Array) {
    for (let at = 0; at < source.length; at += pieceBytes) yield source.subarray(at, at + pieceBytes);
    return;
  }
  const reader = (source instanceof Blob ? source.stream() : source).getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    reader.releaseLock();
  }
}

// --- Resumable -------------------------------------------------------------------------------------------------------

export interface TusUpload {
  readonly filename: string;
  readonly mimeType?: string;
  readonly basketId?: string;
  readonly onConflict?: 'error' | 'version' | 'rename';
  /** Called with the id of the document once the last byte is durable. */
  readonly onDocument?: (id: string) => void;
}

/** The part of `tus-js-client`'s options that this server needs. */
export interface TusOptions {
  readonly endpoint: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Puts the present access token on each request, also after it was renewed. */
  onBeforeRequest(request: { setHeader(name: string, value: string): void }): void;
  onAfterResponse(
    request: unknown,
    answer: { getHeader(name: string): string | undefined; getStatus(): number },
  ): Promise<void>;
}

export function tusOptions(transport: UploadTransport, upload: TusUpload): TusOptions {
  const metadata: Record<string, string> = { filename: upload.filename };
  if (upload.mimeType !== undefined) metadata.filetype = upload.mimeType;
  if (upload.basketId !== undefined) metadata.basket_id = upload.basketId;
  if (upload.onConflict !== undefined) metadata.on_conflict = upload.onConflict;
  return {
    endpoint: transport.base + uploadsContract.createUpload.path,
    metadata,
    onBeforeRequest(request) {
      for (const [name, value] of Object.entries(transport.headers())) request.setHeader(name, value);
    },
    async onAfterResponse(_request, answer) {
      const document = answer.getHeader('Strongroom-Document');
      if (document !== undefined && document !== null) upload.onDocument?.(document);
      if (answer.getStatus() === 401) await transport.renew();
    },
  };
}

/** A resumable upload that begins, or goes on. */
export interface Transfer {
  readonly filename: string;
  readonly mimeType?: string;
  readonly basketId?: string;
  readonly onConflict?: NonNullable<TusUpload['onConflict']>;
  /** Of an upload that was begun before: it goes on where the server says. */
  readonly uploadId?: string;
  /** Told the id as soon as the server has given one, to go on with it after whatever breaks. */
  readonly onBegun?: (uploadId: string) => void;
  /** Bytes that are sent; after a pause as many as the server has kept. */
  readonly onProgress?: (sentBytes: number) => void;
  readonly signal?: AbortSignal;
}

/** One request carries at most so much: tokens run out, and things in between have limits. */
const chunkBytes = 16 * 1024 * 1024;

/**
 * One attempt: begins or asks for the offset, then sends what is missing. Whoever wants to go on after it broke calls
 * it again with the id. Gives the id of the document.
 * @throws ProblemError, with status 0 where nobody answered
 */
export async function transferResumably(transport: UploadTransport, source: Blob, transfer: Transfer): Promise<string> {
  const begun = transfer.uploadId ?? (await beginTransfer(transport, source, transfer));
  const url = `${transport.base}${uploadsContract.createUpload.path}/${encodeURIComponent(begun)}`;
  let answer = await tusRequest(transport, { method: 'HEAD', url, signal: transfer.signal });
  let offset = offsetOf(answer);
  transfer.onProgress?.(offset);
  while (answer.headers.get('strongroom-document') === null) {
    const at = offset;
    answer = await tusRequest(transport, {
      method: 'PATCH',
      url,
      headers: { 'upload-offset': String(at), 'content-type': 'application/offset+octet-stream' },
      body: source.slice(at, at + chunkBytes),
      signal: transfer.signal,
      onProgress: (sent) => transfer.onProgress?.(at + sent),
    });
    offset = offsetOf(answer);
    transfer.onProgress?.(offset);
    const document = answer.headers.get('strongroom-document');
    if (document === null && offset <= at) throw problemErrorFrom(0, '');
  }
  return answer.headers.get('strongroom-document')!;
}

async function beginTransfer(transport: UploadTransport, source: Blob, transfer: Transfer): Promise<string> {
  const { metadata } = tusOptions(transport, { ...transfer, mimeType: transfer.mimeType ?? source.type });
  const encoded = Object.entries(metadata).map(([name, value]) => `${name} ${base64(value)}`.trim());
  const answer = await tusRequest(transport, {
    method: 'POST',
    url: transport.base + uploadsContract.createUpload.path,
    headers: { 'upload-length': String(source.size), 'upload-metadata': encoded.join(',') },
    signal: transfer.signal,
  });
  const id = (answer.headers.get('location') ?? '').split('/').at(-1)!;
  transfer.onBegun?.(id);
  return id;
}

function base64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''));
}

function offsetOf(answer: Response): number {
  const offset = Number(answer.headers.get('upload-offset') ?? Number.NaN);
  if (!Number.isSafeInteger(offset)) throw problemErrorFrom(0, '');
  return offset;
}

interface TusRequest {
  readonly method: 'POST' | 'HEAD' | 'PATCH';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Blob;
  readonly signal: AbortSignal | undefined;
  readonly onProgress?: (sentBytes: number) => void;
}

/** With the present token, and once more where that had run out. @throws ProblemError */
async function tusRequest(transport: UploadTransport, request: TusRequest): Promise<Response> {
  const send = async (): Promise<Response> => {
    const headers = { ...transport.headers(), ...request.headers, 'tus-resumable': tusVersion };
    if (request.body !== undefined && typeof globalThis.XMLHttpRequest === 'function') {
      return await patchByXhr(headers, request);
    }
    const { method, url, body, signal } = request;
    try {
      return await transport.doFetch(url, {
        method,
        headers,
        ...(body === undefined ? {} : { body }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      throw error instanceof TypeError ? problemErrorFrom(0, '') : error;
    }
  };
  const first = await send();
  const again = first.status === 401 && transport.repeatable() && (await transport.renew());
  const answer = again ? await send() : first;
  if (answer.ok) return answer;
  throw await problemErrorOf(answer);
}

function patchByXhr(headers: Record<string, string>, request: TusRequest): Promise<Response> {
  return new Promise((resolve, reject) => {
    const { signal } = request;
    const xhr = new XMLHttpRequest();
    const abort = () => xhr.abort();
    signal?.addEventListener('abort', abort, { once: true });
    xhr.onloadend = () => signal?.removeEventListener('abort', abort);
    xhr.open(request.method, request.url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = (event) => request.onProgress?.(event.loaded);
    xhr.onload = () => {
      const names = ['upload-offset', 'strongroom-document', 'retry-after'];
      const told = names.flatMap((name): [string, string][] => {
        const value = xhr.getResponseHeader(name);
        return value === null ? [] : [[name, value]];
      });
      const body = xhr.status === 204 ? null : xhr.responseText;
      resolve(new Response(body, { status: xhr.status, headers: told }));
    };
    xhr.onerror = () => reject(problemErrorFrom(0, ''));
    xhr.onabort = () => reject(signal?.reason ?? new DOMException('The upload was given up.', 'AbortError'));
    if (signal?.aborted === true) reject(signal.reason);
    else xhr.send(request.body ?? null);
  });
}
