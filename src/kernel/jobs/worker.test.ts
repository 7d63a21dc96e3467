import { afterEach, describe, expect, it, vi } from 'vitest';
import { day } from '../clock.ts';
import type { Tenant } from '../handles.ts';
import type { EnqueueOptions, Schedule } from './jobs.ts';
import { enqueueWork, type JobWorld, jobRows, openJobWorld, openWorld, pause, type World } from './test-support.ts';

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
const visits = () => [...world.visits.values()].reduce((sum, count) => sum + count, 0);

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
        // The first one until there was a second beside it.
        await pause(2);
        for (let looks = 0; most < 2 && looks < 2_000; looks += 1) await pause(2);
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
    await expect.poll(() => world.background.index.nextDue()).toBeGreaterThan(world.clock.now() + 10_000);
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

  it('looks once for a due time, however many visits ended while it waited', async () => {
    const ran = await open();
    const [waiting, busy] = [await world.newTenant(), await world.newTenant()];
    world.worker.start();
    const dueAt = world.clock.now() + 10_000;
    await enqueue(waiting, 0, { dueAt });
    for (let n = 1; n <= 20; n += 1) {
      await enqueue(busy, n);
      await expect.poll(() => ran.length, { interval: 2 }).toBe(n);
    }
    // The last rows of the trail are sealed, and nothing else is due before the job that waits.
    await expect.poll(() => world.background.index.nextDue(), { interval: 5, timeout: 9_500 }).toBe(dueAt);
    await pause(20);
    let asked = 0;
    const { claimDue } = world.background.index;
    Object.assign(world.background.index, {
      claimDue: (...args: Parameters<typeof claimDue>) => {
        asked += 1;
        return claimDue(...args);
      },
    });
    await expect.poll(() => ran.length, { interval: 5, timeout: 30_000 }).toBe(21);
    await pause(20);
    expect(asked).toBeLessThan(6);
  }, 60_000);

  it('leaves the processor to requests that are being answered, for a second at most', async () => {
    const ran = await open();
    const tenant = await world.newTenant();
    world.worker.start();
    const { foreground } = world.background;
    // Once at least the answer's end let it go, not the second: on a busy machine that may take several rounds.
    let took = Number.POSITIVE_INFINITY;
    for (let round = 1; took > 900 && round <= 8; round += 1) {
      const answered = foreground.begin();
      const asked = performance.now();
      await enqueue(tenant, 1);
      await pause(300);
      if (performance.now() - asked < 900) expect(ran).toHaveLength(round - 1);
      answered();
      await expect.poll(() => ran.length, { interval: 5 }).toBe(round);
      took = performance.now() - asked;
    }
    expect(took).toBeLessThan(900);
    // One request after the other: the work is late, and goes on beside them.
    const next = foreground.begin();
    const began = performance.now();
    const before = ran.length;
    await enqueue(tenant, 2);
    await expect.poll(() => ran.length, { interval: 5 }).toBe(before + 1);
    expect(performance.now() - began).toBeGreaterThan(900);
    expect(performance.now() - began).toBeLessThan(2_500);
    next();
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
    expect(await jobRows(tenant)).toHaveLength(1);
  });
});
