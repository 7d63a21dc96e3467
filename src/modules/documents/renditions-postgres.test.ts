import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PostgresServer, startPostgres } from '../../../test/support/postgres.ts';
import { hour } from '../../kernel/clock.ts';
import { pdfOf, png } from './renditions/testing.ts';
import { filePart, openWorld, outcome, request, textOf, upload } from './test-support.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());

it('what is shown is made, kept, made again and removed on PostgreSQL as on SQLite', { timeout: 120_000 }, async () => {
  const world = await openWorld({ postgresUrl: server.url });
  const company = await world.company({ placement: 'schema' });
  const person = await company.person('employee');
  const { tenant } = company;
  const look = (id: string, role: 'preview' | 'text' | 'thumbnail', version?: string) =>
    world.documents.renditions.open(person, id, role, { version }, () => undefined);
  const text = async (id: string, version?: string) => {
    const answer = await look(id, 'text', version);
    return answer.status === 200 && !(answer.body instanceof Uint8Array) ? textOf(answer.body) : answer.status;
  };
  const examine = (repair: boolean) => world.documents.module.examine!(tenant, { repair, deep: true });

  const one = await upload(world, person, 'one.pdf', pdfOf(['one']));
  const same = await upload(world, person, 'same.pdf', pdfOf(['one']));
  const picture = await upload(world, person, 'picture.png', png(64, 64));
  await world.documents.uploads.uploadVersion(
    person,
    one.document.id,
    request({ parts: [filePart('v', pdfOf(['two']))] }),
  );
  expect(await text(one.document.id)).toBe(202);
  await world.kernel.settle();
  expect([await text(one.document.id), await text(one.document.id, '1'), await text(same.document.id)]).toEqual([
    'two',
    'one',
    'one',
  ]);
  const thumbnail = await look(picture.document.id, 'thumbnail');
  expect(thumbnail.status).toBe(200);
  if ('body' in thumbnail && 'destroy' in thumbnail.body) thumbnail.body.destroy();
  expect(await examine(false)).toEqual([]);

  const parts = await tenant.db.read.selectFrom('rendition_parts').select('file_key').execute();
  await tenant.files.delete(parts.map(({ file_key }) => file_key!));
  expect((await examine(true)).every(({ repaired }) => repaired)).toBe(true);
  await world.kernel.settle();
  expect(await text(same.document.id)).toBe('one');
  expect(await examine(false)).toEqual([]);

  // Purged while it is being made: whichever is first, nothing is left.
  const late = await upload(world, person, 'late.pdf', pdfOf(['late']));
  await Promise.all([
    world.kernel.settle(),
    new Promise((resolve) => setTimeout(resolve, 300)).then(() =>
      world.documents.documents.purge(person, late.document.id),
    ),
  ]);
  for (const { document } of [one, same, picture]) await world.documents.documents.purge(person, document.id);
  expect(await outcome(look(one.document.id, 'preview'))).toBe('not_found');
  world.travel(2 * hour);
  await world.kernel.settle();
  expect(company.objects()).toEqual([]);
  expect(await examine(false)).toEqual([]);
});
