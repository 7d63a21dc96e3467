/** The library as somebody embeds it: no HTTP anywhere, the same rules. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { open, type Strongroom, StrongroomError } from './index.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'strongroom-library-'));
let strongroom: Strongroom;
beforeAll(async () => {
  strongroom = await open({ dataDir, settings: { freeSpaceFloorBytes: 0 } });
});
afterAll(async () => {
  await strongroom.close();
  rmSync(dataDir, { recursive: true, force: true });
});

async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(StrongroomError);
  return `${(error as StrongroomError).kind} ${(error as StrongroomError).code}`;
}

test('companies are made, found, listed and purged', async () => {
  const made = await strongroom.companies.create({ name: 'Library', email: 'it@library.example' });
  expect(made).toMatchObject({ slug: 'library', status: 'active', placement: 'sqlite' });
  expect((await strongroom.companies.get('library')).id).toBe(made.id);
  const ids: string[] = [];
  for await (const company of strongroom.companies.list()) ids.push(company.id);
  expect(ids).toContain(made.id);
  await strongroom.companies.delete(made.id, { purge: true });
  expect(await refusal(strongroom.companies.get(made.id))).toBe('not_found not_found');
  expect(await refusal(strongroom.companies.create({ name: '', email: 'x' }))).toBe('invalid invalid');
});

test('a member does what their role allows, and nothing in another company', async () => {
  const { id } = await strongroom.companies.create({ name: 'Members', email: 'it@members.example' });
  const other = await strongroom.companies.create({ name: 'Others', email: 'it@others.example' });
  const add = (email: string, role: string) => strongroom.people.add(id, { email, fullName: role, role });
  const [employee, colleague] = [
    await add('e@members.example', 'employee'),
    await add('c@members.example', 'employee'),
  ];
  const member = await strongroom.as(id, employee.id);

  const kept = await member.documents.upload(new TextEncoder().encode('kept'), {
    filename: 'a.txt',
    metadata: { a: 1 },
  });
  expect(kept).toMatchObject({ filename: 'a.txt', size_bytes: 4, metadata: { a: 1 } });
  const streamed = await member.documents.upload(Readable.from([Buffer.from('one'), Buffer.from('two')]), {
    filename: 'b.txt',
  });
  expect((await buffer(await member.documents.download(streamed.id))).toString()).toBe('onetwo');
  expect((await member.documents.list()).items.map((document) => document.filename)).toEqual(['b.txt', 'a.txt']);

  const seenByColleague = (await strongroom.as(id, colleague.id)).documents;
  expect((await seenByColleague.list()).items).toEqual([]);
  expect(await refusal(seenByColleague.get(kept.id))).toBe('not_found not_found');
  expect(await refusal(strongroom.as(other.id, employee.id))).toBe('not_found not_found');

  await member.documents.trash(kept.id);
  expect((await member.documents.list()).items.length).toBe(1);
  expect((await member.documents.restore(kept.id)).id).toBe(kept.id);
});

test('one process owns a folder', async () => {
  expect(await refusal(open({ dataDir }))).toBe('unavailable folder_in_use');
});
