import { afterEach, describe, expect, it } from 'vitest';
import { day, minute, second } from '../clock.ts';
import type { Tenant } from '../handles.ts';
import type { EnqueueOptions } from './jobs.ts';
import { enqueueWork, type JobWorld, jobRows, openJobWorld, type World } from './test-support.ts';

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
    await expect.poll(() => jobRows(tenant)).toEqual([]);
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
    expect(await jobRows(tenant)).toHaveLength(2);
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
    await expect.poll(() => jobRows(tenant)).toEqual([]);
  });

  it('keeps a sealed payload unreadable in the database, and opens it for the job', async () => {
    const ran = await open();
    const tenant = await world.newTenant();
    await enqueue(tenant, 123_456, { sealed: true });
    const [row] = await jobRows(tenant);
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
    const [waiting] = await jobRows(tenant);
    expect(Date.parse(waiting!.due_at) - world.clock.now()).toBeGreaterThan(0);
    world.advance(2 * second);
    await world.worker.settle();
    world.advance(1 * second);
    await world.worker.settle();
    expect(attempts).toEqual([1, 2]);
    world.advance(2 * second);
    await world.worker.settle();
    expect(attempts).toEqual([1, 2, 3]);
    const [given] = await jobRows(tenant);
    expect(given).toMatchObject({ payload: 'null', owner: null, last_error: expect.not.stringContaining('SELECT') });
    expect(given!.failed_at).not.toBeNull();
    world.advance(31 * day);
    await world.worker.settle();
    expect(attempts).toHaveLength(3);
    expect(await jobRows(tenant)).toEqual([]);
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
    expect(await jobRows(tenant)).toMatchObject([{ attempts: 1, owner: null, failed_at: null }]);
  });

  it('gives up a job of an unknown type like any that fails', async () => {
    await open();
    const tenant = await world.newTenant();
    await tenant.db.transaction((tx) => world.background.jobs.enqueue(tx, tenant, 'test.other', { n: 1 }));
    await world.worker.settle();
    expect(await jobRows(tenant)).toMatchObject([{ attempts: 1, owner: null }]);
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
    expect(await jobRows(world.tenant(tenant.id))).toEqual([]);
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
    expect((await jobRows(tenant))[0]!.failed_at).not.toBeNull();
  });
});
