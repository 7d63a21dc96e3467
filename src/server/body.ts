/**
 * Bodies of requests, read by us after the caller is known and allowed: exact content types, a limit that counts bytes
 * as they arrive, and a time within which a JSON body must be there.
 */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { BodyKind } from '../kernel/contract.ts';
import { parseJson } from './json.ts';
import { parsePairs } from './query.ts';
import { malformed, Refusal, tooLarge, unsupportedMedia } from './refusal.ts';

const json = /^application\/json(?:; ?charset="?utf-8"?)?$/i;
const form = /^application\/x-www-form-urlencoded(?:; ?charset="?utf-8"?)?$/i;

/** Whether the request announces a body. */
export function announcesBody(request: IncomingMessage): boolean {
  const { headers } = request;
  if (headers['transfer-encoding'] !== undefined) return true;
  return headers['content-length'] !== undefined && headers['content-length'] !== '0';
}

/** @throws Refusal 415 where the body is encoded in any way but `identity` */
export function refuseEncoding(request: IncomingMessage): void {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.trim().toLowerCase() !== 'identity') {
    throw unsupportedMedia('Content-Encoding is not supported; send the body as it is.');
  }
}

export interface ReadLimits {
  readonly bytes: number;
  readonly seconds: number;
}

/** The parsed body of a `json`, `form` or `json_or_form` route; undefined where it may be left out and is. @throws Refusal 400, 408, 413, 415, 422 */
export async function readBody(
  request: IncomingMessage,
  kind: BodyKind,
  limits: ReadLimits,
  optional: boolean,
): Promise<unknown> {
  refuseEncoding(request);
  if (optional && !announcesBody(request)) return undefined;
  const contentType = request.headers['content-type'];
  const isJson = kind !== 'form' && contentType !== undefined && json.test(contentType);
  const isForm = kind !== 'json' && contentType !== undefined && form.test(contentType);
  if (!isJson && !isForm) {
    if (contentType === undefined && !announcesBody(request)) throw malformed('A body is due here.', 'malformed_body');
    const wanted = { json: 'application/json', form: 'application/x-www-form-urlencoded' } as const;
    throw unsupportedMedia(`Send ${kind === 'form' ? wanted.form : wanted.json}.`);
  }
  const bytes = await readBytes(request, limits);
  if (bytes.length === 0) throw malformed('A body is due here.', 'malformed_body');
  if (!isUtf8(bytes)) throw malformed('The body is not valid UTF-8.', 'malformed_body');
  const text = bytes.toString('utf8');
  return isJson ? parseJson(text) : parsePairs(text);
}

/** All bytes of the body. */
export function readBytes(request: IncomingMessage, limits: ReadLimits): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limits.bytes) return Promise.reject(overLimit(limits.bytes));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const timer = setTimeout(() => {
      finish();
      reject(
        new Refusal(408, 'request_timeout', 'The body did not arrive in time.', { headers: { connection: 'close' } }),
      );
    }, limits.seconds * 1_000);
    function onData(chunk: Buffer): void {
      size += chunk.length;
      if (size > limits.bytes) {
        finish();
        reject(overLimit(limits.bytes));
      } else {
        chunks.push(chunk);
      }
    }
    function onEnd(): void {
      finish();
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size));
    }
    function onGone(): void {
      finish();
      reject(malformed('The body broke off.', 'malformed_body'));
    }
    function finish(): void {
      clearTimeout(timer);
      request.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
    }
    request.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
  });
}

function overLimit(bytes: number): Refusal {
  return tooLarge(`The body is larger than ${bytes} bytes.`);
}
