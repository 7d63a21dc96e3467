import { hash as bcryptHash } from '@node-rs/bcrypt';
import { expect, test } from 'vitest';
import { codeOf, openWorld, origin, password } from '../../../test/support/accounts-world.ts';

test('a person signs in by name and by address, with and without the company', async () => {
  const { accounts, company, member } = await openWorld();
  const { tenant, admin } = await company('acme');
  const employee = await member(admin, 'employee', 'employee@acme.example', 'worker');
  const { login } = accounts.services.signIn;
  for (const username of ['worker', 'WORKER', 'employee@acme.example', 'Employee@Acme.example']) {
    for (const hint of [undefined, tenant.id, tenant.slug]) {
      const signedIn = await login({ username, password, company: hint }, origin);
      expect(signedIn.user.id).toBe(employee.user.id);
      expect(signedIn.company).toEqual({ id: tenant.id, name: 'acme', slug: tenant.slug });
      expect(signedIn.companies).toEqual([signedIn.company]);
    }
  }
});

test('whatever is wrong, the answer is the same, and it costs one hash', async () => {
  const { accounts, kernel, company, member } = await openWorld();
  const { tenant, admin } = await company('acme');
  const other = await company('globex');
  const employee = await member(admin, 'employee', 'employee@acme.example', 'worker');
  await member(admin, 'employee', 'gone@acme.example', 'gone');
  const gone = await accounts.services.signIn.login({ username: 'gone', password }, origin);
  await accounts.services.users.deactivate(admin.caller, gone.user.id, origin);
  const { login } = accounts.services.signIn;
  const refusal = async (username: string, pass: string, hint?: string) => {
    try {
      await login({ username, password: pass, company: hint }, origin);
      return 'no refusal';
    } catch (error) {
      const { kind, code, message } = error as { kind: string; code: string; message: string };
      return { kind, code, message };
    }
  };
  const expected = await refusal('nobody', password);
  expect(expected).toMatchObject({ kind: 'unauthenticated', code: 'invalid_credentials' });
  expect(await refusal('worker', `${password}x`)).toEqual(expected);
  expect(await refusal('worker', '')).toEqual(expected);
  expect(await refusal('worker', password, other.tenant.id)).toEqual(expected);
  expect(await refusal('worker', password, 'no-such-company')).toEqual(expected);
  expect(await refusal('gone', password)).toEqual(expected);
  expect(await refusal('pending@acme.example', password)).toEqual(expected);
  await kernel.tenants.suspend(tenant.id, { kind: 'host' });
  expect(await refusal('worker', password)).toEqual(expected);
  expect(await refusal('worker', password, tenant.id)).toEqual(expected);
  expect(await codeOf(accounts.authenticate(employee.accessToken))).toBe('company_suspended');
  await accounts.settled();
});

test('without a company the one accepted first is meant, and a disabled one comes last', async () => {
  const { accounts, company, member, travel } = await openWorld();
  const first = await company('acme');
  const second = await company('globex');
  await member(first.admin, 'employee', 'both@people.example');
  travel(1_000);
  await member(second.admin, 'employee', 'both@people.example');
  const { login } = accounts.services.signIn;
  const credentials = { username: 'both@people.example', password };
  const there = await login(credentials, origin);
  expect(there.company?.id).toBe(first.tenant.id);
  expect((await login({ ...credentials, company: second.tenant.slug }, origin)).company?.id).toBe(second.tenant.id);
  await accounts.services.users.deactivate(first.admin.caller, there.user.id, origin);
  expect((await login(credentials, origin)).company?.id).toBe(second.tenant.id);
});

test('an operator of the name comes before every membership', async () => {
  const { accounts, company, member } = await openWorld();
  const { admin, tenant } = await company('acme');
  await member(admin, 'employee', 'ops@example.com', 'operator');
  await accounts.createOperator({ username: 'operator', email: 'ops@example.com', password }, { kind: 'host' });
  const { login } = accounts.services.signIn;
  expect(await login({ username: 'operator', password }, origin)).toMatchObject({ company: null, companies: [] });
  const inCompany = await login({ username: 'operator', password, company: tenant.id }, origin);
  expect(inCompany.company?.id).toBe(tenant.id);
});

test('a pending row of the directory is a hint: it is confirmed, or passed over and removed', async () => {
  const { accounts, kernel, company, member, travel } = await openWorld();
  const { tenant, admin } = await company('acme');
  const employee = await member(admin, 'employee', 'employee@acme.example');
  const { directory } = accounts.services.parts;
  await kernel.control.transaction(async (tx) => {
    await tx.updateTable('directory').set({ state: 'pending' }).execute();
  });
  await directory.reserve(tenant.id, 'user_00000000000000000000000000', [
    'employee@acme.example',
    'nobody@acme.example',
  ]);
  travel(3_600_000);
  const { login } = accounts.services.signIn;
  const signedIn = await login({ username: 'employee@acme.example', password }, origin);
  expect(signedIn.user.id).toBe(employee.user.id);
  expect(await codeOf(login({ username: 'nobody@acme.example', password }, origin))).toBe('invalid_credentials');
  await accounts.settled();
  expect((await directory.find('employee@acme.example')).filter((row) => row.state === 'confirmed')).toHaveLength(1);
  expect(await directory.find('nobody@acme.example')).toEqual([]);
});

test('an imported bcrypt hash is checked, never beyond 72 bytes, and replaced at the first sign-in', async () => {
  const { accounts, company } = await openWorld();
  const { tenant } = await company('acme');
  const long = 'x'.repeat(72);
  const [short, cut] = await Promise.all([bcryptHash(password, 4), bcryptHash(long, 4)]);
  const people = [
    { email: 'a@acme.example', fullName: 'A', role: 'employee', passwordHash: short },
    { email: 'b@acme.example', fullName: 'B', role: 'employee', passwordHash: cut },
    { email: 'c@acme.example', fullName: 'C', role: 'employee' },
    { email: 'd@acme.example', fullName: 'D', role: 'employee', passwordHash: 'md5:abc' },
    { email: 'a@acme.example', fullName: 'A', role: 'employee', passwordHash: short },
    { email: 'e@acme.example', fullName: 'E', role: 'viewer' },
  ];
  const results = await accounts.importUsers(tenant, people, { kind: 'host' });
  expect(results.map((one) => one.created)).toEqual([true, true, true, false, false, false]);
  expect(results[4]!.id).toBe(results[0]!.id);
  const { login } = accounts.services.signIn;
  await login({ username: 'a@acme.example', password }, origin);
  const stored = await accounts.userById(tenant, results[0]!.id!);
  expect(stored?.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  await login({ username: 'a@acme.example', password }, origin);
  expect(await codeOf(login({ username: 'b@acme.example', password: `${long}y` }, origin))).toBe('invalid_credentials');
  expect(await codeOf(login({ username: 'c@acme.example', password: '' }, origin))).toBe('invalid_credentials');
});

test('guessing is slowed down for known and unknown names alike', async () => {
  const { accounts, company, travel } = await openWorld({ signInAccountLimit: 3 });
  const { admin } = await company('acme');
  const { login } = accounts.services.signIn;
  for (const username of [admin.user.email, 'nobody@acme.example']) {
    const codes: string[] = [];
    for (let index = 0; index < 5; index += 1) {
      codes.push(await codeOf(login({ username, password: 'wrong wrong' }, { ...origin, ip: `198.51.100.${index}` })));
    }
    expect(codes).toEqual([...Array(3).fill('invalid_credentials'), 'too_many_attempts', 'too_many_attempts']);
  }
  travel(10 * 60_000);
  await login({ username: admin.user.email, password }, origin);
});

test('refused and accepted sign-ins are audited, and no name stands in the fleet’s trail', async () => {
  const { accounts, kernel, company } = await openWorld();
  const { tenant, admin } = await company('acme');
  const { login } = accounts.services.signIn;
  await codeOf(login({ username: admin.user.email, password: 'wrong wrong' }, origin));
  await codeOf(login({ username: 'nobody@acme.example', password: 'wrong wrong' }, origin));
  await accounts.settled();
  const own = await kernel.audit.list(tenant, { limit: 50 });
  expect(own.items.map((row) => row.action)).toEqual(expect.arrayContaining(['session.created', 'session.refused']));
  const fleet = JSON.stringify(await kernel.audit.listFleet({ limit: 50 }));
  expect(fleet).toContain('session.refused');
  expect(fleet).not.toContain('nobody@acme');
});
