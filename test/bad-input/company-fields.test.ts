/** Catalogue 3.3 and 3.11 on companies: names, addresses, doubles, deletion, tests, lists. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningProcess, startProcess } from '../support/process.ts';
import { type Company, call, expectCall, newCompany, setUpOperator } from '../support/story.ts';
import { badAddresses, hostileNames, hostileTexts, judge } from './refusals.ts';

const folder = mkdtempSync(join(tmpdir(), 'strongroom-bad-'));
let server: RunningProcess;
let operator = '';
let own: Company;

beforeAll(async () => {
  server = await startProcess(folder, { env: { STRONGROOM_LOG_LEVEL: 'error' } });
  operator = (await setUpOperator(server.url, server.setupToken!)).access_token;
  own = await newCompany(server.url, operator, 'Own Works');
}, 60_000);
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const post = (body: unknown, headers: Record<string, string> = {}) =>
  call(server.url, 'POST', '/api/companies', { token: operator, body, headers });
const count = async () =>
  (
    await expectCall<{ total: number }>(200, server.url, 'GET', '/api/companies?total=true&limit=1', {
      token: operator,
    })
  ).total;

test('names are stored exactly, or refused, and physical names never follow them', async () => {
  for (const [row, name] of [...hostileNames, ...hostileTexts]) {
    const before = await count();
    const answer = await post({ name, email: 'office@names.example' });
    judge(answer, [201, 413, 422], `row ${row} ${JSON.stringify(name.slice(0, 40))}`);
    if (answer.status !== 201) {
      expect(await count(), `row ${row}`).toBe(before);
      continue;
    }
    expect(answer.body.name).toBe(name);
    expect(answer.body.database_name).toMatch(/^[a-z][a-z0-9_]{0,62}$/);
    expect(answer.body.bucket).toMatch(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/);
    expect(answer.body.slug).toMatch(/^[a-z0-9](-?[a-z0-9])*$/);
    const read = await expectCall<{ name: string }>(200, server.url, 'GET', `/api/companies/${answer.body.id}`, {
      token: operator,
    });
    expect(read.name).toBe(name);
  }
});

test('49: lengths are counted in characters', async () => {
  judge(await post({ name: 'x', email: 'a@b.example' }), 201, '1');
  judge(await post({ name: 'x'.repeat(200), email: 'a@b.example' }), 201, '200');
  judge(await post({ name: '😀'.repeat(200), email: 'a@b.example' }), 201, '200 emoji');
  judge(await post({ name: 'x'.repeat(201), email: 'a@b.example' }), 422, '201');
  judge(await post({ name: 'x'.repeat(10_000_000), email: 'a@b.example' }), 413, '10 MB');
});

test('50: names that agree in their first 63 characters get different physical names', async () => {
  const names = ['one', 'two'].map((end) => `${'n'.repeat(67)}${end}`);
  const made = await Promise.all(names.map((name) => post({ name, email: 'a@b.example' })));
  const physical = made.flatMap((answer) => [answer.body.database_name, answer.body.bucket]);
  expect(new Set(physical).size).toBe(4);
});

test('59: one plain address, or 422', async () => {
  for (const email of badAddresses) judge(await post({ name: 'Name', email }), 422, JSON.stringify(email));
  judge(await post({ name: 'Name', email: 'a+tag@b.example' }), 201, 'tag');
});

test('43, 44, 31: types are not guessed', async () => {
  for (const name of [true, 1, [], {}, null, { $ne: null }, ['x']])
    judge(await post({ name, email: 'a@b.example' }), 422, JSON.stringify(name));
  for (const body of [null, [], 'x', 1]) judge(await post(body), [400, 422], JSON.stringify(body));
  judge(await post({ name: 'Name', email: 'a@b.example', is_admin: true }), 422, 'unknown field');
  judge(await post({ name: 'Name', email: 'a@b.example', quota_bytes: '1' }), 422, 'number as text');
  judge(await post({ name: 'Name', email: 'a@b.example', quota_bytes: -1 }), 422, 'negative quota');
  judge(await post({ name: 'Name', email: 'a@b.example', placement: 'mysql' }), 422, 'unknown placement');
  judge(await post({ name: 'Name', email: 'a@b.example', slug: '../x' }), 422, 'slug');
});

test('61: the same create 32 times at once', async () => {
  const slugs = await Promise.all(
    Array.from({ length: 32 }, () => post({ name: 'Twin', email: 'a@b.example', slug: 'the-twin' })),
  );
  expect(slugs.map((answer) => answer.status).sort()).toEqual([201, ...Array(31).fill(409)]);
  const keyed = await Promise.all(
    Array.from({ length: 16 }, () =>
      post({ name: 'Keyed', email: 'a@b.example' }, { 'idempotency-key': 'the-same-key' }),
    ),
  );
  const made = keyed.filter((answer) => answer.status === 201);
  expect(new Set(made.map((answer) => answer.body.id)).size).toBe(1);
  for (const answer of keyed) judge(answer, [201, 409], 'keyed');
  const again = await post({ name: 'Keyed', email: 'a@b.example' }, { 'idempotency-key': 'the-same-key' });
  expect(again.body.id).toBe(made[0]!.body.id);
  judge(
    await post({ name: 'Other', email: 'a@b.example' }, { 'idempotency-key': 'the-same-key' }),
    422,
    'another body',
  );
});

test('64: members reach no route of operators', async () => {
  const { token } = own.admin;
  for (const [method, path] of [
    ['GET', '/api/companies'],
    ['POST', '/api/companies'],
    ['GET', `/api/companies/${own.id}`],
    ['DELETE', `/api/companies/${own.id}?confirm=${own.slug}`],
    ['POST', `/api/companies/${own.id}/suspend`],
    ['GET', '/api/system/users'],
    ['GET', '/api/system/connections'],
  ] as const) {
    judge(await call(server.url, method, path, { token }), 403, `${method} ${path}`);
  }
});

test('65: deletion wants its confirmation', async () => {
  const path = `/api/companies/${own.id}`;
  judge(await call(server.url, 'DELETE', path, { token: operator }), 409, 'none');
  judge(await call(server.url, 'DELETE', `${path}?confirm=wrong`, { token: operator }), 422, 'wrong');
  judge(
    await call(server.url, 'DELETE', `${path}?confirm=${own.slug}&confirm=${own.slug}`, { token: operator }),
    [400, 422],
    'twice',
  );
  expect((await call(server.url, 'GET', '/api/auth/me', { token: own.admin.token })).status).toBe(200);
});

test('164, 166, 167, 170 on the list of companies', async () => {
  for (const query of [
    'limit=0',
    'limit=-1',
    'limit=1e9',
    'limit=1.5',
    'limit=abc',
    'limit=',
    'limit=10;drop',
    'limit=201',
    'cursor=abc',
    'cursor=',
    'sort=password_hash',
    'sort=id;--',
    'sort=(select 1)',
    'unknown=1',
    'status=bogus',
  ]) {
    judge(await call(server.url, 'GET', `/api/companies?${query}`, { token: operator }), 422, query);
  }
  for (const query of ['limit=1&limit=2', 'a[]=1', 'limit[]=1', 'limit[a]=1']) {
    judge(await call(server.url, 'GET', `/api/companies?${query}`, { token: operator }), [400, 422], query);
  }
  for (const q of ['%', '_', '%%%%', '\\', "'", '*', 'foo:*', '<->']) {
    judge(await call(server.url, 'GET', `/api/companies?q=${encodeURIComponent(q)}`, { token: operator }), 200, q);
  }
});
