/**
 * An S3 server that misbehaves on demand, in front of one in memory or of a real one: refusals, answers that never come
 * (before or after the effect), bodies that are cut, answers that lie. It also makes what lies in a bucket look older.
 */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMemoryBackend, refusal, type S3Answer, type S3Backend, type S3Request } from './memory-server.ts';

/** What happens to a request instead of, or beside, its effect. */
export type Fault =
  /** An error document, without the effect. */
  | {
      readonly kind: 'refuse';
      readonly status: number;
      readonly code: string;
      readonly headers?: Record<string, string>;
    }
  /** No answer; the connection stays open. */
  | { readonly kind: 'hang'; readonly effect: boolean }
  /** The connection is cut without an answer. */
  | { readonly kind: 'hang-up'; readonly effect: boolean }
  /** The right Content-Length, then only so many bytes, then the end of the connection. */
  | { readonly kind: 'cut'; readonly bytes: number }
  | { readonly kind: 'etag'; readonly etag: string }
  /** Other bytes are kept than came, and the answer says so by its ETag. */
  | { readonly kind: 'corrupt' }
  /** Status 200 over an error document. */
  | { readonly kind: 'error-in-200'; readonly code: string; readonly effect: boolean };

export interface Planned {
  readonly fault: Fault;
  /** As `PUT object`, `POST complete`: see `operationOf`. */
  readonly on: string | RegExp;
  /** How many requests it meets; default 1. */
  times?: number;
  /** Requests that pass before. */
  skip?: number;
}

export interface FaultServer {
  readonly endpoint: string;
  /** Every request, as `PUT object`. */
  readonly seen: string[];
  /** Access keys that asked for a bucket or what is in it. */
  signersOf(bucket: string): readonly string[];
  plan(...faults: readonly Planned[]): void;
  /** Forgets what was planned and seen. */
  clear(): void;
  /** Everything that is in a bucket now looks untouched for `ms`. */
  age(bucket: string, ms: number): void;
  stop(): Promise<void>;
}

/** What a request does, in two words. */
export function operationOf({ method, bucket, key, query }: S3Request): string {
  if (bucket === '') return `${method} buckets`;
  for (const [name, word] of [
    ['partNumber', 'part'],
    ['uploadId', method === 'POST' ? 'complete' : method === 'GET' ? 'parts' : 'multipart'],
    ['uploads', key === '' ? 'multiparts' : 'begin'],
    ['versions', 'versions'],
    ['delete', 'delete'],
    ['list-type', 'list'],
    ['publicAccessBlock', 'protection'],
    ['encryption', 'protection'],
  ] as const) {
    if (query.has(name)) return `${method} ${word}`;
  }
  if (key === '') return `${method} bucket`;
  return `${method} ${/(^|\/)tmp\//.test(key) ? 'state' : 'object'}`;
}

/** @param behind address of a real server; without it one in memory */
export async function startFaultServer(behind?: string): Promise<FaultServer> {
  const backend = behind === undefined ? createMemoryBackend() : passedOn(behind);
  const seen: string[] = [];
  const aged = new Map<string, { at: number; ms: number }[]>();
  const signers = new Map<string, Set<string>>();
  let planned: Planned[] = [];

  function take(operation: string): Fault | undefined {
    for (const one of planned) {
      const meets = typeof one.on === 'string' ? one.on === operation : one.on.test(operation);
      if (!meets) continue;
      if ((one.skip ?? 0) > 0) {
        one.skip = (one.skip ?? 0) - 1;
        continue;
      }
      if ((one.times ?? 1) <= 0) continue;
      one.times = (one.times ?? 1) - 1;
      return one.fault;
    }
    return undefined;
  }

  const server = createServer(async (incoming, response) => {
    try {
      const request = await parse(incoming);
      const operation = operationOf(request);
      seen.push(operation);
      const known = signers.get(request.bucket) ?? new Set<string>();
      signers.set(request.bucket, known.add(signerOf(request)));
      await answer(backend, request, take(operation), response, aged.get(request.bucket) ?? []);
    } catch {
      response.destroy();
    }
  });
  server.requestTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    signersOf: (bucket) => [...(signers.get(bucket) ?? [])].sort(),
    plan(...faults) {
      planned.push(...faults.map((fault) => ({ ...fault })));
    },
    clear() {
      planned = [];
      seen.length = 0;
      signers.clear();
    },
    age(bucket, ms) {
      aged.set(bucket, [...(aged.get(bucket) ?? []), { at: Date.now(), ms }]);
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The access key that a request, or an address, is signed with. */
function signerOf({ headers, query }: S3Request): string {
  const credential = query.get('X-Amz-Credential') ?? /Credential=([^,]*)/.exec(headers.authorization ?? '')?.[1] ?? '';
  return credential.split('/', 1)[0]!;
}

async function parse(incoming: IncomingMessage): Promise<S3Request> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const url = incoming.url ?? '/';
  const { pathname, searchParams } = new URL(url, 'http://any');
  const [, bucket = '', ...rest] = pathname.split('/');
  return {
    method: incoming.method ?? '',
    bucket: decodeURIComponent(bucket),
    key: decodeURIComponent(rest.join('/')),
    query: searchParams,
    headers: incoming.headers as Record<string, string | undefined>,
    body: Buffer.concat(chunks),
    url,
  };
}

async function answer(
  backend: S3Backend,
  request: S3Request,
  fault: Fault | undefined,
  response: ServerResponse,
  aged: readonly { at: number; ms: number }[],
): Promise<void> {
  if (fault?.kind === 'refuse') return send(response, { ...refusal(fault.status, fault.code), ...headersOf(fault) });
  const hasEffect = fault === undefined || !('effect' in fault) || fault.effect;
  if (!hasEffect) return pretend(response, fault);
  const given = fault?.kind === 'corrupt' ? { ...request, body: Buffer.from('other bytes'), headers: {} } : request;
  const answered = older(await backend(given), aged);
  if (fault?.kind === 'etag')
    return send(response, { ...answered, headers: { ...answered.headers, etag: fault.etag } });
  if (fault?.kind === 'cut') return cut(response, answered, fault.bytes);
  if (fault === undefined || fault.kind === 'corrupt') return send(response, answered, request.method === 'HEAD');
  pretend(response, fault);
}

function headersOf({ headers }: { headers?: Record<string, string> }) {
  return headers === undefined ? {} : { headers: { 'content-type': 'application/xml', ...headers } };
}

function pretend(response: ServerResponse, fault: Fault): void {
  if (fault.kind === 'hang-up') response.destroy();
  if (fault.kind === 'error-in-200') send(response, { ...refusal(200, fault.code) });
}

function send(response: ServerResponse, { status, headers, body }: S3Answer, head = false): void {
  response.writeHead(status, head ? headers : { ...headers, 'content-length': String(body.length) });
  response.end(head ? undefined : body);
}

function cut(response: ServerResponse, { status, headers, body }: S3Answer, bytes: number): void {
  response.writeHead(status, { ...headers, 'content-length': String(body.length) });
  response.write(body.subarray(0, bytes), () => setTimeout(() => response.destroy(), 20));
}

/** Shifts the times in a list that lie before an ageing. */
function older(answered: S3Answer, aged: readonly { at: number; ms: number }[]): S3Answer {
  if (aged.length === 0 || !/xml/.test(answered.headers['content-type'] ?? '')) return answered;
  const text = answered.body
    .toString()
    .replaceAll(/<(LastModified|Initiated)>([^<]+)</g, (_, name: string, time: string) => {
      const shift = aged.filter(({ at }) => Date.parse(time) <= at).reduce((sum, { ms }) => sum + ms, 0);
      return `<${name}>${new Date(Date.parse(time) - shift).toISOString()}<`;
    });
  return { ...answered, body: Buffer.from(text) };
}

/** Passes requests on unchanged, Host included, so that their signatures hold. */
function passedOn(endpoint: string): S3Backend {
  const { hostname, port } = new URL(endpoint);
  return ({ method, url, headers, body }) =>
    new Promise((resolve, reject) => {
      const outgoing = httpRequest({ hostname, port, method, path: url, headers, agent: false }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const { 'transfer-encoding': _, connection: __, ...kept } = incoming.headers;
          const answered = { status: incoming.statusCode ?? 500, headers: kept as Record<string, string> };
          resolve({ ...answered, body: Buffer.concat(chunks) });
        });
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
}
