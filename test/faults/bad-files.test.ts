/** Every file that was made to hurt whoever opens it: it cannot be shown, costs no more than its limits, and stays as it is. */
import { expect, it } from 'vitest';
import {
  deepMail,
  docx,
  docxBomb,
  pdfBomb,
  pdfLoop,
  pdfs,
  png,
} from '../../src/modules/documents/renditions/testing.ts';
import { fateOf, previewFailed } from '../support/rendition-fate.ts';

const word = 'application/vnd.openxmlformats-officedocument.wordprocessingml.document';

it.each(Object.entries(pdfs))('a PDF: %s', { timeout: 60_000 }, async (_, make) => {
  expect(await fateOf('a.pdf', make())).toMatch(previewFailed);
});

it('a PDF that is encrypted is called that', { timeout: 60_000 }, async () => {
  expect(await fateOf('a.pdf', pdfs['an encrypted one']!())).toBe('preview_failed encrypted');
});

it('a PDF that unpacks to gigabytes ends at its limits', { timeout: 200_000 }, async () => {
  expect(await fateOf('a.pdf', pdfBomb())).toMatch(/^(shown|preview_failed (memory|time|unreadable))$/);
});

it('a PDF that draws itself ends', { timeout: 200_000 }, async () => {
  expect(await fateOf('a.pdf', pdfLoop())).toMatch(/^(shown|preview_failed .*)$/);
});

it('pictures of too many pixels are not opened; cut ones end as failed', { timeout: 60_000 }, async () => {
  expect(await fateOf('huge.png', png(60_000, 60_000))).toBe('preview_failed unreadable');
  expect(await fateOf('cut.png', png(3_000, 3_000).subarray(0, 120))).toBe('preview_failed unreadable');
  expect(await fateOf('large.png', png(9_000, 9_000))).toBe('shown');
});

it('a Word document that unpacks to gigabytes ends at its limits, also one that is no archive', {
  timeout: 200_000,
}, async () => {
  expect(await fateOf('bomb.docx', docxBomb(), word)).toMatch(/^preview_failed (memory|time|unreadable)$/);
  expect(await fateOf('cut.docx', docx({ data: Buffer.from('<w') }).subarray(0, 90), word)).toMatch(previewFailed);
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
