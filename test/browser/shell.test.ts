/** The frame of every page: palette, shortcuts, themes, languages, tabs, companies, no connection. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { password } from '../support/story.ts';
import { type App, executablePath, startApp } from './support/app.ts';
import { expectAccessible, look, picture } from './support/look.ts';
import { type Peopled, people, peopled, secondCompany } from './support/people.ts';

describe.skipIf(executablePath === undefined)('the shell', () => {
  let app: App;
  let there: Peopled;
  beforeAll(async () => {
    app = await startApp();
    there = await peopled(app);
  });
  afterAll(() => app?.stop());

  test('the palette finds pages, and keys have a help', async () => {
    const page = await app.signedIn(people.hr_admin);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.keyboard.press('Control+k');
    await page.getByPlaceholder('Search or run a command…').fill('acc');
    await page.getByText('Account: password, devices').waitFor();
    await expectAccessible(page);
    await picture(page, 'palette');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/account');
    await look(page, 'account');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await look(page, 'shortcuts');
    await page.keyboard.press('Escape');
    await page.getByLabel('Shortcuts of a single key').uncheck();
    await page.keyboard.press('?');
    await page.waitForTimeout(200);
    expect(await page.getByRole('dialog').count()).toBe(0);
    await page.context().close();
    app.quiet();
  });

  test('the account changes the password and ends other devices', async () => {
    const other = await app.signedIn(people.employee);
    const page = await app.signedIn(people.employee);
    await page.goto(`${app.url}/account`);
    await page.getByLabel('Current password').fill('not this one');
    await page.getByLabel('New password').fill('employee');
    await page.getByRole('button', { name: 'Change password' }).click();
    await page.getByRole('alert').or(page.locator('[aria-invalid=true]')).first().waitFor();
    expect(await page.getByLabel('New password').inputValue()).toBe('employee');
    await page.getByRole('button', { name: 'Sign out all others' }).click();
    await page.getByText('All other devices are signed out.').waitFor();
    await other.goto(`${app.url}/account`);
    await other.waitForURL('**/sign-in**');
    const next = `${password}-more`;
    await page.getByLabel('Current password').fill(password);
    await page.getByLabel('New password').fill(next);
    await page.getByRole('button', { name: 'Change password' }).click();
    await page.getByText('Your password is changed.').waitFor();
    await page.getByLabel('Current password').fill(next);
    await page.getByLabel('New password').fill(password);
    await page.getByRole('button', { name: 'Change password' }).click();
    await page.context().close();
    await other.context().close();
    app.quiet();
  });

  test('tabs follow each other, and a session that is over leads back to the address', async () => {
    const page = await app.signedIn(people.hr_manager);
    const second = await page.context().newPage();
    await second.goto(`${app.url}/account`);
    await second.getByRole('heading', { level: 1, name: 'Account' }).waitFor();
    await page.getByRole('button', { name: /Account of/ }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await second.waitForURL('**/sign-in?next=%2Faccount');
    await second.getByText('Your session is over.').waitFor();
    await page.context().close();
    app.quiet();
  });

  test('a person with two companies goes from one to the other, and nothing of the first stays', async () => {
    const second = await secondCompany(app, there, 'South Pier Foods');
    const page = await app.signedIn(people.hr_admin);
    await page
      .getByRole('banner')
      .getByRole('button', { name: /North Harbour/ })
      .click();
    await page.getByRole('menuitem', { name: 'Go on in another company…' }).click();
    await page.getByLabel('Short name of the company').fill(second.slug);
    await page.getByLabel('Your password there').fill('wrong');
    await look(page, 'other-company');
    await page.getByRole('button', { name: 'Go on there' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Your password there').fill(password);
    await page.getByRole('button', { name: 'Go on there' }).click();
    await page.getByRole('banner').getByText('South Pier Foods').waitFor();
    const other = await page.context().newPage();
    await other.goto(`${app.url}/account`);
    await other.getByRole('banner').getByText('South Pier Foods').waitFor();
    // Linked: the way back is one click, and the other tab follows.
    await page
      .getByRole('banner')
      .getByRole('button', { name: /South Pier/ })
      .click();
    await page.getByRole('menuitem', { name: 'North Harbour Logistics' }).click();
    await page.getByRole('banner').getByText('North Harbour Logistics').waitFor();
    await other.getByRole('banner').getByText('North Harbour Logistics').waitFor();
    await page.context().close();
    // Whoever has several chooses where to begin.
    const chooser = await app.visitor();
    await chooser.goto(`${app.url}/account`);
    await chooser.getByLabel('User name or e-mail address').fill(there.company.admin.email);
    await chooser.getByLabel('Password', { exact: true }).fill(password);
    await chooser.getByRole('button', { name: 'Sign in' }).click();
    await chooser.waitForURL('**/choose-company**');
    await look(chooser, 'choose-company');
    await chooser.getByRole('button', { name: 'South Pier Foods' }).click();
    await chooser.waitForURL('**/account');
    await chooser.getByRole('banner').getByText('South Pier Foods').waitFor();
    await chooser.context().close();
    app.quiet();
  });

  test('the theme of the system is there before the first paint', async () => {
    const page = await app.visitor({ colorScheme: 'dark', javaScriptEnabled: true });
    await page.route('**/assets/*.js', (route) => route.abort());
    await page.goto(`${app.url}/sign-in`);
    expect(await page.evaluate(() => document.documentElement.dataset.mantineColorScheme)).toBe('dark');
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe('rgb(18, 21, 25)');
    await page.context().close();
  });

  test('a server that is away is told in a banner, which goes when it is back', async () => {
    const page = await app.signedIn(people.hr_admin);
    await page.goto(`${app.url}/account`);
    await page.getByText('This device').waitFor();
    await app.server.kill();
    await page.getByLabel('Current password').fill('typed before');
    await page.getByLabel('New password').fill('typed before too');
    await page.getByRole('button', { name: 'Change password' }).click();
    await page.getByText('The server does not answer. Trying again…').waitFor();
    await look(page, 'server-down');
    await app.restart();
    await page.getByText('The server does not answer. Trying again…').waitFor({ state: 'hidden' });
    expect(await page.getByLabel('New password').inputValue()).toBe('typed before too');
    // A page that is opened while nobody answers begins when somebody does.
    await page.context().setOffline(true);
    await page.evaluate(() => window.dispatchEvent(new Event('offline')));
    await page.getByText('You are offline.').waitFor();
    await page.context().setOffline(false);
    await page.getByText('You are offline.').waitFor({ state: 'hidden' });
    await page.context().close();
    app.noted.errors.splice(0);
  });
});
