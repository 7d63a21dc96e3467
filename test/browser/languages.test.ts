/**
 * Languages: every page in the pseudo-locale shows no text that is not translated, and none hangs over sideways, from
 * left to right and from right to left; a German reader never sees English, and texts that do not come break nothing.
 */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectCall, password, uploadFile } from '../support/story.ts';
import { type App, executablePath, startApp } from './support/app.ts';
import { expectAccessible, hangsOver, shots, untranslated, widths } from './support/look.ts';
import { type Peopled, people, peopled } from './support/people.ts';
import { tablePaths, textsOf } from './support/texts.ts';

/** Names that people chose, which stand in attributes too. */
const given = [
  'Annual report.txt',
  'Orders — What comes in.',
  'North Harbour Logistics',
  'Orders',
  'HR admin',
  ' person',
];
const visitors = ['/sign-in', '/forgot', '/setup', '/invitation', '/reset-password'];
/** Files with the texts of another language, as the build names them. */
const germanTexts = '**/assets/*texts.de-*.js';

/** A name as the pseudo-locale writes it. */
const named = (english: string): RegExp => new RegExp(english.replaceAll(/[aeiouAEIOUcny]/g, '.'));

/** What opens over a page: the address, and what is pressed there one after the other. */
const overlays: readonly (readonly [string, 'hr_admin' | 'operator', string, readonly string[]])[] = [
  ['account menu', 'hr_admin', '/documents', ['Account of']],
  ['company menu', 'hr_admin', '/documents', ['Switch company']],
  ['another company', 'hr_admin', '/documents', ['Switch company', 'Go on in another']],
  ['new basket', 'hr_admin', '/documents', ['New basket']],
  ['basket menu', 'hr_admin', '/documents', ['Actions for basket Orders']],
  ['basket shares', 'hr_admin', '/documents', ['Actions for basket Orders', 'Share']],
  ['document menu', 'hr_admin', '/documents', ['Actions for Annual']],
  ['move', 'hr_admin', '/documents', ['Actions for Annual', 'Move·']],
  ['filter', 'hr_admin', '/documents', ['Filter']],
  ['invite', 'hr_admin', '/people', ['Invite people']],
  ['person menu', 'hr_admin', '/people', ['Actions for customer']],
  ['rename a person', 'hr_admin', '/people', ['Actions for customer', 'Change name']],
  ['role of a person', 'hr_admin', '/people', ['Actions for customer', 'Change role']],
  ['deactivate', 'hr_admin', '/people', ['Actions for customer', 'Deactivate']],
  ['company actions', 'operator', '/operator/companies/{company}', ['More actions']],
  ['edit a company', 'operator', '/operator/companies/{company}', ['More actions', 'Edit']],
  ['delete a company', 'operator', '/operator/companies/{company}', ['More actions', 'Delete company']],
  ['add an operator', 'operator', '/operator/operators', ['Add operator']],
];

describe.skipIf(executablePath === undefined)('languages', () => {
  let app: App;
  let there: Peopled;
  const pages: Record<'hr_admin' | 'operator', string[]> = { hr_admin: [], operator: [] };
  beforeAll(async () => {
    app = await startApp();
    there = await peopled(app);
    const { token, id } = there.company.admin;
    const document = await uploadFile(app.url, token, 'Annual report.txt', 'Words of a person.\n');
    const basket = { name: 'Orders', description: 'What comes in.' };
    await expectCall(201, app.url, 'POST', '/api/baskets', { token, body: basket });
    const invited = { email: 'employee@buyer.example', full_name: 'Employee of the buyer', role: 'employee' };
    await expectCall(201, app.url, 'POST', '/api/user-management/invite', { token, body: invited });
    const one = `/documents/${document.id}`;
    pages.hr_admin = [
      '/documents',
      '/documents?view=cards',
      '/documents?q=nothing-of-this-name',
      '/documents/trash',
      one,
      ...['versions', 'activity', 'sharing'].map((tab) => `${one}?tab=${tab}`),
      '/documents/doc_0000000000000000000000',
      '/uploads',
      '/people',
      `/people?person=${id}`,
      '/people?q=nobody',
      '/people/invitations',
      '/settings',
      '/settings/roles',
      '/settings/audit',
      '/account',
      '/operator',
      '/nowhere',
    ];
    pages.operator = [
      '/operator',
      '/operator/companies',
      '/operator/companies?q=none',
      '/operator/companies/new',
      `/operator/companies/${there.company.id}`,
      '/operator/migrations',
      '/operator/connections',
      '/operator/audit',
      '/operator/operators',
      '/account',
      '/documents',
    ];
  });
  afterAll(() => app?.stop());

  const speaking = async (page: Page, language: string) => {
    await page.context().addInitScript((name) => localStorage.setItem('strongroom.language', name), language);
    await page.evaluate((name) => localStorage.setItem('strongroom.language', name), language);
  };

  /** The page is there, with all that it loads. */
  const rest = async (page: Page) => {
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.waitForLoadState('networkidle');
  };

  /** Pages with what is wrong on them; all of a language are looked at before it is said. */
  type Wrong = Record<string, unknown>;

  const lookAt = async (page: Page, direction: string, name: string, wrong: Wrong) => {
    const plain = await untranslated(page, given);
    if (plain.length > 0) wrong[name] = plain;
    if ((await page.evaluate(() => document.documentElement.dir)) !== direction)
      wrong[`${name}: direction`] = direction;
    for (const width of [widths.laptop, 360]) {
      await page.setViewportSize({ width, height: 800 });
      // Menus that slide away are judged when they are gone.
      let over = await hangsOver(page);
      for (let looks = 0; over > 0 && looks < 12; looks += 1) {
        await page.waitForTimeout(100);
        over = await hangsOver(page);
      }
      if (over > 0) wrong[`${name} at ${width}`] = `${over} px over the side`;
    }
    await page.screenshot({ path: join(shots, `languages-${direction}-${name.replaceAll(/\W+/g, '-')}.png`) });
    await page.setViewportSize({ width: widths.laptop, height: 800 });
  };

  const pseudo = [
    ['qps', 'ltr'],
    ['qps-rtl', 'rtl'],
  ] as const;

  test.each(pseudo)('in %s every page for visitors is translated and fits', async (language, direction) => {
    const page = await app.visitor();
    await page.goto(`${app.url}/sign-in`);
    await speaking(page, language);
    const wrong: Wrong = {};
    for (const path of visitors) {
      await page.goto(app.url + path);
      await rest(page);
      await lookAt(page, direction, path, wrong);
    }
    await page.context().close();
    expect(wrong).toEqual({});
    app.quiet();
  });

  test.each(
    pseudo.flatMap(([language, direction]) =>
      (['hr_admin', 'operator'] as const).map((role) => [language, role, direction] as const),
    ),
  )('in %s every page of the %s is translated and fits', async (language, role, direction) => {
    const page = await app.signedIn(people[role]);
    await speaking(page, language);
    const wrong: Wrong = {};
    for (const path of pages[role]) {
      await page.goto(app.url + path);
      await rest(page);
      await lookAt(page, direction, `${role} ${path.replace(/(doc|comp|user)_\w+/, '$1')}`, wrong);
    }
    await page.context().close();
    expect(wrong).toEqual({});
    app.quiet();
  });

  test('menus, dialogs, palette and help are translated and fit', async () => {
    const [language, direction] = pseudo[1];
    const wrong: Wrong = {};
    for (const role of ['hr_admin', 'operator'] as const) {
      const page = await app.signedIn(people[role]);
      await speaking(page, language);
      for (const [name, , path, clicks] of overlays.filter((one) => one[1] === role)) {
        await page.goto(app.url + path.replace('{company}', there.company.id));
        await rest(page);
        for (const click of clicks) {
          const target = page
            .getByRole('button', { name: named(click) })
            .or(page.getByRole('menuitem', { name: named(click) }));
          await target.first().click();
        }
        await lookAt(page, direction, `over ${name}`, wrong);
      }
      for (const keys of ['Control+k', '?']) {
        await page.goto(`${app.url}/account`);
        await rest(page);
        await page.keyboard.press(keys);
        await page.getByRole('dialog').waitFor();
        await lookAt(page, direction, keys === '?' ? `help ${role}` : `palette ${role}`, wrong);
      }
      await page.context().close();
    }
    expect(wrong).toEqual({});
    app.quiet();
  });

  test('a German reader never sees English, neither at first nor on a page that is opened later', async () => {
    const page = await app.visitor({ locale: 'de-AT' });
    // So late that whatever did not wait would be seen.
    await page.route(germanTexts, async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 700));
      await route.continue();
    });
    await page.addInitScript(() => {
      const seen = new Set<string>();
      Object.assign(window, { seen });
      new MutationObserver(() => {
        const walker = document.createTreeWalker(document, NodeFilter.SHOW_TEXT);
        for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
          if (node.parentElement?.closest('script,style,noscript,bdi') === null)
            seen.add(node.textContent?.trim() ?? '');
        }
      }).observe(document, { subtree: true, childList: true, characterData: true });
    });
    const seenOf = () => page.evaluate(() => [...(window as unknown as { seen: Set<string> }).seen]);
    await page.goto(`${app.url}/sign-in`);
    await page.getByLabel('Benutzername oder E-Mail-Adresse').fill(people.hr_admin);
    expect(await page.evaluate(() => document.documentElement.lang)).toBe('de');
    await expectNoEnglish(await seenOf());
    const address = pages.hr_admin.find((path) => path.startsWith('/documents/doc_'));
    await signInGerman(page);
    // The page of a document has texts of its own, which come with it.
    await page.getByRole('link', { name: 'Annual report.txt' }).click();
    await page.waitForURL(`**${address}`);
    await page.getByRole('tab').first().waitFor();
    const seen = await seenOf();
    expect(seen, 'the observer saw the page').toContain('Dokumente');
    await expectNoEnglish(seen);
    await page.context().close();
    app.quiet();
  });

  test('texts that do not come leave a page that works, and are shown when they come', async () => {
    const page = await app.visitor({ locale: 'de-AT' });
    await page.route(germanTexts, (route) => route.abort());
    await page.goto(`${app.url}/sign-in`);
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    expect(await page.evaluate(() => document.documentElement.lang)).toBe('en');
    await page.getByLabel('User name or e-mail address').fill(people.employee);
    // By choice it says so.
    await page.getByRole('button', { name: /Language/ }).click();
    await page.getByRole('menuitem', { name: 'Deutsch' }).click();
    await page.getByRole('alert').getByText('The server cannot be reached.').waitFor();
    await page.unroute(germanTexts);
    const name = page.getByLabel('Benutzername oder E-Mail-Adresse');
    await name.waitFor({ timeout: 60_000 });
    expect(await name.inputValue(), 'nothing typed is lost').toBe(people.employee);
    await page.getByRole('button', { name: /Sprache/ }).click();
    await page.getByRole('menuitem', { name: 'English' }).click();
    await page.getByLabel('User name or e-mail address').waitFor();
    await expectAccessible(page);
    await page.context().close();
    app.noted.errors.splice(0);
    app.quiet();
  });

  async function signInGerman(page: Page): Promise<void> {
    await page.getByLabel('Passwort', { exact: true }).fill(password);
    await page.keyboard.press('Enter');
    await page.waitForURL('**/documents');
  }
});

/** None of the English texts that German says in other words. */
async function expectNoEnglish(seen: readonly string[]): Promise<void> {
  const english = new Set<string>();
  for (const path of tablePaths) {
    const { en, de } = await textsOf(path);
    const german = new Set(Object.values(de));
    for (const text of Object.values(en)) if (!text.includes('{') && !german.has(text)) english.add(text);
  }
  expect(english.size).toBeGreaterThan(300);
  expect(seen.filter((text) => english.has(text))).toEqual([]);
}
