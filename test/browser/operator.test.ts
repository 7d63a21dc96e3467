/** The operator console by clicking alone: a company from its creation to its deletion and back, and every other page. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { acceptInvitation, expectCall, password, setUpOperator, uploadFile } from '../support/story.ts';
import { type App, executablePath, startApp } from './support/app.ts';
import { look } from './support/look.ts';

const name = 'Harbour & Sons Logistics';

const heading = (page: Page, text: string | RegExp) => page.getByRole('heading', { level: 1, name: text });
const nav = (page: Page, text: string) =>
  page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: text });

describe.skipIf(executablePath === undefined)('operator console', () => {
  let app: App;
  let page: Page;
  let operator: string;
  /** The first administrator's one-time link. */
  let link: string;
  beforeAll(async () => {
    app = await startApp();
    operator = (await setUpOperator(app.url, app.server.setupToken!)).access_token;
    page = await app.signedIn('operator');
  });
  afterAll(() => app?.stop());

  test('an empty fleet says what to do first', async () => {
    await page.getByText('No company yet').waitFor();
    await nav(page, 'Companies').click();
    await page.getByText('No companies yet').waitFor();
    await look(page, 'operator-companies-empty');
    app.quiet();
  });

  test('a company is made step by step, with a link that is shown once', async () => {
    await page.getByRole('link', { name: 'Create company' }).first().click();
    await heading(page, 'Create company').waitFor();
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill(name);
    await page.getByLabel('Slug').fill('Not A Slug');
    // Only what this server has is offered: no database server, no key of Neon's, no regions.
    const offered = await page.getByLabel('Placement').getByRole('option').allTextContents();
    expect(offered).toEqual(['As usual here: SQLite file', 'SQLite file']);
    expect(await page.getByLabel('Region').count()).toBe(0);
    await page.getByLabel('Full name').fill('HR admin');
    await page.getByLabel('Address of the administrator').fill('hr-admin@harbour.example');
    await page.getByLabel('Quota in GB').fill('5');
    await page.getByRole('button', { name: 'Create company' }).click();
    // Refused fields say so beside themselves, and nothing typed is lost.
    await page.getByText('single hyphens between them').waitFor();
    expect(await page.getByLabel('Slug').getAttribute('aria-invalid')).toBe('true');
    expect(await page.getByLabel('E-mail address', { exact: false }).first().getAttribute('aria-invalid')).toBe('true');
    expect(await page.getByLabel('Full name').inputValue()).toBe('HR admin');
    await look(page, 'operator-create');
    await page.getByLabel('Slug').fill('harbour');
    await page.getByLabel('E-mail address').first().fill('office@harbour.example');
    await page.getByRole('button', { name: 'Create company' }).click();
    await page.getByText('The company is ready', { exact: true }).first().waitFor();
    for (const step of ['place', 'stamp', 'migrate', 'seed', 'bucket', 'first-invitation', 'activate']) {
      expect(await page.locator(`[data-step="${step}"]`).getAttribute('data-status'), step).toBe('done');
    }
    link = (await page.getByTestId('setup-url').textContent())!;
    expect(link).toContain('/invitation?token=');
    await page.getByRole('button', { name: 'Copy link' }).waitFor();
    await look(page, 'operator-created');
    await page.getByRole('link', { name: 'Open company' }).click();
    // Both pages are headed by the company's name, and the address comes before its page: this stands on the other alone.
    await page.getByRole('button', { name: 'Suspend' }).waitFor();
    await heading(page, name).waitFor();
    await page.goBack();
    // The form is empty again.
    await page.getByLabel('Slug').waitFor();
    expect(await page.getByTestId('setup-url').count(), 'the link stands nowhere afterwards').toBe(0);
    await page.goForward();

    // The link is a real one.
    const guest = await app.visitor();
    await guest.goto(link);
    await guest.getByText(name).waitFor();
    await guest.context().close();
    app.quiet();
  });

  test('its page tells what it is, and its database passes the test', async () => {
    await heading(page, name).waitFor();
    await page.getByText('Users', { exact: true }).waitFor();
    await page.getByText('0 bytes of 5 GB').waitFor();
    await page.getByRole('button', { name: 'Test database' }).click();
    await page.getByText('The database answers and is its own').waitFor();
    await page.getByRole('button', { name: /^Create/ }).click();
    await page.locator('[data-step="activate"]').waitFor();
    await look(page, 'operator-company');
    app.quiet();
  });

  test('it is suspended, resumed, deleted by typing its name, and restored', async () => {
    await page.getByRole('button', { name: 'Suspend' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click();
    await page.getByText('This company is suspended').waitFor();
    await look(page, 'operator-company-suspended');
    await page.getByRole('button', { name: 'Resume', exact: true }).click();
    await page.getByText('This company is suspended').waitFor({ state: 'detached' });

    await page.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('menuitem', { name: 'Delete company' }).click();
    const dialog = page.getByRole('dialog');
    const confirm = dialog.getByRole('button', { name: 'Delete company' });
    await dialog.getByRole('textbox').fill('harbour');
    expect(await confirm.isDisabled(), 'something else than the name').toBe(true);
    await dialog.getByRole('textbox').fill(name);
    await confirm.click();
    await page.getByText('This company is deleted').waitFor();
    await look(page, 'operator-company-deleted');
    await page.getByRole('button', { name: 'Restore', exact: true }).click();
    await page.getByText('This company is deleted').waitFor({ state: 'detached' });
    await page.getByText('Active', { exact: true }).waitFor();
    for (const verb of ['create', 'suspend', 'resume', 'delete', 'restore']) {
      await page.locator(`[data-verb="${verb}"]`).first().waitFor();
    }
    app.quiet();
  });

  test('every other page of the console works and is accessible', async () => {
    await nav(page, 'Overview').click();
    await page.getByRole('table', { name: 'Companies by state' }).waitFor({ state: 'attached' });
    // Nobody has uploaded anything yet.
    await expect.poll(() => page.getByText('Nothing counted yet').count()).toBe(2);
    await look(page, 'operator-overview');

    await nav(page, 'Migrations').click();
    await page.getByText('Every company has the newest schema.').waitFor();
    await look(page, 'operator-migrations');

    await nav(page, 'Connections').click();
    await page.getByRole('link', { name }).waitFor();
    await look(page, 'operator-connections');
    await page.getByRole('button', { name: 'Close', exact: true }).click();
    await page.getByText('No open connections').waitFor();

    await nav(page, 'Audit trail').click();
    await page.getByRole('table', { name: 'Audit trail' }).waitFor();
    await page.getByRole('button', { name: 'Check the chain' }).click();
    await page.getByText('The chain is whole').waitFor();
    await look(page, 'operator-audit');

    await nav(page, 'Operators').click();
    await page.getByRole('button', { name: 'Add operator' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('User name').fill('second');
    await dialog.getByLabel('E-mail address').fill('second@example.com');
    await dialog.getByLabel('Password', { exact: true }).fill(password);
    await dialog.getByRole('button', { name: 'Add operator' }).click();
    await page.getByRole('cell', { name: 'second', exact: true }).waitFor();
    await look(page, 'operator-operators');
    app.quiet();
  });

  test('what is uploaded is counted: by day, by company, over time', async () => {
    const admin = await acceptInvitation(app.url, new URL(link).searchParams.get('token')!, 'hr-admin');
    for (const file of ['one', 'two', 'three'])
      await uploadFile(app.url, admin.token, `${file}.bin`, 'x'.repeat(5_000));
    const figures = () =>
      expectCall<{ documents: number }>(200, app.url, 'GET', '/api/system/figures', { token: operator });
    await expect.poll(async () => (await figures()).documents, { timeout: 90_000, interval: 500 }).toBe(3);
    await page.goto(`${app.url}/operator`);
    const table = (title: string) => page.getByRole('table', { name: title });
    const days = table('Documents per day').getByRole('row');
    await days.last().getByText('3', { exact: true }).waitFor({ state: 'attached' });
    expect(await days.count(), 'head and thirty days').toBe(31);
    const row = table('Storage by company').getByRole('row', { name });
    await row.getByText('15 kB').waitFor({ state: 'attached' });
    await look(page, 'operator-overview-counted');
    await page.goto(`${app.url}/operator/companies`);
    await page.getByRole('link', { name }).click();
    const sizes = table('Size over time').getByRole('row');
    await sizes.last().getByText('15 kB').waitFor({ state: 'attached' });
    expect(await sizes.nth(29).textContent(), 'yesterday there was nothing').toContain('0 bytes');
    await look(page, 'operator-company-counted');
    app.quiet();
  });

  test('filters stand in the address, and empty lists lead out of them', async () => {
    await page.goto(`${app.url}/operator/companies?status=suspended&placement=sqlite`);
    await page.getByText('Nothing matches').waitFor();
    await look(page, 'operator-companies-filtered');
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await page.getByRole('link', { name }).waitFor();
    expect(new URL(page.url()).search).toBe('');
    await page.getByLabel('Search companies').fill('harbour');
    await page.waitForURL('**/operator/companies?q=harbour');
    await page.getByLabel('Search companies').fill('nobody is called this');
    await page.getByText('Nothing matches').waitFor();
    app.quiet();
  });

  test('German has the same pages', async () => {
    await page.evaluate(() => localStorage.setItem('strongroom.language', 'de'));
    await page.goto(`${app.url}/operator/companies`);
    await heading(page, 'Firmen').waitFor();
    await page.getByRole('link', { name: 'Übersicht' }).click();
    await page.getByText('Firmen nach Zustand').first().waitFor();
    await look(page, 'operator-overview-german');
    await page.evaluate(() => localStorage.setItem('strongroom.language', 'en'));
    app.quiet();
  });
});
