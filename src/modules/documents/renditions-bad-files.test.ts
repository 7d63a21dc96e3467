import { expect, it } from 'vitest';
import { second } from '../../kernel/clock.ts';
import { deepMail, docx, docxBomb, pdfBomb, pdfLoop, pdfs, png } from './renditions/testing.ts';
import { openWorld, sha256, upload } from './test-support.ts';

const word = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';

/** What becomes of a file: the reason for which it cannot be shown, or `shown`. However often it may be tried. */
async function fateOf(filename: string, content: Buffer, declared?: string) {
  const world = await openWorld();
  const company = await world.company();
  const person = await company.person('employee');
  const { document } = await upload(world, person, filename, content, {}, declared);
  const look = () => world.documents.renditions.open(person, document.id, 'preview', {}, () => undefined);
  let fate = 'pending';
  for (let times = 0; times < 4 && fate === 'pending'; times += 1) {
    await world.kernel.settle();
    fate = await look().then(
      (answer) => {
        if ('body' in answer && 'destroy' in answer.body) answer.body.destroy();
        return answer.status === 200 ? 'shown' : 'pending';
      },
      (error: { code: string; extra?: { reason?: string } }) => `${error.code} ${error.extra?.reason ?? ''}`.trim(),
    );
    world.travel(10 * second);
  }
  // Whatever it was: it is given back as it came, and nothing of the attempt is left.
  const back = await world.documents.downloads.open(person, document.id, undefined, () => undefined);
  const chunks: Uint8Array[] = [];
  if ('body' in back) for await (const chunk of back.body) chunks.push(chunk as Uint8Array);
  expect(sha256(Buffer.concat(chunks))).toBe(sha256(content));
  expect(await world.documents.module.examine!(company.tenant, { repair: false, deep: true })).toEqual([]);
  if (fate !== 'shown') expect(company.objects()).toHaveLength(1);
  return fate;
}

const failed = /^preview_failed /;

it.each(Object.entries(pdfs))('a PDF: %s', { timeout: 60_000 }, async (_, make) => {
  expect(await fateOf('a.pdf', make())).toMatch(failed);
});

it('a PDF that is encrypted is called that', { timeout: 60_000 }, async () => {
  expect(await fateOf('a.pdf', pdfs['an encrypted one']!())).toBe('preview_failed encrypted');
});

it('a PDF that unpacks to gigabytes ends at its limits', { timeout: 120_000 }, async () => {
  expect(await fateOf('a.pdf', pdfBomb())).toMatch(/^(shown|preview_failed (memory|time|unreadable))$/);
});

it('a PDF that draws itself ends', { timeout: 120_000 }, async () => {
  expect(await fateOf('a.pdf', pdfLoop())).toMatch(/^(shown|preview_failed .*)$/);
});

it('pictures of too many pixels are not opened; cut ones end as failed', { timeout: 60_000 }, async () => {
  expect(await fateOf('huge.png', png(60_000, 60_000))).toBe('preview_failed unreadable');
  expect(await fateOf('cut.png', png(3_000, 3_000).subarray(0, 120))).toBe('preview_failed unreadable');
  expect(await fateOf('large.png', png(9_000, 9_000))).toBe('shown');
});

it('a Word document that unpacks to gigabytes ends at its limits, also one that is no archive', {
  timeout: 120_000,
}, async () => {
  expect(await fateOf('bomb.docx', docxBomb(), word)).toMatch(/^preview_failed (memory|time|unreadable)$/);
  expect(await fateOf('cut.docx', docx({ data: Buffer.from('<w') }).subarray(0, 90), word)).toMatch(failed);
  const entity = '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><w:document>&b;</w:document>';
  expect(await fateOf('entity.docx', docx({ data: Buffer.from(entity) }), word)).toMatch(/^(shown|preview_failed .*)$/);
});

it('mail in mail in mail, and mail that is none', { timeout: 60_000 }, async () => {
  expect(await fateOf('deep.eml', deepMail(5_000), 'message/rfc822')).toBe('preview_failed unreadable');
  expect(await fateOf('none.eml', Buffer.from('\n\nno head'), 'message/rfc822')).toBe('preview_failed unreadable');
  const headers = Buffer.from(`Subject: ${'x'.repeat(3_000_000)}\n\nbody`);
  expect(await fateOf('headers.eml', headers, 'message/rfc822')).toBe('preview_failed unreadable');
});

it('empty files, wrong endings, bytes that are no text', { timeout: 60_000 }, async () => {
  expect(await fateOf('empty.txt', Buffer.alloc(0))).toBe('shown');
  expect(await fateOf('empty.pdf', Buffer.alloc(0), 'application/pdf')).toBe('preview_failed empty');
  expect(await fateOf('picture.pdf', png(10, 10), 'application/pdf')).toBe('shown');
  const noise = Buffer.from(Array.from({ length: 500 }, (_, index) => (index * 37) % 256));
  expect(await fateOf('noise.txt', noise)).toBe('preview_failed not_text');
  expect(await fateOf('marks.txt', Buffer.from(`a${'\u0301'.repeat(1_000_000)}`))).toBe('shown');
});
