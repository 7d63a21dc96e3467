import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { day, hour } from '../../kernel/clock.ts';
import { createContent } from './service/content.ts';
import { createInHand } from './service/in-hand.ts';
import { createResumables } from './service/resumable.ts';
import { download, listed, openWorld, outcome, type Person, request, upload, type World } from './test-support.ts';

const encode = (text: string) => Buffer.from(text).toString('base64');
const tus = { 'tus-resumable': '1.0.0' };
const stream = { ...tus, 'content-type': 'application/offset+octet-stream' };

function begin(world: World, person: Person, filename: string, length: number, more: Record<string, string> = {}) {
  const metadata = { filename, ...more };
  const pairs = Object.entries(metadata).map(([key, value]) => `${key} ${encode(value)}`);
  const headers = { ...tus, 'upload-length': String(length), 'upload-metadata': pairs.join(',') };
  return world.documents.resumables.begin(person, request({ headers }));
}
const idOf = (headers: Record<string, string>) => headers.location!.slice('/api/uploads/'.length);
function append(world: World, person: Person, id: string, offset: number | string, raw: string | Readable) {
  const headers = { ...stream, 'upload-offset': String(offset) };
  return world.documents.resumables.append(person, id, request({ headers, raw }));
}
const look = (world: World, person: Person, id: string) =>
  world.documents.resumables.look(person, id, request({ headers: tus }));

describe('a resumable upload', () => {
  it('becomes a document at its last byte, and says so for a day', async () => {
    const world = await openWorld();
    const company = await world.company();
    const person = await company.person('employee');
    const id = idOf(await begin(world, person, 'parts.txt', 10, { filetype: 'text/plain' }));
    expect(await world.documents.usage(company.tenant)).toMatchObject({ bytes: 0, reserved: 10 });
    expect(await append(world, person, id, 0, 'hello')).toMatchObject({ 'upload-offset': '5' });
    expect(await look(world, person, id)).toMatchObject({ 'upload-offset': '5', 'upload-length': '10' });
    expect(await listed(world, person)).toEqual([]);
    const last = await append(world, person, id, 5, 'world');
    const documentId = last['strongroom-document']!;
    expect((await download(world, person, documentId)).text).toBe('helloworld');
    expect(await world.documents.usage(company.tenant)).toMatchObject({ bytes: 10, reserved: 0 });
    expect(await look(world, person, id)).toMatchObject({ 'upload-offset': '10', 'strongroom-document': documentId });
    expect(await append(world, person, id, 10, '')).toMatchObject({ 'strongroom-document': documentId });
    expect(await outcome(append(world, person, id, 0, 'hello'))).toBe('offset_mismatch');
    expect(await listed(world, person)).toEqual(['parts.txt']);
    world.travel(day + hour);
    expect(await outcome(look(world, person, id))).toBe('not_found');
    await world.kernel.settle();
    expect(await company.tenant.db.read.selectFrom('uploads').selectAll().execute()).toEqual([]);
    expect(await world.documents.module.examine!(company.tenant, { repair: false, deep: true })).toEqual([]);
  });

  it('is its owner’s alone, and takes only what follows', async () => {
    const world = await openWorld({ maxUploadBytes: 1_000 });
    const company = await world.company();
    const [person, admin] = [await company.person('employee'), await company.person('hr_admin')];
    const id = idOf(await begin(world, person, 'a.txt', 10));
    for (const work of [() => look(world, admin, id), () => append(world, admin, id, 0, 'x')]) {
      expect(await outcome(work())).toBe('not_found');
    }
    expect(await outcome(world.documents.resumables.terminate(admin, id, request({ headers: tus })))).toBe('not_found');
    for (const wrong of ['upl_x', '../x', `${id}/../${id}`, id.toUpperCase(), 'upl_00000000000000000000000000']) {
      expect(await outcome(look(world, person, wrong))).toBe('not_found');
    }
    for (const offset of [1, 10, 11, -1, '0x0', '1e0', '00000000000000000000', ' 0']) {
      expect(await outcome(append(world, person, id, offset, 'x')), String(offset)).toBe('offset_mismatch');
    }
    expect(await outcome(append(world, person, id, 0, 'x'.repeat(11)))).toBe('file_too_large');
    expect(await look(world, person, id)).toMatchObject({ 'upload-offset': '0' });
    const { resumables } = world.documents;
    const raw = (headers: Record<string, string>) =>
      outcome(resumables.append(person, id, request({ headers, raw: 'x' })));
    expect(await raw({ ...stream, 'upload-offset': '0', 'tus-resumable': '0.2.2' })).toBe('tus_version');
    expect(await raw({ ...tus, 'upload-offset': '0', 'content-type': 'text/plain' })).toBe('unsupported_media_type');
    expect(await raw(stream)).toBe('invalid');
    const start = (headers: Record<string, string>) =>
      outcome(resumables.begin(person, request({ headers: { ...tus, ...headers } })));
    const named = { 'upload-metadata': `filename ${encode('b.txt')}` };
    expect(await start(named)).toBe('invalid');
    expect(await start({ ...named, 'upload-defer-length': '1' })).toBe('invalid');
    for (const length of ['-1', '1.5', 'x', '', '9'.repeat(16)])
      expect(await start({ ...named, 'upload-length': length })).toBe('invalid');
    expect(await start({ ...named, 'upload-length': '1001' })).toBe('file_too_large');
    const names = [
      '',
      'filename',
      `filename ${encode('a/b')}`,
      `filename ${encode('..')}`,
      `filename ${encode('a\0')}`,
    ];
    for (const metadata of names)
      expect(await start({ 'upload-length': '1', 'upload-metadata': metadata })).toBe('filename_invalid');
    const malformed = [
      'filename ???',
      `filename ${encode('a')},filename ${encode('b')}`,
      'filename /w==',
      'a b c',
      `filename ${encode('a')},on_conflict ${encode('x')}`,
    ];
    for (const metadata of malformed)
      expect(await start({ 'upload-length': '1', 'upload-metadata': metadata })).toBe('invalid');
    expect(await world.documents.usage(company.tenant)).toMatchObject({ bytes: 0, reserved: 10 });
  });

  it('reserves quota exactly, and gives it back', async () => {
    const world = await openWorld();
    const company = await world.company({ quotaBytes: 100 });
    const person = await company.person('employee');
    const first = idOf(await begin(world, person, 'a', 60));
    expect(await outcome(begin(world, person, 'b', 41))).toBe('quota_exceeded');
    expect(await outcome(upload(world, person, 'c', 'x'.repeat(41)))).toBe('quota_exceeded');
    await upload(world, person, 'd', 'x'.repeat(40));
    await append(world, person, first, 0, 'y'.repeat(30));
    await world.documents.resumables.terminate(person, first, request({ headers: tus }));
    expect(await outcome(look(world, person, first))).toBe('not_found');
    expect(company.temporaries()).toEqual([]);
    const second = idOf(await begin(world, person, 'e', 60));
    await append(world, person, second, 0, 'z'.repeat(10));
    world.travel(2 * day);
    expect(await outcome(append(world, person, second, 10, 'z'))).toBe('upload_expired');
    await world.kernel.settle();
    expect(await outcome(look(world, person, second))).toBe('upload_expired');
    expect(await world.documents.usage(company.tenant)).toMatchObject({ bytes: 40, reserved: 0 });
    expect(company.temporaries()).toEqual([]);
    expect(await outcome(begin(world, person, 'f', 60))).toBe('ok');
  });

  it('keeps what came before it broke off, and goes on', async () => {
    const world = await openWorld();
    const company = await world.company();
    const person = await company.person('employee');
    const id = idOf(await begin(world, person, 'a.txt', 10));
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from('0123');
        throw new Error('the connection broke');
      })(),
    );
    await append(world, person, id, 0, broken).catch(() => undefined);
    expect(await look(world, person, id)).toMatchObject({ 'upload-offset': '4' });
    const done = await append(world, person, id, 4, '456789');
    expect((await download(world, person, done['strongroom-document']!)).text).toBe('0123456789');
  });

  it('is settled once, whoever asks for its end', async () => {
    const world = await openWorld();
    const company = await world.company();
    const person = await company.person('employee');
    const id = idOf(await begin(world, person, 'a.txt', 4, { on_conflict: 'rename' }));
    // As after a crash: all bytes are there, the document is not.
    const partial = await company.tenant.files.partial(id);
    await partial.append(0, Readable.from([Buffer.from('data')]));
    const { examine } = world.documents.module;
    expect(await examine!(company.tenant, { repair: true, deep: false })).toEqual([]);
    await partial.finish();
    expect(await examine!(company.tenant, { repair: true, deep: false })).toEqual([]);
    // A second process would have services of its own.
    const other = createResumables(world.kernel, createContent(world.kernel, createInHand()), createInHand());
    const ask = (n: number) => (n % 2 ? other.look(person, id, request({ headers: tus })) : look(world, person, id));
    const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => ask(n)));
    expect(new Set(answers.map((one) => one['strongroom-document'])).size).toBe(1);
    expect(await listed(world, person)).toEqual(['a.txt']);
    expect((await download(world, person, answers[0]!['strongroom-document']!)).text).toBe('data');
    expect(await world.documents.usage(company.tenant)).toMatchObject({ bytes: 4, reserved: 0 });
  });

  it('holds its name until it is terminated', async () => {
    const world = await openWorld();
    const company = await world.company();
    const person = await company.person('employee');
    const other = await company.person('employee');
    const id = idOf(await begin(world, person, 'a.txt', 4));
    expect(await outcome(begin(world, person, 'a.txt', 4))).toBe('filename_taken');
    await begin(world, other, 'a.txt', 4);
    await begin(world, person, 'a.txt', 4, { on_conflict: 'rename' });
    await world.documents.resumables.terminate(person, id, request({ headers: tus }));
    await begin(world, person, 'a.txt', 4);
  });

  it('whose name is taken meanwhile is refused at its end, and leaves nothing', async () => {
    const world = await openWorld();
    const company = await world.company();
    const person = await company.person('employee');
    const id = idOf(await begin(world, person, 'a.txt', 4));
    await upload(world, person, 'a.txt', 'other');
    expect(await outcome(begin(world, person, 'a.txt', 4))).toBe('filename_taken');
    expect(await outcome(append(world, person, id, 0, 'data'))).toBe('filename_taken');
    expect(await outcome(look(world, person, id))).toBe('upload_expired');
    expect(company.objects()).toHaveLength(1);
    expect(company.temporaries()).toEqual([]);
    expect(await world.documents.usage(company.tenant)).toMatchObject({ bytes: 5, reserved: 0 });
    const again = idOf(await begin(world, person, 'a.txt', 4, { on_conflict: 'rename' }));
    await append(world, person, again, 0, 'data');
    expect(await listed(world, person)).toEqual(['a (2).txt', 'a.txt']);
  });

  it('of nothing is a document at once, and one in a single request too', async () => {
    const world = await openWorld();
    const company = await world.company();
    const person = await company.person('employee');
    const empty = await begin(world, person, 'empty.txt', 0);
    expect((await download(world, person, empty['strongroom-document']!)).text).toBe('');
    const headers = { ...stream, 'upload-length': '5', 'upload-metadata': `filename ${encode('whole.txt')}` };
    const whole = await world.documents.resumables.begin(person, request({ headers, raw: 'whole' }));
    expect(whole).toMatchObject({ 'upload-offset': '5' });
    expect((await download(world, person, whole['strongroom-document']!)).text).toBe('whole');
    expect(await world.documents.module.examine!(company.tenant, { repair: false, deep: true })).toEqual([]);
  });

  it('into a basket needs writing there, at its beginning and at its end', async () => {
    const world = await openWorld();
    const company = await world.company();
    const [owner, customer] = [await company.person('employee'), await company.person('customer')];
    const { baskets, shares } = world.documents;
    const basket = await baskets.create(owner, { name: 'in' });
    const into = { basket_id: basket.id };
    expect(await outcome(begin(world, customer, 'a', 1))).toBe('forbidden');
    expect(await outcome(begin(world, customer, 'a', 1, into))).toBe('not_found');
    await shares.put(owner, 'basket', basket.id, 'customer', 'write');
    const [one, two] = [
      idOf(await begin(world, customer, 'a', 1, into)),
      idOf(await begin(world, customer, 'b', 1, into)),
    ];
    await append(world, customer, one, 0, 'x');
    await shares.remove(owner, 'basket', basket.id, 'customer');
    expect(await outcome(append(world, customer, two, 0, 'x'))).toBe('not_found');
    expect(await listed(world, owner)).toEqual(['a']);
  });
});
