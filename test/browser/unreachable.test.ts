/** The network or the server is away: each page says so, keeps what is typed, and goes on by itself once it is back. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Company, expectCall, logIn, newCompany, setUpOperator, uploadFile } from '../support/story.ts';
import { type App, executablePath, startApp } from './support/app.ts';
import { look } from './support/look.ts';
import { drag, slowDown } from './support/upload-files.ts';

interface Details {
  readonly filename: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

describe.skipIf(executablePath === undefined)('nobody answers', () => {
  let app: App;
  let company: Company;
  let page: Page;
  beforeAll(async () => {
    app = await startApp();
    const operator = await setUpOperator(app.url, app.server.setupToken!);
    company = await newCompany(app.url, operator.access_token, 'North Harbour Logistics');
    page = await app.signedIn('hr-admin');
  });
  afterAll(() => app?.stop());

  const token = async () => (await logIn(app.url, company.admin.username)).access_token;
  const details = async (id: string) =>
    expectCall<Details>(200, app.url, 'GET', `/api/documents/${id}`, { token: await token() });
  const banner = () => page.getByRole('status').filter({ hasText: /The server does not answer|You are offline/ });
  const panel = () => page.getByRole('complementary', { name: 'About the document' });
  const name = () => panel().getByRole('textbox', { name: 'Name', exact: true });
  const open = async (id: string) => {
    await page.goto(`${app.url}/documents/${id}`);
    await panel().waitFor();
  };

  test('the list says so, keeps the search, and shows what it finds once the server is back', async () => {
    for (const filename of ['delivery note.txt', 'invoice.txt'])
      await uploadFile(app.url, await token(), filename, 'x');
    await page.goto(`${app.url}/documents`);
    await page.getByRole('link', { name: 'invoice.txt' }).waitFor();
    await app.server.kill();
    await page.getByRole('searchbox', { name: 'Search by name' }).fill('delivery');
    await banner().waitFor();
    await page.getByRole('alert').filter({ hasText: 'This could not be loaded' }).waitFor();
    await look(page, 'unreachable-list');
    await app.restart();
    await page.getByRole('link', { name: 'delivery note.txt' }).waitFor({ timeout: 30_000 });
    expect(await page.getByRole('searchbox', { name: 'Search by name' }).inputValue()).toBe('delivery');
    expect(await page.getByRole('link', { name: 'invoice.txt' }).count()).toBe(0);
    await banner().waitFor({ state: 'hidden' });
  });

  test('on the page of a document what is typed stays, on other pages too, and is saved once the server is back', async () => {
    const { id } = await uploadFile(app.url, await token(), 'minutes.txt', 'what was said');
    await page.goto(`${app.url}/documents`);
    await page.getByRole('link', { name: 'minutes.txt' }).click();
    await page.getByText('what was said').waitFor();
    await app.server.kill();
    await name().fill('minutes of May.txt');
    await page.keyboard.press('Control+s');
    await panel().getByText('The server cannot be reached').waitFor();
    await banner().waitFor();
    await look(page, 'unreachable-document');
    await page.getByRole('button', { name: 'Back to the list' }).click();
    await page.waitForURL(/\/documents(\?|$)/);
    await page.getByRole('link', { name: 'minutes.txt' }).click();
    await page.getByText('Not saved yet').waitFor();
    expect(await name().inputValue()).toBe('minutes of May.txt');
    await page.keyboard.press('Control+s');
    await panel().getByText('The server cannot be reached').waitFor();
    await app.restart();
    await expect.poll(async () => (await details(id)).filename, { timeout: 30_000 }).toBe('minutes of May.txt');
    await page.getByRole('heading', { level: 1, name: 'minutes of May.txt' }).waitFor();
    await banner().waitFor({ state: 'hidden' });
  });

  test('what somebody else changed while one was offline is shown beside it and not overwritten', async () => {
    const { id } = await uploadFile(app.url, await token(), 'customers.txt', 'words');
    await open(id);
    await page.getByText('words', { exact: true }).waitFor();
    await page.context().setOffline(true);
    await banner().waitFor();
    await panel().getByRole('button', { name: 'Add a fact' }).click();
    await panel().getByLabel('Name of fact 1').fill('customer');
    await panel().getByLabel('Value of customer').fill('Mine');
    await page.keyboard.press('Control+s');
    await panel().getByText('The server cannot be reached').waitFor();
    await expectCall(200, app.url, 'PATCH', `/api/documents/${id}`, {
      token: await token(),
      body: { metadata: { customer: 'Theirs' } },
    });
    await page.context().setOffline(false);
    await panel().getByText('HR admin changed this while you were editing').waitFor({ timeout: 30_000 });
    await panel().getByText('customer: Mine').waitFor();
    expect((await details(id)).metadata).toEqual({ customer: 'Theirs' });
    await panel().getByRole('button', { name: 'Save mine' }).click();
    await expect.poll(async () => (await details(id)).metadata).toEqual({ customer: 'Mine' });
  });

  test('a viewer that does not load leaves the page as it is, and appears once the network is back', async () => {
    const { id } = await uploadFile(app.url, await token(), 'later.txt', 'seen at last');
    const other = await app.signedIn('hr-admin');
    let missed = 0;
    await other.route('**/assets/text-viewer-*.js', async (route) => {
      missed += 1;
      await route.abort('internetdisconnected');
    });
    await other.goto(`${app.url}/documents/${id}`);
    const field = other.getByRole('textbox', { name: 'Name', exact: true });
    await field.fill('typed meanwhile.txt');
    await expect.poll(() => missed).toBeGreaterThan(1);
    await other.unroute('**/assets/text-viewer-*.js');
    await other.getByText('seen at last').waitFor();
    expect(await field.inputValue()).toBe('typed meanwhile.txt');
    await other.context().close();
  });

  test('an upload waits in the tray, on whatever page one is, and arrives once the server is back', async () => {
    await page.goto(`${app.url}/documents`);
    await page.getByRole('log', { name: 'Uploads' }).waitFor({ state: 'attached' });
    const tray = page.getByRole('complementary', { name: 'Uploads' });
    const full = await slowDown(page, 100_000);
    await drag(page, [{ name: 'long.txt', text: 'line\n'.repeat(200_000), type: 'text/plain' }], true);
    await tray.getByText(/Uploading/).waitFor();
    await app.server.kill();
    await banner().waitFor();
    await tray.getByText(/Connection lost|Nothing is moving/).waitFor();
    await full();
    await look(page, 'unreachable-tray');
    await app.restart();
    await tray.getByRole('link', { name: 'long.txt' }).waitFor({ timeout: 60_000 });
    await page.getByRole('table').getByRole('link', { name: 'long.txt' }).waitFor();
    await banner().waitFor({ state: 'hidden' });
  });

  test('rows behind the last that do not come are asked for by hand, not over and over', async () => {
    // Each leaves a row in the trail; a hundred are one page.
    const bearer = await token();
    await Promise.all(Array.from({ length: 110 }, (_, at) => uploadFile(app.url, bearer, `trail-${at}.txt`, `${at}`)));
    let asked = 0;
    const { host } = new URL(app.url);
    await page.route(
      (url) => url.host === host && url.pathname === '/api/audit' && url.searchParams.has('cursor'),
      async (route) => {
        asked += 1;
        await route.fulfill({ status: 500, contentType: 'text/plain', body: 'broken' });
      },
    );
    await page.goto(`${app.url}/settings/audit`);
    const table = page.getByRole('table', { name: 'Audit trail' });
    await table.getByRole('row').nth(3).waitFor();
    const rows = async () => Number(await table.getAttribute('aria-rowcount'));
    expect(await rows()).toBe(101);
    await table.evaluate((element) => element.parentElement!.scrollTo(0, element.scrollHeight));
    const again = page.getByRole('button', { name: 'Try again' });
    await again.waitFor();
    await look(page, 'unreachable-rest');
    await page.waitForTimeout(1_500);
    expect(asked).toBe(1);
    // Who comes back to the window gets the rows that are there anew, and one more try.
    const anew = page.waitForResponse((answer) => {
      const url = new URL(answer.url());
      return url.pathname === '/api/audit' && !url.searchParams.has('cursor');
    });
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange', { bubbles: true })));
    expect((await anew).status()).toBe(200);
    await expect.poll(() => asked).toBe(2);
    await again.waitFor();
    await page.waitForTimeout(500);
    expect(asked).toBe(2);
    await page.unrouteAll();
    await again.click();
    await expect.poll(rows).toBeGreaterThan(110);
    expect(await again.count()).toBe(0);
  });
});
