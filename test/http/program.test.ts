/** The real program over HTTP: what belongs to no module, idempotency, the host's socket, draining, the contract. */
import { existsSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient, ProblemError } from '../../src/client/index.ts';
import { newId } from '../../src/kernel/ids.ts';
import { startTestProgram, type TestProgram } from '../support/program.ts';
import { password } from '../support/story.ts';

let running: TestProgram;
beforeAll(async () => {
  running = await startTestProgram();
});
afterAll(() => running.stop());

async function get(path: string, headers: Record<string, string> = {}) {
  const answer = await fetch(running.url + path, { headers });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

async function problemOf(promise: Promise<unknown>): Promise<ProblemError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ProblemError);
  return error as ProblemError;
}

describe('what belongs to no module', () => {
  test('health and readiness say one word', async () => {
    expect((await get('/health')).text).toBe('{"status":"ok"}');
    expect((await get('/api/health')).text).toBe('{"status":"ok"}');
    expect((await get('/api/v1/health')).text).toBe('{"status":"ok"}');
    expect((await get('/ready')).text).toBe('{"status":"ready"}');
    expect((await get('/v1/health')).status).toBe(404);
  });

  test.each(['/', '/docs', '/setup?token=x', '/invitation/abc.def', '/invitation?token=x', '/reset-password/abc'])(
    'the page %s loads nothing from elsewhere',
    async (path) => {
      const page = await get(path);
      expect(page.status).toBe(200);
      expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
      const policy = page.headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toMatch(/unsafe|\*|https?:/);
      expect(page.text).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
      expect(page.text).not.toMatch(/ on\w+="/);
    },
  );

  test('metrics are for the same host, not through a proxy, and name routes, not addresses', async () => {
    await get(`/api/companies/${newId('company')}`);
    const metrics = await get('/metrics');
    expect(metrics.status).toBe(200);
    expect(metrics.text).toContain(
      'strongroom_http_request_duration_seconds_count{method="GET",route="/api/companies/{id}",status="401"} 1',
    );
    expect(metrics.text).toContain('strongroom_connections_budget 200');
    expect(metrics.text).not.toContain('comp_');
    expect((await get('/metrics', { 'x-forwarded-for': '127.0.0.1' })).status).toBe(403);
  });

  test('with a metrics token only its holder reads them', async () => {
    const metricsToken = 'a-token-of-this-test';
    const guarded = await startTestProgram({ metricsToken });
    try {
      const read = async (authorization?: string) =>
        (await fetch(`${guarded.url}/metrics`, authorization === undefined ? {} : { headers: { authorization } }))
          .status;
      expect([await read(), await read('Bearer wrong'), await read(`Bearer ${metricsToken}`)]).toEqual([401, 401, 200]);
    } finally {
      await guarded.stop();
    }
  });
});

describe('the OpenAPI document', () => {
  interface Operation {
    operationId: string;
    summary: string;
    responses: Record<string, { $ref?: string; content?: Record<string, { schema: object }> }>;
    parameters: { name: string; in: string; description?: string; schema: object }[];
    requestBody?: { content: Record<string, { schema: { properties: Record<string, object> } }> };
  }
  let contract: {
    openapi: string;
    paths: Record<string, Record<string, Operation>>;
    components: Record<string, Record<string, object>>;
  };
  beforeAll(async () => {
    contract = JSON.parse((await get('/openapi.json')).text);
  });

  test('has each path once and in full, without twins and without the host’s routes', () => {
    expect(contract.openapi).toBe('3.1.0');
    const paths = Object.keys(contract.paths);
    expect(paths).toContain('/api/auth/login');
    expect(paths).toContain('/api/companies/{id}');
    expect(paths.filter((path) => path.startsWith('/api/v1') || path.startsWith('/api/host'))).toEqual([]);
  });

  test('is consistent: ids are unique, parameters are stated, references lead somewhere, every field is described', () => {
    const ids: string[] = [];
    for (const [path, methods] of Object.entries(contract.paths)) {
      for (const operation of Object.values(methods)) {
        ids.push(operation.operationId);
        const stated = operation.parameters.filter((each) => each.in === 'path').map((each) => each.name);
        expect(stated).toEqual([...path.matchAll(/\{(\w+)\}/g)].map((found) => found[1]));
        expect(operation.parameters.every((each) => (each.description ?? '') !== '')).toBe(true);
        expect(Object.keys(operation.responses).some((status) => /^2/.test(status))).toBe(true);
        for (const response of Object.values(operation.responses)) {
          if (response.$ref !== undefined)
            expect(contract.components['responses']![response.$ref.split('/').at(-1)!]).toBeDefined();
          for (const media of Object.values(response.content ?? {}))
            expectDescribed(media.schema, `${operation.operationId}`);
        }
      }
    }
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThan(50);
  });

  test('states every part that a form takes, and no other is taken', async () => {
    const formOf = (path: string) => contract.paths[path]!.post!.requestBody!.content['multipart/form-data']!.schema;
    const form = formOf('/api/documents/upload');
    expect(Object.keys(form.properties).sort()).toEqual(['basket_id', 'file', 'metadata', 'on_conflict']);
    expect(form).toMatchObject({ required: ['file'], additionalProperties: false });
    expect(Object.keys(formOf('/api/documents/{id}/versions').properties)).toEqual(['file']);
    expectDescribed(form, 'upload');
    const { admin } = await running.company('Forms');
    const { id: basket } = await admin.client.documents.createBasket({ body: { name: 'Basket' } });
    const values: Record<string, string> = { basket_id: basket, metadata: '{"year":2026}', on_conflict: 'rename' };
    const send = async (path: string, names: readonly string[]) => {
      const body = new FormData();
      for (const name of names) body.set(name, name === 'file' ? new Blob(['x']) : (values[name] ?? 'y'));
      const answer = await fetch(running.url + path, {
        method: 'POST',
        body,
        headers: { authorization: `Bearer ${admin.token}` },
      });
      return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
    };
    const names = Object.keys(form.properties);
    const kept = await send('/api/documents/upload', names);
    expect(kept).toMatchObject({ status: 201, body: { basket_id: basket, metadata: { year: 2026 } } });
    const versions = `/api/documents/${String(kept.body.id)}/versions`;
    expect((await send(versions, ['file'])).status).toBe(201);
    expect((await send('/api/documents/upload', [...names, 'other'])).status).toBe(422);
    for (const name of ['basket_id', 'metadata', 'other'])
      expect((await send(versions, ['file', name])).status).toBe(422);
  });

  function expectDescribed(schema: object, where: string): void {
    const { properties, items } = schema as { properties?: Record<string, { description?: string }>; items?: object };
    for (const [name, member] of Object.entries(properties ?? {})) {
      expect(member.description, `${where}.${name}`).toBeTruthy();
      expectDescribed(member, `${where}.${name}`);
    }
    if (items !== undefined) expectDescribed(items, where);
  }

  test('every path in it is served, and answers as it says to somebody without a token', async () => {
    for (const [path, methods] of Object.entries(contract.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const answer = await fetch(running.url + path.replaceAll(/\{\w+\}/g, 'x'), {
          method: method.toUpperCase(),
          redirect: 'manual',
        });
        await answer.body?.cancel();
        const known = operation.responses[String(answer.status)] !== undefined;
        expect(known, `${method} ${path} answered ${answer.status}`).toBe(true);
      }
    }
  });
});

describe('idempotency', () => {
  const body = (name: string) => ({ name, email: 'hr@example.com' });
  test('the same key gives the same answer and one effect, also at once', async () => {
    const { client } = await running.operator();
    const first = await client.fleet.createCompany({ body: body('Keyed'), idempotencyKey: 'k-1' });
    expect(await client.fleet.createCompany({ body: body('Keyed'), idempotencyKey: 'k-1' })).toEqual(first);
    const other = await problemOf(client.fleet.createCompany({ body: body('Other'), idempotencyKey: 'k-1' }));
    expect([other.status, other.code]).toEqual([422, 'idempotency_key_reused']);

    const many = await Promise.allSettled(
      Array.from({ length: 8 }, () => client.fleet.createCompany({ body: body('At once'), idempotencyKey: 'k-2' })),
    );
    for (const each of many) {
      if (each.status === 'rejected') expect((each.reason as ProblemError).code).toBe('idempotency_running');
    }
    const { items } = await client.fleet.listCompanies({ query: { q: 'At once' } });
    expect(items.length).toBe(1);
  });
  test('a refusal frees the key', async () => {
    const { client } = await running.operator();
    const wrong = { ...body('Freed'), slug: 'keyed' };
    expect((await problemOf(client.fleet.createCompany({ body: wrong, idempotencyKey: 'k-3' }))).code).toBe(
      'slug_taken',
    );
    expect((await client.fleet.createCompany({ body: body('Freed'), idempotencyKey: 'k-3' })).slug).toBe('freed');
  });
});

describe('the client', () => {
  test('renews a token once for many calls, and ends with the session', async () => {
    const company = await running.company('Renewing');
    const { client } = company.admin;
    const told: unknown[] = [];
    let refreshes = 0;
    const counting = createClient({
      baseUrl: running.url,
      tokens: { ...client.tokens!, accessToken: 'run-out' },
      onTokens: (tokens) => told.push(tokens),
      fetch: (input, init) => {
        if (input.endsWith('/auth/refresh')) refreshes += 1;
        return fetch(input, init);
      },
    });
    const answers = await Promise.all(Array.from({ length: 5 }, () => counting.accounts.me()));
    expect(answers.every((answer) => answer.user.email === company.admin.email)).toBe(true);
    expect([refreshes, told.length]).toEqual([1, 1]);

    await counting.accounts.logout();
    expect(counting.tokens).toBeUndefined();
    expect((await problemOf(counting.accounts.me())).status).toBe(401);
  });
  test('a refusal names the fields', async () => {
    const { client } = await running.operator();
    const problem = await problemOf(client.fleet.createCompany({ body: { name: '', email: 'x' } }));
    expect(problem.problem.errors?.map((error) => error.path).sort()).toEqual(['email', 'name']);
  });
});

describe('other companies', () => {
  test('an attempt is in the audit trail of the company that made it', async () => {
    const [left, right] = [await running.company('Left'), await running.company('Right')];
    const answer = await get('/api/auth/me', { authorization: `Bearer ${left.admin.token}`, 'x-tenant-id': right.id });
    expect(JSON.parse(answer.text).company.id).toBe(left.id);
    await expect
      .poll(async () =>
        (await left.admin.client.accounts.listAudit()).items.map((row) => `${row.action} ${row.target}`),
      )
      .toContain(`isolation.foreign_company ${right.id}`);
    const { items } = await right.admin.client.accounts.listAudit();
    expect(items.filter((row) => row.action.startsWith('isolation'))).toEqual([]);
  });
});

describe('the host’s socket', () => {
  const overSocket = (path: string, method: string, body: string) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const request = httpRequest(
        { socketPath: join(running.dataDir, 'host.sock'), path, method, headers },
        (answer) => {
          let text = '';
          answer.on('data', (chunk) => (text += chunk)).on('end', () => resolve({ status: answer.statusCode!, text }));
        },
      );
      request.on('error', reject).end(body);
    });
  test('serves the host’s routes without a token, the others only with one', async () => {
    const done = await overSocket('/api/host/audit/verify', 'POST', '{}');
    expect([done.status, JSON.parse(done.text).ok]).toEqual([200, true]);
    expect((await overSocket('/api/companies', 'GET', '')).status).toBe(401);
    expect((await overSocket('/health', 'GET', '')).status).toBe(200);
  });
  test('the network does not know them', async () => {
    const answer = await fetch(`${running.url}/api/host/audit/verify`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    expect(answer.status).toBe(404);
  });
});

describe('the end', () => {
  test('a running request is finished, a new one refused, and everything is given back', async () => {
    const ending = await startTestProgram();
    const operator = await ending.operator();
    // Both connections are open before the drain begins.
    const body = JSON.stringify({ name: 'Late', email: 'late@example.com' });
    const head = `POST /api/companies HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${operator.token}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    const socket = connect(Number(new URL(ending.url).port), '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => (text += chunk)).on('error', () => undefined);
    socket.write(head + body.slice(0, 5));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const closed = ending.program.close();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await expect(fetch(`${ending.url}/health`)).rejects.toThrow();
    socket.write(body.slice(5));
    await expect.poll(() => text).toMatch(/^HTTP\/1\.1 201/);
    socket.write('GET /health HTTP/1.1\r\nHost: a\r\n\r\n');
    await closed;
    expect(text).not.toContain('200 OK');
    expect(existsSync(join(ending.dataDir, 'host.sock'))).toBe(false);
    const again = await startTestProgram({ dataDir: ending.dataDir });
    const late = again.anonymous();
    await late.accounts.login({ body: { username: 'operator', password } });
    expect((await late.fleet.listCompanies()).items.map((company) => company.name)).toEqual(['Late']);
    await again.stop();
  });
});
