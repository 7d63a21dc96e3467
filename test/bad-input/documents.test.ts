/** Catalogue 3.7: downloads, lists, searches, changes and deletions. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningProcess, startProcess } from '../support/process.ts';
import {
  type Company,
  call,
  expectCall,
  invitePerson,
  newCompany,
  type Person,
  setUpOperator,
  uploadFile,
} from '../support/story.ts';
import { hostileTexts, judge } from './refusals.ts';

const folder = mkdtempSync(join(tmpdir(), 'strongroom-documents-'));
let server: RunningProcess;
let own: Company;
let other: Company;
let employee: Person;
let colleague: Person;

beforeAll(async () => {
  server = await startProcess(folder, { env: { STRONGROOM_LOG_LEVEL: 'error' } });
  const operator = (await setUpOperator(server.url, server.setupToken!)).access_token;
  own = await newCompany(server.url, operator, 'Own Works');
  other = await newCompany(server.url, operator, 'Other Works');
  employee = await invitePerson(server.url, own.admin, 'employee', 'employee-one');
  colleague = await invitePerson(server.url, own.admin, 'employee', 'employee-two');
}, 60_000);
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const get = (path: string, token = employee.token, headers: Record<string, string> = {}) =>
  call(server.url, 'GET', path, { token, headers });

test('157, 173: what one may not see is not there', async () => {
  const made = await uploadFile(server.url, employee.token, 'mine.txt', 'mine');
  for (const end of ['', '/download', '/versions', '/history', '/shares']) {
    judge(await get(`/api/documents/${made.id}${end}`, colleague.token), 404, end);
    judge(await get(`/api/documents/${made.id}${end}`, other.admin.token), 404, end);
  }
  judge(await call(server.url, 'DELETE', `/api/documents/${made.id}`, { token: colleague.token }), 404, 'delete');
  expect((await call(server.url, 'DELETE', `/api/documents/${made.id}`, { token: employee.token })).status).toBe(204);
  judge(await call(server.url, 'DELETE', `/api/documents/${made.id}`, { token: employee.token }), [204, 404], 'twice');
  judge(await get(`/api/documents/${made.id}/download`), 404, 'in the trash');
});

test('158, 161: names in headers, and HEAD as GET', async () => {
  for (const name of ['a"b.txt', 'a; x=y.txt', 'ünï.txt', '😀.txt', `${'é'.repeat(200)}.txt`, "it's.txt", '100%.txt']) {
    const made = await uploadFile(server.url, employee.token, name, name);
    const answer = await get(`/api/documents/${made.id}/download`);
    expect(answer.status).toBe(200);
    const disposition = answer.headers.get('content-disposition')!;
    expect(disposition).toMatch(
      /^attachment; filename="[\x20-\x21\x23-\x5b\x5d-\x7e]*"; filename\*=UTF-8''[A-Za-z0-9!#$&+.^_`|~%-]+$/,
    );
    expect(decodeURIComponent(disposition.split("UTF-8''")[1]!)).toBe(name.normalize('NFC'));
    const head = await call(server.url, 'HEAD', `/api/documents/${made.id}/download`, { token: employee.token });
    expect(head.status).toBe(200);
    for (const header of ['content-length', 'content-type', 'etag', 'content-disposition', 'accept-ranges']) {
      expect(head.headers.get(header), header).toBe(answer.headers.get(header));
    }
  }
});

test('160: ranges and conditions', async () => {
  const made = await uploadFile(server.url, employee.token, 'range.txt', '0123456789');
  const path = `/api/documents/${made.id}/download`;
  const whole = await get(path);
  const etag = whole.headers.get('etag')!;
  for (const [range, status, text] of [
    ['bytes=0-3', 206, '0123'],
    ['bytes=-3', 206, '789'],
    ['bytes=5-', 206, '56789'],
    ['bytes=0-999', 206, '0123456789'],
    ['bytes=10-', 416, undefined],
    ['bytes=-0', 416, undefined],
  ] as const) {
    const answer = await get(path, employee.token, { range });
    expect([range, answer.status]).toEqual([range, status]);
    if (text !== undefined) expect(answer.text).toBe(text);
    else judge(answer, 416, range);
  }
  for (const range of ['bytes=5-2', 'bytes=a-b', 'lines=1-2', 'bytes=', 'bytes=--1', `bytes=${'0-1,'.repeat(500)}0-1`])
    judge(await get(path, employee.token, { range }), [200, 206, 416], range.slice(0, 20));
  expect((await get(path, employee.token, { 'if-none-match': etag })).status).toBe(304);
  expect((await get(path, employee.token, { range: 'bytes=0-1', 'if-range': `W/${etag}` })).status).toBe(200);
  expect((await get(path, employee.token, { range: 'bytes=0-1', 'if-range': etag })).status).toBe(206);
  expect((await get(path, employee.token, { 'if-modified-since': 'garbage' })).status).toBe(200);
  for (const match of [Array(1_000).fill('"x"').join(','), 'not a tag'])
    judge(await get(path, employee.token, { 'if-match': match }), [200, 400, 412], 'if-match');
});

test('164, 166, 167, 169, 170: lists', async () => {
  for (let index = 0; index < 3; index += 1) await uploadFile(server.url, employee.token, `list-${index}.txt`, 'x');
  for (const query of [
    'limit=0',
    'limit=-1',
    'limit=1e9',
    'limit=1.5',
    'limit=abc',
    'limit=',
    'limit=10;drop',
    'limit=201',
    'sort=password_hash',
    'sort=id;--',
    'sort=(select 1)',
    'sort=created_at,created_at',
    'unknown=1',
    'trashed=yes',
    'created_from=yesterday',
    'created_to=9999',
  ]) {
    judge(await get(`/api/documents?${query}`), 422, query);
  }
  for (const query of ['limit=1&limit=2', 'a[]=1', 'q[x]=1', 'limit[]=1'])
    judge(await get(`/api/documents?${query}`), [400, 422], query);
  const today = new Date().toISOString().slice(0, 10);
  for (const [query, some] of [
    [`created_from=${today}&created_to=${today}`, true],
    ['created_to=2020-01-31', false],
  ] as const) {
    const found = await expectCall<{ items: unknown[] }>(200, server.url, 'GET', `/api/documents?${query}`, {
      token: employee.token,
    });
    expect(found.items.length > 0, query).toBe(some);
  }
  const first = await expectCall<{ next_cursor: string }>(200, server.url, 'GET', '/api/documents?limit=1', {
    token: employee.token,
  });
  const cursor = first.next_cursor;
  const changed = `${cursor.slice(0, -2)}${cursor.endsWith('AA') ? 'BB' : 'AA'}`;
  for (const bad of [
    cursor.slice(0, 10),
    changed,
    'x'.repeat(10_000),
    Buffer.from(JSON.stringify({ id: "' or 1=1" })).toString('base64url'),
    '',
  ]) {
    judge(await get(`/api/documents?limit=1&cursor=${encodeURIComponent(bad)}`), [422, 431], bad.slice(0, 20));
  }
  judge(await get(`/api/documents?limit=1&cursor=${encodeURIComponent(cursor)}`, colleague.token), 422, 'another user');
  judge(
    await get(`/api/documents?limit=1&cursor=${encodeURIComponent(cursor)}`, other.admin.token),
    422,
    'another company',
  );
  judge(await get(`/api/documents?limit=1&sort=filename&cursor=${encodeURIComponent(cursor)}`), 422, 'another sort');
  for (const q of ['%', '_', '%%%%', '\\', "'", '*', '.*', 'foo:*', '!', '<->', '؀', 'x'.repeat(200)]) {
    const answer = await call<{ items: { filename: string }[] }>(
      server.url,
      'GET',
      `/api/documents?q=${encodeURIComponent(q)}`,
      { token: employee.token },
    );
    judge(answer as never, [200, 422], q);
    for (const item of answer.body.items ?? []) expect(item.filename.toLowerCase()).toContain(q.toLowerCase());
  }
  judge(await get(`/api/documents?q=${'x'.repeat(10_000)}`), [422, 431], 'q of 10 KB');
  judge(await get('/api/documents?q=a%00b'), 422, 'NUL');
});

test('172: If-Match on a change', async () => {
  const made = await uploadFile(server.url, employee.token, 'match.txt', 'one');
  const path = `/api/documents/${made.id}`;
  const etag = (await get(`${path}/download`)).headers.get('etag')!;
  judge(
    await call(server.url, 'PATCH', path, {
      token: employee.token,
      body: { tags: ['a'] },
      headers: { 'if-match': '"other"' },
    }),
    412,
    'wrong',
  );
  expect(
    (
      await call(server.url, 'PATCH', path, {
        token: employee.token,
        body: { tags: ['a'] },
        headers: { 'if-match': etag },
      })
    ).status,
  ).toBe(200);
});

test('176, 110: foreign ids in bodies and filters', async () => {
  const made = await uploadFile(server.url, employee.token, 'move.txt', 'one');
  const theirs = await expectCall<{ id: string }>(201, server.url, 'POST', '/api/baskets', {
    token: other.admin.token,
    body: { name: 'theirs' },
  });
  const colleagues = await expectCall<{ id: string }>(201, server.url, 'POST', '/api/baskets', {
    token: colleague.token,
    body: { name: 'hers' },
  });
  for (const basket_id of [theirs.id, colleagues.id, 'bskt_x', '../x', '']) {
    judge(
      await call(server.url, 'PATCH', `/api/documents/${made.id}`, { token: employee.token, body: { basket_id } }),
      404,
      basket_id,
    );
  }
  for (const grantee of [other.admin.id, colleague.id, 'user_x', 'hr_admin', 'system_admin', '*']) {
    judge(
      await call(server.url, 'PUT', `/api/documents/${made.id}/shares/${encodeURIComponent(grantee)}`, {
        token: employee.token,
        body: { access: 'read' },
      }),
      [403, 404, 422],
      grantee,
    );
  }
});

test('214–244: every text of a document comes back as it was sent, or is refused', async () => {
  const made = await uploadFile(server.url, employee.token, 'texts.txt', 'one');
  const path = `/api/documents/${made.id}`;
  for (const [row, value] of hostileTexts) {
    for (const body of [
      { filename: value },
      { tags: [value] },
      { metadata: { note: value } },
      { metadata: { [value]: 'note' } },
    ]) {
      const answer = await call(server.url, 'PATCH', path, { token: employee.token, body });
      judge(answer, [200, 409, 413, 422], `row ${row} ${Object.keys(body)[0]}`);
      if (answer.status !== 200) continue;
      const read = await call(server.url, 'GET', path, { token: employee.token });
      const normal = 'metadata' in body ? body : JSON.parse(JSON.stringify(body).normalize('NFC'));
      expect(read.body, `row ${row}`).toMatchObject(normal);
      expect((await get(`${path}/download`)).status).toBe(200);
    }
    const basket = await call(server.url, 'POST', '/api/baskets', { token: employee.token, body: { name: value } });
    judge(basket, [201, 409, 413, 422], `row ${row} basket`);
    if (basket.status === 201) expect(basket.body.name).toBe(value.normalize('NFC'));
  }
  for (const more of [
    { owner_id: colleague.id },
    { sha256: 'x' },
    { size_bytes: 1 },
    { id: 'doc_1' },
    { trashed_at: null },
    { tags: 'x' },
    { metadata: [] },
  ]) {
    judge(await call(server.url, 'PATCH', path, { token: employee.token, body: more }), 422, JSON.stringify(more));
  }
}, 60_000);
