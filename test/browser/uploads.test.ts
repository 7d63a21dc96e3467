/** Uploads in a real browser: every way in, same names, refusals, and what breaks on the way. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { acceptInvitation, type Company, expectCall, logIn, newCompany, setUpOperator } from '../support/story.ts';
import { type App, executablePath, signIn, startApp } from './support/app.ts';
import { expectAccessible, findings, look, picture, setTheme, shots } from './support/look.ts';
import { drag, megabyte, randomFile, slowDown } from './support/upload-files.ts';

interface Listed {
  readonly items: readonly {
    id: string;
    filename: string;
    size_bytes: number;
    basket_id: string | null;
    version: number;
  }[];
}

describe.skipIf(executablePath === undefined)('uploads', () => {
  let app: App;
  let operator: string;
  let company: Company;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'strongroom-upload-files-'));
    app = await startApp({ STRONGROOM_MAX_UPLOAD_BYTES: String(250 * megabyte) });
    operator = (await setUpOperator(app.url, app.server.setupToken!)).access_token;
    company = await newCompany(app.url, operator, 'Amber Quay');
  });
  afterAll(async () => {
    await app?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const enter = async (of: Company = company, options = {}): Promise<Page> => {
    const page = await app.visitor(options);
    await signIn(page, app.url, of.admin.email);
    await ready(page);
    return page;
  };
  /** What stands beside the page loads after it. */
  const ready = (page: Page) => page.getByRole('log', { name: 'Uploads' }).waitFor({ state: 'attached' });
  const tray = (page: Page) => page.getByRole('complementary', { name: 'Uploads' });
  /** A fresh token: the server may have been restarted, and tokens run out. */
  const token = async (of: Company) => (await logIn(app.url, of.admin.email)).access_token;
  const listed = async (of: Company): Promise<Listed['items']> =>
    (await expectCall<Listed>(200, app.url, 'GET', '/api/documents?limit=100', { token: await token(of) })).items;
  const names = async (of: Company): Promise<readonly string[]> =>
    (await listed(of)).map(({ filename }) => filename).sort();

  async function choose(page: Page, paths: string | string[]): Promise<void> {
    await page.getByRole('navigation').getByRole('link', { name: 'Uploads' }).click();
    const chooser = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Upload files' }).first().click();
    await (await chooser).setFiles(paths);
  }

  const share = async (page: Page): Promise<number> =>
    Number(await tray(page).getByRole('progressbar').first().getAttribute('aria-valuenow'));

  async function expectEqualBytes(name: string, sha256: string): Promise<void> {
    const document = (await listed(company)).find(({ filename }) => filename === name);
    const answer = await fetch(`${app.url}/api/documents/${document!.id}/download`, {
      headers: { authorization: `Bearer ${await token(company)}` },
    });
    const hash = createHash('sha256');
    for await (const piece of answer.body!) hash.update(piece);
    expect(hash.digest('hex'), name).toBe(sha256);
  }

  test('button, drop and paste lead into one queue; the basket that is open is the target', async () => {
    const page = await enter();
    const basket = await expectCall<{ id: string }>(201, app.url, 'POST', '/api/baskets', {
      token: company.admin.token,
      body: { name: 'Contracts 2026' },
    });
    await page.goto(`${app.url}/uploads`);
    await page.getByText('Nothing is on its way').waitFor();
    await look(page, 'uploads-empty');
    await writeFile(join(folder, 'by-button.txt'), 'chosen');
    const chooser = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Upload files' }).first().click();
    await (await chooser).setFiles(join(folder, 'by-button.txt'));
    const link = tray(page).getByRole('link', { name: 'by-button.txt' });
    await link.waitFor();
    expect(await link.getAttribute('href')).toMatch(/^\/documents\/doc_/);

    await mkdir(join(folder, 'inner/deeper'), { recursive: true });
    await writeFile(join(folder, 'inner/in-folder.txt'), 'one');
    await writeFile(join(folder, 'inner/deeper/in-deeper.txt'), 'two');
    const folders = page.waitForEvent('filechooser');
    await page.getByRole('button', { name: 'Upload a folder' }).click();
    await (await folders).setFiles(join(folder, 'inner'));
    for (const name of ['in-folder.txt', 'in-deeper.txt']) await tray(page).getByRole('link', { name }).waitFor();

    // A drag of text is none of ours.
    await page.evaluate(() => {
      const transfer = new DataTransfer();
      transfer.setData('text/plain', 'some words');
      document.body.dispatchEvent(new DragEvent('dragover', { dataTransfer: transfer, bubbles: true }));
    });
    expect(await page.getByTestId('drop-overlay').count()).toBe(0);

    await page.goto(`${app.url}/documents?basket=${basket.id}`);
    await ready(page);
    const named = page.getByText(/Drop to upload into .?Contracts 2026/);
    await expect
      .poll(async () => {
        await drag(page, [{ name: 'x.txt', text: 'x', type: 'text/plain' }], false);
        return await named.count();
      })
      .toBe(1);
    for (const theme of ['light', 'dark'] as const) {
      await setTheme(page, theme);
      await drag(page, [{ name: 'x.txt', text: 'x', type: 'text/plain' }], false);
      await page.screenshot({ path: join(shots, `uploads-overlay-laptop-${theme}.png`) });
      expect(await findings(page)).toEqual([]);
    }
    await drag(page, [{ name: 'by-drop.md', text: '# dropped', type: 'text/markdown' }], true);
    await tray(page).getByRole('link', { name: 'by-drop.md' }).waitFor();
    expect(await page.getByTestId('drop-overlay').count()).toBe(0);

    await page.evaluate(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(['a,b\n1,2\n'], 'by-paste.csv', { type: 'text/csv' }));
      document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true }));
    });
    await tray(page).getByRole('link', { name: 'by-paste.csv' }).waitFor();
    await tray(page).getByText('Done').first().waitFor();
    // Both phases have been gone through, and each was told to those who hear the page.
    await page.getByRole('log', { name: 'Uploads' }).getByText('upload done').first().waitFor();
    const into = Object.fromEntries((await listed(company)).map((one) => [one.filename, one.basket_id]));
    expect(into).toEqual({
      'in-folder.txt': null,
      'in-deeper.txt': null,
      'by-button.txt': null,
      'by-drop.md': basket.id,
      'by-paste.csv': basket.id,
    });
    await page.context().close();
    app.quiet();
  });

  test('a taken name asks: new version, keep both, skip, also for all', async () => {
    const page = await enter();
    const files = (names: readonly string[], text: string) => names.map((name) => ({ name, text, type: 'text/plain' }));
    const four = ['n1.txt', 'n2.txt', 'n3.txt', 'n4.txt'];
    await drag(page, files(four, 'first'), true);
    await expect.poll(() => names(company)).toEqual(expect.arrayContaining(four));
    await tray(page).getByText('4 uploads done').waitFor();

    await drag(page, files(['n1.txt'], 'second'), true);
    const dialog = page.getByRole('dialog', { name: 'This name is taken' });
    await dialog.getByText('n1.txt').waitFor();
    await expectAccessible(page);
    await picture(page, 'uploads-conflict');
    await dialog.getByRole('button', { name: 'New version' }).click();
    await dialog.waitFor({ state: 'hidden' });
    const version = async () => (await listed(company)).find(({ filename }) => filename === 'n1.txt')?.version;
    await expect.poll(version).toBe(2);

    await drag(page, files(['n2.txt'], 'second'), true);
    await dialog.getByRole('button', { name: 'Skip' }).click();
    await tray(page).getByText('Skipped: the name is taken').waitFor();
    await dialog.waitFor({ state: 'hidden' });

    await drag(page, files(['n2.txt', 'n3.txt', 'n4.txt'], 'third'), true);
    await dialog.waitFor();
    await dialog.getByLabel('Do the same for all further files').check();
    await dialog.getByRole('button', { name: 'Keep both' }).click();
    const numbered = ['n2 (2).txt', 'n3 (2).txt', 'n4 (2).txt'];
    await expect.poll(() => names(company)).toEqual(expect.arrayContaining(numbered));
    await dialog.waitFor({ state: 'hidden' });
    expect((await names(company)).filter((name) => /^n\d/.test(name))).toHaveLength(7);
    await page.context().close();
    app.quiet();
  });

  test('what cannot go is refused with a sentence of its own, before a byte moves', async () => {
    const small = await newCompany(app.url, operator, 'Small Room', { quota_bytes: 1_000 });
    await expectCall(200, app.url, 'PUT', '/api/document-settings', {
      token: small.admin.token,
      body: { denied_types: ['.exe', 'video/*'] },
    });
    const page = await enter(small);
    let sent = 0;
    page.on('request', (request) => {
      if (request.method() === 'PATCH') sent += 1;
    });
    await drag(
      page,
      [
        { name: 'setup.exe', text: 'MZ', type: 'application/octet-stream' },
        { name: 'film', text: 'film', type: 'video/mp4' },
        { name: `${'n'.repeat(300)}.txt`, text: 'x', type: 'text/plain' },
        { name: '', text: 'x', type: 'text/plain' },
        { name: 'much.txt', text: 'x'.repeat(5_000), type: 'text/plain' },
      ],
      true,
    );
    await expect.poll(() => tray(page).getByText('does not accept files of this kind').count()).toBe(2);
    await tray(page).getByText('more than 255 characters').waitFor();
    await tray(page).getByText('the file has no name').waitFor();
    await tray(page).getByText('storage is full').waitFor();
    await tray(page).getByText('5 failed').waitFor();
    await page.getByRole('log', { name: 'Uploads' }).getByText('much.txt failed').waitFor();
    await writeFile(join(folder, 'huge.bin'), '');
    await truncate(join(folder, 'huge.bin'), 251 * megabyte);
    const chooser = page.waitForEvent('filechooser');
    await page.keyboard.press('u');
    await (await chooser).setFiles(join(folder, 'huge.bin'));
    await tray(page).getByText('251 MB is more than the 250 MB that one file may have').waitFor();
    await picture(page, 'uploads-refused');
    await expectAccessible(page);
    expect(sent).toBe(0);
    expect(await names(small)).toEqual([]);
    await page.context().close();
    app.quiet();
  });

  test('who may upload nowhere is told so before the drop', async () => {
    const email = 'customer@amber-quay.example';
    const invited = await expectCall<{ token: string }>(201, app.url, 'POST', '/api/user-management/invite', {
      token: company.admin.token,
      body: { email, full_name: 'Customer', role: 'customer' },
    });
    await acceptInvitation(app.url, invited.token, 'customer');
    const page = await app.visitor();
    await signIn(page, app.url, email);
    await ready(page);
    await drag(page, [{ name: 'x.txt', text: 'x', type: 'text/plain' }], false);
    await page.getByText('You cannot upload here').waitFor();
    await drag(page, [{ name: 'x.txt', text: 'x', type: 'text/plain' }], true);
    await tray(page).getByText('Not uploaded: you may not upload here').waitFor();
    await page.context().close();
    app.quiet();
  });

  test('200 MB arrive whole although the server is killed in the middle and started again', async () => {
    const { path, sha256 } = await randomFile(folder, 'big.bin', 200 * megabyte);
    const page = await enter();
    await page.goto(`${app.url}/uploads`);
    await ready(page);
    const full = await slowDown(page, 20 * megabyte);
    await choose(page, path);
    await expect.poll(() => share(page), { timeout: 60_000 }).toBeGreaterThan(30);
    await tray(page).getByText(/left/).waitFor();
    await look(page, 'uploads-sending');
    expect(await share(page)).toBeLessThan(95);
    await app.server.kill();
    await tray(page)
      .getByText(/Connection lost|Nothing is moving/)
      .waitFor({ timeout: 30_000 });
    await full();
    const kept = await share(page);
    expect(kept).toBeGreaterThan(30);
    expect(kept).toBeLessThan(100);
    const resumedAt: number[] = [];
    page.on('request', (request) => {
      if (request.method() === 'PATCH') resumedAt.push(Number(request.headers()['upload-offset']));
    });
    await app.restart();
    await tray(page).getByRole('link', { name: 'big.bin' }).waitFor({ timeout: 90_000 });
    expect(resumedAt[0], 'it went on instead of beginning again').toBeGreaterThan(0);
    await expectEqualBytes('big.bin', sha256);
    await page.context().close();
  });

  test('a reload in the middle goes on by itself', async () => {
    const { path, sha256 } = await randomFile(folder, 'reloaded.bin', 60 * megabyte);
    const page = await enter();
    const full = await slowDown(page, 6 * megabyte);
    await choose(page, path);
    await expect.poll(() => share(page), { timeout: 60_000 }).toBeGreaterThan(35);
    await full();
    await page.reload();
    await tray(page).getByRole('link', { name: 'reloaded.bin' }).waitFor({ timeout: 60_000 });
    await expectEqualBytes('reloaded.bin', sha256);
    expect(await page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes('.uploads.')))).toEqual([]);
    await page.context().close();
  });

  test('a file that the browser lost is asked for again, and another one is not taken for it', async () => {
    const { path, sha256 } = await randomFile(folder, 'lost.bin', 60 * megabyte);
    const other = join(folder, 'other');
    const page = await enter();
    const full = await slowDown(page, 6 * megabyte);
    await choose(page, path);
    await expect.poll(() => share(page), { timeout: 60_000 }).toBeGreaterThan(35);
    await tray(page).getByRole('button', { name: 'Pause lost.bin' }).click();
    await tray(page)
      .getByText(/Paused at/)
      .waitFor();
    await full();
    await page.evaluate(
      () =>
        new Promise<void>((resolve) => {
          const request = indexedDB.open('strongroom.uploads');
          request.onsuccess = () => {
            const cleared = request.result.transaction('files', 'readwrite');
            cleared.objectStore('files').clear();
            cleared.oncomplete = () => resolve();
          };
        }),
    );
    await page.goto(`${app.url}/uploads`);
    await tray(page)
      .getByText(/[1-9]\d% has arrived. The browser no longer has this file/)
      .waitFor();
    await look(page, 'uploads-missing');
    const again = async (given: string) => {
      const chooser = page.waitForEvent('filechooser');
      await tray(page).getByRole('button', { name: 'Choose the file again: lost.bin' }).click();
      await (await chooser).setFiles(given);
    };
    await writeFile(other, 'something else');
    await again(other);
    await tray(page).getByText('This is another file').waitFor();
    await again(path);
    await tray(page).getByRole('link', { name: 'lost.bin' }).waitFor({ timeout: 60_000 });
    await expectEqualBytes('lost.bin', sha256);
    await page.context().close();
  });

  test('offline it waits, and goes on when the network is back; cancelling leaves nothing', async () => {
    const { path, sha256 } = await randomFile(folder, 'offline.bin', 30 * megabyte);
    const page = await enter();
    const full = await slowDown(page, 4 * megabyte);
    await choose(page, path);
    await expect.poll(() => share(page), { timeout: 60_000 }).toBeGreaterThan(20);
    await tray(page).getByRole('button', { name: 'Pause offline.bin' }).click();
    await tray(page)
      .getByText(/Paused at/)
      .waitFor();
    await tray(page).getByRole('button', { name: 'Resume offline.bin' }).click();
    await tray(page)
      .getByText(/Uploading/)
      .waitFor();
    await full('offline');
    await tray(page).getByText('You are offline').waitFor();
    const arrived = await share(page);
    expect(arrived).toBeLessThan(100);
    await full();
    await tray(page).getByRole('link', { name: 'offline.bin' }).waitFor({ timeout: 60_000 });
    await expectEqualBytes('offline.bin', sha256);

    const slow = await slowDown(page, megabyte);
    await choose(page, (await randomFile(folder, 'given-up.bin', 10 * megabyte)).path);
    await expect.poll(() => share(page), { timeout: 60_000 }).toBeGreaterThan(5);
    const ended = page.waitForRequest((request) => request.method() === 'DELETE');
    await tray(page).getByRole('button', { name: 'Cancel given-up.bin' }).click();
    await ended;
    await choose(page, (await randomFile(folder, 'closed.bin', 10 * megabyte)).path);
    await expect.poll(() => share(page), { timeout: 60_000 }).toBeGreaterThan(5);
    await tray(page).getByRole('button', { name: 'Collapse uploads' }).click();
    await tray(page).getByRole('progressbar').waitFor({ state: 'hidden' });
    await tray(page).getByRole('button', { name: 'Close uploads' }).click();
    await page.getByRole('dialog', { name: 'Stop 1 upload?' }).getByRole('button', { name: 'Stop and close' }).click();
    await tray(page).waitFor({ state: 'hidden' });
    await slow();
    expect((await names(company)).filter((name) => /given-up|closed/.test(name))).toEqual([]);
    await page.context().close();
  });

  test('in German, from right to left, and on a phone', async () => {
    const page = await enter(company, { viewport: { width: 390, height: 844 } });
    await drag(page, [{ name: 'wörter.txt', text: 'Wörter', type: 'text/plain' }], true);
    await tray(page).getByRole('link', { name: 'wörter.txt' }).waitFor();
    await page.evaluate(() => localStorage.setItem('strongroom.language', 'de'));
    await page.reload();
    await ready(page);
    await drag(page, [{ name: 'worte.txt', text: 'Worte', type: 'text/plain' }], true);
    await tray(page)
      .getByText(/Fertig/)
      .first()
      .waitFor();
    await picture(page, 'uploads-german');
    await page.evaluate(() => localStorage.setItem('strongroom.language', 'qps-rtl'));
    await page.reload();
    await page.getByRole('log').waitFor({ state: 'attached' });
    await drag(page, [{ name: 'left.txt', text: 'left', type: 'text/plain' }], true);
    await page.getByRole('link', { name: 'left.txt' }).waitFor();
    await picture(page, 'uploads-rtl');
    await page.context().close();
  });
});
