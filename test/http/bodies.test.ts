/** Every row of JSON bodies (bad inputs 3.2), and how forms, files and slow bodies are taken. */
import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Harness, requestText, send, startHarness } from './harness.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness(
    { requestSeconds: 1, maxUploadBytes: 2_000_000, minBodyBytesPerSecond: 1_000 },
    { bodyWindowMs: 400 },
  );
});
afterAll(() => harness.close());
afterEach(async () => {
  expect((await send(harness.port, requestText('GET /health'))).status).toBe(200);
});

const bearer = 'Authorization: Bearer operator';
const json = 'Content-Type: application/json';
const post = (body: string, headers: readonly string[] = [json]) =>
  send(harness.port, requestText('POST /api/echo', [bearer, ...headers], body));

/** Refused with one of these, as a problem document, and without an effect. */
async function refused(answer: ReturnType<typeof send>, statuses: number | readonly number[]) {
  const before = harness.effects.length;
  const given = await answer;
  expect([statuses].flat()).toContain(given.status);
  expect(given.headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(given.problem.status).toBe(given.status);
  if (given.status === 422) expect(given.problem.errors?.length).toBeGreaterThan(0);
  expect(harness.effects.length).toBe(before);
  return given;
}

describe('JSON', () => {
  test('what fits is taken', async () => {
    const answer = await post('{"name":"Zo\\u00eb \\ud83d\\ude00","flag":true,"list":["a"]}');
    expect(answer.status).toBe(200);
    expect(harness.effects.at(-1)).toEqual({ name: 'Zoë 😀', flag: true, list: ['a'] });
  });
  test.each(['application/json', 'application/json; charset=utf-8', 'application/json;charset=UTF-8'])(
    '%s',
    async (type) => {
      expect((await post('{"name":"a"}', [`Content-Type: ${type}`])).status).toBe(200);
    },
  );

  test.each(['', 'null', '[]', '"x"', '1', 'true'])('31: %j where an object is due', async (body) => {
    await refused(post(body), [400, 422]);
  });
  test.each([
    '{"name":"a"',
    '{"name":"a",}',
    '{"name":"a"} x',
    '// x\n{"name":"a"}',
    '{"name":/* x */"a"}',
    "{'name':'a'}",
    '{"name":NaN}',
    '{"name":Infinity}',
    '\ufeff{"name":"a"}',
    '{name:"a"}',
    '{"name":"a\n"}',
    '{"name":"\\x41"}',
    '{"name":"\\u00zz"}',
    '{"name":01}',
    '{"name":+1}',
    '{"name":.5}',
    '{"name":"a"}{"name":"a"}',
    '{"name"}',
    '{,}',
    '[1,]',
    '{"name":"a',
    '"',
    '{"name":"\\',
    '\u00a0{"name":"a"}',
  ])('32: %j is not JSON', async (body) => {
    await refused(post(body), 400);
  });
  test('32: bytes that are no UTF-8', async () => {
    const head = requestText('POST /api/echo', [bearer, json, 'Content-Length: 12']).replace(/\r\n$/, '');
    await refused(
      send(harness.port, Buffer.concat([Buffer.from(`${head}\r\n`), Buffer.from('{"name":"\xff"}', 'latin1')])),
      400,
    );
  });
  test.each([
    [],
    ['Content-Type: text/plain'],
    ['Content-Type: application/x-www-form-urlencoded'],
    ['Content-Type: application/json;charset=utf-7'],
    ['Content-Type: application/jsonx'],
    ['Content-Type: application/json ; x=y'],
    ['Content-Type: application/json\tx'],
    ['Content-Type: application/json,text/plain'],
    ['Content-Type: multipart/form-data; boundary=x'],
    ['Content-Type: /'],
    ['Content-Type: application/json;'],
    ['Content-Type: application/problem+json'],
  ])('34: %j', async (...headers) => {
    await refused(post('{"name":"a"}', headers), 415);
  });
  test('34: two Content-Type headers', async () => {
    await refused(post('{"name":"a"}', [json, 'Content-Type: text/plain']), [400, 415]);
  });
  test('35: depth', async () => {
    await refused(post('['.repeat(200_000)), 400);
    await refused(post(`{"a":${'['.repeat(32)}${']'.repeat(32)}}`), 400);
    await refused(post(`${'['.repeat(32)}${']'.repeat(32)}`), 422);
  });
  test('37: many keys, many elements, a long key, too many bytes', async () => {
    const keys = `{${Array.from({ length: 60_000 }, (_, index) => `"k${index}":1`).join()}}`;
    const elements = `{"name":"a","list":[${'"",'.repeat(99_999)}""]}`;
    for (const body of [keys, elements, `{"${'k'.repeat(100_000)}":1}`, `{"name":"${'a'.repeat(1_100_000)}"}`]) {
      const started = performance.now();
      await refused(post(body), [413, 422]);
      expect(performance.now() - started).toBeLessThan(1_000);
    }
  });
  test.each([
    '{"name":"customer","name":"hr_admin"}',
    '{"name":"a","n\\u0061me":"b"}',
    '{"name":"a","list":[{"x":1,"x":2}]}',
  ])('38: %s', async (body) => {
    await refused(post(body), 400);
  });
  test.each(['{"name":"\\ud800"}', '{"name":"\\udc00\\ud800"}', '{"name":"a","list":["\\udfff"]}', '{"\\ud800":1}'])(
    '40: %s',
    async (body) => {
      await refused(post(body), 422);
    },
  );
  test.each(['{"name":"a\\u0000b"}', '{"name":"a","list":["\\u0000"]}', '{"a\\u0000":1}'])('41: %s', async (body) => {
    await refused(post(body), 422);
  });
  test.each(['"true"', '1', '"yes"', '[]', 'null', '{}'])('43: %s as a boolean', async (value) => {
    await refused(post(`{"name":"a","flag":${value}}`), 422);
  });
  test.each([
    '{"name":"a","list":"b"}',
    '{"name":["a"]}',
    '{"name":{"$ne":null}}',
    '{"name":{"gt":""}}',
    '{"name":1}',
    '{"name":1e400}',
  ])('44: %s', async (body) => {
    await refused(post(body), 422);
  });
  test('46: null, missing, unknown: the fields are named', async () => {
    await refused(post('{"name":null}'), 422);
    await refused(post('{}'), 422);
    const answer = await refused(post('{"name":"a","role":"hr_admin","is_admin":true}'), 422);
    expect(answer.problem.errors?.map((error) => error.path)).toEqual(['role', 'is_admin']);
  });
  test.each(['{"__proto__":{"flag":true},"name":"a"}', '{"constructor":1,"name":"a"}', '{"name":"a","prototype":{}}'])(
    '%s',
    async (body) => {
      await refused(post(body), 422);
      expect(({} as Record<string, unknown>).flag).toBeUndefined();
    },
  );
  test('47: a body on GET is ignored if small, refused otherwise', async () => {
    const headers = [bearer, json];
    expect((await send(harness.port, requestText('GET /api/things/known', headers, '{"a":1}'))).status).toBe(200);
    expect((await send(harness.port, requestText('DELETE /api/things/known', headers, '{"a":1}'))).status).toBe(204);
    const large = requestText('GET /api/things/known', [...headers, `Content-Length: ${10 * 1024 * 1024}`]);
    await refused(send(harness.port, large), [400, 413]);
  });
  test('the right to call is decided before the body is read', async () => {
    const anonymous = await send(harness.port, requestText('POST /api/echo', [json], '{{{'));
    expect(anonymous.status).toBe(401);
    const member = await send(
      harness.port,
      requestText('POST /api/echo', ['Authorization: Bearer employee', json], '{{{'),
    );
    expect(member.status).toBe(403);
  });
  test('a body that does not come: 408', async () => {
    await refused(
      send(harness.port, `${requestText('POST /api/echo', [bearer, json, 'Content-Length: 100'])}{"na`),
      408,
    );
  });
  test('a body that breaks off has no effect', async () => {
    const before = harness.effects.length;
    const socket = connect(harness.port, '127.0.0.1');
    socket.write(`${requestText('POST /api/echo', [bearer, json, 'Content-Length: 100'])}{"name":"a"}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.resetAndDestroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(harness.effects.length).toBe(before);
  });
});

describe('urlencoded forms', () => {
  const form = (body: string, type = 'application/x-www-form-urlencoded') =>
    send(harness.port, requestText('POST /api/form', [`Content-Type: ${type}`], body));
  test('only where the contract says so', async () => {
    expect((await form('username=a+b%20c')).body).toBe('{"username":"a b c"}');
    await refused(form('{"username":"a"}', 'application/json'), 415);
  });
  test.each([
    ['username=a&username=b', 400],
    ['username=%zz', 400],
    ['username=%00', 422],
    ['username[]=a', 422],
    ['username[$ne]=a', 422],
    ['', 400],
    ['username=a&role=x', 422],
  ] as const)('%s', async (body, status) => {
    await refused(form(body), status);
  });
});

describe('files', () => {
  const boundary = '----boundary';
  const part = (disposition: string, content: string, extra = '') =>
    `--${boundary}\r\nContent-Disposition: ${disposition}\r\n${extra}\r\n${content}\r\n`;
  const file = (content: string, name = 'a.pdf') =>
    part(`form-data; name="file"; filename="${name}"`, content, 'Content-Type: application/pdf\r\n');
  const upload = (body: string | Buffer, type = `multipart/form-data; boundary=${boundary}`) => {
    const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body);
    const head = requestText('POST /api/files', [bearer, `Content-Type: ${type}`, `Content-Length: ${bytes.length}`]);
    return send(harness.port, Buffer.concat([Buffer.from(head), bytes]));
  };
  const end = `--${boundary}--\r\n`;

  test('fields and files, in order', async () => {
    const answer = await upload(
      part('form-data; name="metadata"', '{"a":1}') + file('content') + file('', 'empty.txt') + end,
    );
    expect(answer.status).toBe(201);
    const hash = (text: string) => createHash('sha256').update(text).digest('hex');
    expect(JSON.parse(answer.body).parts).toEqual([
      { kind: 'field', name: 'metadata', value: '{"a":1}', filename: null },
      { kind: 'file', name: 'file', value: hash('content'), filename: 'a.pdf' },
      { kind: 'file', name: 'file', value: hash(''), filename: 'empty.txt' },
    ]);
  });
  test('content full of what looks like a boundary', async () => {
    const content = `\r\n--${boundary.slice(0, -1)}\r\n--\r\r\n-\r\n--${boundary.slice(0, -2)}\r`;
    const answer = await upload(file(content) + end);
    expect(JSON.parse(answer.body).parts[0].value).toBe(createHash('sha256').update(content).digest('hex'));
  });
  test('115: not multipart, no boundary, a long one, nothing', async () => {
    await refused(upload('{}', 'application/json'), 415);
    await refused(upload(file('a') + end, 'multipart/form-data'), [400, 415]);
    await refused(upload(file('a') + end, `multipart/form-data; boundary=${'b'.repeat(71)}`), [400, 415]);
    await refused(upload(file('a') + end, 'multipart/form-data; boundary="a"b"'), [400, 415]);
    await refused(upload(''), 400);
    await refused(upload('preamble only\r\n'), 400);
    await refused(upload('x', 'multipart/mixed; boundary=x'), 415);
  });
  test('116: cut at every offset', async () => {
    const whole = part('form-data; name="a"', 'b') + file('c'.repeat(50)) + end;
    // The last line break is not needed.
    for (let length = 0; length < whole.length - 2; length += 7) await refused(upload(whole.slice(0, length)), 400);
    expect((await upload(whole.slice(0, -2))).status).toBe(201);
  });
  test('a connection that ends at any offset leaves nothing', async () => {
    const whole = file(randomBytes(5_000).toString('latin1')) + end;
    const head = requestText('POST /api/files', [
      bearer,
      `Content-Type: multipart/form-data; boundary=${boundary}`,
      `Content-Length: ${Buffer.byteLength(whole)}`,
    ]);
    const effects = harness.effects.length;
    for (let index = 0; index < 100; index += 1) {
      const socket = connect(harness.port, '127.0.0.1').on('error', () => undefined);
      await new Promise<void>((resolve) => socket.write(head + whole.slice(0, index * 50), () => resolve()));
      if (index % 3 === 0) socket.resetAndDestroy();
      else if (index % 3 === 1) socket.end();
      else socket.destroy();
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(harness.effects.length).toBe(effects);
  });
  test('118: filename=""', async () => {
    await refused(upload(part('form-data; name="file"; filename=""', '') + end), 422);
  });
  test('119: too many parts', async () => {
    await refused(upload(part('form-data; name="a"', 'b').repeat(10_000) + end), [413, 422]);
  });
  test('121: a file over the limit is refused, not cut', async () => {
    await refused(upload(file('a'.repeat(2_000_001)) + end), 413);
    const answer = await upload(file('a'.repeat(2_000_000)) + end);
    expect(answer.status).toBe(201);
    const chunk = `${(100_000).toString(16)}\r\n${'a'.repeat(100_000)}\r\n`;
    const opening = file('').slice(0, -2);
    const head = requestText('POST /api/files', [
      bearer,
      `Content-Type: multipart/form-data; boundary=${boundary}`,
      'Transfer-Encoding: chunked',
    ]);
    await refused(
      send(harness.port, `${head}${opening.length.toString(16)}\r\n${opening}\r\n${chunk.repeat(21)}0\r\n\r\n`),
      413,
    );
    await refused(
      send(
        harness.port,
        requestText('POST /api/files', [
          bearer,
          `Content-Type: multipart/form-data; boundary=${boundary}`,
          `Content-Length: ${10 ** 10}`,
        ]),
      ),
      413,
    );
  });
  test('122: a body that stops: 408', async () => {
    const head = requestText('POST /api/files', [
      bearer,
      `Content-Type: multipart/form-data; boundary=${boundary}`,
      'Content-Length: 1000000',
    ]);
    const before = harness.brokenUploads.count;
    await refused(send(harness.port, head + file('abc').slice(0, -10)), 408);
    await expect.poll(() => harness.brokenUploads.count).toBe(before + 1);
  });
  test('124: names that reach a prototype are names', async () => {
    const answer = await upload(
      ['__proto__', 'constructor', 'toString', 'length']
        .map((name) => part(`form-data; name="${name}"`, 'x'))
        .join('') + end,
    );
    expect(JSON.parse(answer.body).parts.map((each: { name: string }) => each.name)).toEqual([
      '__proto__',
      'constructor',
      'toString',
      'length',
    ]);
  });
  test.each([
    ['form-data; name="file"; filename="a.pdf"; filename*=UTF-8\'\'..%2F..%2Fevil.sh', '../../evil.sh'],
    ['form-data; name="file"; filename="../../etc/passwd"', '../../etc/passwd'],
    ['form-data; name="file"; filename="C:\\dir\\y.pdf"', 'C:\\dir\\y.pdf'],
    ['form-data; name="file"; filename="a\\"b;c.pdf"', 'a"b;c.pdf'],
    ['form-data; name="file"; filename="a%22b.pdf"', 'a"b.pdf'],
    ['form-data; name="file"; filename="ends in \\"', 'ends in \\'],
    ['form-data; name="file"; filename="日本 😀.pdf"', '日本 😀.pdf'],
    ['form-data; filename=plain.txt; name=file', 'plain.txt'],
    ['form-data; name="file"; filename=".."', '..'],
  ])('127: %s reaches the handler as it is', async (disposition, expected) => {
    const answer = await upload(part(disposition, 'x') + end);
    expect(answer.status).toBe(201);
    expect(JSON.parse(Buffer.from(answer.body, 'latin1').toString()).parts[0].filename).toBe(expected);
  });
  test.each([
    'form-data; name="file"; filename="a\0b"',
    'form-data; name="file"; filename="a"; filename="b"',
    'form-data',
    'attachment; name="file"',
    'form-data; name="',
    'form-data; name="file"; filename*=UTF-8\'\'%zz',
    'form-data; name="file"; filename*=latin1\'\'a',
    'form-data; name="file"; filename*=UTF-8\'\'%00',
  ])('%j is malformed', async (disposition) => {
    await refused(upload(part(disposition, 'x') + end), 400);
  });
  test('headers of a part that never end', async () => {
    await refused(upload(`--${boundary}\r\nX: ${'a'.repeat(100_000)}`), [400, 413, 431]);
  });
});

describe('raw bytes', () => {
  test('a slow body is ended, a steady one is not', async () => {
    const head = requestText('PUT /api/raw', [
      bearer,
      'Content-Type: application/octet-stream',
      'Content-Length: 4000',
    ]);
    await refused(send(harness.port, `${head}a`), 408);
    const socket = connect(harness.port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    socket.write(head);
    for (let index = 0; index < 10; index += 1) {
      socket.write('a'.repeat(400));
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await expect.poll(() => text).toContain('{"bytes":4000}');
    socket.destroy();
  });
});
