/** Real files of each kind that can be shown, brought in by hand and opened from the tray: what is seen of each. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from '../support/process.ts';
import { newCompany, setUpOperator } from '../support/story.ts';
import { type App, executablePath, startApp } from './support/app.ts';
import { look } from './support/look.ts';

/** The files that `strongroom demo` uploads. */
const demo = join(root, 'src/cli/demo/files');

describe.skipIf(executablePath === undefined)('previews of real files', () => {
  let app: App;
  let page: Page;
  beforeAll(async () => {
    app = await startApp();
    const operator = await setUpOperator(app.url, app.server.setupToken!);
    await newCompany(app.url, operator.access_token, 'North Harbour Logistics');
    page = await app.signedIn('hr-admin');
  });
  afterAll(() => app?.stop());

  const preview = () => page.getByRole('region', { name: 'Preview', exact: true });
  const tray = () => page.getByRole('complementary', { name: 'Uploads' });

  /** Chosen by the button, and opened from the tray once it is there. */
  async function bring(path: string, name: string): Promise<void> {
    await page.goto(`${app.url}/uploads`);
    await page.getByRole('log', { name: 'Uploads' }).waitFor({ state: 'attached' });
    const chooser = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Upload files' }).first().click();
    await (await chooser).setFiles(path);
    await tray().getByRole('link', { name }).click();
    await page.getByRole('heading', { name, level: 1 }).waitFor();
    await tray().getByRole('button', { name: 'Close uploads' }).click();
  }

  test('a PDF is drawn page by page, and its words can be read', async () => {
    await bring(join(demo, 'safety-training.pdf'), 'safety-training.pdf');
    const drawn = preview().getByRole('img', { name: 'Page 1 of safety-training.pdf' });
    await drawn.waitFor();
    // Something is drawn on it: more than one colour, and as high as a page of A4 is.
    const { ratio, colours } = await drawn.evaluate((img: HTMLImageElement) => {
      const canvas = document.createElement('canvas');
      canvas.width = img.naturalWidth;
      canvas.height = img.naturalHeight;
      const context = canvas.getContext('2d')!;
      context.drawImage(img, 0, 0);
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      const seen = new Set<number>();
      for (let at = 0; at < data.length; at += 4) seen.add(data[at]!);
      return { ratio: img.naturalHeight / img.naturalWidth, colours: seen.size };
    });
    expect(ratio).toBeCloseTo(842 / 595, 1);
    expect(colours).toBeGreaterThan(4);
    await look(page, 'preview-pdf');
    await preview().getByText('Text', { exact: true }).click();
    await preview().getByText('Meeting point: the north gate.').waitFor();
    app.quiet();
  });

  test('a picture is drawn', async () => {
    await bring(join(demo, 'badge.png'), 'badge.png');
    const drawn = preview().getByRole('img', { name: 'Picture of badge.png' });
    await drawn.waitFor();
    await expect.poll(() => drawn.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBe(96);
    await look(page, 'preview-image');
    app.quiet();
  });

  test('text stands there as it is written', async () => {
    const words = await readFile(join(root, 'LICENSE'), 'utf8');
    await bring(join(root, 'LICENSE'), 'LICENSE');
    const shown = preview().locator('pre');
    await shown.waitFor();
    expect(await shown.textContent()).toBe(words);
    await look(page, 'preview-text');
    app.quiet();
  });

  test('CSV is a table', async () => {
    await bring(join(demo, 'absences.csv'), 'absences.csv');
    await preview().getByRole('columnheader', { name: 'days_absent' }).waitFor();
    await preview().getByRole('cell', { name: 'training, two days' }).waitFor();
    await look(page, 'preview-csv');
    app.quiet();
  });

  test('Markdown is formatted: headings, a numbered list, a table', async () => {
    await bring(join(demo, 'handbook.md'), 'handbook.md');
    await preview().getByRole('heading', { name: 'Working hours' }).waitFor();
    await preview().getByRole('listitem').filter({ hasText: 'Enter the days in the calendar.' }).waitFor();
    await preview().getByRole('cell', { name: '3 and more' }).waitFor();
    await look(page, 'preview-markdown');
    app.quiet();
  });

  test('a mail has its head and its words', async () => {
    await bring(join(demo, 'application.eml'), 'application.eml');
    await preview().getByText('Documents for my application', { exact: true }).waitFor();
    await preview().getByText('customer@example.com').first().waitFor();
    await preview().getByText('please find my answers attached.').waitFor();
    await preview().getByText('answers.csv').waitFor();
    // In the reader's own words, not as a machine writes it.
    await preview()
      .getByText(/^2 Feb 2026, /)
      .waitFor();
    await look(page, 'preview-mail');
    app.quiet();
  });

  test('of a Word document the words are shown', async () => {
    await bring(join(demo, 'contract.docx'), 'contract.docx');
    await preview().getByText('Employment contract (sample)').waitFor();
    await preview().getByText('Weekly hours: 38.').waitFor();
    await look(page, 'preview-docx');
    app.quiet();
  });
});
