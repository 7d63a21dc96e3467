/** Catalogue 3.5: invitations, people, registration. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningProcess, startProcess } from '../support/process.ts';
import {
  acceptInvitation,
  type Company,
  call,
  expectCall,
  invitePerson,
  newCompany,
  password,
  setUpOperator,
} from '../support/story.ts';
import { companyWorld } from '../support/world.ts';
import { badAddresses, hostileNames, hostileTexts, judge } from './refusals.ts';

const folder = mkdtempSync(join(tmpdir(), 'strongroom-people-'));
let server: RunningProcess;
let operator = '';
let own: Company;
let other: Company;
let serial = 0;

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

const fresh = () => {
  serial += 1;
  return `person-${serial}`;
};
const invite = (body: Record<string, unknown>, token = own.admin.token) =>
  call(server.url, 'POST', '/api/user-management/invite', { token, body });
const good = () => ({ email: `${fresh()}@people.example`, full_name: 'A person', role: 'employee' });

test('95: roles above, beside, unknown, or of another type are not given', async () => {
  const before = companyWorld(folder, own.id, own.bucket).length;
  for (const role of [
    'hr_admin',
    'system_admin',
    'HR_ADMIN',
    'hr_admin ',
    '',
    'admin',
    ['employee'],
    null,
    1,
    { $ne: null },
  ]) {
    judge(await invite({ ...good(), role }), [403, 422], JSON.stringify(role));
  }
  expect(companyWorld(folder, own.id, own.bucket).length).toBe(before);
});

test('names and addresses', async () => {
  for (const [row, full_name] of [...hostileNames, ...hostileTexts]) {
    const answer = await invite({ ...good(), full_name });
    judge(answer, [201, 413, 422], `row ${row} ${JSON.stringify(full_name.slice(0, 30))}`);
    if (answer.status === 201) expect(answer.body.full_name).toBe(full_name);
  }
  for (const email of badAddresses) judge(await invite({ ...good(), email }), 422, JSON.stringify(email));
});

test('97: who is there already, in the own company and in another', async () => {
  judge(await invite({ ...good(), email: own.admin.email }), 409, 'own address');
  const waiting = good();
  judge(await invite(waiting), 201, 'first');
  judge(await invite(waiting), [201, 409], 'again');
  judge(await invite({ ...waiting, email: String(waiting.email).toUpperCase() }), [201, 409], 'case twin');
  judge(await invite({ ...good(), email: other.admin.email }), 201, 'a user of another company is nobody here');
});

test('100: tokens that are none', async () => {
  const { token } = (await invite(good())).body as { token: string };
  const changed = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`;
  for (const candidate of [
    'x',
    changed,
    token.toUpperCase(),
    encodeURIComponent(encodeURIComponent(`${token} `)),
    `${token}.`,
    'null',
    'a'.repeat(5_000),
  ]) {
    judge(
      await call(server.url, 'GET', `/api/user-management/invitation/${encodeURIComponent(candidate)}`),
      [404, 414, 431],
      candidate.slice(0, 30),
    );
    judge(
      await call(server.url, 'POST', '/api/user-management/setup-password', { body: { token: candidate, password } }),
      [404, 422],
      candidate.slice(0, 30),
    );
  }
  for (const candidate of [null, [token], { token }, 1]) {
    judge(
      await call(server.url, 'POST', '/api/user-management/setup-password', { body: { token: candidate, password } }),
      422,
      JSON.stringify(candidate),
    );
  }
  judge(await call(server.url, 'GET', '/api/user-management/invitation/'), 404, 'empty');
});

test('an invitation works once, for its own address and role alone', async () => {
  const body = good();
  const { token } = (await invite(body)).body as { token: string };
  for (const more of [
    { role: 'hr_admin' },
    { email: 'other@people.example' },
    { company_id: other.id },
    { user_id: 'user_1' },
  ]) {
    judge(
      await call(server.url, 'POST', '/api/user-management/setup-password', { body: { token, password, ...more } }),
      422,
      JSON.stringify(more),
    );
  }
  const username = fresh();
  const many = await Promise.all(
    Array.from({ length: 50 }, () =>
      call(server.url, 'POST', '/api/user-management/setup-password', { body: { token, password, username } }),
    ),
  );
  expect(many.filter((answer) => answer.status === 201)).toHaveLength(1);
  for (const answer of many) judge(answer, [201, 410, 503], 'parallel');
  judge(
    await call(server.url, 'POST', '/api/user-management/setup-password', { body: { token, password } }),
    410,
    'used',
  );
  judge(
    await call(server.url, 'POST', '/api/auth/reset-password', { body: { token, password } }),
    [404, 410],
    '104: as a reset',
  );
});

test('a cancelled invitation is unknown, and a resent one has a new token alone', async () => {
  const made = (await invite(good())).body as { id: string; token: string };
  const resent = await call<{ token: string }>(
    server.url,
    'POST',
    `/api/user-management/invitations/${made.id}/resend`,
    { token: own.admin.token },
  );
  expect(resent.body.token).not.toBe(made.token);
  judge(
    await call(server.url, 'POST', '/api/user-management/setup-password', { body: { token: made.token, password } }),
    404,
    'the old one',
  );
  expect(
    (await call(server.url, 'DELETE', `/api/user-management/invitations/${made.id}`, { token: own.admin.token }))
      .status,
  ).toBe(204);
  judge(
    await call(server.url, 'POST', '/api/user-management/setup-password', {
      body: { token: resent.body.token, password },
    }),
    404,
    'cancelled',
  );
});

test('106: an inviter who may not any more', async () => {
  const manager = await invitePerson(server.url, own.admin, 'hr_manager', fresh());
  const { token } = (await invite(good(), manager.token)).body as { token: string };
  await expectCall(204, server.url, 'DELETE', `/api/user-management/users/${manager.id}`, { token: own.admin.token });
  judge(
    await call(server.url, 'POST', '/api/user-management/setup-password', { body: { token, password } }),
    [404, 410],
    'inviter gone',
  );
});

test('107: no list shows a token or a link', async () => {
  const { token } = (await invite(good())).body as { token: string };
  const secret = token.split('.')[1]!;
  const list = await call(server.url, 'GET', '/api/user-management/invitations?limit=200', { token: own.admin.token });
  expect(list.status).toBe(200);
  expect(list.text).not.toContain(secret);
  expect(list.text).not.toMatch(/setup_url|"token"/);
});

test('109, 112: fields that nobody sets', async () => {
  const person = await invitePerson(server.url, own.admin, 'employee', fresh());
  const before = await call(server.url, 'GET', `/api/user-management/users/${person.id}`, { token: own.admin.token });
  for (const more of [
    { tenant_id: other.id },
    { company_id: other.id },
    { email_verified: true },
    { failed_attempts: 0 },
    { token_version: 1 },
    { password },
    { password_hash: 'x' },
    { id: 'user_1' },
    { username: 'x-y' },
  ]) {
    judge(
      await call(server.url, 'PATCH', `/api/user-management/users/${person.id}`, {
        token: own.admin.token,
        body: more,
      }),
      422,
      JSON.stringify(more),
    );
  }
  for (const is_active of ['true', 1, 'yes', []])
    judge(
      await call(server.url, 'PATCH', `/api/user-management/users/${person.id}`, {
        token: own.admin.token,
        body: { is_active },
      }),
      422,
      '43',
    );
  expect(
    (await call(server.url, 'GET', `/api/user-management/users/${person.id}`, { token: own.admin.token })).body,
  ).toEqual(before.body);
});

test('peers, superiors and oneself are out of reach, and the last admin stays', async () => {
  const manager = await invitePerson(server.url, own.admin, 'hr_manager', fresh());
  const peer = await invitePerson(server.url, own.admin, 'hr_manager', fresh());
  for (const id of [peer.id, own.admin.id, manager.id]) {
    judge(
      await call(server.url, 'PATCH', `/api/user-management/users/${id}`, {
        token: manager.token,
        body: { role: 'customer' },
      }),
      403,
      'change',
    );
    judge(
      await call(server.url, 'DELETE', `/api/user-management/users/${id}`, { token: manager.token }),
      403,
      'deactivate',
    );
  }
  judge(
    await call(server.url, 'DELETE', `/api/user-management/users/${own.admin.id}`, { token: own.admin.token }),
    403,
    'oneself',
  );
  judge(
    await call(server.url, 'PATCH', `/api/user-management/users/${own.admin.id}`, {
      token: own.admin.token,
      body: { is_active: false },
    }),
    403,
    'oneself',
  );
  const employee = await invitePerson(server.url, manager, 'employee', fresh());
  judge(
    await call(server.url, 'PATCH', `/api/user-management/users/${employee.id}`, {
      token: manager.token,
      body: { role: 'hr_manager' },
    }),
    403,
    'to the own rank',
  );
});

test('registration is closed until a company opens it, and gives the lowest role', async () => {
  const register = (company_id: string, more = {}) =>
    call(server.url, 'POST', '/api/auth/register', {
      body: { name: 'A person', email: `${fresh()}@people.example`, password, company_id, ...more },
    });
  const closed = await register(own.id);
  judge(closed, 403, 'closed');
  expect(closed.body.code).toBe('registration_closed');
  judge(await register(own.id, { role: 'hr_admin' }), [403, 422], 'role while closed');
  const unknown = await register('comp_00000000000000000000000000');
  expect({ ...unknown.body, instance: '' }).toEqual({ ...closed.body, instance: '' });
  await expectCall(200, server.url, 'PATCH', '/api/company', {
    token: own.admin.token,
    body: { registration: 'open' },
  });
  judge(await register(own.id, { role: 'hr_admin' }), 422, 'another role');
  const joined = await register(own.id);
  judge(joined, 201, 'open');
  expect(joined.body).toMatchObject({ user: { role: 'customer' }, company: { id: own.id } });
});

test('two people take the same username', async () => {
  const username = fresh();
  const tokens = await Promise.all([invite(good()), invite(good())]);
  const [first, second] = tokens.map((answer) => (answer.body as { token: string }).token) as [string, string];
  await acceptInvitation(server.url, first, username);
  judge(
    await call(server.url, 'POST', '/api/user-management/setup-password', {
      body: { token: second, password, username: username.toUpperCase() },
    }),
    409,
    'taken',
  );
});
