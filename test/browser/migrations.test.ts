/**
 * A fleet migration by clicking alone: its plan, the progress of each company while it runs, stopping it, and trying
 * again what was left or failed.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addCompanyRows } from '../../bench/many-companies.ts';
import { expectCall, setUpOperator } from '../support/story.ts';
import { type App, executablePath, startApp } from './support/app.ts';
import { look } from './support/look.ts';

/** As if a new release had brought one more migration. */
function setBack(dataDir: string): void {
  const db = new DatabaseSync(join(dataDir, 'control.db'), { timeout: 5_000 });
  db.exec('update tenants set schema_version = schema_version - 1');
  db.close();
}

const companies = ['Alder', 'Birch', 'Cedar', 'Elm', 'Fir'];

describe.skipIf(executablePath === undefined)('fleet migrations', () => {
  let app: App;
  let page: Page;
  beforeAll(async () => {
    // Each company takes its time from the signal on, so that there is a middle.
    const slow = { TEST_FAILPOINTS: 'fleet.company.before=delay:5000', STRONGROOM_MIGRATE_ON_START: 'false' };
    app = await startApp(slow, { script: 'test/support/armed-program.ts' });
    const token = (await setUpOperator(app.url, app.server.setupToken!)).access_token;
    for (const name of companies) {
      await expectCall(201, app.url, 'POST', '/api/companies', { token, body: { name, email: 'office@example.com' } });
    }
    await app.server.stop();
    // One more, whose database is gone; and all of them one version behind.
    addCompanyRows(app.server.dataDir, 1);
    setBack(app.server.dataDir);
    await app.restart();
    page = await app.signedIn('operator');
  });
  afterAll(() => app?.stop());

  const rows = () => page.getByRole('table', { name: 'Companies' }).getByRole('row');
  const inState = (state: string) => rows().filter({ has: page.getByText(state, { exact: true }) });
  const openOverview = () => page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Overview' });

  test('a plan says who is behind, and a run shows each company as it goes', async () => {
    await page.goto(`${app.url}/operator/migrations`);
    await page.getByText('6 companies are behind').waitFor();
    await look(page, 'operator-migrations-plan');
    process.kill(app.server.pid, 'SIGUSR2');
    await page.getByLabel('At once').fill('1000');
    await page.getByRole('button', { name: 'Start migration' }).click();
    // Refused beside its field; nothing has begun.
    await page.locator('[aria-invalid="true"]').waitFor();
    await page.getByLabel('At once').fill('1');
    await page.getByRole('button', { name: 'Start migration' }).click();
    await page.getByRole('heading', { level: 1, name: 'Fleet migration' }).waitFor();
    await inState('Running').waitFor();
    expect(await inState('Waiting').count(), 'one at a time').toBe(5);
    await page.getByText('1 of 6 done, 0 failed').waitFor();
    await page.getByText('2 of 6 done, 0 failed').waitFor();
    expect(await inState('Done').count()).toBe(2);
    expect(await inState('Running').count()).toBe(1);
    app.quiet();
  });

  test('stopping lets the company that is being worked on finish, and leaves the others as they were', async () => {
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    await page.getByRole('button', { name: 'Try the rest again' }).waitFor();
    await page.getByText('Stopped by an operator.').first().waitFor();
    const done = await inState('Done').count();
    expect(done).toBeGreaterThanOrEqual(3);
    expect(done).toBeLessThan(6);
    expect(await inState('Skipped').count()).toBe(6 - done);
    await page.getByText(`${done} of 6 done, 0 failed, ${6 - done} left as they were`).waitFor();
    await look(page, 'operator-migration-stopped');
    await page.getByRole('link', { name: 'Migrations' }).first().click();
    await page.getByText(done === 5 ? '1 company is behind' : `${6 - done} companies are behind`).waitFor();
    await page.getByRole('table', { name: 'Runs so far' }).getByText(`${done}/6`).waitFor();
    await page.goBack();
    app.quiet();
  });

  test('the rest is tried again, and says what failed and why', async () => {
    const stopped = new URL(page.url()).pathname;
    await app.server.stop();
    await app.restart();
    await page.goto(app.url + stopped);
    await page.getByRole('button', { name: 'Try the rest again' }).click();
    await page.waitForURL(({ pathname }) => pathname !== stopped);
    await page.getByText(/: [12] of [23] done, 1 failed/).waitFor();
    await look(page, 'operator-migration');
    await page.getByRole('combobox', { name: 'State' }).selectOption('Failed');
    await page.waitForURL('**?status=failed');
    await expect.poll(() => rows().count(), { message: 'head and one' }).toBe(2);
    const reason = await rows().last().getByRole('cell').last().textContent();
    expect(reason, 'why it failed').toMatch(/database/i);

    const failed = new URL(page.url()).pathname;
    await page.getByRole('button', { name: 'Try the rest again' }).click();
    await page.waitForURL(({ pathname }) => pathname !== failed);
    await page.getByText('0 of 1 done, 1 failed').waitFor();
    await openOverview().click();
    const bar = page.getByRole('table', { name: 'Migrations' }).getByRole('row', { name: 'Failed' });
    await bar.getByText('1', { exact: true }).waitFor({ state: 'attached' });
    await page.getByText('1 company failed to migrate').waitFor();
    await look(page, 'operator-overview-trouble');
    app.quiet();
  });
});
