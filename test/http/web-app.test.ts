/** How the built web app is served: what is kept and what is not, what a navigation gets, and that the API stays itself. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestProgram, type TestProgram } from '../support/program.ts';

const script = `console.log('${'app '.repeat(600)}');`;
const html = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

async function get(url: string, headers: Record<string, string> = {}, method = 'GET') {
  const answer = await fetch(url, { headers, method });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}

describe('the built app', () => {
  let folder: string;
  let running: TestProgram;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'strongroom-app-'));
    mkdirSync(join(folder, 'assets'));
    mkdirSync(join(folder, '.vite'));
    writeFileSync(
      join(folder, 'index.html'),
      '<!doctype html><script nonce="__NONCE__" src="/assets/a-1.js"></script>',
    );
    writeFileSync(join(folder, 'assets/a-1.js'), script);
    writeFileSync(join(folder, 'assets/a-1.js.br'), brotliCompressSync(script));
    writeFileSync(join(folder, 'assets/a-1.js.gz'), gzipSync(script));
    writeFileSync(join(folder, 'strongroom.svg'), '<svg/>');
    writeFileSync(join(folder, '.vite/manifest.json'), '{}');
    running = await startTestProgram({}, { webAppFolder: folder });
  });
  afterAll(async () => {
    await running?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const at = (path: string, headers?: Record<string, string>, method?: string) =>
    get(running.url + path, headers, method);

  test.each(['/', '/sign-in', '/documents/doc_1?sort=name', '/setup?token=x', '/invitation/abc.def', '/operator/a/b'])(
    'a navigation to %s gets the page, which nobody keeps',
    async (path) => {
      const page = await at(path, html);
      expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
      expect(page.headers.get('cache-control')).toBe('no-store');
      expect(page.headers.get('x-request-id')).toMatch(/^\S{8,}$/);
      const head = await at(path, html, 'HEAD');
      expect([head.status, head.text]).toEqual([200, '']);
    },
  );

  test('each page has a nonce of its own, and a policy that allows nothing else', async () => {
    const pages = [await at('/', html), await at('/', html), await at('/documents', html)];
    const nonces = pages.map(({ text }) => /nonce="([\w-]{20,})"/.exec(text)?.[1]);
    expect(new Set(nonces).size).toBe(3);
    pages.forEach(({ headers }, index) => {
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy).toContain(`script-src 'self' 'nonce-${nonces[index]}'`);
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|\*|https?:/);
    });
  });

  test('files with a digest in their name are kept for ever, in the best coding that is taken', async () => {
    for (const [accepted, coding] of [
      ['gzip, deflate, br', 'br'],
      ['gzip;q=1.0, br;q=0', 'gzip'],
      ['identity', null],
    ] as const) {
      const file = await at('/assets/a-1.js', { 'accept-encoding': accepted });
      expect([file.status, file.text, file.headers.get('content-encoding')]).toEqual([200, script, coding]);
      expect(file.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(file.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
      expect(file.headers.get('x-content-type-options')).toBe('nosniff');
      expect(file.headers.get('vary')).toContain('accept-encoding');
    }
    expect((await at('/strongroom.svg')).headers.get('cache-control')).toBe('public, max-age=3600');
    expect((await at('/assets/a-1.js', {}, 'HEAD')).text).toBe('');
  });

  test.each([
    '/api',
    '/api/nowhere',
    '/api/v1/nowhere',
    '/assets/gone-2.js',
    '/assets/a-1.js.br',
    '/docs/nowhere',
    '/metrics/x',
  ])('%s is not taken for an address of the app', async (path) => {
    const answer = await at(path, html);
    expect(answer.status).toBe(404);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  });

  test('only files of the app have an address', async () => {
    for (const path of [
      '/.vite/manifest.json',
      '/index.html',
      '/assets/..%2f..%2fpackage.json',
      '/assets/%2e%2e/index.html',
    ]) {
      expect(await at(path), path).toMatchObject({ status: 404 });
    }
  });

  test('who does not ask for a page gets a problem document, other methods and known paths stay as they were', async () => {
    expect(await at('/documents')).toMatchObject({ status: 404 });
    expect(await at('/documents', { accept: 'application/json' })).toMatchObject({ status: 404 });
    expect(await at('/documents', html, 'POST')).toMatchObject({ status: 404 });
    expect(await at('/setup', html, 'POST')).toMatchObject({ status: 405 });
    expect((await at('/openapi.json', html)).headers.get('content-type')).toMatch(/json/);
    expect((await at('/health', html)).text).toBe('{"status":"ok"}');
    expect((await at('/docs', html)).text).toContain('Strongroom API');
  });

  test('addresses of the app are one route in the metrics', async () => {
    await at('/documents/doc_secret', html);
    const { text } = await at('/metrics');
    expect(text).toContain('route="(app)"');
    expect(text).not.toContain('doc_secret');
  });
});

test('without a build one page says so, and the API is there', async () => {
  const empty = mkdtempSync(join(tmpdir(), 'strongroom-no-app-'));
  const running = await startTestProgram({}, { webAppFolder: empty });
  try {
    for (const path of ['/', '/sign-in', '/setup?token=x']) {
      const page = await get(running.url + path, html);
      expect([page.status, page.text]).toEqual([200, expect.stringContaining('The web app is not built')]);
      expect(page.text).toContain('npm run build:web');
    }
    expect((await get(`${running.url}/api/health`)).status).toBe(200);
  } finally {
    await running.stop();
    rmSync(empty, { recursive: true, force: true });
  }
});
