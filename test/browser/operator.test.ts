/**
 * The operator console by clicking alone: a company from its creation to its deletion and back, every other page, and
 * ten thousand companies scrolled with the longest task of the page measured.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addCompanyRows } from '../../bench/many-companies.ts';
import { startProcess } from '../support/process.ts';
import { expectCall, password } from '../support/story.ts';
import { type App, executablePath, startApp } from './support/app.ts';
import { look } from './support/look.ts';

const name = 'Harbour & Sons Logistics';

async function makeOperator(url: string, token: string): Promise<string> {
  const body = { token, username: 'operator', email: 'operator@example.com', password };
  const made = await expectCall<{ access_token: string }>(201, url, 'POST', '/api/setup', { body });
  return made.access_token;
}

/** As if a new release had brought one more migration. */
function setBack(dataDir: string): void {
  const db = new DatabaseSync(join(dataDir, 'control.db'));
  db.exec('update tenants set schema_version = schema_version - 1');
  db.close();
}

const heading = (page: Page, text: string | RegExp) => page.getByRole('heading', { level: 1, name: text });
const nav = (page: Page, text: string) =>
  page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: text });

describe.skipIf(executablePath === undefined)('operator console', () => {
  let app: App;
  let page: Page;
  beforeAll(async () => {
    app = await startApp();
    await makeOperator(app.url, app.server.setupToken!);
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
    const link = await page.getByTestId('setup-url').textContent();
    expect(link).toContain('/invitation?token=');
    await page.getByRole('button', { name: 'Copy link' }).waitFor();
    await look(page, 'operator-created');
    await page.getByRole('link', { name: 'Open company' }).click();
    await heading(page, name).waitFor();
    await page.goBack();
    expect(await page.getByTestId('setup-url').count(), 'the link stands nowhere afterwards').toBe(0);
    await page.goForward();

    // The link is a real one.
    const guest = await app.visitor();
    await guest.goto(link!);
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
    const row = page.getByRole('table', { name: 'Storage by company' }).getByRole('row', { name });
    await row.getByText('0 bytes').waitFor({ state: 'attached' });
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

  test('a fleet migration shows its plan, each company, and tries again what failed', async () => {
    await app.server.stop();
    // A company whose database is gone, and both one version behind.
    addCompanyRows(app.server.dataDir, 1);
    setBack(app.server.dataDir);
    await app.restart();
    await page.goto(`${app.url}/operator/migrations`);
    await page.getByText('2 companies are behind').waitFor();
    await look(page, 'operator-migrations-plan');
    await page.getByLabel('At once').fill('2');
    await page.getByRole('button', { name: 'Start migration' }).click();
    await heading(page, 'Fleet migration').waitFor();
    await page.getByText('1 of 2 done, 1 failed').waitFor({ timeout: 60_000 });
    await look(page, 'operator-migration');
    await page.getByRole('combobox', { name: 'State' }).selectOption('Failed');
    await page.waitForURL('**?status=failed');
    expect(await page.getByRole('table', { name: 'Companies' }).getByRole('row').count(), 'head and one').toBe(2);
    const first = page.url();
    await page.getByRole('button', { name: 'Try the rest again' }).click();
    await page.waitForURL((address) => address.pathname !== new URL(first).pathname);
    await page.getByText('0 of 1 done, 1 failed').waitFor({ timeout: 60_000 });
    await nav(page, 'Overview').click();
    const failed = page.getByRole('table', { name: 'Migrations' }).getByRole('row', { name: 'Failed' });
    await failed.getByText('1', { exact: true }).waitFor({ state: 'attached' });
    await page.getByText('1 company failed to migrate').waitFor();
    await look(page, 'operator-overview-trouble');
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

describe.skipIf(executablePath === undefined)('ten thousand companies', () => {
  let dataDir: string;
  let app: App;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'strongroom-many-'));
    const first = await startProcess(dataDir, { env: { STRONGROOM_LOG_LEVEL: 'warn' } });
    const token = await makeOperator(first.url, first.setupToken!);
    const body = { name: 'Model', email: 'office@model.example' };
    await expectCall(201, first.url, 'POST', '/api/companies', { token, body });
    await first.stop();
    addCompanyRows(dataDir, 10_000);
    app = await startApp({ STRONGROOM_DATA_DIR: dataDir });
  });
  afterAll(async () => {
    await app?.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  test('scroll to the last without a long task', async () => {
    const page = await app.signedIn('operator');
    await page.goto(`${app.url}/operator/companies?sort=name`);
    await page.getByText('10,001 companies').waitFor();
    await page.evaluate(() => {
      const tasks: number[] = [];
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) tasks.push(duration);
      }).observe({ type: 'longtask' });
      Object.assign(window, { tasks });
    });
    const table = page.getByRole('table', { name: 'Companies' });
    expect(await table.getAttribute('aria-rowcount')).toBe('10002');
    const box = (await table.boundingBox())!;
    await page.mouse.move(box.x + 200, box.y + 200);
    const last = page.locator('[role="row"][aria-rowindex="10002"]');
    const began = performance.now();
    while ((await last.count()) === 0 && performance.now() - began < 90_000) {
      await page.mouse.wheel(0, 12_000);
      await page.waitForTimeout(30);
    }
    expect(await last.count(), 'the last company is reached').toBe(1);
    const drawn = await page.getByRole('row').count();
    const tasks = await page.evaluate(() => (window as unknown as { tasks: number[] }).tasks);
    const longest = Math.round(Math.max(0, ...tasks));
    const took = Math.round(performance.now() - began);
    console.log(`10,000 companies: ${took} ms to the last, ${drawn} rows drawn, longest task ${longest} ms`);
    expect(drawn).toBeLessThan(100);
    expect(longest).toBeLessThan(2_000);
    // Judged at rest: a row half under the head is no target.
    await table.evaluate((element) => element.parentElement!.scrollTo(0, 0));
    await page.locator('[role="row"][aria-rowindex="2"]').waitFor();
    await look(page, 'operator-companies-many');
    app.quiet();
  });
});
