/** Many documents at once, by the list and the trash: what is done, what stays and why, and all of it as one archive. */
import { readFile } from 'node:fs/promises';
import { chromium, type Download, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectCall, type Person, uploadFile } from '../support/story.ts';
import { unzip } from '../support/zip.ts';
import { type App, executablePath, signIn, startApp } from './support/app.ts';
import { look } from './support/look.ts';
import { peopled } from './support/people.ts';

const row = (page: Page, name: string) => page.getByRole('table').getByRole('row').filter({ hasText: name });
const shown = (page: Page) => page.locator('[data-row]').count();
const toast = (page: Page, text: string | RegExp) => page.getByRole('status').filter({ hasText: text });
const dialog = (page: Page) => page.getByRole('dialog');
const count = (page: Page, text: string) => page.getByText(text, { exact: true });

async function choose(page: Page, names: readonly string[]): Promise<void> {
  for (const name of names) await row(page, name).getByRole('checkbox').click();
  await page.getByText(`${names.length} selected`).waitFor();
}

/** Paths that the page asks for with a method that changes something, while `work` goes on. */
async function changes(page: Page, work: () => Promise<unknown>): Promise<string[]> {
  const seen: string[] = [];
  const note = (request: { method(): string; url(): string }) => {
    if (['POST', 'PATCH', 'DELETE'].includes(request.method())) seen.push(new URL(request.url()).pathname);
  };
  page.on('request', note);
  await work();
  page.off('request', note);
  return seen;
}

async function saved(page: Page): Promise<Download> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('region', { name: 'Selection' }).getByRole('button', { name: 'Download' }).click(),
  ]);
  return download;
}

describe.skipIf(executablePath === undefined)('many documents at once', () => {
  let app: App;
  let admin: Person;
  beforeAll(async () => {
    app = await startApp();
    admin = (await peopled(app)).company.admin;
  });
  afterAll(() => app?.stop());

  const upload = (name: string, text = name, basket?: string) =>
    uploadFile(app.url, admin.token, name, text, basket === undefined ? {} : { basket_id: basket });
  const basket = (name: string) =>
    expectCall<{ id: string }>(201, app.url, 'POST', '/api/baskets', { token: admin.token, body: { name } });
  const trash = (ids: readonly string[]) =>
    expectCall(200, app.url, 'POST', '/api/documents/bulk', {
      token: admin.token,
      body: { ids, action: { type: 'trash' } },
    });

  test('all that a filter finds goes into the trash with one request, and comes back with one', async () => {
    const { id } = await basket('Deliveries');
    const uploads: Promise<{ id: string }>[] = [];
    for (let at = 0; at < 120; at += 1) uploads.push(upload(`Delivery note ${at}.txt`, 'x', id));
    await Promise.all(uploads);
    await upload('Letter.txt');
    const page = await app.signedIn('hr-admin');
    await count(page, '121 documents').waitFor();
    await page.getByRole('searchbox', { name: 'Search by name' }).fill('delivery');
    await count(page, '120 documents').waitFor();
    await row(page, 'Delivery note').first().waitFor();
    await page.getByRole('checkbox', { name: 'Select all that are loaded' }).check();
    await page.getByRole('button', { name: 'Select all 120 matching' }).click();
    await page.getByText('120 selected').waitFor();
    const asked = await changes(page, async () => {
      await page.getByRole('button', { name: 'Move to trash' }).click();
      await toast(page, '120 documents are in the trash').waitFor();
    });
    expect(asked).toEqual(['/api/documents/bulk']);
    await page.getByText('Nothing matches').waitFor();
    const back = await changes(page, async () => {
      await toast(page, '120 documents are in the trash').getByRole('button', { name: 'Undo' }).click();
      await toast(page, 'Taken back for 120 documents').waitFor();
    });
    expect(back).toEqual(['/api/documents/bulk']);
    await count(page, '120 documents').waitFor();
    // Moved elsewhere and back: into the basket that they were in.
    await page.keyboard.press('Escape');
    await page.getByRole('checkbox', { name: 'Select all that are loaded' }).check();
    await page.getByRole('button', { name: 'Select all 120 matching' }).click();
    await page.getByRole('button', { name: 'Move', exact: true }).click();
    await dialog(page).getByRole('button', { name: 'Move', exact: true }).click();
    await toast(page, '120 documents were moved').getByRole('button', { name: 'Undo' }).click();
    await expect
      .poll(async () => {
        const path = `/api/documents?basket_id=${id}&total=true&limit=1`;
        return (await expectCall<{ total: number }>(200, app.url, 'GET', path, { token: admin.token })).total;
      })
      .toBe(120);
    await page.context().close();
    app.quiet();
  });

  test('what could not be moved is listed by its reason, the rest is moved', async () => {
    const [from, to] = [await basket('Incoming'), await basket('Archive')];
    for (const name of ['Report.pdf', 'Plan.pdf']) {
      await upload(name, name, from.id);
      await upload(name, name, to.id);
    }
    await upload('Only here.pdf', 'x', from.id);
    const gone = await upload('Gone meanwhile.pdf', 'x', from.id);
    const page = await app.signedIn('hr-admin');
    await page.goto(`${app.url}/documents?basket=${from.id}`);
    await choose(page, ['Report.pdf', 'Plan.pdf', 'Only here.pdf', 'Gone meanwhile.pdf']);
    await trash([gone.id]);
    await page.getByRole('button', { name: 'Move', exact: true }).click();
    await page.getByLabel('Basket', { exact: true }).selectOption({ label: 'Archive' });
    await dialog(page).getByRole('button', { name: 'Move', exact: true }).click();
    await toast(page, '“Only here.pdf” was moved').waitFor();
    const told = page.getByRole('dialog', { name: '3 documents stayed as they were' });
    await told.getByText('Its owner has a document of this name there already.').waitFor();
    await told.getByText('Report.pdf').waitFor();
    await told.getByText('Plan.pdf').waitFor();
    await told.getByText('It is not there any more, or not for you.').waitFor();
    await look(page, 'bulk-failed');
    await page.keyboard.press('Escape');
    await told.waitFor({ state: 'hidden' });
    await row(page, 'Gone meanwhile.pdf').waitFor({ state: 'detached' });
    // One alone is said at the edge.
    await page.reload();
    await choose(page, ['Report.pdf']);
    await page.getByRole('button', { name: 'Move', exact: true }).click();
    await page.getByLabel('Basket', { exact: true }).selectOption({ label: 'Archive' });
    await dialog(page).getByRole('button', { name: 'Move', exact: true }).click();
    await page.getByRole('alert').filter({ hasText: '“Report.pdf” stayed as it was.' }).waitFor();
    await page.context().close();
    app.quiet();
  });

  test('the trash: all of it is restored at once, but for what has lost its name', async () => {
    const ids: string[] = [];
    for (const name of ['Old one.txt', 'Old two.txt', 'Old three.txt', 'Old four.txt'])
      ids.push((await upload(name)).id);
    await trash(ids);
    for (const name of ['Old one.txt', 'Old two.txt']) await upload(name, 'another');
    const page = await app.signedIn('hr-admin');
    await page.goto(`${app.url}/documents/trash?q=old`);
    await row(page, 'Old four.txt').waitFor();
    await page.keyboard.press('a');
    await page.getByText('4 selected').waitFor();
    await look(page, 'trash-selected');
    const asked = await changes(page, async () => {
      await page.getByRole('button', { name: 'Restore' }).click();
      await page.getByRole('dialog', { name: '2 documents stayed as they were' }).waitFor();
    });
    expect(asked).toEqual(['/api/documents/bulk']);
    await page.keyboard.press('Escape');
    await expect.poll(() => shown(page)).toBe(2);
    await page.goto(`${app.url}/documents?q=old`);
    await count(page, '4 documents').waitFor();
    await page.context().close();
    app.quiet();
  });

  test('several are saved as one archive, under a name that says what it is', async () => {
    const { id } = await basket('Quarter 3');
    const large = 'large '.repeat(5_000_000);
    await upload('Plan.txt', 'the plan', id);
    await upload('Umlaut ü.txt', 'ü', id);
    await upload('Large.bin', large, id);
    const doomed = await upload('Doomed.txt', 'x', id);
    const page = await app.signedIn('hr-admin');
    await page.goto(`${app.url}/documents?basket=${id}`);
    await choose(page, ['Plan.txt', 'Umlaut ü.txt', 'Large.bin']);
    const download = await saved(page);
    expect(download.suggestedFilename()).toBe('Quarter 3.zip');
    const read = unzip(await readFile((await download.path())!));
    expect([...read.keys()].sort()).toEqual(['Large.bin', 'Plan.txt', 'Umlaut ü.txt']);
    expect(read.get('Plan.txt')!.toString()).toBe('the plan');
    expect(read.get('Large.bin')!.toString()).toBe(large);
    await toast(page, '3 documents are being saved as one ZIP archive').waitFor();
    // Another one right behind it, and one that cannot be: nothing is saved, and it is said why.
    expect((await saved(page)).suggestedFilename()).toBe('Quarter 3.zip');
    await row(page, 'Doomed.txt').getByRole('checkbox').click();
    await trash([doomed.id]);
    await page.getByRole('region', { name: 'Selection' }).getByRole('button', { name: 'Download' }).click();
    await page.getByRole('alert').filter({ hasText: 'There is nothing here that you may see.' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/documents');
    await page.context().close();
    // Chromium says on its console that a refusal may not be framed, which is how the page learns of it.
    expect(app.noted.errors.splice(0).filter((text) => !text.includes('frame-ancestors'))).toEqual([]);
    app.quiet();
  });

  test('over plain HTTP, where browsers do not say where a form comes from, it is saved all the same', async () => {
    const host = 'intranet.example';
    const args = ['--no-sandbox', `--host-resolver-rules=MAP ${host} 127.0.0.1`, '--disable-features=HttpsUpgrades'];
    const browser = await chromium.launch({ executablePath: executablePath!, args });
    const page = await browser.newPage({ locale: 'en-GB' });
    const url = app.url.replace('127.0.0.1', host);
    const statuses: number[] = [];
    page.on('response', (answer) => {
      if (answer.url().endsWith('/archive')) statuses.push(answer.status());
    });
    await page.goto(`${url}/sign-in`);
    await signIn(page, url, 'hr-admin');
    await page.goto(`${url}/documents?q=old`);
    await choose(page, ['Old one.txt', 'Old three.txt']);
    const download = await saved(page);
    expect(download.suggestedFilename()).toMatch(/^documents \d{4}-\d\d-\d\d\.zip$/);
    expect(unzip(await readFile((await download.path())!)).size).toBe(2);
    expect(statuses).toEqual([401, 200]);
    await browser.close();
  });

  test('more than a thousand go in turns; an archive says that it does not hold them', async () => {
    let next = 0;
    const worker = async () => {
      while (next < 1_050) {
        next += 1;
        await upload(`Thousand ${next}.txt`, 'x');
      }
    };
    await Promise.all(Array.from({ length: 12 }, worker));
    const page = await app.signedIn('hr-admin');
    await page.goto(`${app.url}/documents?q=thousand`);
    await count(page, '1,050 documents').waitFor();
    await row(page, 'Thousand').first().waitFor();
    await page.keyboard.press('a');
    await page.getByText('1,050 selected').waitFor();
    await page.getByRole('region', { name: 'Selection' }).getByRole('button', { name: 'Download' }).click();
    await page.getByRole('alert').filter({ hasText: 'An archive holds up to 1,000 documents' }).waitFor();
    const asked = await changes(page, async () => {
      await page.getByRole('button', { name: 'Tag', exact: true }).click();
      await dialog(page).getByLabel('Add tags').fill('many');
      await page.keyboard.press('Enter');
      await dialog(page).getByRole('button', { name: 'Tag', exact: true }).click();
      await toast(page, 'Tags of 1,050 documents changed').waitFor();
    });
    expect(asked).toEqual(['/api/documents/bulk', '/api/documents/bulk']);
    await page.goto(`${app.url}/documents?tag=many`);
    await count(page, '1,050 documents').waitFor();
    await page.context().close();
    app.quiet();
  }, 120_000);
});
