/** What a first visit loads: little enough, and from this origin alone. */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

  /** Bytes of the scripts that a page loads until it rests, each compressed with gzip. */
  async function scripts(page: Awaited<ReturnType<App['visitor']>>, path: string): Promise<number> {
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
    return bodies.reduce((sum, body) => sum + gzipSync(body).length, 0);
  }

  test('signing in, and the first page of each area of work, stay within the budget', async () => {
    expect(there.company.id).toMatch(/^comp_/);
    const visitor = await app.visitor();
    const sizes: Record<string, number> = { 'sign-in': await scripts(visitor, '/sign-in') };
    await visitor.context().close();
    for (const role of ['operator', 'hr_admin'] as const) {
      const page = await app.signedIn(people[role]);
      sizes[role] = await scripts(page, '/');
      await page.context().close();
    }
    const inKilobytes = Object.entries(sizes).map(([name, size]) => `${name} ${Math.round(size / 1_024)} KB`);
    console.log(`JavaScript of the first page, gzip: ${inKilobytes.join(', ')}`);
    for (const [name, size] of Object.entries(sizes)) expect(size, name).toBeLessThanOrEqual(budgetBytes);
    app.quiet();
  });
});
