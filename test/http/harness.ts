/**
 * The HTTP layer alone, listening on a free port, with a small module of the tests' own: real contract, real handlers,
 * real sockets. What it gives to the server in place of accounts and audit only remembers what it was told.
 */
import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import type { AuditEntry } from '../../src/kernel/audit/audit.ts';
import { testConfig } from '../../src/kernel/config.ts';
import {
  anyone,
  contract,
  host,
  IdParam,
  listOf,
  member,
  operator,
  paging,
  signedIn,
} from '../../src/kernel/contract.ts';
import { conflict, notFound, unauthenticated } from '../../src/kernel/errors.ts';
import { createForeground } from '../../src/kernel/foreground.ts';
import type { MemberCaller, OperatorCaller } from '../../src/kernel/handles.ts';
import { newId } from '../../src/kernel/ids.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { bind } from '../../src/kernel/module.ts';
import type { Config } from '../../src/kernel/settings.ts';
import { createServer, type HttpServer, type ServerOptions } from '../../src/server/server.ts';

export const ownCompany = newId('company');

const Echo = z.strictObject({ name: z.string(), flag: z.boolean().optional(), list: z.array(z.string()).optional() });
const Thing = z.object({ id: z.string(), name: z.string(), inner: z.object({ shown: z.string() }).nullable() });
const Part = z.object({ kind: z.string(), name: z.string(), value: z.string(), filename: z.string().nullable() });

const smallContract = contract({
  echo: { method: 'POST', path: '/api/echo', summary: 'Echo', access: operator, body: Echo, answers: { 200: Echo } },
  make: {
    method: 'POST',
    path: '/api/things',
    summary: 'Make',
    access: signedIn,
    body: Echo,
    answers: { 201: Thing },
    creates: 'plain',
  },
  listThings: {
    method: 'GET',
    path: '/api/things',
    summary: 'List',
    access: member('UPLOAD_DOCUMENTS'),
    query: z.object(paging),
    answers: { 200: listOf(Thing) },
  },
  getThing: {
    method: 'GET',
    path: '/api/things/{id}',
    summary: 'Get',
    access: signedIn,
    params: z.object({ id: IdParam }),
    answers: { 200: Thing },
  },
  deleteThing: {
    method: 'DELETE',
    path: '/api/things/{id}',
    summary: 'Delete',
    access: signedIn,
    params: z.object({ id: IdParam }),
    answers: { 204: null },
  },
  form: {
    method: 'POST',
    path: '/api/form',
    summary: 'Form',
    access: anyone,
    body: z.strictObject({ username: z.string() }),
    bodyKind: 'form',
    answers: { 200: z.object({ username: z.string() }) },
  },
  upload: {
    method: 'POST',
    path: '/api/files',
    summary: 'Upload',
    access: signedIn,
    bodyKind: 'multipart',
    answers: { 201: z.object({ parts: z.array(Part) }) },
  },
  raw: {
    method: 'PUT',
    path: '/api/raw',
    summary: 'Raw',
    access: signedIn,
    bodyKind: 'stream',
    answers: { 200: z.object({ bytes: z.number() }) },
  },
  slow: {
    method: 'GET',
    path: '/api/slow',
    summary: 'Slow',
    access: anyone,
    answers: { 200: z.object({ done: z.boolean() }) },
  },
  fail: { method: 'GET', path: '/api/fail', summary: 'Fail', access: anyone, answers: { 200: z.object({}) } },
  taken: { method: 'GET', path: '/api/taken', summary: 'Taken', access: anyone, answers: { 200: z.object({}) } },
  hostOnly: { method: 'POST', path: '/api/host/thing', summary: 'Host', access: host, answers: { 200: z.object({}) } },
});

export interface Harness {
  readonly url: string;
  readonly port: number;
  readonly server: HttpServer;
  readonly attempts: AuditEntry[];
  /** Bodies that reached a handler: the effect of a request. */
  readonly effects: unknown[];
  /** Uploads whose streams failed. */
  readonly brokenUploads: { count: number };
  close(): Promise<void>;
}

export async function startHarness(
  settings: Partial<Config> = {},
  options: Partial<Pick<ServerOptions, 'bodyWindowMs'>> = {},
): Promise<Harness> {
  const attempts: AuditEntry[] = [];
  const effects: unknown[] = [];
  const brokenUploads = { count: 0 };
  const config = testConfig({ port: 0, host: '127.0.0.1', requestSeconds: 2, drainSeconds: 2, ...settings });
  const routes = bind(smallContract, {
    async echo({ body }) {
      effects.push(body);
      return { status: 200, body } as const;
    },
    async make({ body }) {
      effects.push(body);
      return { status: 201, body: { id: newId('document'), name: body.name, inner: null } } as const;
    },
    async listThings({ query }) {
      const inner = { shown: 'yes', hidden: 'no' };
      const items = [{ id: 'doc_1', name: `limit ${query.limit ?? 50}`, inner, password_hash: 'never' }];
      return { status: 200, body: { items, next_cursor: null } } as const;
    },
    async getThing({ params }) {
      if (params.id !== 'known') throw notFound();
      return { status: 200, body: { id: 'known', name: 'known', inner: null } } as const;
    },
    async deleteThing({ params }) {
      effects.push(params);
      return { status: 204 } as const;
    },
    async form({ body }) {
      return { status: 200, body } as const;
    },
    async upload({ request }) {
      const parts: z.input<typeof Part>[] = [];
      try {
        for await (const part of request.parts()) {
          if (part.kind === 'field') {
            parts.push({ kind: 'field', name: part.name, value: part.value, filename: null });
            continue;
          }
          const hash = createHash('sha256');
          await pipeline(part.stream, hash);
          parts.push({ kind: 'file', name: part.name, value: hash.digest('hex'), filename: part.filename });
        }
      } catch (error) {
        brokenUploads.count += 1;
        throw error;
      }
      effects.push(parts);
      return { status: 201, body: { parts } } as const;
    },
    async raw({ request }) {
      let bytes = 0;
      for await (const chunk of request.raw) bytes += (chunk as Buffer).length;
      return { status: 200, body: { bytes } } as const;
    },
    async slow() {
      await new Promise((resolve) => setTimeout(resolve, 500));
      return { status: 200, body: { done: true } } as const;
    },
    async fail() {
      throw new Error('SELECT secret FROM /var/lib/hidden');
    },
    async taken() {
      throw conflict('filename_taken', 'The name is taken.', { document_id: 'doc_x' });
    },
    async hostOnly() {
      return { status: 200, body: {} } as const;
    },
  });
  const server = await createServer({
    kernel: {
      config,
      log: createLogger({ level: 'silent', format: 'json' }),
      audit: { attempt: (_tenant: unknown, entry: AuditEntry) => attempts.push(entry) },
      connections: { open: 0, budget: 10, waiting: 0 },
      tenants: { countByState: async () => ({ active: 1 }), count: async () => 1 },
      files: { check: async () => ({ ok: true }) },
      foreground: createForeground(),
    } as unknown as ServerOptions['kernel'],
    modules: [{ name: 'small', routes }],
    accounts: {
      authenticate: async (token) => callerOf(token),
      confirm: async (caller) => caller,
      authenticateTicket: async (ticket) => callerOf(ticket) as MemberCaller,
    },
    idempotency: { begin: async () => ({ fresh: true, complete: async () => {}, release: async () => {} }) },
    validateAnswers: false,
    ...options,
  });
  const url = await server.listen();
  return {
    url,
    port: Number(new URL(url).port),
    server,
    attempts,
    effects,
    brokenUploads,
    close: () => server.close(),
  };
}

function callerOf(token: string): OperatorCaller | MemberCaller {
  if (token === 'operator') {
    const actor = { kind: 'operator', id: 'oper_1', sessionId: 'sess_1' } as const;
    const person = { id: 'oper_1', username: 'op', email: 'op@example.com', fullName: 'Operator' };
    return { kind: 'operator', actor, operator: person, sessionId: 'sess_1' };
  }
  const role = token === 'employee' ? 'employee' : 'customer';
  if (role === 'customer' && token !== 'customer') throw unauthenticated('Sign in again.', 'invalid_token');
  const tenant = { id: ownCompany, slug: 'own', preset: 'company' } as MemberCaller['tenant'];
  const user = { id: 'user_1', username: 'u', email: 'u@example.com', fullName: 'User', role } as const;
  return {
    kind: 'member',
    actor: { kind: 'user', id: 'user_1', role, sessionId: 'sess_1' },
    tenant,
    user,
    sessionId: 'sess_1',
  };
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly problem: { type: string; code: string; status: number; instance: string; errors?: { path: string }[] };
}

/** Sends exactly these bytes and reads until the server hangs up or a whole answer is there. */
export function send(
  port: number,
  bytes: string | Buffer,
  options: { end?: boolean; within?: number } = {},
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(port, '127.0.0.1');
    let received = Buffer.alloc(0);
    const timer = setTimeout(
      () => finish(new Error(`no answer; got ${JSON.stringify(received.toString())}`)),
      options.within ?? 8_000,
    );
    const finish = (error?: Error) => {
      clearTimeout(timer);
      socket.destroy();
      const answer = parseAnswer(received);
      if (answer !== undefined) resolve(answer);
      else reject(error ?? new Error(`connection ended; got ${JSON.stringify(received.toString())}`));
    };
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const answer = parseAnswer(received);
      if (answer !== undefined && answer.body.length >= Number(answer.headers['content-length'] ?? 0)) finish();
    });
    socket.on('error', () => finish());
    socket.on('close', () => finish());
    socket.write(bytes);
    if (options.end === true) socket.end();
  });
}

function parseAnswer(bytes: Buffer): RawAnswer | undefined {
  const text = bytes.toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  const status = Number(first.split(' ')[1]);
  if (status === 100) return parseAnswer(bytes.subarray(end + 4));
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const body = text.slice(end + 4);
  let problem = {} as RawAnswer['problem'];
  if (headers['content-type']?.startsWith('application/problem+json')) {
    try {
      problem = JSON.parse(body) as RawAnswer['problem'];
    } catch {
      // Cut off, or none: the test that looks at it says so.
    }
  }
  return { status, headers, body, problem };
}

/** A request as text, with the headers it needs and those given. */
export function requestText(line: string, headers: readonly string[] = [], body = ''): string {
  const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  return [`${line} HTTP/1.1`, 'Host: test', ...headers, ...length, '', body].join('\r\n');
}
