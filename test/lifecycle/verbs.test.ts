/** The verbs of a company's life, on a real kernel. */
import { describe, expect, it } from 'vitest';
import { shiftedClock } from '../../src/kernel/clock.ts';
import { newId } from '../../src/kernel/ids.ts';
import { createTestTenant, openTestKernel, testOperator } from '../support/kernel.ts';
import { probeModule, remainsOf, workingProblem } from '../support/lifecycle.ts';

const probed = { modules: (kernel: Parameters<typeof probeModule>[0]) => [probeModule(kernel)] };

describe('create', () => {
  it('makes a company that works, and says so in the journal', async () => {
    const kernel = await openTestKernel({}, probed);
    const started: string[] = [];
    const { record, operationId } = await kernel.tenants.create(
      { name: 'Bäcker & Söhne GmbH', email: 'office@example.com', provisioning: { 'probe-invitation': { to: 'x' } } },
      testOperator,
      (id, early) => started.push(id, early.state),
    );
    expect(started).toEqual([operationId, 'creating']);
    expect(record).toMatchObject({ state: 'active', slug: 'backer-sohne-gmbh', schemaVersion: kernel.fleet.head });
    expect(await workingProblem(kernel, record.id)).toBeUndefined();
    const operation = await kernel.tenants.operation(operationId);
    expect(operation).toMatchObject({ verb: 'create', status: 'succeeded', attempts: 1, reason: null });
    expect(operation?.steps.map((step) => `${step.name} ${step.status}`)).toEqual([
      'reserve done',
      'place done',
      'stamp done',
      'migrate done',
      'seed done',
      'bucket done',
      'probe-invitation done',
      'activate done',
    ]);
    const { items } = await kernel.audit.listFleet({ limit: 10 });
    expect(items.map((row) => [row.action, row.target])).toEqual([['company.created', record.id]]);
    expect(await kernel.doctor.examine({ repair: false })).toEqual([]);
  });

  it('keeps the input of modules sealed while it runs and not at all afterwards', async () => {
    const kernel = await openTestKernel({}, probed);
    const secret = 'a-secret-that-nobody-may-find';
    let during = '';
    await kernel.tenants.create(
      { name: 'Sealed', email: 'office@example.com', provisioning: { 'probe-invitation': secret } },
      testOperator,
      (id) => {
        void kernel.control.read
          .selectFrom('operations')
          .select('payload')
          .where('id', '=', id)
          .executeTakeFirst()
          .then((row) => {
            during = row?.payload ?? '';
          });
      },
    );
    const rows = await kernel.control.read.selectFrom('operations').select('payload').execute();
    expect(during.length).toBeGreaterThan(0);
    expect(during).not.toContain(secret);
    expect(rows.map((row) => row.payload)).toEqual([null]);
  });

  it('gives 32 creations that ask for one slug to one of them; nothing is left of the others', async () => {
    const kernel = await openTestKernel({}, probed);
    const tries = await Promise.allSettled(
      Array.from({ length: 32 }, (_, index) =>
        kernel.tenants.create({ name: `Try ${index}`, email: 'office@example.com', slug: 'wanted' }, testOperator),
      ),
    );
    const made = tries.filter((result) => result.status === 'fulfilled');
    const codes = tries.filter((result) => result.status === 'rejected').map((result) => result.reason.code);
    expect(made).toHaveLength(1);
    expect(new Set(codes)).toEqual(new Set(['slug_taken']));
    expect(await kernel.tenants.count()).toBe(1);
    const units: string[] = [];
    for await (const unit of kernel.files.listBuckets()) units.push(unit);
    expect(units).toHaveLength(1);
    const clean = await kernel.doctor.examine({ repair: false });
    expect(clean).toEqual([]);
  });

  it('gives companies of one name slugs of their own, and frees a slug with its company', async () => {
    const kernel = await openTestKernel({}, probed);
    const make = async () => (await createTestTenant(kernel, { name: 'Same name' })).record;
    const slugs = [];
    for (let index = 0; index < 12; index += 1) slugs.push((await make()).slug);
    expect(new Set(slugs).size).toBe(12);
    expect(slugs.slice(0, 3)).toEqual(['same-name', 'same-name-2', 'same-name-3']);
    const first = await kernel.tenants.find('same-name');
    await kernel.tenants.purge(first!.id, testOperator);
    expect(await kernel.tenants.find('same-name')).toBeUndefined();
    const again = await make();
    expect(again.slug).toBe('same-name');
    expect(again.id).not.toBe(first!.id);
    expect((await kernel.tenants.find('same-name'))?.id).toBe(again.id);
  });

  it('refuses what cannot be, and leaves nothing', async () => {
    const kernel = await openTestKernel({}, probed);
    const input = { name: 'Bad', email: 'office@example.com' };
    await expect(kernel.tenants.create({ ...input, slug: 'Not A Slug' }, testOperator)).rejects.toMatchObject({
      kind: 'invalid',
    });
    await expect(kernel.tenants.create({ ...input, slug: 'comp' }, testOperator)).rejects.toMatchObject({
      kind: 'invalid',
    });
    await expect(kernel.tenants.create({ ...input, placement: 'neon' }, testOperator)).rejects.toMatchObject({
      code: 'placement_unavailable',
    });
    expect(await kernel.tenants.count()).toBe(0);
    expect(await kernel.control.read.selectFrom('operations').selectAll().execute()).toEqual([]);
  });
});

describe('suspend, resume, delete, restore, purge', () => {
  it('refuses a suspended company at once and lets it work again', async () => {
    const kernel = await openTestKernel({}, probed);
    const { record } = await createTestTenant(kernel);
    await kernel.tenants.suspend(record.id, testOperator);
    await expect(kernel.tenants.open(record.id, testOperator)).rejects.toMatchObject({
      kind: 'unauthenticated',
      code: 'company_suspended',
    });
    // Again is no error and no second operation.
    await kernel.tenants.suspend(record.id, testOperator);
    const resumed = await kernel.tenants.resume(record.id, testOperator);
    expect(resumed.state).toBe('active');
    expect(await workingProblem(kernel, record.id)).toBeUndefined();
    const verbs = (await kernel.tenants.operations(record.id)).map((operation) => operation.verb);
    expect(verbs.sort()).toEqual(['create', 'resume', 'suspend']);
  });

  it('keeps a deleted company for the grace and restores it to what it was', async () => {
    const kernel = await openTestKernel({}, probed);
    const { record } = await createTestTenant(kernel);
    await kernel.tenants.suspend(record.id, testOperator);
    const deleted = await kernel.tenants.delete(record.id, testOperator);
    expect(deleted.record.state).toBe('deleting');
    const grace = Date.parse(deleted.record.purgeAfter!) - Date.parse(deleted.record.deletedAt!);
    expect(Math.round(grace / 86_400_000)).toBe(kernel.config.graceDays);
    await expect(kernel.tenants.open(record.id, testOperator)).rejects.toMatchObject({ code: 'company_suspended' });
    const again = await kernel.tenants.delete(record.id, testOperator);
    expect(again.operationId).toBe(deleted.operationId);
    await kernel.settle();
    expect((await kernel.tenants.get(record.id))?.state).toBe('deleting');
    const restored = await kernel.tenants.restore(record.id, testOperator);
    expect(restored).toMatchObject({ state: 'suspended', deletedAt: null, purgeAfter: null });
    await expect(kernel.tenants.restore(record.id, testOperator)).rejects.toMatchObject({
      code: 'company_not_deleting',
    });
    await kernel.tenants.resume(record.id, testOperator);
    expect(await workingProblem(kernel, record.id)).toBeUndefined();
  });

  it('purges by itself when the grace is over, not before', async () => {
    let offset = 0;
    const kernel = await openTestKernel({ graceDays: 7 }, { ...probed, clock: shiftedClock(() => offset) });
    const { record } = await createTestTenant(kernel);
    await kernel.tenants.delete(record.id, testOperator);
    offset = 6.9 * 86_400_000;
    await kernel.settle();
    expect((await kernel.tenants.get(record.id))?.state).toBe('deleting');
    offset = 7.1 * 86_400_000;
    await expect(kernel.tenants.restore(record.id, testOperator)).rejects.toMatchObject({ kind: 'conflict' });
    await kernel.settle();
    expect((await kernel.tenants.get(record.id))?.state).toBe('deleted');
    expect(await remainsOf(kernel, record.id)).toEqual({ files: [], rows: [] });
  });

  it('leaves nothing but the tombstone, the journal and the fleet’s audit', async () => {
    const kernel = await openTestKernel({}, probed);
    const { record, tenant } = await createTestTenant(kernel, { provisioning: { 'probe-invitation': 'x' } });
    const body = (await import('node:stream')).Readable.from([Buffer.from('content')]);
    await tenant.files.put(body);
    await kernel.settle();
    const { operationId } = await kernel.tenants.purge(record.id, testOperator);
    await kernel.settle();
    expect(await remainsOf(kernel, record.id)).toEqual({ files: [], rows: [] });
    expect((await kernel.tenants.operation(operationId))?.status).toBe('succeeded');
    const { items } = await kernel.audit.listFleet({ limit: 10 });
    expect(items.map((row) => row.action)).toEqual(['company.purged', 'company.purge_started', 'company.created']);
    await expect(kernel.tenants.open(record.id, testOperator)).rejects.toMatchObject({ code: 'company_suspended' });
    await expect(kernel.tenants.purge(record.id, testOperator)).rejects.toMatchObject({ kind: 'not_found' });
    await expect(tenant.db.read.selectFrom('probe_rows').selectAll().execute()).rejects.toMatchObject({
      kind: 'unavailable',
    });
    expect(await remainsOf(kernel, record.id)).toEqual({ files: [], rows: [] });
  });

  it('joins purges of one company, and orders verbs that race', async () => {
    const kernel = await openTestKernel({}, probed);
    const { record } = await createTestTenant(kernel);
    await kernel.tenants.delete(record.id, testOperator);
    const purges = await Promise.all([1, 2, 3].map(() => kernel.tenants.purge(record.id, testOperator)));
    expect(new Set(purges.map((purge) => purge.operationId)).size).toBe(1);

    for (let round = 0; round < 10; round += 1) {
      const { record: other } = await createTestTenant(kernel);
      await kernel.tenants.delete(other.id, testOperator);
      const [restored, purged] = await Promise.allSettled([
        kernel.tenants.restore(other.id, testOperator),
        kernel.tenants.purge(other.id, testOperator),
      ]);
      // Either order: restored and then purged, or purged and the restore refused. Never both halves.
      expect(purged.status).toBe('fulfilled');
      if (restored.status === 'rejected') expect(restored.reason).toMatchObject({ kind: 'conflict' });
      expect((await kernel.tenants.get(other.id))?.state).toBe('deleted');
      expect(await remainsOf(kernel, other.id)).toEqual({ files: [], rows: [] });
    }
  });

  it('answers unknown companies as not found', async () => {
    const kernel = await openTestKernel({}, probed);
    const id = newId('company');
    for (const verb of ['suspend', 'resume', 'delete', 'restore', 'purge', 'abandon'] as const) {
      await expect(kernel.tenants[verb](id, testOperator)).rejects.toMatchObject({ kind: 'not_found' });
    }
    await expect(kernel.tenants.open(id, testOperator)).rejects.toMatchObject({ kind: 'not_found' });
    expect(await kernel.tenants.get(id)).toBeUndefined();
    expect(await kernel.tenants.find("'; drop table tenants; --")).toBeUndefined();
  });
});

describe('lists', () => {
  it('pages in every order without loss, searches literally, and counts', async () => {
    const kernel = await openTestKernel({}, probed);
    for (const name of ['Alpha', 'beta', 'Gamma 100%', 'delta_x', 'Éclair']) await createTestTenant(kernel, { name });
    for (const sort of ['created_at', '-created_at', 'name', '-name'] as const) {
      const names: string[] = [];
      let after: readonly string[] | null = null;
      do {
        const page: Awaited<ReturnType<typeof kernel.tenants.list>> = await kernel.tenants.list({
          limit: 2,
          sort,
          ...(after === null ? {} : { after }),
        });
        names.push(...page.items.map((item) => item.name));
        after = page.next;
      } while (after !== null);
      const expected = ['Alpha', 'beta', 'Gamma 100%', 'delta_x', 'Éclair'];
      if (sort.endsWith('name')) expected.sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
      if (sort.startsWith('-')) expected.reverse();
      expect(names).toEqual(expected);
    }
    const search = async (q: string) =>
      (await kernel.tenants.list({ limit: 10, filter: { q } })).items.map((item) => item.name);
    expect(await search('%')).toEqual(['Gamma 100%']);
    expect(await search('_')).toEqual(['delta_x']);
    expect(await search('ÉCLAIR')).toEqual(['Éclair']);
    expect(await search('BETA')).toEqual(['beta']);
    const { items } = await kernel.tenants.list({ limit: 1 });
    await kernel.tenants.suspend(items[0]!.id, testOperator);
    expect(await kernel.tenants.countByState()).toEqual({ active: 4, suspended: 1 });
    expect(await kernel.tenants.count({ state: 'suspended', placement: 'sqlite' })).toBe(1);
    expect(await kernel.tenants.count({ q: 'a' })).toBe(5);
  });

  it('changes what may be changed and shows it at once', async () => {
    const kernel = await openTestKernel({}, probed);
    const { record } = await createTestTenant(kernel);
    await kernel.tenants.update(record.id, { name: 'New name', registration: 'open', quotaBytes: 5 }, testOperator);
    const tenant = await kernel.tenants.open(record.id, testOperator);
    expect(tenant).toMatchObject({ name: 'New name', registration: 'open', quotaBytes: 5, slug: record.slug });
    expect((await kernel.tenants.list({ limit: 5, filter: { q: 'new name' } })).items).toHaveLength(1);
    await kernel.tenants.delete(record.id, testOperator);
    await expect(kernel.tenants.update(record.id, { name: 'No' }, testOperator)).rejects.toMatchObject({
      code: 'company_deleting',
    });
  });
});
