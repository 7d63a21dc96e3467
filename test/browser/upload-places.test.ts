/** Where files go that are dropped: a basket at the side, the document that is open; and what is said before. */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Company,
  expectCall,
  fileForm,
  invitePerson,
  logIn,
  newCompany,
  setUpOperator,
  uploadFile,
} from '../support/story.ts';
import { type App, executablePath, startApp } from './support/app.ts';
import { findings, look, setTheme, shots } from './support/look.ts';
import { drag } from './support/upload-files.ts';

interface Listed {
  readonly items: readonly { readonly filename: string; readonly basket_id: string | null }[];
}

const text = (name: string, words: string) => [{ name, text: words, type: 'text/plain' }];

describe.skipIf(executablePath === undefined)('places that take files', () => {
  let app: App;
  let company: Company;
  let page: Page;
  beforeAll(async () => {
    app = await startApp();
    const operator = await setUpOperator(app.url, app.server.setupToken!);
    company = await newCompany(app.url, operator.access_token, 'Amber Quay');
    page = await app.signedIn('hr-admin');
  });
  afterAll(() => app?.stop());

  const token = async (username = company.admin.username) => (await logIn(app.url, username)).access_token;
  const ready = (of: Page = page) => of.getByRole('log', { name: 'Uploads' }).waitFor({ state: 'attached' });
  const tray = (of: Page = page) => of.getByRole('complementary', { name: 'Uploads' });
  const overlay = (of: Page = page) => of.getByTestId('drop-overlay');
  const versionOf = async (id: string) =>
    (await expectCall<{ version: number }>(200, app.url, 'GET', `/api/documents/${id}`, { token: await token() }))
      .version;

  /** Over what is there, the overlay says this. A drag that stands still counts as gone after a while. */
  async function says(of: Page, files: Parameters<typeof drag>[1], at: string, words: RegExp): Promise<void> {
    await expect
      .poll(async () => {
        await drag(of, files, false, at);
        return await overlay(of).textContent();
      })
      .toMatch(words);
  }

  async function overlayLooks(name: string, files: Parameters<typeof drag>[1], at: string): Promise<void> {
    for (const theme of ['light', 'dark'] as const) {
      await setTheme(page, theme);
      await drag(page, files, false, at);
      await page.screenshot({ path: join(shots, `${name}-laptop-${theme}.png`) });
      expect(await findings(page)).toEqual([]);
    }
    await setTheme(page, 'light');
  }

  test('a basket at the side takes what is dropped on it, whatever is open; one to read refuses before the drop', async () => {
    const made = (name: string) =>
      expectCall<{ id: string }>(201, app.url, 'POST', '/api/baskets', { token: company.admin.token, body: { name } });
    const [open, aside] = [await made('Open one'), await made('Put aside')];
    await page.goto(`${app.url}/documents?basket=${open.id}`);
    await ready();
    const basket = `[data-upload-basket="${aside.id}"] button`;
    await page.locator(basket).first().waitFor();
    await says(page, text('x.txt', 'x'), basket, /Drop to upload into .?Put aside/);
    await overlayLooks('uploads-onto-basket', text('x.txt', 'x'), basket);
    await says(page, text('x.txt', 'x'), 'h1', /Drop to upload into .?Open one/);
    await drag(page, text('aside.txt', 'put aside'), true, basket);
    await drag(page, text('open.txt', 'into the open one'), true, 'h1');
    for (const name of ['aside.txt', 'open.txt']) await tray().getByRole('link', { name }).waitFor();
    await tray().getByText('in Put aside').waitFor();
    expect(await overlay().count()).toBe(0);
    const { items } = await expectCall<Listed>(200, app.url, 'GET', '/api/documents', { token: await token() });
    const into = Object.fromEntries(items.map(({ filename, basket_id }) => [filename, basket_id]));
    expect(into).toEqual({ 'aside.txt': aside.id, 'open.txt': open.id });

    await invitePerson(app.url, company.admin, 'employee', 'reader');
    const reader = await logIn(app.url, 'reader');
    await expectCall(200, app.url, 'PUT', `/api/baskets/${aside.id}/shares/${reader.user.id}`, {
      token: await token(),
      body: { access: 'read' },
    });
    const other = await app.signedIn('reader');
    await ready(other);
    await other.locator(basket).first().waitFor();
    await says(other, text('no.txt', 'no'), basket, /You cannot upload here/);
    await drag(other, text('no.txt', 'no'), true, basket);
    await tray(other).getByText('Not uploaded: you may not upload here').waitFor();
    await other.context().close();
    app.quiet();
  });

  test('what is dropped while a document is open becomes its next version, and the overlay names it', async () => {
    const { id } = await uploadFile(app.url, await token(), 'price list.txt', 'first prices');
    await page.goto(`${app.url}/documents/${id}`);
    await page.getByText('first prices').waitFor();
    await ready();
    await says(page, text('prices 2027.txt', 'x'), 'body', /Drop to add a new version of .?price list\.txt/);
    await overlayLooks('uploads-onto-document', text('x.txt', 'x'), 'h1');
    await drag(page, text('prices 2027.txt', 'second prices'), true, 'h1');
    await page.getByText('second prices').waitFor();
    await page.getByRole('heading', { level: 1, name: 'price list.txt' }).waitFor();
    await tray().getByText('as a version of price list.txt').waitFor();
    expect(await versionOf(id)).toBe(2);
    await look(page, 'uploads-version-done');

    const two = [...text('a.txt', 'a'), ...text('b.txt', 'b')];
    await says(page, two, 'body', /Drop one file only/);
    await drag(page, two, true);
    await expect.poll(() => tray().getByText('one file at a time becomes a new version').count()).toBe(2);
    expect(await versionOf(id)).toBe(2);
    app.quiet();
  });

  test('a version of somebody else is not overwritten unseen; trying again puts mine on top', async () => {
    const { id } = await uploadFile(app.url, await token(), 'minutes.txt', 'first minutes');
    await page.goto(`${app.url}/documents/${id}`);
    await page.getByText('first minutes').waitFor();
    await ready();
    await expectCall(201, app.url, 'POST', `/api/documents/${id}/versions`, {
      token: await token(),
      raw: fileForm('x', 'minutes of somebody else'),
    });
    await drag(page, text('mine.txt', 'my own minutes'), true);
    await tray().getByText('there is a newer version of this document meanwhile').waitFor();
    expect(await versionOf(id)).toBe(2);
    await page.getByText('minutes of somebody else').waitFor();
    await look(page, 'uploads-version-overtaken');
    await tray().getByRole('button', { name: 'Try mine.txt again' }).click();
    await page.getByText('my own minutes').waitFor();
    expect(await versionOf(id)).toBe(3);
    await page.goto(`${app.url}/documents`);
    await ready();
    await says(page, text('x.txt', 'x'), 'h1', /Drop to upload to your documents/);
    app.quiet();
  });
});
