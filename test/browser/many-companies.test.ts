/** Ten thousand companies in the console: scrolled, sorted and searched, with the longest task of the page measured. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addCompanyRows } from '../../bench/many-companies.ts';
import { startProcess } from '../support/process.ts';
import { expectCall, setUpOperator } from '../support/story.ts';
import { type App, executablePath, startApp } from './support/app.ts';
import { look } from './support/look.ts';

describe.skipIf(executablePath === undefined)('ten thousand companies', () => {
  let dataDir: string;
  let app: App;
  let page: Page;
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'strongroom-many-'));
    const first = await startProcess(dataDir, { env: { STRONGROOM_LOG_LEVEL: 'warn' } });
    const token = (await setUpOperator(first.url, first.setupToken!)).access_token;
    const body = { name: 'Model', email: 'office@model.example' };
    await expectCall(201, first.url, 'POST', '/api/companies', { token, body });
    await first.stop();
    addCompanyRows(dataDir, 10_000);
    app = await startApp({ STRONGROOM_DATA_DIR: dataDir });
    page = await app.signedIn('operator');
    await page.goto(`${app.url}/operator/companies?sort=name`);
    await page.getByText('10,001 companies').waitFor();
    await page.evaluate(() => {
      const tasks: number[] = [];
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) tasks.push(duration);
      }).observe({ type: 'longtask' });
      Object.assign(window, { tasks });
    });
  });
  afterAll(async () => {
    await app?.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  /** The longest task of the page since it was last asked, in ms; what is below 50 ms is not told. */
  async function longest(): Promise<number> {
    // Tasks are told by a task of their own.
    await page.waitForTimeout(100);
    const tasks = await page.evaluate(() => (window as unknown as { tasks: number[] }).tasks.splice(0));
    return Math.round(Math.max(0, ...tasks));
  }

  /** Reported against what is promised, and judged at ten times that: machines differ. */
  function judge(what: string, ms: number): void {
    console.log(`10,000 companies, ${what}: longest task ${ms === 0 ? 'below 50' : ms} ms (promised: 200)`);
    expect(ms, what).toBeLessThan(2_000);
  }

  test('scroll to the last without a long task', async () => {
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
    console.log(`${Math.round(performance.now() - began)} ms to the last, ${drawn} rows drawn`);
    judge('scrolled', await longest());
    expect(drawn).toBeLessThan(100);
    app.quiet();
  });

  test('are sorted and searched without a long task', async () => {
    const first = () => page.locator('[role="row"][aria-rowindex="2"]');
    for (const order of ['descending', 'ascending']) {
      await page.getByRole('button', { name: 'Sort by Name' }).click();
      await page.locator(`[role="columnheader"][aria-sort="${order}"]`).waitFor();
      // From the top again, whatever was in sight before.
      await first().waitFor();
    }
    await page.getByRole('button', { name: 'Sort by Created' }).click();
    await page.waitForURL('**sort=created_at*');
    await first().getByText('model', { exact: true }).waitFor();
    judge('sorted', await longest());
    const search = page.getByLabel('Search companies');
    await search.pressSequentially('copy-0', { delay: 50 });
    await page.getByText('10,000 companies').waitFor();
    await search.fill('office@model.example');
    await page.getByText('10,001 companies').waitFor();
    await search.fill('no such company');
    await page.getByText('Nothing matches').waitFor();
    await search.fill('');
    await page.getByText('10,001 companies').waitFor();
    judge('searched', await longest());
    await look(page, 'operator-companies-many');
    app.quiet();
  });
});
