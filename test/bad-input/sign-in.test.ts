/** Catalogue 3.4: login, tokens, refresh, passwords. */
import { createHmac, randomBytes } from 'node:crypto';
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
  logIn,
  newCompany,
  password,
  type SignedIn,
  setUpOperator,
} from '../support/story.ts';
import { judge } from './refusals.ts';

const folder = mkdtempSync(join(tmpdir(), 'strongroom-sign-in-'));
let server: RunningProcess;
let operator = '';
let own: Company;
let other: Company;

beforeAll(async () => {
  server = await startProcess(folder, {
    env: { STRONGROOM_LOG_LEVEL: 'error', STRONGROOM_SIGN_IN_ADDRESS_LIMIT: '100000' },
  });
  operator = (await setUpOperator(server.url, server.setupToken!)).access_token;
  own = await newCompany(server.url, operator, 'Own Works');
  other = await newCompany(server.url, operator, 'Other Works');
}, 60_000);
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const login = (body: unknown) => call(server.url, 'POST', '/api/auth/login', { body });
const me = (authorization: string) => call(server.url, 'GET', '/api/auth/me', { headers: { authorization } });

test('whatever is wrong with a sign-in, the answer is the same', async () => {
  const username = own.admin.username;
  const refused = [
    { username: 'nobody-here', password, company: own.id },
    { username, password: 'wrong pass phrase', company: own.id },
    { username, password, company: 'comp_00000000000000000000000000' },
    { username, password, company: 'no-such-slug' },
    { username, password, company: 'not an id' },
    { username: 'nobody@people.example', password },
  ];
  const answers = [];
  for (const body of refused) {
    const answer = await login(body);
    judge(answer, 401, JSON.stringify({ ...body, password: '…' }));
    answers.push({ ...answer.body, instance: '' });
  }
  for (const answer of answers) expect(answer).toEqual(answers[0]);
  expect(answers[0]).toMatchObject({ code: 'invalid_credentials' });
});

test('71, 74: passwords of any form and length', async () => {
  const base = { username: own.admin.username, company: own.id };
  for (const length of [1, 7, 8, 64, 72, 73, 128, 129])
    judge(await login({ ...base, password: 'x'.repeat(length) }), [401, 422, 429], `length ${length}`);
  judge(await login({ ...base, password: '' }), [401, 422, 429], 'empty');
  judge(await login({ ...base, password: 'x'.repeat(1_000_000) }), [413, 422], '1 MB');
  for (const value of [['x'], {}, 1, true, null, { $gt: '' }])
    judge(await login({ ...base, password: value }), 422, JSON.stringify(value));
  for (const value of [['x'], {}, 1, null, { $gt: '' }])
    judge(await login({ ...base, username: value, password }), 422, JSON.stringify(value));
  judge(
    await login({ username: own.admin.username, email: 'other@people.example', password }),
    422,
    '70: a second name',
  );
});

test('A2: the password that is checked is exactly the one that was set', async () => {
  const long = `${'p'.repeat(72)}-and-more-${randomBytes(6).toString('hex')}`;
  const person = await invitePerson(server.url, own.admin, 'employee', 'long-password');
  await expectCall(204, server.url, 'POST', '/api/auth/change-password', {
    token: person.token,
    body: { current_password: password, new_password: long },
  });
  const as = (candidate: string) => login({ username: person.username, company: own.id, password: candidate });
  judge(await as(`${'p'.repeat(72)}-other`), 401, 'equal in the first 72 bytes');
  judge(await as(long.toUpperCase()), 401, 'folded');
  judge(await as(` ${long}`), 401, 'a blank before');
  expect((await as(long)).status).toBe(200);
});

test('73: passwords that are common, or made of own words, are not set', async () => {
  const person = await invitePerson(server.url, own.admin, 'employee', 'weak-password');
  for (const candidate of [
    'password',
    '12345678',
    'qwertyuiop',
    'weak-password',
    'weak-password@people.example',
    'short',
    'a'.repeat(129),
  ]) {
    judge(
      await call(server.url, 'POST', '/api/auth/change-password', {
        token: person.token,
        body: { current_password: password, new_password: candidate },
      }),
      422,
      candidate,
    );
  }
});

test('76: guessing on one account is bounded, and its owner is let in', async () => {
  const person = await invitePerson(server.url, own.admin, 'employee', 'guessed-at');
  let limited: Awaited<ReturnType<typeof login>> | undefined;
  for (let index = 0; index < 100 && limited === undefined; index += 1) {
    const answer = await login({ username: person.username, company: own.id, password: `wrong ${index} wrong` });
    if (answer.status === 429) limited = answer;
    else judge(answer, 401, `try ${index}`);
  }
  judge(limited!, 429, 'after the bound');
  expect(Number(limited!.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await me(`Bearer ${person.token}`)).status).toBe(200);
});

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

test('79–88: forged and mangled tokens', async () => {
  const { token } = own.admin;
  const [head, payload, signature] = token.split('.') as [string, string, string];
  const header = JSON.parse(Buffer.from(head, 'base64url').toString());
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString());
  const hmac = (text: string, key: string) => createHmac('sha256', key).update(text).digest('base64url');
  const none = (alg: string) => `${encode({ ...header, alg })}.${payload}.`;
  const symmetric = `${encode({ ...header, alg: 'HS256' })}.${payload}`;
  const withHeader = (more: object) => `${encode({ ...header, ...more })}.${payload}.${signature}`;
  const withClaims = (more: object) => `${head}.${encode({ ...claims, ...more })}.${signature}`;
  const forged = [
    none('none'),
    none('None'),
    none('nOnE'),
    `${head}.${payload}.`,
    `${head}.${payload}`,
    `${token}.x.y`,
    '..',
    '....',
    'x',
    encode({ payload, signature }),
    `${symmetric}.${hmac(symmetric, 'public')}`,
    withHeader({ jku: 'http://127.0.0.1/keys' }),
    withHeader({ jwk: { kty: 'OKP' } }),
    withHeader({ x5u: 'http://127.0.0.1/' }),
    withHeader({ kid: '../../dev/null' }),
    withHeader({ kid: "' or 1=1" }),
    withHeader({ kid: 'k'.repeat(10_000) }),
    withHeader({ crit: ['x'] }),
    withHeader({ b64: false }),
    withClaims({ company_id: other.id }),
    withClaims({ exp: 9_999_999_999 }),
    withClaims({ role: 'system_admin' }),
    withClaims({ sub: own.id }),
    `${head}.${payload}.${'A'.repeat(signature.length)}`,
    'a'.repeat(9_000),
  ];
  for (const candidate of forged) judge(await me(`Bearer ${candidate}`), [400, 401, 431], candidate.slice(0, 60));
  for (const value of ['Basic abc', 'Bearer', 'Bearer ', token, `Bearer ${token} x`])
    judge(await me(value), [400, 401], value.slice(0, 30));
  judge(await call(server.url, 'GET', `/api/auth/me?access_token=${token}`), [400, 401, 422], 'in the query');
});

test('85: a token ends with its user’s rights', async () => {
  const person = await invitePerson(server.url, own.admin, 'employee', 'ended-person');
  await expectCall(204, server.url, 'DELETE', `/api/user-management/users/${person.id}`, { token: own.admin.token });
  judge(await me(`Bearer ${person.token}`), 401, 'access');
  judge(
    await call(server.url, 'POST', '/api/auth/refresh', { body: { refresh_token: person.refresh } }),
    401,
    'refresh',
  );
});

test('89: a refresh token works once, in parallel and later', async () => {
  // A name of its own: on the admin's the tests before have failed often enough for the delay to begin.
  const person = await invitePerson(server.url, own.admin, 'employee', 'refreshing-person');
  const { refresh_token } = await logIn(server.url, person.username, own.id);
  const exchange = (token: string) =>
    call<SignedIn>(server.url, 'POST', '/api/auth/refresh', { body: { refresh_token: token } });
  const many = await Promise.all(Array.from({ length: 50 }, () => exchange(refresh_token)));
  const successors = new Set(many.filter((answer) => answer.status === 200).map((answer) => answer.body.refresh_token));
  expect(successors.size).toBe(1);
  for (const answer of many) judge(answer as never, [200, 401], 'parallel');
  for (const token of ['', 'x', refresh_token.toUpperCase(), `${refresh_token}.`, 'a'.repeat(10_000)]) {
    judge(
      await call(server.url, 'POST', '/api/auth/refresh', { body: { refresh_token: token } }),
      [401, 413, 422],
      token.slice(0, 20),
    );
  }
  for (const value of [null, 1, [], {}])
    judge(
      await call(server.url, 'POST', '/api/auth/refresh', { body: { refresh_token: value } }),
      422,
      JSON.stringify(value),
    );
});

test('91: changing a password', async () => {
  const person = await invitePerson(server.url, own.admin, 'employee', 'changing-person');
  const second = await logIn(server.url, person.username, own.id);
  const change = (body: unknown) =>
    call(server.url, 'POST', '/api/auth/change-password', { token: person.token, body });
  const fresh = randomBytes(12).toString('base64url');
  judge(await change({ new_password: fresh }), 422, 'without the current one');
  judge(await change({ current_password: 'wrong pass phrase', new_password: fresh }), [401, 422], 'wrong');
  judge(await change({ current_password: password, new_password: password }), 422, 'the same');
  expect((await change({ current_password: password, new_password: fresh })).status).toBe(204);
  judge(await me(`Bearer ${second.access_token}`), 401, 'the other session');
});

test('92: forgotten passwords answer alike, and links never follow the Host header', async () => {
  for (const username of [own.admin.username, own.admin.email, 'nobody-here', 'nobody@people.example']) {
    const answer = await call(server.url, 'POST', '/api/auth/forgot-password', {
      body: { username, company: own.id },
      headers: { 'x-forwarded-host': 'evil.example' },
    });
    expect([answer.status, answer.text]).toEqual([202, '']);
  }
  judge(
    await call(server.url, 'POST', '/api/auth/forgot-password', {
      body: { username: 'x-y', redirect_url: 'https://evil.example' },
    }),
    422,
    'redirect',
  );
});

test('94: fields and includes select nothing', async () => {
  const plain = await call(server.url, 'GET', '/api/auth/me', { token: own.admin.token });
  for (const query of ['fields=password_hash', 'include=sessions', 'expand=*']) {
    const answer = await call(server.url, 'GET', `/api/auth/me?${query}`, { token: own.admin.token });
    judge(answer, [200, 422], query);
    if (answer.status === 200) expect(answer.body).toEqual(plain.body);
  }
  expect(plain.text).not.toMatch(/hash|argon/);
});

test('set-up is over for ever after the first operator', async () => {
  for (const token of [server.setupToken!, 'x', '']) {
    judge(
      await call(server.url, 'POST', '/api/setup', {
        body: { token, username: 'second', email: 'second@example.com', password },
      }),
      [404, 422],
      'second set-up',
    );
  }
  expect(
    (await expectCall<{ items: unknown[] }>(200, server.url, 'GET', '/api/system/users', { token: operator })).items,
  ).toHaveLength(1);
});
