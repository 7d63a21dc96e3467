import { expect, test } from 'vitest';
import { codeOf, type Member, openWorld, origin, type World } from '../../../test/support/accounts-world.ts';
import type { Preset, Role } from '../../kernel/roles.ts';

const order: Record<Preset, readonly Role[]> = {
  company: ['hr_admin', 'hr_manager', 'employee', 'customer'],
  workspace: ['admin', 'user', 'viewer'],
};

/** Two people of every role; the second administrator comes by an operator. */
async function everybody(world: World, preset: Preset): Promise<Member[]> {
  const { tenant, admin } = await world.company('acme', preset);
  const person = { email: 'second@acme.example', full_name: 'Second' };
  const { token } = await world.accounts.inviteAdmin(tenant, person, { kind: 'host' });
  const people = [admin, await world.accept(token)];
  for (const role of order[preset].slice(1)) {
    for (const number of [1, 2]) people.push(await world.member(admin, role, `${role}-${number}@acme.example`));
  }
  return people;
}

test.each(['company', 'workspace'] as const)('who sees and changes whom, in the preset %s', async (preset) => {
  const world = await openWorld();
  const people = await everybody(world, preset);
  const { users } = world.accounts.services;
  const level = (one: Member) => order[preset].indexOf(one.caller.user.role);
  const managers: readonly string[] = preset === 'company' ? ['hr_admin', 'hr_manager', 'employee'] : ['admin'];
  for (const who of people) {
    const isTop = level(who) === 0;
    const { items, total } = await users.list(who.caller, { limit: 50, sort: 'created_at', total: true });
    const visible = people.filter((one) => isTop || one === who || level(one) > level(who));
    expect(items.map((one) => one.id).sort()).toEqual(visible.map((one) => one.user.id).sort());
    expect(total).toBe(visible.length);
    for (const whom of people) {
      const label = `${who.user.email} and ${whom.user.email}`;
      const seen = await codeOf(users.get(who.caller, whom.user.id));
      expect(seen, label).toBe(visible.includes(whom) ? 'no refusal' : 'not_found');
      if (!managers.includes(who.user.role)) continue;
      const changed = await codeOf(users.update(who.caller, whom.user.id, { full_name: 'Renamed' }, origin));
      expect(changed, label).toBe(level(whom) > level(who) ? 'no refusal' : 'not_below_you');
    }
  }
});

test('nobody gives a role beyond what their own grants, nor changes themselves', async () => {
  const world = await openWorld();
  const people = await everybody(world, 'company');
  const [admin, , manager, , employee, , customer] = people as [Member, Member, Member, Member, Member, Member, Member];
  const { users } = world.accounts.services;
  const give = (who: Member, whom: Member, role: Role) =>
    codeOf(users.update(who.caller, whom.user.id, { role }, origin));
  expect(await give(admin, admin, 'hr_manager')).toBe('not_below_you');
  expect(await give(manager, manager, 'hr_admin')).toBe('not_below_you');
  expect(await give(manager, employee, 'hr_manager')).toBe('role_not_granted');
  expect(await give(manager, employee, 'hr_admin')).toBe('role_not_granted');
  expect(await give(admin, employee, 'hr_admin')).toBe('role_not_granted');
  expect(await give(admin, employee, 'viewer')).toBe('invalid');
  expect(await give(employee, customer, 'employee')).toBe('role_not_granted');
  expect(await give(manager, employee, 'customer')).toBe('no refusal');
  expect(await give(admin, employee, 'hr_manager')).toBe('no refusal');
  expect(await give(manager, employee, 'customer')).toBe('not_below_you');
});

test('people of another company are as those who do not exist', async () => {
  const world = await openWorld();
  const acme = await world.company('acme');
  const globex = await world.company('globex');
  const stranger = await world.member(globex.admin, 'customer', 'customer@globex.example');
  const { users, passwordService } = world.accounts.services;
  const before = await world.accounts.userById(globex.tenant, stranger.user.id);
  for (const id of [stranger.user.id, 'user_00000000000000000000000000', 'malformed', '', "'; --"]) {
    expect(await codeOf(users.get(acme.admin.caller, id))).toBe('not_found');
    expect(await codeOf(users.update(acme.admin.caller, id, { full_name: 'X' }, origin))).toBe('not_found');
    expect(await codeOf(users.deactivate(acme.admin.caller, id, origin))).toBe('not_found');
    expect(await codeOf(passwordService.send(acme.admin.caller, id, origin))).toBe('not_found');
  }
  expect(await world.accounts.userById(globex.tenant, stranger.user.id)).toEqual(before);
});

test('the last administrator stays: no administrator is below anybody', async () => {
  const world = await openWorld();
  const [first, second, manager] = (await everybody(world, 'company')) as [Member, Member, Member];
  const { users } = world.accounts.services;
  for (const who of [first, second, manager]) {
    for (const whom of [first, second]) {
      expect(await codeOf(users.deactivate(who.caller, whom.user.id, origin))).toBe('not_below_you');
      const demoted = users.update(who.caller, whom.user.id, { role: 'employee' }, origin);
      expect(await codeOf(demoted)).toBe('not_below_you');
    }
  }
});

test('lists page through every order without loss, and search literally', async () => {
  const world = await openWorld();
  const { admin } = await world.company('acme');
  for (let index = 0; index < 6; index += 1) {
    await world.member(admin, 'employee', `e${index}@acme.example`, `name_${index}`);
  }
  const { users } = world.accounts.services;
  for (const sort of ['created_at', '-created_at', 'full_name', '-full_name', 'email', '-email'] as const) {
    const seen: string[] = [];
    let after: readonly [string, string] | undefined;
    do {
      const page = await users.list(admin.caller, { limit: 2, sort, after, total: false });
      seen.push(...page.items.map((one) => one.id));
      after = page.next ?? undefined;
    } while (after !== undefined);
    expect(seen).toHaveLength(7);
    expect(new Set(seen).size).toBe(7);
  }
  const find = async (q: string) =>
    (await users.list(admin.caller, { limit: 50, sort: 'email', q, total: false })).items.length;
  expect([await find('name_1'), await find('%'), await find('name%1'), await find('\\'), await find("'")]).toEqual([
    1, 0, 0, 0, 0,
  ]);
});
