import { afterEach, describe, expect, it } from 'vitest';
import { day, minute } from './clock.ts';
import type { Listeners } from './events.ts';
import type { Tenant } from './handles.ts';
import { openWorld, type World } from './jobs/test-support.ts';

declare module './events.ts' {
  interface EventPayloads {
    'test.happened': { readonly n: number };
    'test.unheard': { readonly n: number };
  }
}

let world: World;
afterEach(() => world.close());

type Heard = { tenant: string; n: number; id: string };
const listening = (name: string, listen: (tenant: Tenant, n: number) => Promise<void> | void, heard: Heard[]) => ({
  name,
  listeners: {
    'test.happened': async (tenant, event) => {
      await listen(tenant, event.payload.n);
      heard.push({ tenant: tenant.id, n: event.payload.n, id: event.id });
    },
  } satisfies Listeners,
});

function record(tenant: Tenant, n: number, type: 'test.happened' | 'test.unheard' = 'test.happened'): Promise<string> {
  return tenant.db.transaction((tx) => world.background.events.record(tx, tenant, type, { n }));
}
const numbers = (heard: Heard[]) => heard.map((one) => one.n);
const count = async (tenant: Tenant) => (await tenant.db.read.selectFrom('events').select('seq').execute()).length;

describe('the event outbox', () => {
  it('delivers after the commit, at once, in the order of commits, and nothing of a transaction that failed', async () => {
    const heard: Heard[] = [];
    world = await openWorld({ modules: [listening('one', () => {}, heard)] });
    const tenant = await world.newTenant();
    world.worker.start();
    await tenant.db
      .transaction(async (tx) => {
        await world.background.events.record(tx, tenant, 'test.happened', { n: -1 });
        throw new Error('no');
      })
      .catch(() => {});
    const ids = await Promise.all(Array.from({ length: 50 }, (_, n) => record(tenant, n)));
    await expect.poll(() => heard.length, { interval: 5 }).toBe(50);
    const seqs = await tenant.db.read.selectFrom('events').select(['id', 'seq']).orderBy('seq').execute();
    expect(heard.map((one) => one.id)).toEqual(seqs.map((row) => row.id));
    expect(new Set(heard.map((one) => one.id))).toEqual(new Set(ids));
    expect(seqs.map((row) => row.seq)).toEqual(Array.from({ length: 50 }, (_, n) => n + 1));
  });

  it('tells the actor, the time and the payload', async () => {
    const seen: unknown[] = [];
    world = await openWorld({
      modules: [{ name: 'one', listeners: { 'test.happened': async (_, event) => void seen.push(event) } }],
    });
    const tenant = await world.newTenant();
    const id = await record(tenant, 7);
    await world.worker.settle();
    expect(seen[0]).toEqual({
      id,
      type: 'test.happened',
      at: expect.any(String),
      actor: { kind: 'host' },
      payload: { n: 7 },
    });
  });

  it('repeats for a listener that fails, in order, later and later; other modules and tenants go on', async () => {
    const [good, bad]: Heard[][] = [[], []];
    let failing = true;
    let tries = 0;
    const fail = (tenant: Tenant, n: number) => {
      if (!failing || n !== 2 || tenant.id !== broken) return;
      tries += 1;
      throw new Error('SELECT secret');
    };
    world = await openWorld({ modules: [listening('bad', fail, bad!), listening('good', () => {}, good!)] });
    const [tenant, other] = [await world.newTenant(), await world.newTenant()];
    const broken = tenant.id;
    for (const n of [1, 2, 3]) await record(tenant, n);
    await record(other, 2);
    await world.worker.settle();
    expect(numbers(good!).toSorted()).toEqual([1, 2, 2, 3]);
    expect(bad!.map((one) => [one.tenant === broken, one.n]).toSorted()).toEqual([
      [false, 2],
      [true, 1],
    ]);
    const cursors = () =>
      tenant.db.read.selectFrom('event_cursors').selectAll().where('listener', '=', 'bad').execute();
    const delays: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      const [cursor] = await cursors();
      expect(cursor!.last_error).not.toContain('SELECT');
      const delay = Date.parse(cursor!.retry_at!) - world.clock.now();
      delays.push(Math.round(delay / 1_000));
      world.advance(delay);
      await world.worker.settle();
    }
    expect(delays).toEqual([1, 2, 4, 8]);
    expect(tries).toBe(5);
    failing = false;
    world.advance(minute);
    await world.worker.settle();
    expect(numbers(bad!.filter((one) => one.tenant === broken))).toEqual([1, 2, 3]);
    expect(await cursors()).toMatchObject([{ failures: 0, retry_at: null, last_error: null }]);
  });

  it('delivers after a crash what was not delivered before', async () => {
    const heard: Heard[] = [];
    world = await openWorld({ modules: [listening('one', () => {}, heard)] });
    const tenant = await world.newTenant();
    for (const n of [1, 2, 3]) await record(tenant, n);
    world = await world.crash();
    await world.worker.settle();
    expect(numbers(heard)).toEqual([1, 2, 3]);
    await record(world.tenant(tenant.id), 4);
    world = await world.crash();
    await world.worker.settle();
    expect(numbers(heard)).toEqual([1, 2, 3, 4]);
  });

  it('delivers more than one batch, and visits nobody for an event that no one hears', async () => {
    const heard: Heard[] = [];
    world = await openWorld({ modules: [listening('one', () => {}, heard)] });
    const [tenant, unheard] = [await world.newTenant(), await world.newTenant()];
    await tenant.db.transaction(async (tx) => {
      for (let n = 0; n < 250; n += 1) await world.background.events.record(tx, tenant, 'test.happened', { n });
    });
    await record(unheard, 1, 'test.unheard');
    await world.worker.settle();
    expect(numbers(heard)).toEqual(Array.from({ length: 250 }, (_, n) => n));
    expect(world.visits.has(unheard.id)).toBe(false);
    expect(await count(unheard)).toBe(1);
  });

  it('counts a listener that never answers as failed', async () => {
    const heard: Heard[] = [];
    world = await openWorld();
    const { createEvents } = await import('./events-outbox.ts');
    const events = createEvents({ clock: world.clock, timeout: 50 });
    events.register('silent', listening('silent', () => new Promise<void>(() => {}), heard).listeners);
    const tenant = await world.newTenant();
    await tenant.db.transaction((tx) => events.record(tx, tenant, 'test.happened', { n: 1 }));
    const next = await events.deliver(tenant);
    expect(next! - world.clock.now()).toBeGreaterThan(500);
    expect(heard).toEqual([]);
  });

  it('removes old events, but none that a listener still waits for, and never reuses a number', async () => {
    let failing = true;
    const heard: Heard[] = [];
    const stuckAt2 = (_: Tenant, n: number) => {
      if (failing && n === 2) throw new Error('not yet');
    };
    world = await openWorld({ modules: [listening('one', stuckAt2, heard)] });
    const tenant = await world.newTenant();
    for (const n of [1, 2, 3]) await record(tenant, n);
    await world.worker.settle();
    world.advance(92 * day);
    await world.worker.settle();
    expect(await count(tenant)).toBe(2);
    failing = false;
    world.advance(day);
    await world.worker.settle();
    expect(numbers(heard)).toEqual([1, 2, 3]);
    world.advance(day);
    await world.worker.settle();
    expect(await count(tenant)).toBe(1);
    await record(tenant, 4);
    await world.worker.settle();
    expect(numbers(heard)).toEqual([1, 2, 3, 4]);
  });
});
