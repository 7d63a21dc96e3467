/**
 * The real server with the built app, and a browser in which people of each role sign in. Whatever a page asks of
 * another origin, or breaks, is noted: `quiet()` fails a test that saw any of it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { type RunningProcess, type StartOptions, startProcess } from '../../support/process.ts';
import { password } from '../../support/story.ts';
import { findChromium } from './chromium.ts';

export const executablePath = findChromium();

export interface Noted {
  /** Addresses of other origins that a page asked for. */
  readonly elsewhere: string[];
  /** Errors that reached the console or the window, without refused requests, which pages show themselves. */
  readonly errors: string[];
}

export interface App {
  readonly url: string;
  /** The process that runs now. */
  server: RunningProcess;
  readonly browser: Browser;
  readonly noted: Noted;
  /** A person at a computer of his own. */
  visitor(options?: Parameters<Browser['newContext']>[0]): Promise<Page>;
  /** A person who signs in by the form. */
  signedIn(username: string, options?: Parameters<Browser['newContext']>[0]): Promise<Page>;
  /** Nothing left the origin, nothing broke. */
  quiet(): void;
  /** Starts the server again, under the same address and on the same data, after `server.kill()` or `server.stop()`. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * @param env settings of the server
 * @param how another program than the command, as `startProcess` knows it
 */
export async function startApp(
  env: Readonly<Record<string, string>> = {},
  how: Pick<StartOptions, 'script'> = {},
): Promise<App> {
  const dataDir = await mkdtemp(join(tmpdir(), 'strongroom-browser-'));
  const settings = { STRONGROOM_LOG_LEVEL: 'warn', ...env };
  const server = await startProcess(dataDir, { ...how, env: settings });
  const browser = await chromium.launch({
    executablePath: executablePath!,
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--font-render-hinting=none'],
  });
  const noted: Noted = { elsewhere: [], errors: [] };
  const visitor: App['visitor'] = async (options = {}) => {
    const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1280, height: 800 }, ...options });
    watch(context, server.url, noted);
    return await context.newPage();
  };
  const app: App = {
    url: server.url,
    server,
    browser,
    noted,
    visitor,
    async signedIn(username, options) {
      const page = await visitor(options);
      await signIn(page, server.url, username);
      return page;
    },
    quiet() {
      expect(noted).toEqual({ elsewhere: [], errors: [] });
    },
    async restart() {
      app.server = await startProcess(dataDir, { ...how, env: { ...settings, PORT: new URL(server.url).port } });
    },
    async stop() {
      await browser.close();
      await app.server.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  return app;
}

function watch(context: BrowserContext, url: string, noted: Noted): void {
  context.setDefaultTimeout(30_000);
  // Listened to from the beginning: a window for files that opens before somebody listens is closed by the browser at once.
  context.on('page', (page) => page.on('filechooser', () => {}));
  context.on('request', (request) => {
    const address = request.url();
    if (!address.startsWith(url) && !/^(data|blob|about):/.test(address)) noted.elsewhere.push(address);
  });
  context.on('weberror', (error) => noted.errors.push(String(error.error())));
  context.on('console', (message) => {
    if (message.type() !== 'error') return;
    // Chromium writes a line for every answer of 4xx and for a server that is away; pages say those themselves.
    if (/Failed to load resource/.test(message.text())) return;
    noted.errors.push(message.text());
  });
}

/** By the form, as a person does. */
export async function signIn(page: Page, url: string, username: string, secret = password): Promise<void> {
  if (!page.url().includes('/sign-in')) await page.goto(`${url}/sign-in`);
  await page.getByLabel('User name or e-mail address').fill(username);
  await page.getByLabel('Password', { exact: true }).fill(secret);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL((address) => !address.pathname.startsWith('/sign-in'));
  await page.getByRole('heading', { level: 1, name: 'Sign in' }).waitFor({ state: 'hidden' });
  await page.getByRole('heading', { level: 1 }).waitFor();
}
