/** Leases held by hand, so that the order of events is the test's and not the machine's. */
import { afterEach, expect, test } from 'vitest';
import { unavailable } from '../errors.ts';
import type { PlacementRef } from '../placements/placement.ts';
import { createLeaseSet, type LeaseSet } from './lease-set.ts';
import { silent, startFleet, type TestFleet } from './testing.ts';

let fleet: TestFleet | undefined;
let leases: LeaseSet | undefined;
afterEach(async () => {
  await leases?.close();
  await fleet?.close();
  leases = undefined;
  fleet = undefined;
});

async function start(keys: readonly string[], budget: number, writers = 1) {
  const made = startFleet({ workers: 1 });
  const refs = new Map<string, PlacementRef>();
  for (const key of keys) refs.set(key, (await made.newTenant()).ref);
  const opened: string[] = [];
  let refusal: Error | undefined;
  let slow = Promise.resolve();
  const set = createLeaseSet({
    budget,
    perKey: Math.max(2, writers),
    waitMs: 10_000,
    idleMs: Number.POSITIVE_INFINITY,
    limit: () => writers,
    log: silent,
    async open(key, purpose) {
      opened.push(`${key} ${purpose}`);
      await slow;
      if (refusal !== undefined) throw refusal;
      return (await made.placement.open(refs.get(key)!, purpose)).session;
    },
  });
  fleet = made;
  leases = set;
  const refuse = (error: Error) => {
    refusal = error;
  };
  /** Openings from now on end when the function that this gives is called. */
  const delay = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    slow = promise;
    return resolve;
  };
  return { set, opened, refuse, delay };
}
const soon = () => new Promise((resolve) => setTimeout(resolve, 30));

test('a reader that is never idle is taken from its tenant for one that waits, when its last lease ends', async () => {
  const { set, opened } = await start(['a', 'b'], 1);
  const first = await set.lease('a', 'read');
  const second = set.tryLease('a', 'read')!;
  expect(second).toBeDefined();
  let served = '';
  const waiting = set.lease('b', 'read').then((lease) => {
    served += 'b';
    return lease;
  });
  // From now on the busy tenant gets no further lease on this session: it queues behind.
  expect(set.tryLease('a', 'read')).toBeUndefined();
  const behind = set.lease('a', 'read').then((lease) => {
    served += 'a';
    return lease;
  });
  first.release();
  await soon();
  expect(served).toBe('');
  expect(set.open).toBe(1);
  expect(second.session.usable).toBe(true);
  second.release();
  (await waiting).release();
  (await behind).release();
  expect(served).toBe('ba');
  expect(opened).toEqual(['a read', 'b read', 'a read']);
});

test('a reader takes a few queries at once while it gets on; behind one that stands still nobody queues', async () => {
  const { set, opened } = await start(['a'], 4, 2);
  const first = await set.lease('a', 'read');
  Object.defineProperty(first.session, 'concurrency', { value: 2 });
  const second = set.tryLease('a', 'read')!;
  expect(second.session).toBe(first.session);
  // It is full: the next one gets another session, and has it back sooner than the first may end.
  const third = await set.lease('a', 'read');
  expect(third.session).not.toBe(first.session);
  third.release();
  second.release();
  await soon();
  // A place is free on the first, but nothing has ended there for a while.
  const fourth = set.tryLease('a', 'read')!;
  expect(fourth.session).toBe(third.session);
  Object.defineProperty(third.session, 'concurrency', { value: 1 });
  const behind = set.lease('a', 'read');
  let served = false;
  void behind.then(() => {
    served = true;
  });
  await soon();
  expect(served).toBe(false);
  const last = await Promise.all([behind, first.release()]);
  expect(last[0].session).toBe(first.session);
  last[0].release();
  fourth.release();
  expect(opened).toEqual(['a read', 'a read']);
});

test('a reader that waits for nobody is shared by all; a writer by none', async () => {
  const { set, opened } = await start(['a'], 4);
  const readers = await Promise.all(Array.from({ length: 5 }, () => set.lease('a', 'read')));
  expect(new Set(readers.map((lease) => lease.session)).size).toBe(1);
  const writer = await set.lease('a', 'write');
  expect(set.tryLease('a', 'write')).toBeUndefined();
  for (const lease of readers) lease.release();
  writer.release();
  expect(opened).toEqual(['a read', 'a write']);
});

test('a tenant at its own limit waits without holding up the others', async () => {
  const { set } = await start(['a', 'b'], 3);
  const held = [await set.lease('a', 'read'), await set.lease('a', 'write')];
  const behind = set.lease('a', 'write');
  const other = await set.lease('b', 'read');
  expect(set.open).toBe(3);
  other.release();
  for (const lease of held) lease.release();
  (await behind).release();
});

test('a session that broke is closed and never lent again', async () => {
  const { set, opened } = await start(['a'], 2);
  const lease = await set.lease('a', 'read');
  await lease.session.close();
  lease.release();
  await soon();
  const next = await set.lease('a', 'read');
  expect(next.session.usable).toBe(true);
  next.release();
  expect(opened).toEqual(['a read', 'a read']);
  expect(set.open).toBe(1);
});

test('closing those of a key closes what is only being opened too, after those who waited for it', async () => {
  const { set, delay } = await start(['a', 'b'], 3);
  const other = await set.lease('b', 'read');
  const open = delay();
  const waiting = set.lease('a', 'read');
  await soon();
  let over = false;
  const closing = set
    .closeKeys((key) => key === 'a')
    .then(() => {
      over = true;
    });
  open();
  const lease = await waiting;
  await soon();
  expect(over).toBe(false);
  expect(set.tryLease('a', 'read')).toBeUndefined();
  lease.release();
  await closing;
  expect(set.list().map(({ key }) => key)).toEqual(['b']);
  expect(set.open).toBe(1);
  // A key is closed, not forbidden: whoever asks later gets a new one.
  (await set.lease('a', 'read')).release();
  other.release();
});

test('an opening that fails while its key is closed ends like any other', async () => {
  const { set, refuse, delay } = await start(['a'], 3);
  const open = delay();
  const waiting = set.lease('a', 'read').catch((error: unknown) => error);
  await soon();
  const closing = set.closeKeys(() => true);
  refuse(unavailable('database_unreachable', 'The database does not answer.', 1));
  open();
  expect(await waiting).toMatchObject({ code: 'database_unreachable' });
  await closing;
  expect(set.open).toBe(0);
});

test('what is only being opened while all is closed, or the budget is made smaller, is closed when it is there', async () => {
  const { set, delay } = await start(['a', 'b', 'c'], 3);
  const open = delay();
  const waiting = ['a', 'b', 'c'].map((key) => set.lease(key, 'read').then((lease) => lease.release()));
  await soon();
  set.setBudget(1);
  open();
  await Promise.all(waiting);
  await expect.poll(() => set.open).toBe(1);
  const again = delay();
  const refused = set.lease('c', 'write').catch((error: unknown) => error);
  await expect.poll(() => set.open).toBe(1);
  await soon();
  const closing = set.close();
  expect(await refused).toMatchObject({ code: 'shutting_down' });
  again();
  await closing;
  expect(set.open).toBe(0);
});

test('what is being closed already is waited for too', async () => {
  const { set } = await start(['a'], 2);
  const lease = await set.lease('a', 'read');
  lease.release();
  set.setBudget(0);
  expect(set.list()).toHaveLength(1);
  await set.closeKeys(() => true);
  expect(set.list()).toEqual([]);
});

test('what is above a budget made smaller is closed, what is in use with its last lease', async () => {
  const { set } = await start(['a', 'b', 'c'], 3);
  const held = await Promise.all(['a', 'b', 'c'].map((key) => set.lease(key, 'read')));
  held[0]!.release();
  set.setBudget(1);
  await expect.poll(() => set.open).toBe(2);
  held[1]!.release();
  await expect.poll(() => set.open).toBe(1);
  expect(held[2]!.session.usable).toBe(true);
  const waiting = set.lease('a', 'read');
  await soon();
  expect(set.waiting).toBe(1);
  set.setBudget(2);
  (await waiting).release();
  held[2]!.release();
});

test('while the server is full, those who wait are served by the sessions that are there', async () => {
  const { set, refuse } = await start(['a'], 2, 2);
  const first = await set.lease('a', 'write');
  refuse(unavailable('database_busy', 'The database is busy. Try again.', 1));
  const second = set.lease('a', 'write');
  await soon();
  first.release();
  (await second).release();
  expect((await second).session).toBe(first.session);
});

test('a database that cannot be opened is refused at once, then tried with one session alone', async () => {
  const { set, opened, refuse } = await start(['a'], 5, 5);
  refuse(unavailable('database_unreachable', 'The database does not answer.', 1));
  const askFive = () => Promise.allSettled(Array.from({ length: 5 }, () => set.lease('a', 'write')));
  await askFive();
  const tried = opened.length;
  expect(tried).toBeGreaterThanOrEqual(2);
  while (opened.length < 3) await askFive();
  const before = opened.length;
  await askFive();
  expect(opened.length).toBe(before);
  // The pause grows with every failure; this is longer than the first ones.
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  await askFive();
  expect(opened.length).toBe(before + 1);
});
