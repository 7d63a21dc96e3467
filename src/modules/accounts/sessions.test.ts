import { expect, test } from 'vitest';
import { codeOf, openWorld, origin, password } from '../../../test/support/accounts-world.ts';

test('fifty uses of one refresh token at once give one successor', async () => {
  const { accounts, kernel, company } = await openWorld();
  const { tenant, admin } = await company('acme');
  const { refresh } = accounts.services.sessions;
  const pairs = await Promise.all(Array.from({ length: 50 }, () => refresh(admin.refreshToken, origin)));
  expect(new Set(pairs.map((pair) => pair.refreshToken)).size).toBe(1);
  expect(pairs[0]!.refreshToken).not.toBe(admin.refreshToken);
  const rows = await tenant.db.read.selectFrom('refresh_tokens').selectAll().execute();
  expect(rows).toHaveLength(2);
  expect(JSON.stringify(rows)).not.toContain(pairs[0]!.refreshToken);
  expect((await accounts.authenticate(pairs[7]!.accessToken)).kind).toBe('member');
  await kernel.close();
});

test.each([
  [10_000, 'no refusal', 'no refusal'],
  [10_500, 'invalid_token', 'session_ended'],
])('a refresh token used again after %i ms: %s, and the family: %s', async (wait, again, family) => {
  const { accounts, kernel, company, travel } = await openWorld();
  const { tenant, admin } = await company('acme');
  const { refresh } = accounts.services.sessions;
  // A margin for the time that the calls take themselves.
  const margin = again === 'no refusal' ? 500 : 0;
  const pair = await refresh(admin.refreshToken, origin);
  travel(wait - margin);
  expect(await codeOf(refresh(admin.refreshToken, origin))).toBe(again);
  expect(await codeOf(accounts.authenticate(pair.accessToken))).toBe(family);
  expect(await codeOf(refresh(pair.refreshToken, origin))).toBe(again);
  const audited = (await kernel.audit.list(tenant, { limit: 50 })).items.map((row) => row.action);
  expect(audited.includes('session.refresh_reused')).toBe(again === 'invalid_token');
});

test('what is no living refresh token is refused alike', async () => {
  const { accounts, company, travel } = await openWorld({ refreshTokenDays: 1 });
  const { admin } = await company('acme');
  const { refresh } = accounts.services.sessions;
  const token = admin.refreshToken;
  const shapes = [
    '',
    'x',
    '.',
    `${token}.`,
    token.toUpperCase(),
    `${token.slice(0, -1)}${token.endsWith('-') ? '_' : '-'}`,
    `system${token.slice(26)}`,
  ];
  for (const one of [...shapes, 'a'.repeat(10_000), `${token.slice(0, 26)}.${'A'.repeat(43)}`]) {
    expect(await codeOf(refresh(one, origin)), one.slice(0, 90)).toBe('invalid_token');
  }
  await refresh(token, origin);
  travel(25 * 3_600_000);
  expect(await codeOf(refresh(token, origin))).toBe('invalid_token');
});

test('every change holds from the next request', async () => {
  const { accounts, kernel, company, member } = await openWorld();
  const { tenant, admin } = await company('acme');
  const { services } = accounts;
  const { login } = services.signIn;
  const employee = await member(admin, 'employee', 'employee@acme.example');
  const again = () => login({ username: 'employee@acme.example', password }, origin);
  const refused = async (signedIn: { accessToken: string; refreshToken: string }, code = 'session_ended') => {
    expect(await codeOf(accounts.authenticate(signedIn.accessToken))).toBe(code);
    expect(await codeOf(services.sessions.refresh(signedIn.refreshToken, origin))).toBe('invalid_token');
  };

  const role = await again();
  await services.users.update(admin.caller, employee.user.id, { role: 'customer' }, origin);
  const caller = await accounts.authenticate(role.accessToken);
  expect(caller.kind === 'member' && [caller.user.role, caller.actor.role, caller.tenant.actor]).toEqual([
    'customer',
    'customer',
    caller.actor,
  ]);

  const left = await again();
  await services.sessions.end(await accounts.authenticate(left.accessToken), left.accessToken, origin).catch(() => {});
  const leftCaller = await accounts.authenticate(left.accessToken);
  await services.sessions.end(leftCaller, leftCaller.sessionId, origin);
  await refused(left);

  const [keeps, loses] = [await again(), await again()];
  const next = `${password} anew`;
  await services.passwordService.change(await accounts.authenticate(keeps.accessToken), password, next, origin);
  await refused(loses);
  expect((await accounts.authenticate(keeps.accessToken)).kind).toBe('member');
  expect(await codeOf(again())).toBe('invalid_credentials');

  await services.users.deactivate(admin.caller, employee.user.id, origin);
  await refused(keeps);

  await kernel.tenants.suspend(tenant.id, { kind: 'host' });
  await refused(admin, 'company_suspended');
  await kernel.tenants.resume(tenant.id, { kind: 'host' });
  expect((await accounts.authenticate(admin.accessToken)).kind).toBe('member');
  await kernel.tenants.delete(tenant.id, { kind: 'host' });
  await refused(admin, 'company_suspended');
});

test('changing a password needs the present one, another one, and a good one', async () => {
  const { accounts, company } = await openWorld();
  const { admin } = await company('acme');
  const { change } = accounts.services.passwordService;
  expect(await codeOf(change(admin.caller, `${password}x`, 'a quite new phrase', origin))).toBe('invalid_credentials');
  expect(await codeOf(change(admin.caller, password, password, origin))).toBe('password_unchanged');
  expect(await codeOf(change(admin.caller, password, 'Password123', origin))).toBe('password_common');
  expect(await codeOf(change(admin.caller, password, 'admin@acme.example', origin))).toBe('password_personal');
  expect(await codeOf(change(admin.caller, password, 'a quite new phrase', origin))).toBe('no refusal');
});

test('sessions are listed newest first, page by page, and ended by their owner alone', async () => {
  const { accounts, company, member } = await openWorld();
  const { admin } = await company('acme');
  const stranger = await member(admin, 'employee', 'employee@acme.example');
  const { sessions, signIn } = accounts.services;
  for (let index = 0; index < 4; index += 1) await signIn.login({ username: admin.user.email, password }, origin);
  const first = await sessions.list(admin.caller, { limit: 3 });
  const rest = await sessions.list(admin.caller, { limit: 3, before: first.next! });
  const ids = [...first.items, ...rest.items].map((one) => one.id);
  expect(ids).toHaveLength(5);
  expect(ids).toEqual([...ids].sort().reverse());
  expect(rest.next).toBeNull();
  expect(rest.items.at(-1)).toMatchObject({ id: admin.caller.sessionId, current: true, ip: origin.ip, client: 'api' });
  for (const id of [ids[0]!, 'sess_malformed', stranger.caller.sessionId]) {
    expect(await codeOf(sessions.end(stranger.caller, id, origin))).toBe(
      id === stranger.caller.sessionId ? 'no refusal' : 'not_found',
    );
  }
  await sessions.endOthers(admin.caller, origin);
  expect((await sessions.list(admin.caller, { limit: 9 })).items.map((one) => one.id)).toEqual([
    admin.caller.sessionId,
  ]);
});

test('a switch needs the other password once, and a company learns nothing of the others', async () => {
  const { accounts, kernel, company, member, caller } = await openWorld();
  const [acme, globex, third] = [await company('acme'), await company('globex'), await company('initech')];
  const here = await member(acme.admin, 'employee', 'both@people.example');
  const there = await member(globex.admin, 'customer', 'both@people.example');
  const { switchTo } = accounts.services.sessions;
  const known = switchTo(here.caller, globex.tenant.id, undefined, origin);
  expect(await codeOf(known)).toBe('password_required');
  for (const id of [third.tenant.id, 'comp_00000000000000000000000000', 'malformed', acme.tenant.id]) {
    expect(await codeOf(switchTo(here.caller, id, undefined, origin))).toBe('password_required');
  }
  for (const id of [globex.tenant.id, third.tenant.id, 'malformed']) {
    expect(await codeOf(switchTo(here.caller, id, 'wrong wrong', origin))).toBe('invalid_credentials');
  }
  expect(
    (await accounts.services.signIn.login({ username: 'both@people.example', password }, origin)).companies,
  ).toHaveLength(1);

  const linked = await switchTo(here.caller, globex.tenant.id, password, origin);
  expect(linked.user.id).toBe(there.user.id);
  expect(linked.companies.map((one) => one.id).sort()).toEqual([acme.tenant.id, globex.tenant.id].sort());
  const back = await switchTo(await caller(linked), acme.tenant.id, undefined, origin);
  expect(back.user.id).toBe(here.user.id);
  expect((await switchTo(await caller(back), globex.tenant.id, undefined, origin)).company?.id).toBe(globex.tenant.id);

  // A reset link may be in the hands of acme's administrator: the way to globex is cut.
  const { token } = await accounts.services.passwordService.send(acme.admin.caller, here.user.id, origin);
  await accounts.services.passwordService.reset(token!, `${password} reset`, origin);
  const taken = await accounts.services.signIn.login(
    { username: 'both@people.example', password: `${password} reset`, company: acme.tenant.id },
    origin,
  );
  expect(taken.companies).toHaveLength(1);
  expect(await codeOf(switchTo(await caller(taken), globex.tenant.id, undefined, origin))).toBe('password_required');

  await accounts.settled();
  const trail = JSON.stringify(await kernel.audit.list(acme.tenant, { limit: 200 }));
  expect(trail).not.toContain(globex.tenant.id);
  expect(trail).not.toContain(there.user.id);
});
