/**
 * Sessions: the access token is in memory alone, the refresh token in a cookie that no script sees; tabs share it and do
 * not sign each other out; going over to another company leaves nothing of the first, neither shown nor asked for.
 */
import type { Page, Request } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectCall, password, uploadFile } from '../support/story.ts';
import { type App, executablePath, signIn, startApp } from './support/app.ts';
import { type Peopled, people, peopled, secondCompany } from './support/people.ts';

const first = 'North Harbour Logistics';
const second = 'South Pier Foods';
/** Short, so that tabs renew their tokens while the test looks on. */
const tokenSeconds = 5;

/** Everything that a browser keeps for the page, as one text. */
const keptBy = (page: Page): Promise<string> =>
  page.evaluate(async () => {
    const kept: unknown[] = [document.cookie, { ...localStorage }, { ...sessionStorage }, document.body.outerHTML];
    for (const { name } of await indexedDB.databases()) {
      const opened = await new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open(name!);
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
      for (const store of opened.objectStoreNames) {
        const all = opened.transaction(store).objectStore(store).getAll();
        kept.push(await new Promise((resolve) => (all.onsuccess = () => resolve(all.result))));
      }
      opened.close();
    }
    for (const name of await caches.keys()) kept.push((await (await caches.open(name)).keys()).map(({ url }) => url));
    return JSON.stringify(kept);
  });

const bannerSays = (page: Page, name: string) => page.getByRole('banner').getByText(name).waitFor();

describe.skipIf(executablePath === undefined)('sessions', () => {
  let app: App;
  let there: Peopled;
  let documentId: string;
  let secondId: string;
  beforeAll(async () => {
    app = await startApp({ STRONGROOM_ACCESS_TOKEN_SECONDS: String(tokenSeconds) });
    there = await peopled(app, first);
    const { token } = there.company.admin;
    documentId = (await uploadFile(app.url, token, 'plan-of-north.txt', 'Words of the north.\n')).id;
    await expectCall(201, app.url, 'POST', '/api/baskets', { token, body: { name: 'Orders of north' } });
    const made = await secondCompany(app, there, second);
    secondId = made.id;
    await uploadFile(app.url, made.admin.token, 'menu-of-south.txt', 'Words of the south.\n');
  });
  afterAll(() => app?.stop());

  /** The HR admin of the first company, who has linked the second one. */
  async function linked(): Promise<Page> {
    const page = await app.signedIn(people.hr_admin);
    // Once linked, one chooses.
    if (page.url().includes('/choose-company')) {
      await page.getByRole('button', { name: first }).click();
      await bannerSays(page, first);
      return page;
    }
    await bannerSays(page, first);
    await page
      .getByRole('banner')
      .getByRole('button', { name: /Switch company/ })
      .click();
    await page.getByRole('menuitem', { name: 'Go on in another company…' }).click();
    await page.getByLabel('Short name of the company').fill('south-pier-foods');
    await page.getByLabel('Your password there').fill(password);
    await page.getByRole('button', { name: 'Go on there' }).click();
    await bannerSays(page, second);
    await switchTo(page, first);
    return page;
  }

  async function switchTo(page: Page, name: string): Promise<void> {
    await page
      .getByRole('banner')
      .getByRole('button', { name: /Switch company/ })
      .click();
    await page.getByRole('menuitem', { name, exact: true }).click();
    await bannerSays(page, name);
  }

  test('the access token is kept nowhere, and no script sees the refresh token', async () => {
    const page = await app.visitor();
    const answered = page.waitForResponse((answer) => answer.url().endsWith('/api/auth/login'));
    await signIn(page, app.url, people.employee);
    const given = (await (await answered).json()) as { access_token: string; refresh_token?: string };
    expect(given.access_token).toMatch(/^ey/);
    expect(given.refresh_token, 'only as a cookie').toBeUndefined();
    const cookies = await page.context().cookies();
    const [cookie] = cookies.filter(({ name }) => name === 'strongroom_refresh');
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
    expect(cookie!.path).toMatch(/^\/api\/.*auth/);
    const kept = await keptBy(page);
    expect(kept).toContain('Documents');
    expect(kept).not.toContain(given.access_token);
    expect(kept).not.toContain(cookie!.value);
    // Nor the signature, which makes it one.
    expect(kept).not.toContain(given.access_token.split('.')[2]);
    await page.reload();
    await page.getByRole('heading', { level: 1, name: 'Documents' }).waitFor();
    await page.context().close();
    app.quiet();
  });

  test('many tabs renew their tokens at once, and none signs another out', async () => {
    const page = await app.signedIn(people.hr_manager);
    const tabs = [page, ...(await Promise.all([1, 2, 3].map(() => page.context().newPage())))];
    await Promise.all(tabs.map((tab) => tab.goto(`${app.url}/people`)));
    for (let round = 0; round < 3; round += 1) {
      // Longer than a token lives, in real time: the server counts it.
      await page.waitForTimeout((tokenSeconds + 1) * 1_000);
      await Promise.all(
        tabs.map(async (tab, at) => {
          if ((at + round) % 2 === 0) await tab.reload();
          else await tab.getByRole('tab', { name: round % 2 === 0 ? 'Invitations' : 'People' }).click();
          await tab.getByRole('heading', { level: 1, name: 'People' }).waitFor();
        }),
      );
    }
    for (const tab of tabs) {
      await tab.goto(`${app.url}/account`);
      await tab.getByText('This device').waitFor();
    }
    await page.context().close();
    app.quiet();
  });

  test('everywhere else is signed out at a press, and the page there leads to sign in', async () => {
    const others = [await app.signedIn(people.customer), await app.signedIn(people.customer)];
    const page = await app.signedIn(people.customer);
    await page.goto(`${app.url}/account`);
    await page.getByRole('button', { name: 'Sign out all others' }).click();
    await page.getByText('All other devices are signed out.').waitFor();
    for (const other of others) {
      await other.goto(`${app.url}/documents`);
      await other.waitForURL('**/sign-in**');
      await other.context().close();
    }
    await page.reload();
    await page.getByText('This device').waitFor();
    await page.context().close();
    app.quiet();
  });

  test('after the change of company nothing of the first is shown, kept or asked for', async () => {
    const page = await linked();
    // Everything that keeps something: lists, a document, people, the palette, an undo that is still offered.
    await page.goto(`${app.url}/people`);
    await page.getByRole('table', { name: 'People' }).getByRole('row').nth(1).waitFor();
    await page.goto(`${app.url}/documents/${documentId}`);
    await page.getByText('Words of the north.').waitFor();
    await page.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('menuitem', { name: 'Move to the trash' }).click();
    await page.getByRole('button', { name: 'Undo' }).waitFor();
    await page.keyboard.press('Control+k');
    await page.getByPlaceholder('Search or run a command…').fill('north');
    await page.getByRole('dialog').getByText('Orders of north').waitFor();
    await page.keyboard.press('Escape');

    const asked: Request[] = [];
    const requests = (request: Request) => asked.push(request);
    const banner = page.getByRole('banner');
    await banner.getByRole('button', { name: /Switch company/ }).click();
    await page.getByRole('menuitem', { name: second, exact: true }).click();
    await bannerSays(page, second);
    page.on('request', requests);
    await page.getByRole('link', { name: 'menu-of-south.txt' }).waitFor();
    const undo = () => page.getByRole('button', { name: 'Undo' }).count();
    await expect.poll(undo, { timeout: 1_500, message: 'no way back into the first' }).toBe(0);
    await page.keyboard.press('Control+k');
    const palette = page.getByPlaceholder('Search or run a command…');
    expect(await palette.inputValue(), 'nor what was looked for').toBe('');
    await palette.fill('of');
    await page.getByRole('dialog').getByText('menu-of-south.txt').waitFor();
    await expectNothingOfNorth(page);
    await page.keyboard.press('Escape');
    for (const name of ['People', 'Company settings', 'Documents']) {
      await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name, exact: true }).click();
      await page.getByRole('heading', { level: 1, name }).waitFor();
      await page.waitForLoadState('networkidle');
      await expectNothingOfNorth(page);
    }
    const paths = asked.map((request) => decodeURIComponent(request.url()) + (request.postData() ?? ''));
    expect(paths.length).toBeGreaterThan(5);
    expect(paths.filter((path) => path.includes(documentId) || path.includes(there.company.id))).toEqual([]);
    await page.context().close();
    app.quiet();
  });

  test('a tab that heard nothing of the change writes nothing of the first company into the second', async () => {
    const page = await linked();
    const context = page.context();
    const deaf = await context.newPage();
    // As a tab that the browser had put to sleep.
    await deaf.addInitScript(() => {
      BroadcastChannel.prototype.addEventListener = () => undefined;
    });
    await deaf.goto(`${app.url}/documents`);
    await bannerSays(deaf, first);
    await deaf.getByRole('button', { name: 'New basket' }).click();
    await deaf.getByRole('dialog').getByLabel('Name').fill('Secret of north');
    // Both tokens run out; the change of company has to renew its own.
    await deaf.waitForTimeout((tokenSeconds + 1) * 1_000);
    await switchTo(page, second);
    await bannerSays(deaf, first);
    // The token that the cookie gives it now is of the second company.
    await deaf.getByRole('dialog').getByRole('button', { name: 'Create basket' }).click();
    await bannerSays(deaf, second);
    await page.reload();
    await page.getByRole('link', { name: 'menu-of-south.txt' }).waitFor();
    await page.waitForLoadState('networkidle');
    expect(await page.getByText('Secret of north').count()).toBe(0);
    const { access_token: token } = await expectCall<{ access_token: string }>(
      200,
      app.url,
      'POST',
      '/api/auth/login',
      {
        body: { username: 'second-admin', password, company: secondId },
      },
    );
    const baskets = await expectCall<{ items: { name: string }[] }>(200, app.url, 'GET', '/api/baskets', { token });
    expect(baskets.items.map(({ name }) => name)).toEqual([]);
    await context.close();
    app.quiet();
  });

  async function expectNothingOfNorth(page: Page): Promise<void> {
    const shown = await page.evaluate(() => document.body.innerText + document.title);
    // The menu of companies may name it; nothing else.
    expect(shown).not.toMatch(/of[ -]north|plan-of|Words of the north/i);
  }
});
