/** What a first visit loads: little enough, and from this origin alone. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root } from '../support/process.ts';
import { type App, executablePath, startApp } from './support/app.ts';
import { type Peopled, people, peopled } from './support/people.ts';

/** Of JavaScript, compressed, for the page that index.html and the first route make. */
const budgetBytes = 350 * 1_024;

describe.skipIf(executablePath === undefined)('the first page', () => {
  let app: App;
  let there: Peopled;
  beforeAll(async () => {
    app = await startApp();
    there = await peopled(app);
  });
  afterAll(() => app?.stop());

  /** What a page loads until it rests: bytes of its scripts, each compressed with gzip, and their names. */
  async function scripts(
    page: Awaited<ReturnType<App['visitor']>>,
    path: string,
  ): Promise<{ bytes: number; names: readonly string[] }> {
    const loaded = new Set<string>();
    page.on('response', (answer) => {
      if (new URL(answer.url()).pathname.endsWith('.js')) loaded.add(answer.url());
    });
    await page.goto(app.url + path, { waitUntil: 'networkidle' });
    await page.getByRole('heading', { level: 1 }).waitFor();
    expect(loaded.size).toBeGreaterThan(1);
    const bodies = await Promise.all(
      [...loaded].map(async (url) => new Uint8Array(await (await fetch(url)).arrayBuffer())),
    );
    const names = [...loaded].map((url) => new URL(url).pathname.slice(1));
    return { bytes: bodies.reduce((sum, body) => sum + gzipSync(body).length, 0), names };
  }

  /** The built files of sources that are to be loaded on use. */
  function built(...sources: string[]): string[] {
    const text = readFileSync(join(root, 'web/dist/.vite/manifest.json'), 'utf8');
    const manifest = JSON.parse(text) as Record<string, { file: string }>;
    return sources.map((source) => manifest[source]!.file);
  }

  test('signing in, and the first page of each area of work, stay within the budget', async () => {
    expect(there.company.id).toMatch(/^comp_/);
    const visitor = await app.visitor();
    const signIn = await scripts(visitor, '/sign-in');
    const sizes: Record<string, number> = { 'sign-in': signIn.bytes };
    const names: Record<string, readonly string[]> = { 'sign-in': signIn.names };
    await visitor.context().close();
    for (const role of ['operator', 'hr_admin'] as const) {
      const page = await app.signedIn(people[role]);
      const loaded = await scripts(page, '/');
      sizes[role] = loaded.bytes;
      names[role] = loaded.names;
      await page.context().close();
    }
    const inKilobytes = Object.entries(sizes).map(([name, size]) => `${name} ${Math.round(size / 1_024)} KB`);
    console.log(`JavaScript of the first page, gzip: ${inKilobytes.join(', ')}`);
    for (const [name, size] of Object.entries(sizes)) expect(size, name).toBeLessThanOrEqual(budgetBytes);
    const charts = built('src/fleet/charts.tsx');
    const viewers = built(
      'src/documents/one/preview/pages-viewer.tsx',
      'src/documents/one/preview/text-viewer.tsx',
      'src/documents/one/document-page.tsx',
    );
    for (const [name, files] of Object.entries(names)) {
      expect(
        files.filter((file) => viewers.includes(file)),
        name,
      ).toEqual([]);
      // The operator's first page is the one that draws them.
      expect(
        files.filter((file) => charts.includes(file)),
        name,
      ).toEqual(name === 'operator' ? charts : []);
    }
    app.quiet();
  });
});
