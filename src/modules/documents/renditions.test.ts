import type { ChildProcess } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { describe, expect, it, vi } from 'vitest';
import { day, hour, minute, second } from '../../kernel/clock.ts';
import type { Role } from './renditions/kinds.ts';
import { pdfOf, png } from './renditions/testing.ts';
import type { Asked } from './service/renditions.ts';
import {
  type Company,
  filePart,
  openWorld,
  outcome,
  type Person,
  request,
  upload,
  type World,
} from './test-support.ts';

// What is shown is made at a low priority: beside busy processes it takes its time.
vi.setConfig({ testTimeout: 120_000 });

const sample = (name: string) => readFileSync(new URL(`../../cli/demo/files/${name}`, import.meta.url));
const word = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';

async function show(world: World, person: Person, id: string, role: Role, asked: Asked = {}, tag?: string) {
  const header = (name: string) => (name === 'if-none-match' ? tag : undefined);
  const answer = await world.documents.renditions.open(person, id, role, asked, header);
  const chunks: Uint8Array[] = [];
  if (answer.status === 200) {
    if (answer.body instanceof Uint8Array) chunks.push(answer.body);
    else for await (const chunk of answer.body) chunks.push(chunk as Uint8Array);
  }
  const bytes = Buffer.concat(chunks);
  return { status: answer.status, headers: answer.headers, bytes, text: bytes.toString() };
}

async function start(): Promise<{ world: World; company: Company; person: Person }> {
  const world = await openWorld();
  const company = await world.company();
  return { world, company, person: await company.person('employee') };
}

const examined = (world: World, company: Company) =>
  world.documents.module.examine!(company.tenant, { repair: false, deep: true });

describe('what is shown', () => {
  it('of a PDF: a thumbnail, its first pages, and the text of all', async () => {
    const { world, person } = await start();
    const lines = Array.from({ length: 7 }, (_, index) => `Page number ${index + 1}`);
    const { document } = await upload(world, person, 'seven.pdf', pdfOf(lines));
    expect(await show(world, person, document.id, 'thumbnail')).toMatchObject({ status: 202 });
    await world.kernel.settle();
    const thumbnail = await show(world, person, document.id, 'thumbnail');
    expect(thumbnail).toMatchObject({
      status: 200,
      headers: { 'content-type': 'image/webp', 'strongroom-kind': 'pdf' },
    });
    expect(await sharp(thumbnail.bytes).metadata()).toMatchObject({ format: 'webp', width: 320, height: 160 });
    const pages = await Promise.all([1, 2, 5].map((page) => show(world, person, document.id, 'preview', { page })));
    expect(pages[0]!.headers).toMatchObject({ 'strongroom-pages': '7', 'strongroom-pages-shown': '5' });
    for (const page of pages) {
      // Something is drawn on white: not one colour.
      const { channels } = await sharp(page.bytes).stats();
      expect([channels[0]!.max, channels[0]!.min < 128]).toEqual([255, true]);
    }
    expect(pages[0]!.bytes.equals(pages[1]!.bytes)).toBe(false);
    expect(await outcome(show(world, person, document.id, 'preview', { page: 6 }))).toBe('not_found');
    expect((await show(world, person, document.id, 'text')).text.split('\f')).toEqual(lines);
  });

  it('of a picture: smaller ones, drawn anew, without what a camera wrote into it', async () => {
    const { world, person } = await start();
    const secret = 'taken at a secret place';
    const photo = await sharp({ create: { width: 2_000, height: 1_000, channels: 3, background: '#a03050' } })
      .withExif({ IFD0: { ImageDescription: secret } })
      .jpeg()
      .toBuffer();
    expect(photo.includes(secret)).toBe(true);
    const { document } = await upload(world, person, 'photo.jpg', photo);
    await world.kernel.settle();
    const preview = await show(world, person, document.id, 'preview');
    expect(await sharp(preview.bytes).metadata()).toMatchObject({ format: 'webp', width: 1_200, height: 600 });
    expect(preview.bytes.includes(secret)).toBe(false);
    expect(await sharp((await show(world, person, document.id, 'thumbnail')).bytes).metadata()).toMatchObject({
      width: 320,
      height: 160,
    });
    expect(await outcome(show(world, person, document.id, 'text'))).toBe('preview_unsupported');
  });

  it('of mail and Word documents: their words; attachments by name alone', async () => {
    const { world, person } = await start();
    const mail = await upload(world, person, 'application.eml', sample('application.eml'), {}, 'message/rfc822');
    const contract = await upload(world, person, 'contract.docx', sample('contract.docx'), {}, word);
    await world.kernel.settle();
    const { text, headers } = await show(world, person, mail.document.id, 'preview');
    expect(headers).toMatchObject({ 'content-type': 'text/plain; charset=utf-8', 'strongroom-kind': 'mail' });
    expect(text).toMatch(/^From: customer@example.com\nTo: office@example.com\n/);
    expect(text).toContain('Attachment: answers.csv (text/csv, 42 bytes)');
    expect(text).toContain('please find my answers attached.');
    expect(text).not.toContain('question,answer');
    expect((await show(world, person, contract.document.id, 'text')).text).toContain('2. Weekly hours: 38.');
    expect(await outcome(show(world, person, contract.document.id, 'thumbnail'))).toBe('preview_unsupported');
  });

  it('of text: its beginning, in UTF-8 whatever it was, and no second copy of what is UTF-8 already', async () => {
    const { world, company, person } = await start();
    const written = 'Grüße, 5 €\n';
    const forms: [string, Buffer, string][] = [
      ['utf8.txt', Buffer.from(written), 'utf-8'],
      ['latin.csv', Buffer.from([...'Gr\xfc\xdfe, 5 \x80\n'].map((letter) => letter.charCodeAt(0))), 'windows-1252'],
      ['marked.md', Buffer.from(`\ufeff${written}`, 'utf16le'), 'utf-16le'],
      ['bare.json', Buffer.from('{"key": "only Latin letters"}', 'utf16le'), 'utf-16le'],
    ];
    for (const [name, bytes, encoding] of forms) {
      const { document } = await upload(world, person, name, bytes);
      await world.kernel.settle();
      const { headers, text } = await show(world, person, document.id, 'preview');
      expect([name, headers['strongroom-encoding'], headers['content-type']]).toEqual([
        name,
        encoding,
        'text/plain; charset=utf-8',
      ]);
      expect(text).toBe(name === 'bare.json' ? '{"key": "only Latin letters"}' : written);
      if (name === 'utf8.txt') expect(company.objects()).toHaveLength(1);
    }
    const long = 'ä'.repeat(3 * 1024 * 1024);
    const { document } = await upload(world, person, 'long.txt', long);
    await world.kernel.settle();
    expect((await show(world, person, document.id, 'preview')).text).toBe('ä'.repeat(128 * 1024));
    const whole = await show(world, person, document.id, 'text');
    expect([whole.bytes.length, whole.headers['strongroom-truncated']]).toEqual([4 * 1024 * 1024, 'true']);
    expect(await examined(world, company)).toEqual([]);
  });

  it('of markup: its source as plain text; of other files nothing', async () => {
    const { world, person } = await start();
    const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
    const { document } = await upload(world, person, 'drawing.svg', svg, {}, 'image/svg+xml');
    const archive = await upload(world, person, 'a.zip', Buffer.from('PK\x03\x04 an archive'));
    await world.kernel.settle();
    const { headers, text } = await show(world, person, document.id, 'preview');
    expect(text).toBe(svg);
    expect(headers).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
    });
    expect(await outcome(show(world, person, document.id, 'thumbnail'))).toBe('preview_unsupported');
    for (const role of ['preview', 'thumbnail', 'text'] as const) {
      expect(await outcome(show(world, person, archive.document.id, role))).toBe('preview_unsupported');
    }
  });
});

describe('versions', () => {
  it('have each their own, and a restored one is made anew', async () => {
    const { world, person } = await start();
    const { document } = await upload(world, person, 'plan.pdf', pdfOf(['first']));
    await world.documents.uploads.uploadVersion(
      person,
      document.id,
      request({ parts: [filePart('v', pdfOf(['second']))] }),
    );
    await world.kernel.settle();
    const text = async (version?: string) => (await show(world, person, document.id, 'text', { version })).text;
    expect([await text(), await text('1'), await text('2')]).toEqual(['second', 'first', 'second']);
    expect(await outcome(text('3'))).toBe('not_found');
    await world.documents.documents.restoreVersion(person, document.id, '1');
    expect(await show(world, person, document.id, 'text')).toMatchObject({ status: 202 });
    await world.kernel.settle();
    expect(await text()).toBe('first');
    const { headers } = await show(world, person, document.id, 'preview');
    expect(await show(world, person, document.id, 'preview', {}, headers.etag)).toMatchObject({ status: 304 });
  });
});

describe('what was made', () => {
  it('goes with its document, counts no bytes of the quota, and adds up for doctor', async () => {
    const { world, company, person } = await start();
    const bytes = pdfOf(['one']);
    const one = await upload(world, person, 'one.pdf', bytes);
    const two = await upload(world, person, 'two.pdf', bytes);
    await world.kernel.settle();
    expect(company.objects().length).toBe(4);
    expect(await world.documents.usage(company.tenant)).toMatchObject({ bytes: 2 * bytes.length, reserved: 0 });
    expect(await examined(world, company)).toEqual([]);
    await company.tenant.db.transaction((tx) => tx.updateTable('files').set({ refs: 9 }).execute());
    expect(await examined(world, company)).toHaveLength(4);
    await world.documents.module.examine!(company.tenant, { repair: true, deep: true });
    expect(await examined(world, company)).toEqual([]);

    await world.documents.documents.purge(person, one.document.id);
    world.travel(2 * hour);
    await world.kernel.settle();
    expect((await show(world, person, two.document.id, 'text')).text).toBe('one');
    await world.documents.documents.purge(person, two.document.id);
    world.travel(2 * hour);
    await world.kernel.settle();
    expect(company.objects()).toEqual([]);
    const rows = await company.tenant.db.read.selectFrom('renditions').select('version_id').execute();
    expect(rows).toEqual([]);
    expect(await examined(world, company)).toEqual([]);
  });

  it('is for those who may read the document; previews are written down, thumbnails are not', async () => {
    const { world, company, person } = await start();
    const colleague = await company.person('employee');
    const manager = await company.person('hr_manager');
    const { document } = await upload(world, person, 'own.pdf', pdfOf(['own']));
    await world.kernel.settle();
    for (const role of ['preview', 'thumbnail', 'text'] as const) {
      expect(await outcome(show(world, colleague, document.id, role))).toBe('not_found');
      expect((await show(world, manager, document.id, role)).status).toBe(200);
    }
    const { items } = await world.kernel.audit.list(company.tenant, { limit: 50 });
    const read = items.filter((row) => row.action === 'document.previewed').map(({ details }) => details);
    expect(read).toHaveLength(2);
    await world.documents.documents.trash(person, document.id);
    expect(await outcome(show(world, person, document.id, 'preview'))).toBe('not_found');
  });

  it('that is lost is made again, and so is what nobody has asked for yet', async () => {
    const { world, company, person } = await start();
    const { document } = await upload(world, person, 'a.png', png(50, 40));
    await world.kernel.settle();
    const { db, files } = company.tenant;
    const rows = await db.read.selectFrom('rendition_parts').select('file_key').execute();
    await files.delete(rows.map(({ file_key }) => file_key!));
    expect(await show(world, person, document.id, 'preview')).toMatchObject({ status: 202 });
    await world.kernel.settle();
    expect(await show(world, person, document.id, 'preview')).toMatchObject({ status: 200 });
    const again = await db.read.selectFrom('rendition_parts').select('file_key').execute();
    await files.delete(again.map(({ file_key }) => file_key!));
    const found = await world.documents.module.examine!(company.tenant, { repair: true, deep: false });
    expect(found.map(({ repaired }) => repaired)).toEqual([true, true]);
    await world.kernel.settle();
    expect(await examined(world, company)).toEqual([]);
    expect(await show(world, person, document.id, 'preview')).toMatchObject({ status: 200 });
    await db.transaction(async (tx) => {
      await tx.deleteFrom('rendition_parts').execute();
      await tx.deleteFrom('renditions').execute();
    });
    expect(await show(world, person, document.id, 'preview')).toMatchObject({ status: 202 });
    await world.kernel.settle();
    expect(await show(world, person, document.id, 'preview')).toMatchObject({ status: 200 });
    // A job that was lost with its process.
    await db.transaction((tx) => tx.updateTable('renditions').set({ state: 'pending' }).execute());
    await world.kernel.settle();
    expect(await show(world, person, document.id, 'preview')).toMatchObject({ status: 202 });
    world.travel(16 * minute);
    expect(await show(world, person, document.id, 'preview')).toMatchObject({ status: 202 });
  });
});

/** Kills the next process that works on a file a moment after its start, as soon as there is one. */
function killNext(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const started = (message: unknown) => {
    const { process: child } = message as { process: ChildProcess };
    // Told before it has its arguments.
    setImmediate(() => {
      if (!child.spawnargs.some((argument) => argument.includes('renditions/program.ts'))) return;
      unsubscribe('child_process', started);
      setTimeout(() => {
        child.kill('SIGKILL');
        resolve();
      }, 200);
    });
  };
  subscribe('child_process', started);
  return promise;
}

/** So many that there is time to kill the process that draws them, on a busy machine too. */
const pagesOf = (word: string) => Array.from({ length: 150 }, (_, at) => `${word} ${at + 1}`);

describe('a process that is killed in the middle', () => {
  it('costs one try, and nothing else', async () => {
    const { world, company, person } = await start();
    const { document } = await upload(world, person, 'a.pdf', pdfOf(pagesOf('again')));
    const killed = killNext();
    await world.kernel.settle();
    await killed;
    expect(await show(world, person, document.id, 'text')).toMatchObject({ status: 202 });
    world.travel(5 * second);
    await world.kernel.settle();
    expect((await show(world, person, document.id, 'text')).text).toContain('again 1');
    expect(await examined(world, company)).toEqual([]);
  });

  it('three times: it is failed, and the document is read as before', async () => {
    const { world, person } = await start();
    const { document } = await upload(world, person, 'a.pdf', pdfOf(pagesOf('never')));
    for (let times = 0; times < 3; times += 1) {
      const killed = killNext();
      await world.kernel.settle();
      await killed;
      world.travel(day);
    }
    expect(await outcome(show(world, person, document.id, 'preview'))).toBe('preview_failed');
    const { body } = (await world.documents.downloads.open(person, document.id, undefined, () => undefined)) as {
      body: AsyncIterable<Uint8Array>;
    };
    const chunks: Uint8Array[] = [];
    for await (const chunk of body) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(pdfOf(pagesOf('never')))).toBe(true);
  });
});
