/** The page of one document by clicking: previews of each kind, hostile files, edits, versions, shares, keys, trash. */
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deepMail, pdfOf, png } from '../../src/modules/documents/renditions/testing.ts';
import {
  type Company,
  call,
  expectCall,
  fileForm,
  invitePerson,
  logIn,
  newCompany,
  type Person,
  setUpOperator,
  uploadFile,
} from '../support/story.ts';
import { type App, executablePath, startApp } from './support/app.ts';
import { expectAccessible, look, picture } from './support/look.ts';

interface Details {
  readonly filename: string;
  readonly version: number;
  readonly tags: readonly string[];
  readonly metadata: Readonly<Record<string, unknown>>;
}
const elsewhere = 'http://attacker.example/pixel.png';

describe.skipIf(executablePath === undefined)('the page of one document', () => {
  let app: App;
  let company: Company;
  let employee: Person;
  let page: Page;
  beforeAll(async () => {
    app = await startApp();
    const operator = await setUpOperator(app.url, app.server.setupToken!);
    company = await newCompany(app.url, operator.access_token, 'North Harbour Logistics');
    employee = await invitePerson(app.url, company.admin, 'employee', 'employee');
    page = await app.signedIn('hr-admin');
  });
  afterAll(() => app?.stop());

  const token = async () => (await logIn(app.url, company.admin.username)).access_token;
  const upload = async (name: string, bytes: Uint8Array | string) =>
    (await uploadFile(app.url, await token(), name, bytes)).id;
  const open = async (id: string, of: Page = page) => {
    await of.goto(`${app.url}/documents/${id}`);
    await of.getByRole('complementary', { name: 'About the document' }).waitFor();
  };
  const preview = (of: Page = page) => of.getByRole('region', { name: 'Preview', exact: true });
  const panel = (of: Page = page) => of.getByRole('complementary', { name: 'About the document' });
  const tab = (name: string, of: Page = page) => panel(of).getByRole('tab', { name }).click();
  const details = async (id: string) =>
    expectCall<Details>(200, app.url, 'GET', `/api/documents/${id}`, { token: await token() });
  const change = async (id: string, body: object) =>
    expectCall(200, app.url, 'PATCH', `/api/documents/${id}`, { token: await token(), body });
  const addVersion = async (id: string, bytes: string) =>
    expectCall(201, app.url, 'POST', `/api/documents/${id}/versions`, {
      token: await token(),
      raw: fileForm('x', bytes),
    });

  test('a text, a picture and a PDF are shown, the PDF page by page and as text', async () => {
    await open(await upload('notes.txt', 'The first line.\nThe second one, with <b>no markup</b>.\n'));
    await preview().getByText('<b>no markup</b>').waitFor();
    await look(page, 'document-text');
    await open(await upload('photo.png', png(640, 400)));
    const picture = preview().getByRole('img', { name: 'Picture of photo.png' });
    await picture.waitFor();
    await expect.poll(() => picture.evaluate((img: HTMLImageElement) => img.naturalWidth)).toBe(640);
    expect(await picture.getAttribute('src')).toMatch(/^blob:/);
    await preview().getByRole('button', { name: 'Rotate' }).click();
    await look(page, 'document-image');
    await open(await upload('plan.pdf', pdfOf(['page one', 'page two'])));
    await preview().getByRole('img', { name: 'Page 1 of plan.pdf' }).waitFor();
    await preview().getByRole('button', { name: 'Next page' }).click();
    await preview().getByRole('img', { name: 'Page 2 of plan.pdf' }).waitFor();
    await preview().getByRole('button', { name: 'Zoom in' }).click();
    await look(page, 'document-pdf');
    await preview().getByText('Text', { exact: true }).click();
    await preview().getByText('page two').waitFor();
    app.quiet();
  });

  test('CSV is a table, mail has its head, and what cannot be shown says why and offers the download', async () => {
    await open(await upload('people.csv', 'name;town\r\n"Harbour; north";Hull\r\n"said ""yes""";\r\n'));
    await preview().getByRole('columnheader', { name: 'town' }).waitFor();
    expect(await preview().getByRole('cell').allTextContents()).toEqual(['Harbour; north', 'Hull', 'said "yes"', '']);
    await look(page, 'document-csv');
    await open(await upload('letter.eml', deepMail(1)));
    await preview().getByText('deep', { exact: true }).waitFor();
    await preview().getByText('bottom').waitFor();
    await look(page, 'document-mail');
    await open(await upload('broken.pdf', '%PDF-1.7 nonsense'));
    await preview().getByText('There is no preview of this file').waitFor();
    await look(page, 'document-failed');
    await open(await upload('tool.bin', new Uint8Array([0, 1, 2, 3, 255])));
    await preview().getByText('Files of this kind are not shown here').waitFor();
    await look(page, 'document-unsupported');
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      preview().getByRole('button', { name: 'Download' }).click(),
    ]);
    expect(file.suggestedFilename()).toBe('tool.bin');
    expect([...(await readFile(await file.path()))]).toEqual([0, 1, 2, 3, 255]);
    app.quiet();
  });

  test('a preview that is being made says so, and appears by itself', async () => {
    const id = await upload('later.txt', 'Here at last.');
    let held = true;
    await page.route('**/api/documents/*/preview*', (route) =>
      held
        ? route.fulfill({
            status: 202,
            headers: { 'retry-after': '1', 'content-type': 'application/json' },
            body: '{"status":"pending"}',
          })
        : route.continue(),
    );
    await open(id);
    await preview().getByText('The preview is being made').waitFor();
    await look(page, 'document-pending');
    held = false;
    await preview().getByText('Here at last.').waitFor();
    await page.unroute('**/api/documents/*/preview*');
  });

  test('hostile SVG, HTML and Markdown run nothing and load nothing', async () => {
    const script = '<script>window.ran = true</script>';
    const image = `<img src="${elsewhere}" onerror="window.ran = true">`;
    const files = {
      'drawing.svg': `<svg xmlns="http://www.w3.org/2000/svg" onload="window.ran = true">${script}<image href="${elsewhere}"/></svg>`,
      'page.html': `<html><body onload="window.ran = true">${image}${script}<iframe src="${elsewhere}"></iframe></body></html>`,
      'read.md': `# Title\n\n![picture](${elsewhere}) [link](javascript:window.ran=true)\n\n${image}${script}\n\n* **bold** <${elsewhere}>\n`,
    };
    for (const [name, text] of Object.entries(files)) {
      await open(await upload(name, text));
      await preview().getByText('window.ran').first().waitFor();
      expect(
        await preview().locator('script, img, svg image, iframe, object, embed, a, link, style').count(),
        name,
      ).toBe(0);
      expect(await page.evaluate(() => 'ran' in window), name).toBe(false);
    }
    await preview().getByRole('heading', { name: 'Title' }).waitFor();
    await preview().getByText('Picture, not loaded: picture').waitFor();
    await look(page, 'document-markdown');
    await preview().getByText('Source', { exact: true }).click();
    await preview().getByText('# Title').waitFor();
    expect(await page.evaluate(() => 'ran' in window)).toBe(false);
    app.quiet();
  });

  test('name, tags and metadata are saved quietly; a conflict shows both sides and overwrites nothing', async () => {
    const id = await upload('contract.txt', 'words');
    await upload('taken.txt', 'words');
    await open(id);
    const name = panel().getByRole('textbox', { name: 'Name', exact: true });
    await name.fill('contract-2.txt');
    await name.press('Tab');
    await panel().getByText('Saved', { exact: true }).waitFor();
    await page.getByRole('heading', { name: 'contract-2.txt', level: 1 }).waitFor();
    await name.fill('taken.txt');
    await page.keyboard.press('Control+s');
    await expect.poll(() => name.getAttribute('aria-invalid')).toBe('true');
    await name.press('Escape');
    expect(await name.inputValue()).toBe('contract-2.txt');
    const tags = panel()
      .getByRole('combobox', { name: 'Tags' })
      .or(panel().getByRole('textbox', { name: 'Tags' }));
    await tags.first().fill('urgent');
    await tags.first().press('Enter');
    await expect.poll(async () => (await details(id)).tags).toEqual(['urgent']);
    await panel().getByRole('button', { name: 'Add a fact' }).click();
    await panel().getByLabel('Name of fact 1').fill('customer');
    await panel().getByLabel('Value of customer').fill('Mine');
    // Another client is quicker.
    await change(id, { metadata: { customer: 'Theirs', year: 2026 } });
    await page.keyboard.press('Control+s');
    await panel().getByText('HR admin changed this while you were editing').waitFor();
    await panel().getByText('customer: Theirs, year: 2026').waitFor();
    await panel().getByText('customer: Mine').waitFor();
    expect((await details(id)).metadata).toEqual({ customer: 'Theirs', year: 2026 });
    await look(page, 'document-conflict');
    await panel().getByRole('button', { name: 'Take theirs' }).click();
    expect(await panel().getByLabel('Value of customer').inputValue()).toBe('Theirs');
    await panel().getByLabel('Value of year').fill('2027');
    await name.fill('contract-3.txt');
    await addVersion(id, 'other words');
    await page.keyboard.press('Control+s');
    await panel().getByText('A new version was uploaded while you were editing').first().waitFor();
    expect((await details(id)).filename).toBe('contract-2.txt');
    for (const button of await panel().getByRole('button', { name: 'Save mine' }).all()) await button.click();
    await expect.poll(async () => (await details(id)).filename).toBe('contract-3.txt');
    expect((await details(id)).metadata).toEqual({ customer: 'Theirs', year: 2027 });
    await tab('Activity');
    await panel().getByText('HR admin renamed it from contract-2.txt to contract-3.txt').waitFor();
    await look(page, 'document-activity');
    app.quiet();
  });

  test('a new version is uploaded, shown, downloaded and restored; a quicker one is not overwritten unseen', async () => {
    const id = await upload('report.txt', 'first words');
    await open(id);
    await tab('Versions');
    const choose = (text: string) =>
      panel()
        .locator('input[type=file]')
        .setInputFiles({ name: 'report.txt', mimeType: 'text/plain', buffer: Buffer.from(text) });
    await choose('second words');
    await page.getByText('Version 2 is there.').waitFor();
    await preview().getByText('second words').waitFor();
    await addVersion(id, 'words of another client');
    await choose('fourth words');
    await panel().getByText('Somebody uploaded another version meanwhile').waitFor();
    expect((await details(id)).version).toBe(3);
    await panel().getByRole('button', { name: 'Upload mine as well' }).click();
    await preview().getByText('fourth words').waitFor();
    await panel().getByRole('button', { name: 'Show version 1' }).click();
    await preview().getByText('first words').waitFor();
    await preview().getByText('You are looking at version 1').waitFor();
    await look(page, 'document-versions');
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      panel().getByRole('button', { name: 'Download version 3' }).click(),
    ]);
    expect(await readFile(await file.path(), 'utf8')).toBe('words of another client');
    await panel().getByRole('button', { name: 'Restore version 1' }).click();
    await page.getByText('Version 1 is the newest again, as version 5.').waitFor();
    await preview().getByText('first words').waitFor();
    expect((await details(id)).version).toBe(5);
    app.quiet();
  });

  test('a colleague sees what is shared with them, may not change it, and no longer sees what is taken back', async () => {
    const id = await upload('handbook.txt', 'how we work');
    const other = await app.signedIn(employee.username);
    await other.goto(`${app.url}/documents/${id}`);
    await other.getByRole('heading', { name: 'This document is not here' }).waitFor();
    await expectAccessible(other);
    await picture(other, 'document-gone');
    await open(id);
    await tab('Sharing');
    await panel().getByText('Shared with nobody').waitFor();
    await panel()
      .getByRole('combobox', { name: 'Share with' })
      .or(panel().getByRole('textbox', { name: 'Share with' }))
      .first()
      .fill('employee');
    await page.getByRole('option', { name: /employee person/ }).click();
    await panel().getByRole('button', { name: 'Share', exact: true }).click();
    await panel().getByRole('listitem').filter({ hasText: 'employee person' }).waitFor();
    await look(page, 'document-sharing');
    await open(id, other);
    await preview(other).getByText('how we work').waitFor();
    await tab('Sharing', other);
    await panel(other).getByText('Only the owner and those who manage').waitFor();
    await tab('Info', other);
    const name = panel(other).getByRole('textbox', { name: 'Name', exact: true });
    await name.fill('mine.txt');
    await name.press('Enter');
    await panel(other).getByText('You may read this document, but not change it.').waitFor();
    expect((await details(id)).filename).toBe('handbook.txt');
    await panel().getByRole('button', { name: 'Stop sharing with employee person' }).click();
    await panel().getByText('Shared with nobody').waitFor();
    await other.reload();
    await other.getByRole('heading', { name: 'This document is not here' }).waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await panel().getByRole('listitem').filter({ hasText: 'employee person' }).waitFor();
    await open(id, other);
    await other.context().close();
    app.quiet();
  });

  test('keys walk through the list and lead back; trash can be undone; it fits in German and from right to left', async () => {
    const third = await upload('walk-3.txt', 'three');
    await upload('walk-2.txt', 'two');
    await upload('walk-1.txt', 'one');
    await page.goto(`${app.url}/documents`);
    await page.getByRole('link', { name: 'walk-1.txt' }).first().click();
    await preview().getByText('one').waitFor();
    await page.keyboard.press('Control+ArrowRight');
    await page.getByRole('heading', { name: 'walk-2.txt', level: 1 }).waitFor();
    await page.keyboard.press('Control+ArrowRight');
    await page.getByRole('heading', { name: 'walk-3.txt', level: 1 }).waitFor();
    await page.getByText(/^3 of /).waitFor();
    await page.reload();
    await preview().getByText('three').waitFor();
    await page.keyboard.press('Control+ArrowLeft');
    await page.getByRole('heading', { name: 'walk-2.txt', level: 1 }).waitFor();
    await page.keyboard.press('Control+ArrowRight');
    await page.getByRole('heading', { name: 'walk-3.txt', level: 1 }).waitFor();
    await look(page, 'document-walk');
    await page.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('menuitem', { name: 'Move to the trash' }).click();
    await page.getByText('walk-3.txt is in the trash.').waitFor();
    await page.waitForURL(/\/documents(\?|$)/);
    const trashed = await call<{ trashed_at: string | null }>(app.url, 'GET', '/api/documents?trashed=true', {
      token: await token(),
    });
    expect(trashed.text).toContain(third);
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('walk-3.txt is back.').waitFor();
    expect((await call(app.url, 'GET', `/api/documents/${third}`, { token: await token() })).status).toBe(200);
    await open(third);
    await page.keyboard.press('Escape');
    await page.waitForURL(/\/documents(\?|$)/);
    for (const language of ['de', 'qps-rtl']) {
      await page.evaluate((name) => localStorage.setItem('strongroom.language', name), language);
      await page.goto(`${app.url}/documents/${third}`);
      await page.getByRole('heading', { name: 'walk-3.txt', level: 1 }).waitFor();
      await page.getByText('three', { exact: true }).waitFor();
      // In every width nothing hangs over the side.
      await picture(page, `document-${language}`);
    }
    await page.evaluate(() => localStorage.removeItem('strongroom.language'));
    app.quiet();
  });
});
