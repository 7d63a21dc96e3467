/** Accounts over HTTP: what a stranger with curl gets. The rules themselves are tested beside the module. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testConfig } from '../../src/kernel/config.ts';
import { type Program, startProgram } from '../../src/server/program.ts';
import {
  acceptInvitation,
  type Company,
  call,
  expectCall,
  invitePerson,
  logIn,
  newCompany,
  type Person,
  password,
  type SignedIn,
  setUpOperator,
} from '../support/story.ts';

const folder = mkdtempSync(join(tmpdir(), 'strongroom-accounts-'));
let program: Program;
let url: string;
let operator: string;
let acme: Company;
let employee: Person;

beforeAll(async () => {
  program = await startProgram(
    testConfig({ dataDir: folder, port: 0, signInAccountLimit: 1_000, signInAddressLimit: 100_000 }),
    { validateAnswers: true },
  );
  url = program.address;
  operator = (await setUpOperator(url, program.setupToken!)).access_token;
  acme = await newCompany(url, operator, 'Acme');
  employee = await invitePerson(url, acme.admin, 'employee', 'worker');
}, 120_000);

afterAll(async () => {
  await program?.close();
  rmSync(folder, { recursive: true, force: true });
});

test('set-up is closed for ever', async () => {
  const body = { token: program.setupToken, username: 'other', email: 'other@example.com', password };
  expect((await call(url, 'POST', '/api/setup', { body })).status).toBe(404);
});

test('sign-in as JSON and as a form, and the OAuth2 form', async () => {
  const signedIn = await logIn(url, 'worker', acme.slug);
  expect(signedIn).toMatchObject({
    token_type: 'bearer',
    expires_in: 600,
    user: { id: employee.id, username: 'worker', role: 'employee' },
    company: { id: acme.id },
    companies: [{ id: acme.id }],
  });
  const raw = new URLSearchParams({ username: 'worker', password });
  const form = await call<SignedIn>(url, 'POST', '/api/auth/login', { raw });
  expect([form.status, form.body.user.id]).toEqual([200, employee.id]);
  const oauth = new URLSearchParams({ grant_type: 'password', username: 'worker', password, scope: '' });
  const token = await call(url, 'POST', '/api/auth/token', { raw: oauth });
  expect([token.status, Object.keys(token.body).sort()]).toEqual([
    200,
    ['access_token', 'expires_in', 'refresh_token', 'token_type'],
  ]);
  expect((await call(url, 'POST', '/api/auth/token', { body: { username: 'worker', password } })).status).toBe(415);
});

test('every wrong sign-in is answered alike, to the header', async () => {
  const tries = [
    { username: 'nobody', password },
    { username: 'worker', password: `${password}x` },
    { username: 'worker', password: '' },
    { username: 'worker', password, company: 'no-such-company' },
    { username: "' OR 1=1--", password },
    { username: 'x'.repeat(300), password: 'y'.repeat(1_000) },
  ];
  const shown = new Set<string>();
  for (const body of tries) {
    const answer = await call(url, 'POST', '/api/auth/login', { body });
    const headers = [...answer.headers].filter(([name]) => !['date', 'x-request-id', 'content-length'].includes(name));
    const { instance: _, ...problem } = answer.body;
    shown.add(JSON.stringify([answer.status, problem, headers.filter(([, value]) => value !== answer.body.instance)]));
  }
  expect(shown.size).toBe(1);
  expect([...shown][0]).toContain('invalid_credentials');
});

test.each([
  { username: 'worker', password: ['x'] },
  { username: 'worker', password: { $gt: '' } },
  { username: 'worker', password: 12345678 },
  { username: 'worker', password: 'x'.repeat(1_025) },
  { username: 'worker', password, email: 'other@example.com' },
  { username: null, password },
  { username: 'worker' },
  {},
])('sign-in with %j is 422', async (body) => {
  expect((await call(url, 'POST', '/api/auth/login', { body })).status).toBe(422);
});

test.each(['', 'x', '..', 'a.b.c.d.e', 'eyJhbGciOiJub25lIn0.e30.', '{"alg":"none"}', 'x'.repeat(9_000)])(
  'the token %j is 401',
  async (token) => {
    const answer = await call(url, 'GET', '/api/auth/me', { headers: { authorization: `Bearer ${token}` } });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([401, 'application/problem+json']);
  },
);

test('a token that was edited is 401, and one in the query is none', async () => {
  const [head, payload, signature] = employee.token.split('.') as [string, string, string];
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
  expect(Object.keys(claims).sort()).toEqual(['aud', 'company_id', 'exp', 'iat', 'iss', 'jti', 'role', 'sid', 'sub']);
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as Record<string, unknown>;
  expect(header).toMatchObject({ alg: 'EdDSA', typ: 'at+jwt' });
  const forged = [
    `${head}.${encode({ ...claims, role: 'hr_admin' })}.${signature}`,
    `${encode({ ...header, alg: 'none' })}.${payload}.`,
    `${encode({ ...header, alg: 'HS256' })}.${payload}.${signature}`,
    `${encode({ ...header, kid: '../../dev/null' })}.${payload}.${signature}`,
    `${encode({ ...header, crit: ['exp'] })}.${payload}.${signature}`,
    `${head}.${payload}.${signature.slice(0, -4)}`,
  ];
  for (const token of forged) expect((await call(url, 'GET', '/api/auth/me', { token })).status).toBe(401);
  expect((await call(url, 'GET', `/api/auth/me?access_token=${employee.token}`)).status).toBe(401);
  expect((await call(url, 'GET', '/api/auth/me', { token: employee.token })).status).toBe(200);
});

describe('a web client', () => {
  const web = { 'x-strongroom-client': 'web' };

  test('keeps its refresh token in a cookie that other sites cannot use', async () => {
    const body = { username: 'worker', password };
    const answer = await call(url, 'POST', '/api/auth/login', { body, headers: web });
    expect(answer.status).toBe(200);
    expect(answer.body).not.toHaveProperty('refresh_token');
    const set = answer.headers.get('set-cookie')!;
    expect(set).toMatch(/^strongroom_refresh=/);
    for (const part of ['HttpOnly', 'SameSite=Strict', 'Path=/api/auth']) expect(set).toContain(part);
    const cookie = set.split(';')[0]!;
    const foreign = { ...web, cookie, 'sec-fetch-site': 'cross-site' };
    expect((await call(url, 'POST', '/api/auth/refresh', { headers: foreign })).status).toBe(403);
    const refreshed = await call(url, 'POST', '/api/auth/refresh', { headers: { ...web, cookie } });
    expect([refreshed.status, 'refresh_token' in refreshed.body]).toEqual([200, false]);
    expect(refreshed.headers.get('set-cookie')).toMatch(/^strongroom_refresh=/);
    const token = String(refreshed.body.access_token);
    const out = await call(url, 'POST', '/api/auth/logout', { token, headers: { ...web, cookie } });
    expect([out.status, out.headers.get('set-cookie')]).toEqual([204, expect.stringContaining('Max-Age=0')]);
    expect((await call(url, 'GET', '/api/auth/me', { token })).status).toBe(401);
  });
});

test('registration is closed until the company opens it, and gives the lowest role alone', async () => {
  const path = '/api/auth/register';
  const body = { name: 'A customer', email: 'customer@people.example', password, company_id: acme.id };
  for (const company of [acme.id, 'comp_00000000000000000000000000', 'malformed']) {
    const answer = await call(url, 'POST', path, { body: { ...body, company_id: company } });
    expect([answer.status, answer.body.code]).toEqual([403, 'registration_closed']);
  }
  const token = acme.admin.token;
  await expectCall(200, url, 'PATCH', '/api/company', { token, body: { registration: 'open' } });
  expect((await call(url, 'POST', path, { body: { ...body, role: 'hr_admin' } })).status).toBe(422);
  const made = await expectCall<SignedIn>(201, url, 'POST', path, { body });
  expect(made.user.role).toBe('customer');
  expect((await call(url, 'POST', path, { body })).status).toBe(409);
  const shown = await expectCall(200, url, 'PATCH', '/api/company', { token, body: { registration: 'closed' } });
  expect(shown).toMatchObject({ id: acme.id, registration: 'closed', roles: 'company', usage: { documents: 0 } });
});

test('a reset is asked for without telling anything, and sent by who stands above', async () => {
  for (const username of ['worker', 'nobody']) {
    const answer = await call(url, 'POST', '/api/auth/forgot-password', { body: { username } });
    expect([answer.status, answer.text]).toEqual([202, '']);
  }
  const person = await invitePerson(url, acme.admin, 'customer', 'forgetful');
  const path = `/api/user-management/users/${person.id}/reset-password`;
  expect((await call(url, 'POST', path, { token: person.token })).status).toBe(403);
  const sent = await expectCall<{ token: string; reset_url: string; sent: boolean }>(202, url, 'POST', path, {
    token: employee.token,
  });
  expect(sent.sent).toBe(false);
  expect(sent.reset_url.startsWith(url)).toBe(true);
  const reset = (value: string) =>
    call(url, 'POST', '/api/auth/reset-password', { body: { token: sent.token, password: value } });
  expect((await reset('password')).status).toBe(422);
  expect((await reset(`${password} reset`)).status).toBe(204);
  expect((await reset(`${password} again`)).status).toBe(410);
  expect((await call(url, 'GET', '/api/auth/me', { token: person.token })).status).toBe(401);
});

test('an invitation shows what it is for, is answered again under its key, and works once', async () => {
  const path = '/api/user-management/invite';
  const body = { email: 'new@people.example', full_name: 'New', role: 'customer' };
  const headers = { 'idempotency-key': 'invite-new-person-1' };
  const first = await expectCall<{ token: string; setup_url: string }>(201, url, 'POST', path, {
    token: employee.token,
    body,
    headers,
  });
  const again = await call(url, 'POST', path, { token: employee.token, body, headers });
  expect([again.status, again.body.token]).toEqual([201, first.token]);
  expect((await call(url, 'POST', path, { token: employee.token, body })).status).toBe(409);
  const shown = await expectCall(200, url, 'GET', `/api/user-management/invitation/${first.token}`);
  expect(shown).toMatchObject({ company: { name: 'Acme' }, email: 'new@people.example', role: 'customer' });
  await acceptInvitation(url, first.token, 'new-person');
  expect((await call(url, 'GET', `/api/user-management/invitation/${first.token}`)).status).toBe(410);
  const accept = await call(url, 'POST', '/api/user-management/setup-password', {
    body: { token: first.token, password },
  });
  expect(accept.status).toBe(410);
  for (const extra of [{ role: 'hr_admin' }, { email: 'other@people.example' }, { company_id: acme.id }]) {
    const answer = await call(url, 'POST', '/api/user-management/setup-password', {
      body: { token: first.token, password, ...extra },
    });
    expect(answer.status).toBe(422);
  }
});

test.each([
  { role: 'system_admin' },
  { role: 'HR_ADMIN' },
  { role: 'hr_admin ' },
  { role: ['customer'] },
  { role: '' },
  { role: 'viewer' },
  { email: 'a@b@c.example' },
  { email: 'a@x.example\r\nBcc: b@x.example' },
  { full_name: ' ' },
  { full_name: '\u202eabc' },
  { full_name: 'a\u0000b' },
  { tenant_id: 'comp_00000000000000000000000000' },
])('inviting with %j is 422', async (change) => {
  const body = { email: 'x@people.example', full_name: 'X', role: 'customer', ...change };
  const answer = await call(url, 'POST', '/api/user-management/invite', { token: acme.admin.token, body });
  expect(answer.status).toBe(422);
});

test('users, roles, permissions and the audit trail', async () => {
  const token = acme.admin.token;
  const list = await expectCall<{ items: { id: string }[]; next_cursor: string | null; total: number }>(
    200,
    url,
    'GET',
    '/api/user-management/users?limit=2&total=true&sort=-email',
    { token },
  );
  expect(list.items).toHaveLength(2);
  const next = `/api/user-management/users?limit=2&sort=-email&cursor=${list.next_cursor}`;
  await expectCall(200, url, 'GET', next, { token });
  for (const wrong of [next.replace('sort=-email', 'sort=email'), `${next}x`, next.slice(0, -3)]) {
    expect((await call(url, 'GET', wrong, { token })).status).toBe(422);
  }
  expect((await call(url, 'GET', next, { token: employee.token })).status).toBe(422);
  const roles = await expectCall<{ items: { name: string; may_grant: boolean }[] }>(
    200,
    url,
    'GET',
    '/api/user-management/roles',
    { token },
  );
  expect(roles.items.filter((role) => role.may_grant).map((role) => role.name)).toEqual([
    'hr_manager',
    'employee',
    'customer',
  ]);
  await expectCall(200, url, 'GET', '/api/user-management/permissions', { token });
  const patch = { token, body: { full_name: 'Renamed', password_hash: 'x' } };
  expect((await call(url, 'PATCH', `/api/user-management/users/${employee.id}`, patch)).status).toBe(422);
  const text = { token, body: { is_active: 'true' } };
  expect((await call(url, 'PATCH', `/api/user-management/users/${employee.id}`, text)).status).toBe(422);
  const audit = await expectCall<{ items: { action: string }[]; verification: { ok: boolean } }>(
    200,
    url,
    'GET',
    '/api/audit?verify=true&limit=200',
    { token },
  );
  expect(audit.verification.ok).toBe(true);
  expect(audit.items.map((row) => row.action)).toEqual(
    expect.arrayContaining(['session.created', 'session.refused', 'invitation.created', 'invitation.accepted']),
  );
  expect((await call(url, 'GET', '/api/audit', { token: employee.token })).status).toBe(403);
});

test('operators', async () => {
  const made = await expectCall<{ id: string }>(201, url, 'POST', '/api/system/users', {
    token: operator,
    body: { username: 'second', email: 'second@example.com', password },
  });
  const list = await expectCall<{ items: { id: string }[] }>(200, url, 'GET', '/api/system/users', { token: operator });
  expect(list.items.map((one) => one.id)).toContain(made.id);
  expect((await call(url, 'GET', '/api/system/users', { token: acme.admin.token })).status).toBe(403);
  const second = await logIn(url, 'second');
  expect(second.company).toBeNull();
  const path = `/api/system/users/${made.id}`;
  await expectCall(200, url, 'PATCH', path, { token: operator, body: { is_active: false } });
  expect((await call(url, 'GET', '/api/auth/me', { token: second.access_token })).status).toBe(401);
  await expectCall(204, url, 'DELETE', path, { token: operator });
  expect((await call(url, 'DELETE', path, { token: operator })).status).toBe(404);
});
