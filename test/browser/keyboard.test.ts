/**
 * The keyboard alone: sign in, upload, find, read, put into the trash, restore, share, sign out. No call of a mouse
 * stands here, and the focus is seen at every stop.
 */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { password } from '../support/story.ts';
import { type App, executablePath, startApp } from './support/app.ts';
import { expectFocused, expectFocusSeen, isFocused, tabTo, watchPointer } from './support/keyboard.ts';
import { people, peopled } from './support/people.ts';

const name = 'delivery.txt';
const text = 'Forty crates for the north pier.';

describe.skipIf(executablePath === undefined)('by keyboard alone', () => {
  let app: App;
  beforeAll(async () => {
    app = await startApp();
    await peopled(app);
  });
  afterAll(() => app?.stop());

  async function signInByKeys(page: Page, username: string): Promise<void> {
    await page.goto(`${app.url}/sign-in`);
    const field = page.getByLabel('User name or e-mail address');
    await expectFocused(field);
    await expectFocusSeen(page);
    await page.keyboard.type(username);
    await tabTo(page, page.getByLabel('Password', { exact: true }));
    await page.keyboard.type(password);
    await page.keyboard.press('Enter');
    await page.waitForURL('**/documents');
    await page.getByRole('heading', { level: 1, name: 'Documents' }).waitFor();
  }

  test('sign in, upload, find, read, trash, restore, sign out', async () => {
    const page = await app.visitor();
    const pointers = await watchPointer(page);
    await signInByKeys(page, people.employee);

    // Upload: past the navigation by the link that skips it, to the button of the page.
    await tabTo(page, page.getByRole('link', { name: 'Skip to the content' }));
    await page.keyboard.press('Enter');
    await tabTo(page, page.getByRole('button', { name: 'Upload files' }));
    const chooser = page.waitForEvent('filechooser');
    await page.keyboard.press('Enter');
    await (await chooser).setFiles({ name, mimeType: 'text/plain', buffer: Buffer.from(text) });
    const tray = page.getByRole('complementary', { name: 'Uploads' });
    await tray.getByText('1 upload done').waitFor();

    // Find: the slash leads to the search, what is found is a stop further on.
    await page.keyboard.press('Escape');
    await page.keyboard.press('/');
    const search = page.getByRole('searchbox', { name: 'Search by name' });
    await expectFocused(search);
    await expectFocusSeen(page);
    await page.keyboard.type('deliv');
    await page.waitForURL('**/documents?q=deliv');
    const link = page.getByRole('table', { name: 'Documents' }).getByRole('link', { name, exact: true });
    await tabTo(page, link);

    // Read.
    await page.keyboard.press('Enter');
    await page.waitForURL('**/documents/doc_**');
    await page.getByText(text).waitFor();
    await tabTo(page, page.getByRole('tab', { name: 'Info' }));
    await page.keyboard.press('ArrowRight');
    await page.getByRole('tab', { name: 'Versions', selected: true }).waitFor();
    await expectFocusSeen(page);

    // Into the trash by the menu; the toast's way back is a stop too, but the trash itself is tried here.
    await tabTo(page, page.getByRole('button', { name: 'More actions' }), 'Shift+Tab');
    await page.keyboard.press('Enter');
    await chooseItem(page, 'Move to the trash');
    await page.getByRole('status').filter({ hasText: 'trash' }).first().waitFor();

    // To the trash by the palette, and back by its menu.
    await typeIntoPalette(page, 'trash');
    await page.getByRole('dialog').getByText('Trash', { exact: true }).waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL('**/documents/trash');
    await tabTo(page, page.getByRole('button', { name: `Actions for ${name}` }));
    await page.keyboard.press('Enter');
    await chooseItem(page, 'Restore');
    await page.getByText('The trash is empty').waitFor();
    // What was typed last is chosen, so that typing replaces it.
    await typeIntoPalette(page, 'documents');
    await page.getByRole('dialog').getByText('Documents', { exact: true }).first().waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/documents$/);
    await page.getByRole('table', { name: 'Documents' }).getByRole('link', { name, exact: true }).waitFor();

    await tabTo(page, page.getByRole('button', { name: /^Account of/ }));
    await page.keyboard.press('Enter');
    await chooseItem(page, 'Sign out');
    await page.waitForURL('**/sign-in**');
    expect(await pointers()).toBe(0);
    await page.context().close();
    app.quiet();
  });

  test('invite by dialog: the focus goes in, stays in, and comes back', async () => {
    const page = await app.visitor();
    const pointers = await watchPointer(page);
    await signInByKeys(page, people.hr_admin);
    await tabTo(page, page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'People' }));
    await page.keyboard.press('Enter');
    await page.waitForURL('**/people');
    const button = page.getByRole('button', { name: 'Invite people' });
    await tabTo(page, button);
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    const address = dialog.getByLabel('E-mail address');
    await expectFocused(address);
    await page.keyboard.type('employee@buyer.example');
    await tabTo(page, dialog.getByLabel('Full name'));
    await page.keyboard.type('Employee of the buyer');
    await tabTo(page, dialog.getByRole('combobox', { name: 'Role' }));
    await page.keyboard.press('ArrowDown');
    await page.getByRole('option', { name: 'Employee' }).waitFor();
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    for (let stops = 0; stops < 12; stops += 1) {
      await page.keyboard.press('Tab');
      expect(await dialog.evaluate((frame) => frame.contains(document.activeElement)), 'the focus stays').toBe(true);
    }
    await tabTo(page, dialog.getByRole('button', { name: 'Send invitation' }));
    await page.keyboard.press('Enter');
    await dialog.getByLabel('Link for Employee of the buyer').waitFor();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await expectFocused(button);
    await expectFocusSeen(page);
    expect(await pointers()).toBe(0);
    await page.context().close();
    app.quiet();
  });
});

async function typeIntoPalette(page: Page, text: string): Promise<void> {
  await page.keyboard.press('Control+k');
  await expectFocused(page.getByPlaceholder('Search or run a command…'));
  await expectFocusSeen(page);
  await page.keyboard.type(text);
}

/** Goes down in the menu that is open. */
async function chooseItem(page: Page, label: string): Promise<void> {
  const item = page.getByRole('menuitem', { name: label });
  await item.waitFor();
  for (let steps = 0; steps < 12 && !(await isFocused(item)); steps += 1) await page.keyboard.press('ArrowDown');
  expect(await isFocused(item), label).toBe(true);
  await expectFocusSeen(page);
  await page.keyboard.press('Enter');
}
