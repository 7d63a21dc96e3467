/** Every row of transport and headers (bad inputs 3.1), sent as raw bytes to a listening server. */
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { type Harness, type RawAnswer, requestText, send, startHarness } from './harness.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.close());
/** Whatever was sent: the server lives, and nothing reached a handler that should not have. */
afterEach(async () => {
  expect((await send(harness.port, requestText('GET /health'))).status).toBe(200);
});

function expectProblem(answer: RawAnswer, statuses: number | readonly number[]): void {
  expect([statuses].flat()).toContain(answer.status);
  expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(answer.problem).toMatchObject({ status: answer.status, type: `/problems/${answer.problem.code}` });
  expect(answer.problem.instance).toBe(answer.headers['x-request-id']);
}

const bearer = 'Authorization: Bearer operator';
const member = 'Authorization: Bearer employee';
const json = 'Content-Type: application/json';

describe('what Node refuses by itself', () => {
  const rows: [string, string | Buffer, number | number[]][] = [
    [
      'Content-Length and Transfer-Encoding',
      'POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    [
      'two different Content-Length',
      'POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}',
      400,
    ],
    ['a request line of 17 KB', `GET /${'a'.repeat(17_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, [414, 431]],
    ['headers of 20 KB', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
    ['an unknown method', 'FROB / HTTP/1.1\r\nHost: a\r\n\r\n', [400, 501]],
    ['lines that end in LF alone', 'GET /health HTTP/1.1\nHost: a\n\n', 400],
    ['a folded header', 'GET /health HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n', 400],
    ['NUL in the path', Buffer.from('GET /he\0alth HTTP/1.1\r\nHost: a\r\n\r\n'), 400],
    [
      'a chunk that is no number',
      'POST /api/echo HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer operator\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      400,
    ],
    ['not HTTP at all', 'hello\r\n\r\n', 400],
  ];
  test.each(rows)('%s', async (_name, bytes, status) => {
    const answer = await send(harness.port, bytes);
    expectProblem(answer, status);
    expect(answer.headers.connection).toBe('close');
  });

  test('headers that never end: 408', async () => {
    const answer = await send(harness.port, 'GET /health HTTP/1.1\r\nHost: a\r\n');
    expectProblem(answer, 408);
  });
});

describe('what Node lets through', () => {
  const rows: [string, string, number | number[]][] = [
    ['two Host headers', 'GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400],
    ['no Host header', 'GET /health HTTP/1.1\r\n\r\n', 400],
    ['/%zz', requestText('GET /%zz'), 400],
    ['/%', requestText('GET /%'), 400],
    ['/%c0%af', requestText('GET /%c0%af'), 400],
    ['/api/things/%ff', requestText('GET /api/things/%ff', [bearer]), 400],
    ['an unknown expectation', requestText('GET /health', ['Expect: the-unexpected']), 417],
    ['CONNECT', 'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n', [400, 405, 501]],
    ['TRACE', requestText('TRACE /health'), [405, 501]],
    ['a method that the path does not have', requestText('DELETE /health'), 405],
    ['two Authorization headers', requestText('GET /api/things/x', [bearer, member]), [400, 401]],
    ['a token in the query', requestText('GET /api/things/known?access_token=operator'), [400, 401]],
    ['Basic credentials', requestText('GET /api/things/known', ['Authorization: Basic b3BlcmF0b3I=']), 401],
    ['no credentials', requestText('GET /api/things/known'), 401],
    ['a token that proves nothing', requestText('GET /api/things/known', ['Authorization: Bearer x']), 401],
    ['a token of 9 KB', requestText('GET /api/things/known', [`Authorization: Bearer ${'a'.repeat(9_000)}`]), 401],
    ['a target with a fragment before the path', requestText('GET #/health'), [400, 404]],
  ];
  test.each(rows)('%s', async (_name, text, status) => {
    const answer = await send(harness.port, text);
    expectProblem(answer, status);
    if (answer.status === 401) expect(answer.headers['www-authenticate']).toMatch(/^Bearer realm=/);
    if (answer.status === 405 && !text.startsWith('CONNECT')) expect(answer.headers.allow).toBe('GET, HEAD');
  });

  test('an absolute target: its host is ignored', async () => {
    const answer = await send(harness.port, requestText('GET http://evil.example/health'));
    expect(answer.status).toBe(200);
    expect(answer.body).not.toContain('evil');
  });

  test('an upgrade is ignored', async () => {
    const headers = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: x'];
    expect((await send(harness.port, requestText('GET /health', headers))).status).toBe(200);
    const h2c = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'];
    expect((await send(harness.port, requestText('GET /health', h2c))).status).toBe(200);
  });

  test('method overrides are ignored', async () => {
    const headers = [bearer, 'X-HTTP-Method-Override: DELETE', 'X-Method-Override: DELETE'];
    const before = harness.effects.length;
    expect((await send(harness.port, requestText('GET /api/things/known', headers))).status).toBe(200);
    expectProblem(await send(harness.port, requestText('GET /api/things/known?_method=DELETE', [bearer])), [400, 422]);
    expect(harness.effects.length).toBe(before);
  });

  test.each(['image/png', '*/*;q=9', 'a/b,'.repeat(2_000), ''])('Accept %#: the default JSON', async (accept) => {
    const started = performance.now();
    const answer = await send(harness.port, requestText('GET /health', [`Accept: ${accept}`]));
    expect([200, 406]).toContain(answer.status);
    expect(performance.now() - started).toBeLessThan(500);
  });
});

describe('spellings of a path', () => {
  test.each([
    '/API/Things',
    '/api/Things',
    '/api/things;v=1',
    '/api/things.json',
    '//api/things',
    '/api//things',
    '/api/things//',
    '/api/v2/things',
  ])('%s is unknown, signed in or not', async (path) => {
    expectProblem(await send(harness.port, requestText(`GET ${path}`)), 404);
    expectProblem(await send(harness.port, requestText(`GET ${path}`, [member])), 404);
  });
  test.each(['/api/things/', '/api/v1/things', '/api/v1/things/'])('%s is the same route', async (path) => {
    expectProblem(await send(harness.port, requestText(`GET ${path}`)), 401);
    expectProblem(await send(harness.port, requestText(`GET ${path}`, ['Authorization: Bearer customer'])), 403);
    expect((await send(harness.port, requestText(`GET ${path}`, [member]))).status).toBe(200);
  });
  test('the host’s own routes are unknown over the network', async () => {
    const known = await send(harness.port, requestText('POST /api/host/thing', [bearer]));
    const unknown = await send(harness.port, requestText('POST /api/host/nothing', [bearer]));
    expectProblem(known, 404);
    expect({ ...known.problem, instance: '' }).toEqual({ ...unknown.problem, instance: '' });
    expectProblem(await send(harness.port, requestText('GET /api/host/thing', [bearer])), 404);
  });
});

describe('request ids', () => {
  test.each(['abcdefgh', 'A-b_9'.repeat(12)])('%s is kept', async (id) => {
    const answer = await send(harness.port, requestText('GET /nothing', [`X-Request-Id: ${id}`]));
    expect(answer.problem.instance).toBe(id);
  });
  test.each(['short', 'a'.repeat(65), `\${jndi:ldap://x}`, '\x1b[31mred', 'ä'.repeat(10), 'a b c d e f g h'])(
    '%j is replaced',
    async (id) => {
      const answer = await send(harness.port, requestText('GET /nothing', [`X-Request-Id: ${id}`]));
      expect(answer.headers['x-request-id']).toMatch(/^[A-Za-z0-9_-]{8,64}$/);
      expect(answer.headers['x-request-id']).not.toBe(id);
    },
  );
  test('long and hostile headers do no harm', async () => {
    const hostile = [`User-Agent: ${'x'.repeat(10_000)}`, `Referer: \${jndi:x}`, 'Accept-Language: \x1b[31m'];
    expect([200, 400]).toContain((await send(harness.port, requestText('GET /health', hostile))).status);
  });
});

describe('a company is never chosen by a hint', () => {
  const other = newId('company');
  test('headers are ignored and reported', async () => {
    harness.attempts.length = 0;
    const answer = await send(
      harness.port,
      requestText('GET /api/things/known', [member, `X-Tenant-Id: ${other}`, 'X-Company: rival']),
    );
    expect(answer.status).toBe(200);
    expect(harness.attempts.map((attempt) => attempt.target).sort()).toEqual([other, 'rival'].sort());
    expect(harness.attempts.every((attempt) => attempt.action === 'isolation.foreign_company')).toBe(true);
  });
  test.each(['tenant_id', 'company', 'company_id', 'tenant'])('?%s= is refused and reported', async (name) => {
    harness.attempts.length = 0;
    expectProblem(await send(harness.port, requestText(`GET /api/things/known?${name}=${other}`, [member])), 400);
    expect(harness.attempts.map((attempt) => attempt.target)).toContain(other);
  });
  test('an id in a path that is refused to members is reported', async () => {
    harness.attempts.length = 0;
    await send(harness.port, requestText(`GET /api/things/${other}`, [member]));
    expect(harness.attempts.map((attempt) => attempt.target)).toEqual([other]);
  });
  test('a well-formed id that is not there is reported', async () => {
    harness.attempts.length = 0;
    const id = newId('document');
    expectProblem(await send(harness.port, requestText(`GET /api/things/${id}`, [member])), 404);
    expect(harness.attempts).toMatchObject([{ action: 'isolation.unknown_id', target: id, outcome: 'refused' }]);
  });
  test('the own company is no attempt', async () => {
    harness.attempts.length = 0;
    const { ownCompany } = await import('./harness.ts');
    await send(harness.port, requestText('GET /api/things/known', [member, `X-Tenant-Id: ${ownCompany}`]));
    expect(harness.attempts).toEqual([]);
  });
});

describe('cookies and encodings', () => {
  test('a cross-site mutation with a cookie: 403', async () => {
    const headers = [bearer, json, 'Cookie: strongroom_refresh=x', 'Sec-Fetch-Site: cross-site'];
    const before = harness.effects.length;
    expectProblem(await send(harness.port, requestText('POST /api/echo', headers, '{"name":"a"}')), 403);
    expect(harness.effects.length).toBe(before);
  });
  test.each(['gzip', 'br', 'identity, gzip', 'deflate', 'x-unknown'])('Content-Encoding %s: 415', async (encoding) => {
    const headers = [bearer, json, `Content-Encoding: ${encoding}`];
    expectProblem(await send(harness.port, requestText('POST /api/echo', headers, '{"name":"a"}')), 415);
  });
  test('no CORS', async () => {
    const answer = await send(harness.port, requestText('GET /health', ['Origin: https://evil.example']));
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    expect(answer.headers['strict-transport-security']).toBeUndefined();
  });
});

describe('queries', () => {
  test.each([
    ['?limit=5&limit=6', 400],
    ['?a[]=1', 422],
    ['?a[b]=1', 422],
    ['?a.b=1', 422],
    ['?__proto__=1', 422],
    ['?limit=0', 422],
    ['?limit=-1', 422],
    ['?limit=1e9', 422],
    ['?limit=1.5', 422],
    ['?limit=abc', 422],
    ['?limit=', 422],
    ['?limit=10;drop', 422],
    ['?limit=201', 422],
    ['?limit=%zz', 400],
    ['?cursor=%00', 422],
    [`?cursor=${'a'.repeat(10_000)}`, 422],
  ] as const)('%s: %i', async (query, status) => {
    expectProblem(await send(harness.port, requestText(`GET /api/things${query}`, [member])), status);
  });
  test('what fits is parsed, and nothing outside the shape is answered', async () => {
    const answer = await send(harness.port, requestText('GET /api/things?limit=5', [member]));
    expect(JSON.parse(answer.body)).toEqual({
      items: [{ id: 'doc_1', name: 'limit 5', inner: { shown: 'yes' } }],
      next_cursor: null,
    });
  });
});

describe('errors', () => {
  test('an unexpected one says nothing', async () => {
    const answer = await send(harness.port, requestText('GET /api/fail'));
    expectProblem(answer, 500);
    expect(answer.body).not.toMatch(/SELECT|var|secret/);
  });
  test('a conflict carries its extra members', async () => {
    const answer = await send(harness.port, requestText('GET /api/taken'));
    expectProblem(answer, 409);
    expect(answer.problem).toMatchObject({ code: 'filename_taken', document_id: 'doc_x' });
  });
  test('HEAD: the headers of GET, no body', async () => {
    const get = await send(harness.port, requestText('GET /health'));
    const head = await send(harness.port, requestText('HEAD /health'), { end: true });
    expect(head.status).toBe(200);
    expect(head.body).toBe('');
    expect(head.headers['content-length']).toBe(get.headers['content-length']);
    const missing = await send(harness.port, requestText('HEAD /api/things/none', [bearer]), { end: true });
    expect(missing.status).toBe(404);
    expect(missing.body).toBe('');
  });
});

describe('connections', () => {
  test('a thousand idle ones from one address: the oldest are closed, others served', async () => {
    let closed = 0;
    const sockets: Socket[] = [];
    for (let index = 0; index < 1_000; index += 1) {
      const socket = connect(harness.port, '127.0.0.1');
      socket.on('error', () => undefined).on('close', () => (closed += 1));
      sockets.push(socket);
      if (index % 100 === 0) await new Promise((resolve) => socket.once('connect', resolve));
    }
    expect((await send(harness.port, requestText('GET /health'))).status).toBe(200);
    await expect.poll(() => closed).toBeGreaterThan(500);
    for (const socket of sockets) socket.destroy();
  });

  test('a pipelined second request is answered', async () => {
    const socket = connect(harness.port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.write(requestText('GET /health') + requestText('GET /nothing'));
    await expect.poll(() => text).toMatch(/200 OK[\s\S]*404 Not Found/);
    socket.destroy();
  });
});
