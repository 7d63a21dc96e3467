import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PostgresServer, startPostgres } from '../../../test/support/postgres.ts';
import { unzip } from '../../../test/support/zip.ts';
import { slicesOf } from '../../kernel/slices.ts';
import type { BulkAction, BulkAnswer, BulkBody } from './contract.ts';
import { openWorld, type Person, upload } from './test-support.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());

/** More than one statement takes. The aim for a thousand, a few seconds, is measured on SQLite. */
const count = 510;

it('many at once behave on PostgreSQL as on SQLite', { timeout: 120_000 }, async () => {
  const world = await openWorld({ postgresUrl: server.url });
  const company = await world.company({ placement: 'schema' });
  const person = await company.person('employee');
  const { bulk, baskets, documents, archives } = world.documents;
  const run = (who: Person, body: Partial<BulkBody> & { action: BulkAction }) => bulk.run(who, body);
  const basket = await baskets.create(person, { name: 'basket' });

  const named = (at: number) => upload(world, person, `n-${String(at).padStart(4, '0')}.txt`, `${at}`);
  const ids: string[] = [];
  for (const some of slicesOf(Array.from({ length: count }).keys().toArray(), 20)) {
    ids.push(...(await Promise.all(some.map(named))).map(({ document }) => document.id));
  }
  await world.kernel.settle();
  const took: Record<string, number> = {};
  const actions: BulkAction[] = [
    { type: 'move', basket_id: basket.id },
    { type: 'tag', add: ['t'] },
    { type: 'trash' },
    { type: 'restore' },
  ];
  for (const action of actions) {
    const begun = performance.now();
    expect(await run(person, { ids, action })).toMatchObject({ done: count, failed: 0 });
    took[action.type] = Math.round(performance.now() - begun);
  }
  console.log(`${count} documents on PostgreSQL in ms: ${JSON.stringify(took)}`);
  expect(Math.max(...Object.values(took))).toBeLessThan(10_000);
  const rehearsed = await run(person, {
    filter: { q: 'n-' } as BulkBody['filter'],
    action: { type: 'trash' },
    dry_run: true,
  });
  expect(rehearsed).toMatchObject({ done: count, dry_run: true });
  expect((await documents.get(person, ids[0]!)).document.trashed_at).toBe(null);

  // Two requests about the same documents in opposite orders wait for each other, and neither breaks.
  const some = ids.slice(0, 100);
  const both = await Promise.all([
    run(person, { ids: some, action: { type: 'tag', add: ['one'] } }),
    run(person, { ids: some.toReversed(), action: { type: 'tag', add: ['two'] } }),
  ]);
  expect(both.map(({ done }) => done)).toEqual([100, 100]);
  expect((await documents.get(person, some[50]!)).document.tags.toSorted()).toEqual(['one', 't', 'two']);

  // A name that somebody takes between the look and the write is found at the second try, and fails alone.
  const [from, to] = [await baskets.create(person, { name: 'from' }), await baskets.create(person, { name: 'to' })];
  const moving = (await upload(world, person, 'same.txt', 'x', { basket_id: from.id })).document.id;
  const more = (await upload(world, person, 'other.txt', 'x', { basket_id: from.id })).document.id;
  const rival = (await upload(world, person, 'same.txt', 'x')).document.id;
  let raced: Promise<BulkAnswer> | undefined;
  await company.tenant.db.transaction(async (tx) => {
    await tx.updateTable('documents').set({ basket_id: to.id }).where('id', '=', rival).execute();
    raced = run(person, { ids: [more, moving], action: { type: 'move', basket_id: to.id } });
    // Until it waits for the end of this transaction: for its name's place in the index.
    const waits = () => server.ask("SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'");
    await expect.poll(waits, { timeout: 20_000 }).toHaveLength(1);
  });
  expect((await raced)!.items).toMatchObject([
    { id: more, status: 'done' },
    { id: moving, status: 'failed', code: 'filename_taken' },
  ]);
  expect((await documents.get(person, moving)).document.basket_id).toBe(from.id);

  const { body } = await archives.open(person, ids.slice(0, 200));
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  expect(unzip(Buffer.concat(chunks)).get('n-0199.txt')!.toString()).toBe('199');
  expect((await world.kernel.audit.verify(company.tenant)).ok).toBe(true);
});
