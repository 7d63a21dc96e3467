import { appendFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { beforeAll, expect, it } from 'vitest';
import { unzip } from '../../../test/support/zip.ts';
import { type Company, openWorld, outcome, type Person, upload, type World } from './test-support.ts';

let world: World;
let company: Company;
let employee: Person;
let admin: Person;
beforeAll(async () => {
  world = await openWorld();
  company = await world.company();
  employee = await company.person('employee');
  admin = await company.person('hr_admin');
});

const add = async (who: Person, name: string, content: string | Buffer, fields: Record<string, string> = {}) =>
  (await upload(world, who, name, content, fields)).document.id;
const open = (who: Person, ids: readonly string[]) => world.documents.archives.open(who, ids);

async function bytesOf(body: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const downloads = () =>
  company.tenant.db.read
    .selectFrom('audit_log')
    .selectAll()
    .where('action', '=', 'document.downloaded')
    .orderBy('seq')
    .execute();

/** Objects of the company that this process holds open. */
function openObjects(): string[] {
  const bucket = join(world.dataDir, 'buckets', company.tenant.files.bucket);
  const links = readdirSync('/proc/self/fd').map((name) => {
    try {
      return readlinkSync(join('/proc/self/fd', name));
    } catch {
      return '';
    }
  });
  return links.filter((link) => link.startsWith(bucket));
}

/** The path of the object that holds these bytes. */
async function objectOf(documentId: string): Promise<string> {
  const version = await company.tenant.db.read
    .selectFrom('versions')
    .selectAll()
    .where('document_id', '=', documentId)
    .executeTakeFirstOrThrow();
  const bucket = join(world.dataDir, 'buckets', company.tenant.files.bucket);
  const found = readdirSync(bucket, { recursive: true, withFileTypes: true }).find(
    (entry) => entry.isFile() && entry.name === version.file_key,
  );
  return join(found!.parentPath, found!.name);
}

it('holds the current versions under safe names, each download written down', async () => {
  const basket = await world.documents.baskets.create(employee, { name: 'Quarter 3/4' });
  const large = Buffer.alloc(3_000_000, 5);
  const ids = [
    await add(employee, 'report.txt', 'first', { basket_id: basket.id }),
    await add(admin, 'Report.txt', 'second', { basket_id: basket.id }),
    await add(employee, 'con', 'device', { basket_id: basket.id }),
    await add(employee, 'empty.bin', '', { basket_id: basket.id }),
    await add(employee, 'large.bin', large, { basket_id: basket.id }),
  ];
  await upload(world, employee, 'report.txt', 'first, anew', { basket_id: basket.id, on_conflict: 'version' });
  const { headers, body } = await open(employee, ids);
  expect(headers).toMatchObject({
    'content-type': 'application/zip',
    'content-disposition': `attachment; filename="Quarter 3_4.zip"; filename*=UTF-8''Quarter%203_4.zip`,
    'x-content-type-options': 'nosniff',
  });
  const archive = await bytesOf(body);
  expect(headers['content-length']).toBe(String(archive.length));
  const read = unzip(archive);
  expect([...read.keys()]).toEqual(['report.txt', 'Report (2).txt', '_con', 'empty.bin', 'large.bin']);
  expect(read.get('report.txt')!.toString()).toBe('first, anew');
  expect(read.get('Report (2).txt')!.toString()).toBe('second');
  expect(read.get('large.bin')!.equals(large)).toBe(true);
  const rows = await downloads();
  expect(rows.map(({ target }) => target)).toEqual(ids);
  expect(rows.map(({ details }) => JSON.parse(details))).toMatchObject([
    { version: 2, via: 'archive' },
    ...ids.slice(1).map(() => ({ version: 1, via: 'archive' })),
  ]);
});

it('is named after the day where there is no one basket, or the caller may not know it', async () => {
  const basket = await world.documents.baskets.create(admin, { name: 'A name to be kept' });
  const inside = await add(admin, 'inside.txt', 'x', { basket_id: basket.id });
  await world.documents.shares.put(admin, 'document', inside, employee.id, 'read');
  const plain = await add(employee, 'plain.txt', 'x');
  for (const ids of [[inside], [plain], [inside, plain]]) {
    const { headers, body } = await open(employee, ids);
    expect(headers['content-disposition']).toMatch(/^attachment; filename="documents \d{4}-\d\d-\d\d\.zip"/);
    body.destroy();
  }
});

it('one that is not visible, unknown, malformed or in the trash is 404 for all, and nobody hears of the others', async () => {
  const [seen, trashed, hidden] = [
    await add(employee, 'seen.txt', 'x'),
    await add(employee, 'trashed.txt', 'x'),
    await add(admin, 'hidden.txt', 'x'),
  ];
  await world.documents.documents.trash(employee, trashed);
  const before = (await downloads()).length;
  for (const other of [trashed, hidden, hidden.replace(/.$/, 'z'), 'malformed', '']) {
    expect(await outcome(open(employee, [seen, other])), other).toBe('not_found');
  }
  expect(await downloads()).toHaveLength(before);
});

it('an object that is not there is refused before the first byte, and named', async () => {
  const [whole, cut] = [await add(employee, 'whole.txt', 'whole'), await add(employee, 'cut.txt', 'to be cut')];
  writeFileSync(await objectOf(cut), 'cut');
  const refused = await open(employee, [whole, cut]).catch((error: unknown) => error);
  expect(refused).toMatchObject({ kind: 'unavailable', code: 'object_damaged', extra: { document_id: cut } });
});

it('content with another digest breaks the archive off: it has no directory and not its length', async () => {
  const [first, damaged, last] = [
    await add(employee, 'first.txt', 'a first one'),
    await add(employee, 'damaged.txt', 'to be damaged'),
    await add(employee, 'last.txt', 'a last one'),
  ];
  writeFileSync(await objectOf(damaged), 'TO BE DAMAGED');
  const { headers, body } = await open(employee, [first, damaged, last]);
  const chunks: Buffer[] = [];
  const ended = await (async () => {
    for await (const chunk of body) chunks.push(chunk as Buffer);
  })().catch((error: unknown) => error);
  expect(ended).toBeInstanceOf(Error);
  const got = Buffer.concat(chunks);
  expect(got.length).toBeLessThan(Number(headers['content-length']));
  expect(() => unzip(got)).toThrow('no end');
  expect(got.includes('a first one')).toBe(true);
  expect(got.includes('DAMAGED')).toBe(false);
  const alarms = () =>
    company.tenant.db.read
      .selectFrom('audit_log')
      .selectAll()
      .where('action', '=', 'document.corrupt')
      .where('target', '=', damaged)
      .execute();
  await expect.poll(alarms).toHaveLength(1);
});

it('whoever goes away ends it: nothing is read or written down any more, nothing stays open', async () => {
  const ids = [await add(employee, 'large.bin', Buffer.alloc(8_000_000, 1))];
  for (let at = 0; at < 60; at += 1) ids.push(await add(employee, `many-${at}.bin`, `${at}`));
  const before = (await downloads()).length;
  const { body } = await open(employee, ids);
  await new Promise((resolve) => body.once('readable', resolve));
  await expect.poll(openObjects).toHaveLength(1);
  body.destroy();
  await expect.poll(openObjects).toEqual([]);
  // The rows of fifty go together; none of those behind them.
  expect(await downloads()).toHaveLength(before + 50);
});

it('reads no further than its reader takes', async () => {
  const ids = [await add(employee, 'one.bin', Buffer.alloc(8_000_000, 1)), await add(employee, 'two.bin', 'x')];
  const { body } = await open(employee, ids);
  await new Promise((resolve) => body.once('readable', resolve));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(body.readableLength).toBeLessThan(1_000_000);
  expect((await bytesOf(body)).length).toBeGreaterThan(8_000_000);
});

it('a document whose object grew is damaged as well', async () => {
  const grown = await add(employee, 'grown.txt', 'some');
  appendFileSync(await objectOf(grown), ' more');
  expect(await outcome(open(employee, [grown]))).toBe('object_damaged');
});
