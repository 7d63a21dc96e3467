import { expect, test } from 'vitest';
import { codeOf, openWorld, origin, password } from '../../../test/support/accounts-world.ts';
import { day } from '../../kernel/clock.ts';
import { type Role, roleNames } from '../../kernel/roles.ts';
import { createAccounts } from './index.ts';

test.each(['company', 'workspace'] as const)('who may invite whom, in the preset %s', async (preset) => {
  const { accounts, company, member } = await openWorld();
  const { admin } = await company('acme', preset);
  const granted: Record<string, readonly string[]> = {
    hr_admin: ['hr_manager', 'employee', 'customer'],
    hr_manager: ['employee', 'customer'],
    employee: ['customer'],
    customer: [],
    admin: ['admin', 'user', 'viewer'],
    user: [],
    viewer: [],
  };
  const own: readonly Role[] =
    preset === 'company' ? ['hr_admin', 'hr_manager', 'employee', 'customer'] : ['admin', 'user', 'viewer'];
  for (const inviter of own) {
    const who = inviter === own[0] ? admin : await member(admin, inviter, `${inviter}@acme.example`);
    for (const role of roleNames) {
      const person = { email: `${inviter}-${role}@people.example`, fullName: 'A person', role };
      const code = await codeOf(accounts.services.invitations.invite(who.caller, person, origin));
      const expected = !own.includes(role)
        ? 'invalid'
        : granted[inviter]!.includes(role)
          ? 'no refusal'
          : 'role_not_granted';
      expect(code, `${inviter} invites ${role}`).toBe(expected);
    }
  }
});

test.each([
  [-1_000, 'no refusal'],
  [-1, 'no refusal'],
  [0, 'invitation_over'],
  [1_000, 'invitation_over'],
])('accepted %i ms after its seven days: %s', async (late, expected) => {
  const { accounts, company, freeze } = await openWorld();
  const { admin } = await company('acme');
  const { invitations, passwordService } = accounts.services;
  const person = { email: 'new@acme.example', fullName: 'New', role: 'employee' as const };
  const { token, row } = await invitations.invite(admin.caller, person, origin);
  expect(Date.parse(row.expires_at) - Date.parse(row.created_at)).toBe(7 * day);
  freeze(new Date(Date.parse(row.created_at) + 7 * day + late).toISOString());
  expect(await codeOf(invitations.look(token, origin))).toBe(expected);
  if (expected !== 'no refusal') {
    expect(await codeOf(passwordService.reset(token, password, origin))).toBe('invitation_over');
  }
  expect(await codeOf(invitations.accept({ token, password }, origin))).toBe(expected);
});

test('accepted once, whatever is tried', async () => {
  const { accounts, kernel, company } = await openWorld();
  const { admin, tenant } = await company('acme');
  const { invitations, passwordService, signIn } = accounts.services;
  const person = { email: 'new@acme.example', fullName: 'New', role: 'employee' as const };
  const { token } = await invitations.invite(admin.caller, person, origin);
  expect(await codeOf(passwordService.reset(token, password, origin))).toBe('not_found');
  expect(await codeOf(signIn.login({ username: 'new@acme.example', password }, origin))).toBe('invalid_credentials');
  // As from two processes, which share nothing but the databases.
  const doors = [invitations, createAccounts(kernel).services.invitations];
  const codes = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      codeOf(doors[index % 2]!.accept({ token, password, username: `name-${index}` }, origin)),
    ),
  );
  expect(codes.filter((code) => code === 'no refusal')).toHaveLength(1);
  expect(new Set(codes)).toEqual(new Set(['no refusal', 'invitation_over']));
  const users = await tenant.db.read.selectFrom('users').selectAll().where('email', '=', 'new@acme.example').execute();
  expect(users).toHaveLength(1);
  expect(users[0]!.role).toBe('employee');
  const rows = await accounts.services.parts.directory.find('new@acme.example');
  expect(rows.map((row) => row.state)).toEqual(['confirmed']);
});

test('a wrong token is unknown, whatever it looks like', async () => {
  const { accounts, company } = await openWorld();
  const { admin } = await company('acme');
  const { invitations } = accounts.services;
  const person = { email: 'new@acme.example', fullName: 'New', role: 'employee' as const };
  const { token } = await invitations.invite(admin.caller, person, origin);
  const secret = token.slice(27);
  const wrong = [
    '',
    '.',
    secret,
    token.toUpperCase(),
    `${token}.`,
    `${token}%2e`,
    'a'.repeat(10_000),
    `system.${secret}`,
  ];
  const another = token[30] === 'x' ? 'y' : 'x';
  wrong.push(`${'0'.repeat(26)}.${secret}`, `${token.slice(0, 30)}${another}${token.slice(31)}`);
  for (const one of wrong) {
    expect(await codeOf(invitations.look(one, origin)), one.slice(0, 90)).toBe('not_found');
    expect(await codeOf(invitations.accept({ token: one, password }, origin))).toBe('not_found');
  }
});

test('cancelled is unknown; sent again kills the old link; one live invitation an address', async () => {
  const { accounts, company, travel } = await openWorld();
  const { admin } = await company('acme');
  const { invitations } = accounts.services;
  const person = { email: 'new@acme.example', fullName: 'New', role: 'employee' as const };
  const races = await Promise.all(
    Array.from({ length: 10 }, () => codeOf(invitations.invite(admin.caller, person, origin))),
  );
  expect(races.sort()).toEqual([...Array(9).fill('already_invited'), 'no refusal']);
  const listed = await invitations.list(admin.caller, { limit: 10, status: 'pending', total: true });
  expect([listed.items.length, listed.total]).toEqual([1, 1]);
  const id = listed.items[0]!.id;
  const first = await invitations.resend(admin.caller, id, origin);
  const second = await invitations.resend(admin.caller, id, origin);
  expect(await codeOf(invitations.accept({ token: first.token, password }, origin))).toBe('not_found');
  travel(8 * day);
  const third = await invitations.resend(admin.caller, id, origin).catch((error: { code: string }) => error.code);
  expect(third).toMatchObject({ row: { id } });
  const { token } = third as typeof second;
  await invitations.cancel(admin.caller, id, origin);
  expect(await codeOf(invitations.accept({ token, password }, origin))).toBe('not_found');
  expect(await codeOf(invitations.cancel(admin.caller, id, origin))).toBe('not_found');
  expect(await codeOf(invitations.resend(admin.caller, id, origin))).toBe('not_found');
  const anew = await invitations.invite(admin.caller, person, origin);
  await invitations.accept({ token: anew.token, password }, origin);
  expect(await codeOf(invitations.cancel(admin.caller, anew.row.id, origin))).toBe('invitation_used');
  expect(await codeOf(invitations.resend(admin.caller, anew.row.id, origin))).toBe('invitation_used');
  expect(await codeOf(invitations.invite(admin.caller, person, origin))).toBe('already_user');
});

test.each(['demoted', 'deactivated'] as const)('an inviter who was %s gives nothing any more', async (what) => {
  const { accounts, company, member } = await openWorld();
  const { admin } = await company('acme');
  const manager = await member(admin, 'hr_manager', 'manager@acme.example');
  const { invitations, users } = accounts.services;
  const person = { email: 'new@acme.example', fullName: 'New', role: 'employee' as const };
  const { token } = await invitations.invite(manager.caller, person, origin);
  if (what === 'demoted') await users.update(admin.caller, manager.user.id, { role: 'employee' }, origin);
  else await users.deactivate(admin.caller, manager.user.id, origin);
  expect(await codeOf(invitations.accept({ token, password }, origin))).toBe('invitation_over');
  expect(await accounts.services.parts.directory.find('new@acme.example')).toEqual([]);
});

test('a taken user name and a bad password leave the invitation open', async () => {
  const { accounts, company, member } = await openWorld();
  const { admin } = await company('acme');
  await member(admin, 'employee', 'employee@acme.example', 'worker');
  const { invitations } = accounts.services;
  const person = { email: 'new@acme.example', fullName: 'New Person', role: 'employee' as const };
  const { token } = await invitations.invite(admin.caller, person, origin);
  expect(await codeOf(invitations.accept({ token, password, username: 'worker' }, origin))).toBe('username_taken');
  for (const bad of ['password', 'NewPerson1', 'new@acme.example']) {
    expect(await codeOf(invitations.accept({ token, password: bad }, origin))).toMatch(/^password_/);
  }
  await invitations.accept({ token, password, username: 'worker2' }, origin);
});

test('the token is nowhere but in the answer', async () => {
  const { accounts, kernel, company } = await openWorld();
  const { admin, tenant } = await company('acme');
  const { invitations } = accounts.services;
  const person = { email: 'new@acme.example', fullName: 'New', role: 'employee' as const };
  const { token } = await invitations.invite(admin.caller, person, origin);
  const listed = await invitations.list(admin.caller, { limit: 10, total: false });
  const stored = await tenant.db.read.selectFrom('invitations').selectAll().execute();
  const trail = await kernel.audit.list(tenant, { limit: 100 });
  expect(JSON.stringify([listed, stored, trail])).not.toContain(token.slice(27));
});

test('the first invitation of a company is made once, however often the step runs', async () => {
  const { accounts, kernel, company } = await openWorld();
  const secret = accounts.newInvitationSecret();
  const { record } = await kernel.tenants.create(
    {
      name: 'Initech',
      email: 'office@initech.example',
      provisioning: { 'first-invitation': { email: 'first@initech.example', full_name: 'First', token: secret } },
    },
    { kind: 'host' },
  );
  const tenant = await kernel.tenants.open(record.id, { kind: 'system' });
  const step = accounts.provisioning![0]!;
  await step.run(tenant, { email: 'first@initech.example', full_name: 'First', token: secret });
  const rows = await tenant.db.read.selectFrom('invitations').selectAll().execute();
  expect(rows).toHaveLength(1);
  const token = accounts.invitationToken(tenant.id, secret);
  const signedIn = await accounts.services.invitations.accept({ token, password }, origin);
  expect(signedIn.user.role).toBe('hr_admin');
  // A token of one company opens nothing in another.
  const other = await company('globex');
  const swapped = accounts.invitationToken(other.tenant.id, secret);
  expect(await codeOf(accounts.services.invitations.look(swapped, origin))).toBe('not_found');
  await step.undo(tenant.id);
  expect(await accounts.services.parts.directory.find('first@initech.example')).toEqual([]);
});
