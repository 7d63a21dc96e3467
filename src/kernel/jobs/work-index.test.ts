import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { second } from '../clock.ts';
import type { Tenant } from '../handles.ts';
import type { EnqueueOptions } from './jobs.ts';
import { enqueueWork, type JobWorld, jobRows, openJobWorld, pause, type World } from './test-support.ts';
import { createWorkIndex } from './work-index.ts';

let world: World;
afterEach(async () => {
  await world.close();
});

async function open(...options: Parameters<typeof openJobWorld>): Promise<JobWorld['ran']> {
  const made = await openJobWorld(...options);
  world = made.world;
  return made.ran;
}
const enqueue = (tenant: Tenant, n: number, options?: EnqueueOptions) => enqueueWork(world, tenant, n, options);

describe('the work index', () => {
  it('writes no control row while the index already says as early', async () => {
    await open();
    const tenant = await world.newTenant();
    let writes = 0;
    const { transaction } = world.control;
    Object.assign(world.control, {
      transaction: (work: Parameters<typeof transaction>[0]) => {
        writes += 1;
        return transaction(work);
      },
    });
    const { index } = world.background;
    for (let n = 0; n < 50; n += 1) {
      await index.mark(tenant.id, world.clock.now() + second);
      // The worker comes and goes in between.
      for (const claim of await index.claimDue(world.clock.now() + second, 10)) index.clear(claim, null);
    }
    expect(writes).toBe(1);
    await index.close();
    expect(writes).toBe(2);
    expect(await world.control.read.selectFrom('tenant_work').selectAll().execute()).toEqual([]);
  });

  it('takes a mark in the transaction that makes a tenant, with it and not without it', async () => {
    await open();
    const [made, given] = [await world.newTenant(), await world.newTenant()];
    const { index } = world.background;
    const written = () => world.control.read.selectFrom('tenant_work').select('tenant_id').execute();
    const broken = world.control.transaction(async (tx) => {
      await index.reserve(tx, given.id, 0);
      throw new Error('taken back');
    });
    await expect(broken).rejects.toThrow('taken back');
    expect(await written()).toEqual([]);
    await world.control.transaction((tx) => index.reserve(tx, made.id, 0));
    expect(await written()).toEqual([{ tenant_id: made.id }]);
    // Nobody is visited by that alone: the transaction that has the work marks it, and needs no row of its own any more.
    expect(await index.claimDue(second, 10)).toEqual([]);
    let commits = 0;
    const { transaction } = world.control;
    Object.assign(world.control, {
      transaction: (work: Parameters<typeof transaction>[0]) => {
        commits += 1;
        return transaction(work);
      },
    });
    await index.mark(made.id, second);
    expect(commits).toBe(0);
    await index.mark(given.id, second);
    expect(commits).toBe(1);
    expect(await index.claimDue(second, 10)).toHaveLength(2);
  });

  it('keeps the row while a commit is under way, however often a visit finds nothing', async () => {
    await open();
    const tenant = await world.newTenant();
    const log = tenant.log;
    const index = createWorkIndex({ control: world.control, log, quiet: 20 });
    const written = () => world.control.read.selectFrom('tenant_work').select('tenant_id').execute();
    const end = await index.begin(tenant.id, 0);
    for (const claim of await index.claimDue(1, 10)) index.clear(claim, null);
    await index.mark(tenant.id, 0);
    for (const claim of await index.claimDue(1, 10)) expect(index.clear(claim, null)).toBe(true);
    await pause(100);
    expect(await written()).toHaveLength(1);
    end();
    expect(await index.claimDue(1, 10)).toHaveLength(1);
    await index.close();
  });

  it('lets only a crash make a visit of what was announced', async () => {
    await open();
    const tenant = await world.newTenant();
    const { control } = world;
    const index = createWorkIndex({ control, log: tenant.log, quiet: 20 });
    const next = () => createWorkIndex({ control, log: tenant.log });
    const over = await index.announce(tenant.id, 5);
    await pause(100);
    expect(await index.claimDue(10, 10)).toEqual([]);
    expect(await next().claimDue(10, 10)).toHaveLength(1);
    over();
    await expect.poll(() => next().claimDue(10, 10)).toEqual([]);
    expect(await index.claimDue(10, 10)).toEqual([]);
    const left = await index.announce(tenant.id, 5);
    left(8);
    left(1);
    expect(await index.claimDue(7, 10)).toEqual([]);
    expect(await index.claimDue(8, 10)).toHaveLength(1);
    await index.close();
  });

  it('refuses the commit where the control database cannot be written', async () => {
    await open();
    const tenant = await world.newTenant();
    const { transaction } = world.control;
    Object.assign(world.control, { transaction: () => Promise.reject(new Error('down')) });
    await expect(enqueue(tenant, 1)).rejects.toThrow('down');
    expect(await jobRows(tenant)).toEqual([]);
    Object.assign(world.control, { transaction });
    await enqueue(tenant, 2);
    expect(await jobRows(tenant)).toHaveLength(1);
    expect(await world.control.read.selectFrom('tenant_work').selectAll().execute()).toHaveLength(1);
  });

  it('loses no work whatever the order of commits, visits and crashes', async () => {
    await open();
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(fc.nat(3), { minLength: 1, maxLength: 8 }), async (s, delays) => {
        const tenant = await world.newTenant();
        const { index } = world.background;
        // The queue as committed transactions left it; a visit sees only what was committed when it looked.
        const queue = new Set<number>();
        const done = new Set<number>();
        const writers = delays.map(async (_, n) => {
          await s.schedule(Promise.resolve(), `begin ${n}`);
          const end = await index.begin(tenant.id, 0);
          await s.schedule(Promise.resolve(), `commit ${n}`);
          queue.add(n);
          // A crash now finds the row: it says that the tenant is due.
          const row = await world.control.read
            .selectFrom('tenant_work')
            .select('due_at')
            .where('tenant_id', '=', tenant.id)
            .executeTakeFirst();
          expect(row?.due_at).toBe('1970-01-01T00:00:00.000Z');
          await s.schedule(Promise.resolve(), `end ${n}`);
          end();
        });
        const visit = async () => {
          const claims = (await index.claimDue(1, 100)).filter((claim) => claim.tenantId === tenant.id);
          for (const claim of claims) {
            await s.schedule(Promise.resolve(), 'look');
            for (const n of queue) {
              queue.delete(n);
              done.add(n);
            }
            await s.schedule(Promise.resolve(), 'clear');
            index.clear(claim, null);
          }
          return claims.length;
        };
        const visitor = (async () => {
          for (let n = 0; n < 12; n += 1) {
            await s.schedule(Promise.resolve(), 'visit');
            await visit();
          }
        })();
        const all = Promise.all([...writers, visitor]);
        await s.waitFor(all);
        const last = visit();
        await s.waitFor(last);
        expect(done.size).toBe(delays.length);
        const after = visit();
        await s.waitFor(after);
        expect(await after).toBe(0);
        await index.forget(tenant.id);
      }),
      { numRuns: 40 },
    );
  });
});
