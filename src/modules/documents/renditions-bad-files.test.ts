/** A few of the files that were made to hurt whoever opens them; all of them are in `test/faults`. */
import { expect, it, vi } from 'vitest';
import { fateOf, previewFailed } from '../../../test/support/rendition-fate.ts';
import { deepMail, pdfLoop, pdfs, png } from './renditions/testing.ts';

// What is shown is made at a low priority: beside busy processes it takes its time.
vi.setConfig({ testTimeout: 200_000 });

it.each(['cut in the middle', 'a tree of pages that contains itself'])('a PDF: %s', async (kind) => {
  expect(await fateOf('a.pdf', pdfs[kind]!())).toMatch(previewFailed);
});

it('a PDF that is encrypted is called that', async () => {
  expect(await fateOf('a.pdf', pdfs['an encrypted one']!())).toBe('preview_failed encrypted');
});

it('a PDF that draws itself ends', async () => {
  expect(await fateOf('a.pdf', pdfLoop())).toMatch(/^(shown|preview_failed .*)$/);
});

it('a picture of too many pixels, mail in mail in mail, what is no text', async () => {
  expect(await fateOf('huge.png', png(60_000, 60_000))).toBe('preview_failed unreadable');
  expect(await fateOf('deep.eml', deepMail(5_000), 'message/rfc822')).toBe('preview_failed unreadable');
  const noise = Buffer.from(Array.from({ length: 500 }, (_, index) => (index * 37) % 256));
  expect(await fateOf('noise.txt', noise)).toBe('preview_failed not_text');
});
