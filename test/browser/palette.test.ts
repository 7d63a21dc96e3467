/**
 * Item "everywhere": the palette over documents, baskets, people and actions by role; the help of keys for the page that
 * is open; themes that do not flash; toasts that take things back.
 */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectCall, uploadFile } from '../support/story.ts';
import { type App, executablePath, startApp } from './support/app.ts';
import { look } from './support/look.ts';
import { type Peopled, people, peopled } from './support/people.ts';

describe.skipIf(executablePath === undefined)('palette, keys, themes, toasts', () => {
  let app: App;
  let there: Peopled;
  beforeAll(async () => {
    app = await startApp();
    there = await peopled(app);
    const { token } = there.company.admin;
    for (let at = 1; at <= 9; at += 1) await uploadFile(app.url, token, `harbour-${at}.txt`, `Words ${at}\n`);
    await expectCall(201, app.url, 'POST', '/api/baskets', { token, body: { name: 'Harbour dues' } });
  });
  afterAll(() => app?.stop());

  const palette = (page: Page) => page.getByRole('dialog').filter({ has: page.getByRole('textbox') });
  const seek = async (page: Page, text: string) => {
    await page.keyboard.press('Control+k');
    await page.getByPlaceholder('Search or run a command…').fill(text);
  };

  test('it finds documents, baskets, people and actions, and goes there', async () => {
    const page = await app.signedIn(people.hr_admin);
    await seek(page, 'harbour');
    await palette(page).getByText('harbour-9.txt').waitFor();
    await palette(page).getByText('Harbour dues').waitFor();
    await look(page, 'palette-found');
    // More than fit lead to the list, with the same search.
    await palette(page).getByText(/all 9/i).click();
    await page.waitForURL('**/documents?q=harbour');
    await seek(page, 'harbour dues');
    await palette(page).getByText('Harbour dues').waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL('**/documents?basket=**');
    await page.getByRole('heading', { level: 1, name: 'Harbour dues' }).waitFor();
    await seek(page, 'customer');
    await palette(page).getByText('customer person').waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL('**/people?person=user_**');
    // Not the palette, which names the address too, and goes as this comes.
    const person = page.getByRole('dialog', { name: 'Person' });
    await person.getByText('customer@people.example').waitFor();
    await palette(page).waitFor({ state: 'hidden' });
    await page.keyboard.press('Escape');
    await person.waitFor({ state: 'hidden' });
    await seek(page, 'invite');
    await palette(page).getByText('Invite people').waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Invite people' }).getByLabel('E-mail address').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await seek(page, 'no such thing anywhere');
    await page.getByText('Nothing found').waitFor();
    await page.context().close();
    app.quiet();
  });

  test('it offers to each role what that role may do, and nothing else', async () => {
    const offers = async (role: keyof typeof people, ...texts: readonly string[]) => {
      const page = await app.signedIn(people[role]);
      const found: string[][] = [];
      for (const text of texts) {
        await seek(page, text);
        // Longer than typing is waited for, and its answers are there.
        await page.waitForTimeout(500);
        await page.waitForLoadState('networkidle');
        const offered = await palette(page).getByRole('button').allInnerTexts();
        found.push(offered.map((one) => one.split('\n')[0]!.trim()));
        await page.keyboard.press('Escape');
      }
      await page.context().close();
      return found;
    };
    expect(await offers('customer', 'people', 'upload', 'account')).toEqual([
      [],
      [],
      [expect.stringMatching(/^Account/)],
    ]);
    expect(await offers('employee', 'settings', 'invit')).toEqual([[], ['Invite people', 'Invitations']]);
    expect(await offers('operator', 'harbour-1', 'north harbour')).toEqual([[], ['North Harbour Logistics']]);
    app.quiet();
  });

  test('the help lists the keys of the page that is open', async () => {
    const page = await app.signedIn(people.hr_admin);
    const help = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
    const keysAt = async (path: string) => {
      await page.goto(app.url + path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.waitForLoadState('networkidle');
      await page.keyboard.press('?');
      await help.waitFor();
      const rows = await help.getByRole('table').first().getByRole('row').allInnerTexts();
      await page.keyboard.press('Escape');
      await help.waitFor({ state: 'hidden' });
      return rows.join('\n');
    };
    expect(await keysAt('/documents')).toContain('Move to trash');
    expect(await keysAt('/people')).toContain('Search');
    expect(await keysAt('/people')).not.toContain('Move to trash');
    expect(await keysAt('/account')).toContain('Show keyboard shortcuts');
    await page.context().close();
    app.quiet();
  });

  test.each([
    ['dark', 'light'],
    ['light', 'dark'],
    ['auto', 'dark'],
    ['auto', 'light'],
  ] as const)('theme %s on a %s system is there at once and never another', async (chosen, system) => {
    const page = await app.visitor({ colorScheme: system });
    await page.addInitScript((theme) => {
      localStorage.setItem('strongroom.theme', theme);
      const seen: (string | undefined)[] = [];
      Object.assign(window, { seen });
      // Nothing is painted before there is a body.
      const note = () => document.body && seen.push(document.documentElement.dataset.mantineColorScheme);
      new MutationObserver(note).observe(document, { subtree: true, childList: true, attributes: true });
    }, chosen);
    await page.goto(`${app.url}/sign-in`);
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    const wanted = chosen === 'auto' ? system : chosen;
    const seen = await page.evaluate(() => (window as unknown as { seen: string[] }).seen);
    expect(seen.length).toBeGreaterThan(3);
    expect(new Set(seen)).toEqual(new Set([wanted]));
    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(ground).toBe(wanted === 'dark' ? 'rgb(18, 21, 25)' : 'rgb(246, 247, 249)');
    // The system changes its mind while the page is open.
    await page.emulateMedia({ colorScheme: system === 'dark' ? 'light' : 'dark' });
    const next = chosen === 'auto' ? (system === 'dark' ? 'light' : 'dark') : chosen;
    await page.waitForFunction((name) => document.documentElement.dataset.mantineColorScheme === name, next);
    await page.context().close();
    app.quiet();
  });

  test('a toast takes a step back, waits while somebody is at it, and is spoken', async () => {
    const page = await app.signedIn(people.hr_admin);
    const link = page.getByRole('link', { name: 'harbour-1.txt' });
    await page.getByRole('button', { name: 'Actions for harbour-1.txt' }).click();
    await page.getByRole('menuitem', { name: 'Move to trash' }).click();
    const toast = page.getByRole('status').filter({ hasText: 'harbour-1.txt' });
    await toast.getByRole('button', { name: 'Undo' }).waitFor();
    await link.waitFor({ state: 'detached' });
    await look(page, 'toast');
    await toast.getByRole('button', { name: 'Undo' }).hover();
    await page.waitForTimeout(11_000);
    await toast.getByRole('button', { name: 'Undo' }).click();
    await link.waitFor();
    await page.context().close();
    app.quiet();
  });
});
