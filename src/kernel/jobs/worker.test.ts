import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { day, minute, second } from '../clock.ts';
import type { Tenant } from '../handles.ts';
import type { Module } from '../module.ts';
import type { Schedule } from './jobs.ts';
import { openWorld, type World, type WorldOptions } from './testing.ts';
import { createWorkIndex } from './work-index.ts';

declare module './jobs.ts' {
  interface JobPayloads {
    'test.work': { readonly n: number };
    'test.other': { readonly n: number };
  }
}

let world: World;
afterEach(async () => {
  await world.close();
});

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A world whose jobs note what they got. */
async function open(
  run: (tenant: Tenant, n: number, context: { attempt: number; signal: AbortSignal }) => Promise<void> = async () => {},
  more: { attempts?: number; timeout?: number; schedules?: readonly Schedule[] } & WorldOptions = {},
): Promise<{ tenantId: string; n: number }[]> {
  const ran: { tenantId: string; n: number }[] = [];
  const module: Partial<Module> = {
    name: 'test',
    jobs: {
      'test.work': {
        ...(more.attempts === undefined ? {} : { attempts: more.attempts }),
        ...(more.timeout === undefined ? {} : { timeout: more.timeout }),
        async run(tenant, payload, context) {
          ran.push({ tenantId: tenant.id, n: payload.n });
          await run(tenant, payload.n, context);
        },
      },
    },
    ...(more.schedules === undefined ? {} : { schedules: more.schedules }),
  };
  world = await openWorld({ ...more, modules: [module] });
  return ran;
}

type Options = Parameters<World['background']['jobs']['enqueue']>[4];
function enqueue(tenant: Tenant, n: number, options?: Options): Promise<void> {
  return tenant.db.transaction((tx) => world.background.jobs.enqueue(tx, tenant, 'test.work', { n }, options));
}
const rows = (tenant: Tenant) => tenant.db.read.selectFrom('jobs').selectAll().execute();
const visits = () => [...world.visits.values()].reduce((sum, count) => sum + count, 0);

describe('the job queue', () => {
  it('runs a job at once after its commit, and none of a transaction that failed', async () => {
    const ran = await open();
    const tenant = await world.newTenant();
    world.worker.start();
    await tenant.db
      .transaction(async (tx) => {
        await world.background.jobs.enqueue(tx, tenant, 'test.work', { n: 0 });
        throw new Error('no');
      })
      .catch(() => {});
    const started = performance.now();
    await enqueue(tenant, 1);
    await expect.poll(() => ran.length, { interval: 5 }).toBe(1);
    expect(performance.now() - started).toBeLessThan(500);
    expect(ran[0]!.n).toBe(1);
    await expect.poll(() => rows(tenant)).toEqual([]);
  });

  it('runs a job when its time comes, not before', async () => {
    const ran = await open();
    const tenant = await world.newTenant();
    await enqueue(tenant, 1, { dueAt: world.clock.now() + day });
    await world.worker.settle();
    expect(ran).toEqual([]);
    world.advance(day - 5_000);
    await world.worker.settle();
    expect(ran).toEqual([]);
    world.advance(5_000);
    await world.worker.settle();
    expect(ran).toHaveLength(1);
  });

  it('lets a key stand for one waiting job, with the earlier time and the newer payload', async () => {
    const ran = await open();
    const tenant = await world.newTenant();
    const now = world.clock.now();
    await enqueue(tenant, 1, { key: 'sweep', dueAt: now + minute });
    await enqueue(tenant, 2, { key: 'sweep', dueAt: now + 10 * minute, sealed: true });
    await enqueue(tenant, 3, { key: 'other', dueAt: now + minute });
    expect(await rows(tenant)).toHaveLength(2);
    world.advance(minute);
    await world.worker.settle();
    expect(ran.map((job) => job.n).toSorted()).toEqual([2, 3]);
  });

  it('takes a new job with the key of one that is running', async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const ran = await open(async (_, n, { attempt }) => {
      if (n !== 1) return;
      await gate;
      if (attempt === 1) throw new Error('the first fails after the second was asked for');
    });
    const tenant = await world.newTenant();
    world.worker.start();
    await enqueue(tenant, 1, { key: 'sweep' });
    await expect.poll(() => ran.length).toBe(1);
    await enqueue(tenant, 2, { key: 'sweep' });
    release();
    await expect.poll(() => ran.map((job) => job.n)).toEqual([1, 2]);
    // The failed one does not come back: the newer one stood for it.
    await expect.poll(() => rows(tenant)).toEqual([]);
  });

  it('keeps a sealed payload unreadable in the database, and opens it for the job', async () => {
    const ran = await open();
    const tenant = await world.newTenant();
    await enqueue(tenant, 123_456, { sealed: true });
    const [row] = await rows(tenant);
    expect(row!.payload).not.toContain('123456');
    await world.worker.settle();
    expect(ran[0]!.n).toBe(123_456);
  });

  it('tries again later and later, then gives up with a safe reason and without the sealed payload', async () => {
    const attempts: number[] = [];
    await open(
      async (_, __, { attempt }) => {
        attempts.push(attempt);
        throw new Error('SELECT secret FROM /var/lib/x');
      },
      { attempts: 3 },
    );
    const tenant = await world.newTenant();
    await enqueue(tenant, 1, { sealed: true });
    await world.worker.settle();
    expect(attempts).toEqual([1]);
    const [waiting] = await rows(tenant);
    expect(Date.parse(waiting!.due_at) - world.clock.now()).toBeGreaterThan(0);
    world.advance(2 * second);
    await world.worker.settle();
    world.advance(1 * second);
    await world.worker.settle();
    expect(attempts).toEqual([1, 2]);
    world.advance(2 * second);
    await world.worker.settle();
    expect(attempts).toEqual([1, 2, 3]);
    const [given] = await rows(tenant);
    expect(given).toMatchObject({ payload: 'null', owner: null, last_error: expect.not.stringContaining('SELECT') });
    expect(given!.failed_at).not.toBeNull();
    world.advance(31 * day);
    await world.worker.settle();
    expect(attempts).toHaveLength(3);
    expect(await rows(tenant)).toEqual([]);
  });

  it('aborts a job that takes too long, and goes on with the next', async () => {
    const aborted: string[] = [];
    const ran = await open(
      async (_, n, { signal }) => {
        if (n !== 1) return;
        signal.addEventListener('abort', () => aborted.push('heard'));
        await new Promise(() => {});
      },
      { timeout: 50 },
    );
    const tenant = await world.newTenant();
    await enqueue(tenant, 1);
    await enqueue(tenant, 2);
    await world.worker.settle();
    expect(aborted).toEqual(['heard']);
    expect(ran.map((job) => job.n)).toEqual([1, 2]);
    expect(await rows(tenant)).toMatchObject([{ attempts: 1, owner: null, failed_at: null }]);
  });

  it('gives up a job of an unknown type like any that fails', async () => {
    await open();
    const tenant = await world.newTenant();
    await tenant.db.transaction((tx) => world.background.jobs.enqueue(tx, tenant, 'test.other', { n: 1 }));
    await world.worker.settle();
    expect(await rows(tenant)).toMatchObject([{ attempts: 1, owner: null }]);
  });
});

describe('the worker', () => {
  it('takes turns between tenants, one visit a tenant at a time, within its bound', async () => {
    let now = 0;
    let most = 0;
    const busy = new Set<string>();
    const ran = await open(
      async (tenant) => {
        expect(busy.has(tenant.id)).toBe(false);
        busy.add(tenant.id);
        now += 1;
        most = Math.max(most, now);
        await pause(2);
        now -= 1;
        busy.delete(tenant.id);
      },
      { concurrency: 2 },
    );
    const loud = await world.newTenant();
    const quiet = [await world.newTenant(), await world.newTenant(), await world.newTenant()];
    await loud.db.transaction(async (tx) => {
      for (let n = 0; n < 200; n += 1) await world.background.jobs.enqueue(tx, loud, 'test.work', { n });
    });
    for (const tenant of quiet) await enqueue(tenant, 0);
    await world.worker.settle();
    expect(ran).toHaveLength(203);
    expect(most).toBe(2);
    const lastQuiet = ran.findLastIndex((job) => job.tenantId !== loud.id);
    expect(lastQuiet).toBeLessThan(60);
  });

  it('does not let a tenant that fails hold up another', async () => {
    const ran = await open(async (_, n) => {
      if (n === 1) throw new Error('always');
    });
    const [bad, good] = [await world.newTenant(), await world.newTenant()];
    world.worker.start();
    await enqueue(bad, 1);
    for (let n = 0; n < 5; n += 1) {
      await enqueue(good, 10 + n);
      await expect.poll(() => ran.some((job) => job.n === 10 + n), { interval: 5 }).toBe(true);
    }
  });

  it('asks nothing while nothing is due, and visits no idle tenant', async () => {
    await open();
    const tenants = await Promise.all(Array.from({ length: 5 }, () => world.newTenant()));
    world.worker.start();
    await enqueue(tenants[0]!, 1);
    await pause(300);
    const before = visits();
    expect(before).toBeGreaterThan(0);
    let asked = 0;
    const { claimDue } = world.background.index;
    Object.assign(world.background.index, {
      claimDue: (...args: Parameters<typeof claimDue>) => {
        asked += 1;
        return claimDue(...args);
      },
    });
    await pause(2_500);
    expect(asked).toBe(0);
    expect(visits()).toBe(before);
    for (const tenant of tenants.slice(1)) expect(world.visits.has(tenant.id)).toBe(false);
  });

  it('sleeps while every place is taken and while a chore runs', async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    let due: number | null = 0;
    const chore = {
      name: 'long',
      nextDue: async () => due,
      run: async () => {
        await gate;
        due = null;
      },
    };
    const ran = await open(() => gate, { concurrency: 1, chores: [chore] });
    const [busy, waiting] = [await world.newTenant(), await world.newTenant()];
    world.worker.start();
    await enqueue(busy, 1);
    await expect.poll(() => ran.length).toBe(1);
    await enqueue(waiting, 2);
    let asked = 0;
    const { nextDue } = world.background.index;
    Object.assign(world.background.index, {
      nextDue: () => {
        asked += 1;
        return nextDue();
      },
    });
    const timers = vi.spyOn(globalThis, 'setTimeout');
    await pause(300);
    expect(asked).toBeLessThan(5);
    expect(timers.mock.calls.length).toBeLessThan(10);
    timers.mockRestore();
    release();
    await expect.poll(() => ran.length).toBe(2);
    await expect.poll(() => due).toBeNull();
  });

  it('leaves tenants alone that are not active, and comes back when they are marked', async () => {
    const ran = await open();
    const tenant = await world.newTenant();
    await enqueue(tenant, 1);
    for (const state of ['suspended', 'deleting', 'purging', 'creating', 'failed'] as const) {
      world.setState(tenant, state);
      await world.background.index.mark(tenant.id, world.clock.now());
      await world.worker.settle();
      expect(ran).toEqual([]);
    }
    world.setState(tenant, 'active');
    await world.background.index.mark(tenant.id, world.clock.now());
    await world.worker.settle();
    expect(ran).toHaveLength(1);
  });

  it('forgets a tenant that is gone', async () => {
    await open();
    const tenant = await world.newTenant();
    await enqueue(tenant, 1);
    expect(await world.control.read.selectFrom('tenant_work').selectAll().execute()).toHaveLength(1);
    world.setState(tenant, 'deleted');
    await world.worker.settle();
    expect(await world.control.read.selectFrom('tenant_work').selectAll().execute()).toEqual([]);
  });

  it('runs schedules when they are due, folds them into the due time, and holds those that get nowhere', async () => {
    let due = Date.now() + day;
    let runs = 0;
    const stuck = { asked: 0, runs: 0 };
    const schedules: Schedule[] = [
      {
        name: 'daily',
        nextDue: async () => due,
        run: async () => {
          runs += 1;
          due += day;
        },
      },
      {
        name: 'stuck',
        nextDue: async () => {
          stuck.asked += 1;
          return 0;
        },
        run: async () => {
          stuck.runs += 1;
        },
      },
      {
        name: 'broken',
        nextDue: async () => 0,
        run: async () => {
          throw new Error('always');
        },
      },
    ];
    const ran = await open(undefined, { schedules });
    const tenant = await world.newTenant();
    await enqueue(tenant, 1);
    await world.worker.settle();
    expect([ran.length, runs, stuck.runs]).toEqual([1, 0, 1]);
    world.advance(day);
    await world.worker.settle();
    expect([ran.length, runs, stuck.runs]).toEqual([1, 1, 2]);
    world.advance(3 * day);
    await world.worker.settle();
    expect(runs).toBe(4);
  });

  it('runs chores when they are due or poked, and not otherwise', async () => {
    let due: number | null = null;
    let runs = 0;
    let asked = 0;
    world = await openWorld({
      chores: [
        {
          name: 'lifecycle',
          nextDue: async () => {
            asked += 1;
            return due;
          },
          run: async () => {
            runs += 1;
            due = null;
          },
        },
      ],
    });
    world.worker.start();
    await pause(100);
    const first = asked;
    await pause(300);
    expect([runs, asked]).toEqual([0, first]);
    due = world.clock.now() + 50;
    world.worker.poke('lifecycle');
    await expect.poll(() => runs).toBe(1);
    due = 0;
    world.worker.poke('lifecycle');
    await world.worker.settle();
    expect(runs).toBe(2);
  });

  it('ends its jobs at the close, and they come again', async () => {
    const ran = await open(async (_, __, { signal }) => {
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    });
    const tenant = await world.newTenant();
    world.worker.start();
    await enqueue(tenant, 1);
    await expect.poll(() => ran.length).toBe(1);
    const started = performance.now();
    await world.worker.close({ drain: 100 });
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(await rows(tenant)).toHaveLength(1);
  });
});

describe('a crash', () => {
  it('loses no work that was committed, and takes up a job that was running', async () => {
    let crashed = false;
    const ran = await open(async () => {
      if (!crashed) await new Promise(() => {});
    });
    const tenant = await world.newTenant();
    await enqueue(tenant, 1);
    // What a process that died in the middle of a job leaves behind.
    await tenant.db.transaction((tx) =>
      tx
        .updateTable('jobs')
        .set({ owner: 'a dead process', locked_until: new Date(Date.now() + day).toISOString(), attempts: 1 })
        .execute(),
    );
    crashed = true;
    world = await world.crash();
    await world.worker.settle();
    expect(ran).toHaveLength(1);
    expect(await rows(world.tenant(tenant.id))).toEqual([]);
  });

  it('gives up a job that kills its process every time', async () => {
    await open(undefined, { attempts: 3 });
    const tenant = await world.newTenant();
    await enqueue(tenant, 1);
    await tenant.db.transaction((tx) =>
      tx
        .updateTable('jobs')
        .set({ owner: 'a dead process', locked_until: '2020-01-01T00:00:00.000Z', attempts: 3 })
        .execute(),
    );
    await world.worker.settle();
    expect((await rows(tenant))[0]!.failed_at).not.toBeNull();
  });
});

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

  it('refuses the commit where the control database cannot be written', async () => {
    await open();
    const tenant = await world.newTenant();
    const { transaction } = world.control;
    Object.assign(world.control, { transaction: () => Promise.reject(new Error('down')) });
    await expect(enqueue(tenant, 1)).rejects.toThrow('down');
    expect(await rows(tenant)).toEqual([]);
    Object.assign(world.control, { transaction });
    await enqueue(tenant, 2);
    expect(await rows(tenant)).toHaveLength(1);
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
