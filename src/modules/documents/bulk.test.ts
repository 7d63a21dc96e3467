import { beforeAll, describe, expect, it } from 'vitest';
import type { BulkAction, BulkBody } from './contract.ts';
import { type Company, listed, openWorld, outcome, type Person, query, upload, type World } from './test-support.ts';

let world: World;
let company: Company;
let admin: Person;
let employee: Person;
let colleague: Person;
beforeAll(async () => {
  world = await openWorld();
  company = await world.company();
  admin = await company.person('hr_admin');
  employee = await company.person('employee');
  colleague = await company.person('employee');
});

let serial = 0;
async function some(who: Person, count: number, fields: Record<string, string> = {}): Promise<string[]> {
  const ids: string[] = [];
  for (let at = 0; at < count; at += 1) {
    serial += 1;
    ids.push((await upload(world, who, `file-${String(serial).padStart(4, '0')}.txt`, 'x', fields)).document.id);
  }
  return ids;
}

const run = (who: Person, body: Partial<BulkBody> & { action: BulkAction }) => world.documents.bulk.run(who, body);
const get = async (who: Person, id: string) => (await world.documents.documents.get(who, id)).document;
const trash = { type: 'trash' } as const;
const restore = { type: 'restore' } as const;
const basketOf = (who: Person, name: string) => world.documents.baskets.create(who, { name });

/** What one document has in history, audit trail and outbox of an action. */
async function written(id: string, action: string): Promise<number[]> {
  const { read } = company.tenant.db;
  const [history, audit, events] = await Promise.all([
    read
      .selectFrom('document_history')
      .selectAll()
      .where('document_id', '=', id)
      .where('action', '=', action.split('.')[1]!)
      .execute(),
    read.selectFrom('audit_log').selectAll().where('target', '=', id).where('action', '=', action).execute(),
    read.selectFrom('events').selectAll().where('type', '=', action).execute(),
  ]);
  return [history.length, audit.length, events.filter(({ payload }) => payload.includes(id)).length];
}

describe('one action on many documents', () => {
  it('moves, tags, trashes and restores, and writes down each as a request for it alone does', async () => {
    const ids = await some(employee, 3);
    const basket = await basketOf(employee, 'first');
    const moved = await run(employee, { ids, action: { type: 'move', basket_id: basket.id } });
    expect(moved).toMatchObject({ done: 3, failed: 0, dry_run: false });
    expect(moved.items.map(({ id }) => id)).toEqual(ids);
    expect(moved.items[0]).toEqual({ id: ids[0], status: 'done', filename: 'file-0001.txt', moved_from: null });
    expect((await get(employee, ids[2]!)).basket_id).toBe(basket.id);
    const back = await run(employee, { ids, action: { type: 'move', basket_id: null } });
    expect(back.items.map(({ moved_from }) => moved_from)).toEqual([basket.id, basket.id, basket.id]);

    await run(employee, { ids, action: { type: 'tag', add: ['a', 'b'] } });
    await run(employee, { ids: [ids[0]!], action: { type: 'tag', add: ['c'], remove: ['a', 'never there'] } });
    expect((await get(employee, ids[0]!)).tags).toEqual(['b', 'c']);
    expect((await get(employee, ids[1]!)).tags).toEqual(['a', 'b']);
    expect(await listed(world, employee, { tag: 'a' })).toHaveLength(2);

    expect(await run(employee, { ids, action: trash })).toMatchObject({ done: 3 });
    for (const id of ids) expect(await outcome(get(employee, id))).toBe('not_found');
    expect(await run(employee, { ids, action: restore })).toMatchObject({ done: 3 });
    for (const id of ids) {
      expect((await get(employee, id)).trashed_at).toBe(null);
      expect(await written(id, 'document.trashed')).toEqual([1, 1, 1]);
      expect(await written(id, 'document.restored')).toEqual([1, 1, 1]);
    }
    // Moved there and back, and tagged: the first once more.
    expect(await written(ids[0]!, 'document.updated')).toEqual([4, 4, 4]);
    expect(await written(ids[1]!, 'document.updated')).toEqual([3, 3, 3]);
  });

  it('one that fails keeps none of the others from being done, and says why', async () => {
    const [first, second, third] = (await some(employee, 3)) as [string, string, string];
    const [hidden] = (await some(colleague, 1)) as [string];
    const [shared] = (await some(colleague, 1)) as [string];
    await world.documents.shares.put(admin, 'document', shared, employee.id, 'write');
    await world.documents.documents.trash(employee, second);
    const unknown = hidden.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    const result = await run(employee, {
      ids: [first, hidden, 'malformed', unknown, second, shared, third],
      action: trash,
    });
    expect(result).toMatchObject({ done: 2, failed: 5 });
    const title = 'There is nothing here that you may see.';
    const nothing = (id: string) => ({ id, status: 'failed', code: 'not_found', title });
    expect(result.items.slice(1, 4)).toEqual([nothing(hidden), nothing('malformed'), nothing(unknown)]);
    // What is in the trash is not there for this, and its owner may know its name.
    expect(result.items[4]).toMatchObject({ ...nothing(second), filename: expect.any(String) });
    expect(result.items[5]).toMatchObject({ status: 'failed', code: 'forbidden', filename: expect.any(String) });
    expect(await outcome(get(employee, first))).toBe('not_found');
    expect((await get(employee, shared)).trashed_at).toBe(null);
    expect(await written(hidden, 'document.trashed')).toEqual([0, 0, 0]);
    // Writers may tag, and nothing more.
    expect(await run(employee, { ids: [shared], action: { type: 'tag', add: ['x'] } })).toMatchObject({ done: 1 });
    expect(await run(employee, { ids: [shared], action: { type: 'move', basket_id: null } })).toMatchObject({
      done: 1,
    });
    const own = await basketOf(employee, 'own');
    const stolen = await run(employee, { ids: [shared], action: { type: 'move', basket_id: own.id } });
    expect(stolen.items[0]).toMatchObject({ status: 'failed', code: 'forbidden' });
  });

  it('a name that is taken fails alone, also where another of the same request took it', async () => {
    const [from, to] = [await basketOf(employee, 'from'), await basketOf(employee, 'to')];
    const same = async (basket_id: string) =>
      (await upload(world, employee, 'same.txt', 'x', basket_id === '' ? {} : { basket_id })).document.id;
    const [one, two] = [await same(''), await same(from.id)];
    const result = await run(employee, { ids: [one, two], action: { type: 'move', basket_id: to.id } });
    expect(result.items).toMatchObject([
      { id: one, status: 'done' },
      { id: two, status: 'failed', code: 'filename_taken', title: 'There is a document of this name already.' },
    ]);
    expect((await get(employee, two)).basket_id).toBe(from.id);
    await run(employee, { ids: [one], action: trash });
    const other = await same(to.id);
    expect((await run(employee, { ids: [one], action: restore })).items[0]).toMatchObject({ code: 'filename_taken' });
    await run(employee, { ids: [other], action: trash });
    expect(await run(employee, { ids: [one, other], action: restore })).toMatchObject({ done: 1, failed: 1 });
  });

  it('keeps the limit of tags for each', async () => {
    const [full, empty] = (await some(employee, 2)) as [string, string];
    const tags = Array.from({ length: 50 }, (_, at) => `t${at}`);
    await world.documents.documents.update(employee, full, { tags });
    const result = await run(employee, { ids: [full, empty], action: { type: 'tag', add: ['one more'] } });
    expect(result.items).toMatchObject([{ status: 'failed', code: 'too_many_tags' }, { status: 'done' }]);
    expect((await get(employee, full)).tags).toHaveLength(50);
    const swap = { type: 'tag', add: ['one more'], remove: ['t0'] } as const;
    expect(await run(employee, { ids: [full], action: { ...swap, add: ['one more'], remove: ['t0'] } })).toMatchObject({
      done: 1,
    });
  });

  it('a basket that may not be known is nothing, and one that is only for reading refused, before any effect', async () => {
    const ids = await some(employee, 2);
    const hidden = await basketOf(colleague, 'hidden');
    const move = (basket_id: string) => outcome(run(employee, { ids, action: { type: 'move', basket_id } }));
    for (const id of [hidden.id, hidden.id.replace('bskt', 'doc'), 'bskt_x', '']) {
      expect(await move(id), id).toBe('not_found');
    }
    await world.documents.shares.put(admin, 'basket', hidden.id, employee.id, 'read');
    expect(await move(hidden.id)).toBe('forbidden');
    await world.documents.shares.put(admin, 'basket', hidden.id, employee.id, 'write');
    expect(await move(hidden.id)).toBe('ok');
    expect((await get(employee, ids[0]!)).basket_id).toBe(hidden.id);
  });
});

describe('what a filter finds', () => {
  it('is what the list shows, and nothing that the list does not', async () => {
    const basket = await basketOf(employee, 'filtered');
    const ids = await some(employee, 4, { basket_id: basket.id });
    const [theirs] = (await some(admin, 1, { basket_id: basket.id })) as [string];
    await run(employee, { ids: ids.slice(0, 2), action: { type: 'tag', add: ['chosen'] } });
    const filter = { basket_id: basket.id, tag: 'chosen' } as BulkBody['filter'];
    const result = await run(employee, { filter, action: trash });
    expect(result.items.map(({ id }) => id).sort()).toEqual(ids.slice(0, 2).sort());
    // What is in the trash is found for restoring without being asked for.
    expect(await run(employee, { filter, action: restore })).toMatchObject({ done: 2, failed: 0 });
    // The owner of the basket sees what others put there; doing more with it is another matter.
    const all = await run(employee, { filter: { basket_id: basket.id } as BulkBody['filter'], action: trash });
    expect(all).toMatchObject({ done: 4, failed: 1 });
    expect(all.items.find(({ id }) => id === theirs)).toMatchObject({ code: 'forbidden' });
    const none = { q: 'no such name' } as BulkBody['filter'];
    expect(await run(employee, { filter: none, action: trash })).toEqual({
      done: 0,
      failed: 0,
      dry_run: false,
      items: [],
    });
    const hidden = await basketOf(colleague, 'another');
    for (const wrong of [{ basket_id: hidden.id }, { owner: 'user_x' }]) {
      expect(await outcome(run(employee, { filter: wrong as BulkBody['filter'], action: trash }))).toBe('not_found');
    }
  });

  it('a thousand are done in well under a few seconds; one more is refused whole, with their number', async () => {
    const many = await company.person('employee');
    const ids: string[] = [];
    for (let at = 0; at < 50; at += 1) {
      const batch = Array.from({ length: 20 }, (_, index) => upload(world, many, `n-${at}-${index}.txt`, 'x'));
      ids.push(...(await Promise.all(batch)).map(({ document }) => document.id));
    }
    const filter = { q: 'n-' } as BulkBody['filter'];
    const basket = await basketOf(many, 'all');
    const took: Record<string, number> = {};
    const actions: BulkAction[] = [{ type: 'move', basket_id: basket.id }, { type: 'tag', add: ['t'] }, trash, restore];
    for (const action of actions) {
      const begun = performance.now();
      expect(await run(many, { filter, action })).toMatchObject({ done: 1_000, failed: 0 });
      took[action.type] = Math.round(performance.now() - begun);
    }
    console.log(`1,000 documents in ms: ${JSON.stringify(took)}`);
    expect(Math.max(...Object.values(took))).toBeLessThan(5_000);
    expect(await written(ids[500]!, 'document.trashed')).toEqual([1, 1, 1]);
    await upload(world, many, 'n-more.txt', 'x');
    const refused = await run(many, { filter, action: trash }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ kind: 'invalid', code: 'too_many_documents', extra: { matching: 1_001 } });
    const page = await world.documents.documents.list(many, query({ total: true }));
    expect(page.total).toBe(1_001);
    const verdict = await world.kernel.audit.verify(company.tenant);
    expect(verdict.ok).toBe(true);
  }, 60_000);
});

describe('a rehearsal', () => {
  it('says what would happen, and changes nothing', async () => {
    const [target, origin] = [await basketOf(employee, 'target'), await basketOf(employee, 'origin')];
    const name = { basket_id: target.id };
    const taken = (await upload(world, employee, 'taken.txt', 'x', name)).document.id;
    const [one, two] = [
      (await upload(world, employee, 'taken.txt', 'x', { basket_id: origin.id })).document.id,
      (await upload(world, employee, 'free.txt', 'x', { basket_id: origin.id })).document.id,
    ];
    const body = { ids: [one, two], action: { type: 'move', basket_id: target.id } } as const;
    const before = await get(employee, two);
    const rehearsed = await run(employee, { ...body, ids: [...body.ids], dry_run: true });
    expect(rehearsed).toMatchObject({ done: 1, failed: 1, dry_run: true });
    expect(await get(employee, two)).toEqual(before);
    expect(await written(two, 'document.updated')).toEqual([0, 0, 0]);
    const real = await run(employee, { ...body, ids: [...body.ids] });
    expect(real).toEqual({ ...rehearsed, dry_run: false });
    expect((await get(employee, two)).basket_id).toBe(target.id);
    expect((await get(employee, taken)).basket_id).toBe(target.id);
  });
});
