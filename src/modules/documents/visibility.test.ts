import { describe, expect, it } from 'vitest';
import type { Role } from '../../kernel/roles.ts';
import {
  type Company,
  download,
  filePart,
  listed,
  openWorld,
  outcome,
  type Person,
  query,
  request,
  upload,
  type World,
} from './test-support.ts';

const companyRoles: Role[] = ['hr_admin', 'hr_manager', 'employee', 'customer'];
const workspaceRoles: Role[] = ['admin', 'user', 'viewer'];

/** What each role may do with a document of each role's, another person, without any share. */
const expected: Record<string, Record<string, string>> = {
  hr_admin: { hr_admin: 'full', hr_manager: 'full', employee: 'full', customer: 'full' },
  hr_manager: { hr_admin: 'none', hr_manager: 'none', employee: 'manage', customer: 'manage' },
  employee: { hr_admin: 'none', hr_manager: 'none', employee: 'none', customer: 'none' },
  customer: { hr_admin: 'none', hr_manager: 'none', employee: 'none', customer: 'none' },
  admin: { admin: 'full', user: 'full', viewer: 'full' },
  user: { admin: 'read', user: 'read', viewer: 'read' },
  viewer: { admin: 'read', user: 'read', viewer: 'read' },
};

/** What is answered to somebody of each level, in order of what it takes. */
const probes: [needs: string, run: (world: World, who: Person, id: string) => Promise<unknown>][] = [
  ['read', (world, who, id) => world.documents.documents.get(who, id)],
  ['read', (world, who, id) => download(world, who, id)],
  ['read', (world, who, id) => world.documents.documents.listVersions(who, id, {})],
  ['read', (world, who, id) => world.documents.documents.listHistory(who, id, {})],
  ['write', (world, who, id) => world.documents.documents.update(who, id, { metadata: { probe: who.id } })],
  ['write', (world, who, id) => world.documents.documents.restoreVersion(who, id, '1')],
  [
    'write',
    (world, who, id) => world.documents.uploads.uploadVersion(who, id, request({ parts: [filePart('v', 'new')] })),
  ],
  ['manage', (world, who, id) => world.documents.documents.update(who, id, { basket_id: null, tags: [who.id] })],
  ['manage', (world, who, id) => world.documents.shares.list(who, 'document', id)],
  ['full', (world, who, id) => world.documents.shares.put(who, 'document', id, who.id, 'read')],
];
const order = ['none', 'read', 'write', 'manage', 'full'];

/** Everything a level allows works; the rest is 404 where nothing may be seen, else 403. */
async function expectLevel(world: World, who: Person, id: string, filename: string, level: string): Promise<void> {
  for (const [index, [needs, run]] of probes.entries()) {
    // Tags and metadata are for writers; moving is for managers: a basket that stays null moves nothing.
    const needed = index === 7 ? 'write' : needs;
    const allowed = order.indexOf(level) >= order.indexOf(needed);
    const expected = allowed ? 'ok' : level === 'none' ? 'not_found' : 'forbidden';
    expect(await outcome(run(world, who, id)), `${who.viewer.role} ${level}: probe ${index}`).toBe(expected);
  }
  expect((await listed(world, who)).includes(filename), `${who.viewer.role} lists`).toBe(level !== 'none');
}

async function give(
  world: World,
  company: Company,
  role: Role,
  filename: string,
): Promise<{ owner: Person; id: string }> {
  // Whoever may not upload freely gets it while in another role.
  const uploader: Role = role === 'customer' ? 'employee' : role === 'viewer' ? 'user' : role;
  const owner = await company.person(uploader);
  const { document } = await upload(world, owner, filename, filename);
  return { owner: role === uploader ? owner : await company.setRole(owner, role), id: document.id };
}

describe('without shares', () => {
  for (const [preset, roles] of [
    ['company', companyRoles],
    ['workspace', workspaceRoles],
  ] as const) {
    it(`every role of ${preset} may do with every role's documents what the table says`, async () => {
      const world = await openWorld();
      const company = await world.company({ preset });
      for (const ownerRole of roles) {
        for (const role of roles) {
          const filename = `${ownerRole}-${role}.txt`;
          const { owner, id } = await give(world, company, ownerRole, filename);
          const who = await company.person(role);
          await expectLevel(world, who, id, filename, expected[role]![ownerRole]!);
          await expectLevel(world, owner, id, filename, 'full');
        }
      }
    });
  }

  it('the present rank of the owner counts', async () => {
    const world = await openWorld();
    const company = await world.company();
    const manager = await company.person('hr_manager');
    const { owner, id } = await give(world, company, 'hr_manager', 'mine.txt');
    await expectLevel(world, manager, id, 'mine.txt', 'none');
    const demoted = await company.setRole(owner, 'employee');
    await expectLevel(world, manager, id, 'mine.txt', 'manage');
    await expectLevel(world, demoted, id, 'mine.txt', 'full');
  });

  it('another company sees nothing, with any id', async () => {
    const world = await openWorld();
    const [one, two] = [await world.company(), await world.company()];
    const { id } = await give(world, one, 'employee', 'theirs.txt');
    const admin = await two.person('hr_admin');
    await expectLevel(world, admin, id, 'theirs.txt', 'none');
    const basket = await world.documents.baskets.create(await one.person('employee'), { name: 'theirs' });
    expect(await outcome(world.documents.baskets.get(admin, basket.id))).toBe('not_found');
    expect(await outcome(listed(world, admin, { basket_id: basket.id }))).toBe('not_found');
    expect(await outcome(upload(world, admin, 'x', 'x', { basket_id: basket.id }))).toBe('not_found');
    const stranger = await one.person('customer');
    expect(await outcome(listed(world, admin, { owner: stranger.id }))).toBe('not_found');
    const mine = await upload(world, admin, 'mine.txt', 'x');
    const { shares } = world.documents;
    expect(await outcome(shares.put(admin, 'document', mine.document.id, stranger.id, 'read'))).toBe('not_found');
    expect(await outcome(world.documents.documents.update(admin, mine.document.id, { basket_id: basket.id }))).toBe(
      'not_found',
    );
  });
});

describe('a share', () => {
  for (const [target, access] of [
    ['document', 'read'],
    ['document', 'write'],
    ['basket', 'read'],
    ['basket', 'write'],
  ] as const) {
    for (const by of ['person', 'role'] as const) {
      it(`on a ${target} for ${access}, to a ${by}, gives exactly that`, async () => {
        const world = await openWorld();
        const company = await world.company();
        const admin = await company.person('hr_admin');
        const customer = await company.person('customer');
        const employee = await company.person('employee');
        const basket = await world.documents.baskets.create(admin, { name: 'shared' });
        const { document } = await upload(world, admin, 'shared.txt', 'one', { basket_id: basket.id });
        const other = await upload(world, admin, 'other.txt', 'two');
        const grantee = by === 'person' ? customer.id : 'customer';
        const id = target === 'document' ? document.id : basket.id;
        await expectLevel(world, customer, document.id, 'shared.txt', 'none');
        await world.documents.shares.put(admin, target, id, grantee, access);
        // A basket stays what it was for the probe that would move the document out of it.
        await expectShared(world, customer, document.id, access);
        await expectLevel(world, customer, other.document.id, 'other.txt', 'none');
        await expectLevel(world, employee, document.id, 'shared.txt', 'none');
        await world.documents.shares.remove(admin, target, id, grantee);
        await expectLevel(world, customer, document.id, 'shared.txt', 'none');
      });
    }
  }

  async function expectShared(world: World, who: Person, id: string, access: 'read' | 'write'): Promise<void> {
    const { documents, uploads, shares } = world.documents;
    const write = access === 'write' ? 'ok' : 'forbidden';
    expect(await outcome(documents.get(who, id))).toBe('ok');
    expect(await outcome(download(world, who, id))).toBe('ok');
    expect(await listed(world, who)).toEqual(['shared.txt']);
    expect((await documents.list(who, query({ total: true }))).total).toBe(1);
    expect(await outcome(documents.update(who, id, { metadata: { a: 1 } }))).toBe(write);
    expect(await outcome(documents.update(who, id, { filename: 'renamed.txt' }))).toBe(write);
    if (access === 'write') await documents.update(who, id, { filename: 'shared.txt' });
    expect(await outcome(uploads.uploadVersion(who, id, request({ parts: [filePart('v', 'new')] })))).toBe(write);
    expect(await outcome(documents.update(who, id, { basket_id: null }))).toBe('forbidden');
    expect(await outcome(documents.trash(who, id))).toBe('forbidden');
    expect(await outcome(documents.purge(who, id))).toBe('forbidden');
    expect(await outcome(shares.put(who, 'document', id, who.id, 'write'))).toBe('forbidden');
    expect(await outcome(shares.list(who, 'document', id))).toBe('forbidden');
  }

  it('on a basket for writing lets a customer upload into it, and nowhere else', async () => {
    const world = await openWorld();
    const company = await world.company();
    const [owner, customer] = [await company.person('employee'), await company.person('customer')];
    const { baskets, shares } = world.documents;
    const basket = await baskets.create(owner, { name: 'inbox' });
    const into = { basket_id: basket.id };
    expect(await outcome(upload(world, customer, 'a.txt', 'x'))).toBe('forbidden');
    expect(await outcome(upload(world, customer, 'a.txt', 'x', into))).toBe('not_found');
    await shares.put(owner, 'basket', basket.id, customer.id, 'read');
    expect(await outcome(upload(world, customer, 'a.txt', 'x', into))).toBe('forbidden');
    await shares.put(owner, 'basket', basket.id, customer.id, 'write');
    const { document } = await upload(world, customer, 'a.txt', 'x', into);
    expect(document.owner.id).toBe(customer.id);
    expect(await listed(world, owner)).toEqual(['a.txt']);
    expect(await outcome(world.documents.documents.trash(owner, document.id))).toBe('forbidden');
    expect(company.objects()).toHaveLength(1);
    await expectLevel(world, customer, document.id, 'a.txt', 'full');
    const stranger = await company.person('customer');
    await shares.remove(owner, 'basket', basket.id, customer.id);
    expect(await outcome(upload(world, customer, 'b.txt', 'x', into))).toBe('not_found');
    expect(await listed(world, stranger)).toEqual([]);
  });

  it('goes only to whom the sharer can see', async () => {
    const world = await openWorld();
    const company = await world.company();
    const people = Object.fromEntries(
      await Promise.all(companyRoles.map(async (role) => [role, await company.person(role)] as const)),
    );
    const gone = await company.person('customer');
    await company.tenant.db.transaction((tx) =>
      tx.updateTable('users').set({ is_active: 0 }).where('id', '=', gone.id).execute(),
    );
    for (const sharer of ['hr_admin', 'hr_manager', 'employee']) {
      const owner = people[sharer]!;
      const { document } = await upload(world, owner, `${sharer}.txt`, 'x');
      const put = (grantee: string) =>
        outcome(world.documents.shares.put(owner, 'document', document.id, grantee, 'read'));
      for (const [index, role] of companyRoles.entries()) {
        const lower = sharer === 'hr_admin' || index > companyRoles.indexOf(sharer as Role);
        expect(await put(people[role]!.id), `${sharer} to ${role}`).toBe(lower || role === sharer ? 'ok' : 'not_found');
        expect(await put(role), `${sharer} to role ${role}`).toBe(lower ? 'ok' : 'not_found');
      }
      for (const nobody of [
        gone.id,
        'user_00000000000000000000000000',
        'viewer',
        'system_admin',
        '__proto__',
        "' or 1=1",
      ]) {
        expect(await put(nobody), nobody).toBe('not_found');
      }
    }
  });
});

describe('the trash', () => {
  it('hides from everybody but those who manage', async () => {
    const world = await openWorld();
    const company = await world.company();
    const [owner, colleague, manager, admin] = (await Promise.all(
      (['employee', 'customer', 'hr_manager', 'hr_admin'] as const).map((role) => company.person(role)),
    )) as [Person, Person, Person, Person];
    const { documents, shares } = world.documents;
    const { document } = await upload(world, owner, 'a.txt', 'x');
    await shares.put(owner, 'document', document.id, colleague.id, 'write');
    await documents.trash(owner, document.id);
    for (const who of [owner, colleague, manager, admin]) {
      expect(await outcome(documents.get(who, document.id))).toBe('not_found');
      expect(await outcome(download(world, who, document.id))).toBe('not_found');
      expect(await outcome(documents.trash(who, document.id))).toBe('not_found');
      expect(await listed(world, who)).toEqual([]);
      expect(await listed(world, who, { trashed: true })).toEqual(who === colleague ? [] : ['a.txt']);
    }
    expect(await outcome(documents.restore(colleague, document.id))).toBe('not_found');
    expect(await outcome(documents.purge(colleague, document.id))).toBe('not_found');
    expect(await outcome(documents.purge(manager, document.id))).toBe('forbidden');
    const again = await upload(world, owner, 'a.txt', 'y');
    await expect(documents.restore(manager, document.id)).rejects.toMatchObject({
      code: 'filename_taken',
      extra: { document_id: again.document.id },
    });
    await documents.update(owner, again.document.id, { filename: 'b.txt' });
    expect((await documents.restore(manager, document.id)).document.trashed_at).toBe(null);
    expect(await outcome(documents.get(colleague, document.id))).toBe('ok');
    await documents.purge(admin, document.id);
    expect(await listed(world, owner)).toEqual(['b.txt']);
  });
});
