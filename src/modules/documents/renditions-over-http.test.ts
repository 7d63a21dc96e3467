import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startProcess } from '../../../test/support/process.ts';
import { startTestProgram, type TestPerson } from '../../../test/support/program.ts';
import { call, newCompany, setUpOperator, uploadFile } from '../../../test/support/story.ts';
import { pdfOf } from './renditions/testing.ts';

// What is shown is made at a low priority: beside busy processes it takes its time.
vi.setConfig({ testTimeout: 120_000 });

interface AnyBody {
  readonly code: string;
  readonly reason: string;
}
type Ask = (path: string, headers?: Record<string, string>) => ReturnType<typeof call<AnyBody>>;

/** Asks until it is there. */
async function shown(ask: Ask, path: string) {
  for (let tries = 0; tries < 900; tries += 1) {
    const answer = await ask(path);
    if (answer.status !== 202) return answer;
    expect(answer.headers.get('retry-after')).toBe('2');
    expect(answer.body).toEqual({ status: 'pending' });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${path} was not there in 90 s`);
}

it('shows documents inert, to those who may read them, with a ticket where a browser fetches by itself', async () => {
  const test = await startTestProgram();
  onTestFinished(() => test.stop());
  const company = await test.company('Shown');
  const [person, colleague] = [
    await test.person(company.admin, 'employee'),
    await test.person(company.admin, 'employee'),
  ];
  const as =
    (who: TestPerson): Ask =>
    (path, headers = {}) =>
      call(test.url, 'GET', path, { token: who.token, headers });
  const ask = as(person);
  const { id } = await uploadFile(test.url, person.token, 'plan.pdf', pdfOf(['one', 'two']));
  const path = `/api/documents/${id}`;

  const preview = await shown(ask, `${path}/preview`);
  expect(preview.status).toBe(200);
  expect(Object.fromEntries(preview.headers)).toMatchObject({
    'content-type': 'image/webp',
    'content-disposition': 'inline',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
    'cache-control': 'private, no-store',
    'cross-origin-resource-policy': 'same-origin',
    'strongroom-kind': 'pdf',
    'strongroom-pages': '2',
    'strongroom-pages-shown': '2',
  });
  const head = await call(test.url, 'HEAD', `${path}/preview`, { token: person.token });
  expect([head.status, head.headers.get('content-length')]).toEqual([200, preview.headers.get('content-length')]);
  expect((await ask(`${path}/preview`, { 'if-none-match': preview.headers.get('etag')! })).status).toBe(304);
  expect((await ask(`${path}/preview?page=2`)).status).toBe(200);
  expect((await ask(`${path}/preview?page=3`)).status).toBe(404);
  for (const query of ['page=0', 'page=x', 'page=1.5', 'page=', 'size=1']) {
    expect((await ask(`${path}/preview?${query}`)).status, query).toBe(422);
  }
  const text = await ask(`${path}/text?version=1`);
  expect([text.headers.get('content-type'), text.text]).toEqual(['text/plain; charset=utf-8', 'one\ftwo']);
  for (const version of ['2', '0', 'x']) expect((await ask(`${path}/text?version=${version}`)).status).toBe(404);

  for (const what of ['preview', 'thumbnail', 'text']) {
    const hidden = await as(colleague)(`${path}/${what}`);
    const unknown = await as(colleague)(`/api/documents/doc_00000000000000000000000000/${what}`);
    expect([hidden.status, hidden.body.code]).toEqual([404, 'not_found']);
    expect({ ...hidden.body, instance: '' }).toEqual({ ...unknown.body, instance: '' });
    expect((await call(test.url, 'GET', `${path}/${what}`)).status).toBe(401);
  }
  const html = await uploadFile(test.url, person.token, 'page.html', '<script>alert(1)</script>');
  const source = await shown(ask, `/api/documents/${html.id}/preview`);
  expect([source.headers.get('content-type'), source.text]).toEqual([
    'text/plain; charset=utf-8',
    '<script>alert(1)</script>',
  ]);
  const none = await ask(`/api/documents/${html.id}/thumbnail`);
  expect([none.status, none.body.code]).toEqual([404, 'preview_unsupported']);
  const broken = await uploadFile(test.url, person.token, 'broken.pdf', '%PDF-1.7 nonsense');
  const failed = await shown(ask, `/api/documents/${broken.id}/preview`);
  expect([failed.status, failed.body.code, failed.body.reason]).toEqual([404, 'preview_failed', 'unreadable']);

  for (const what of ['preview', 'thumbnail']) {
    const body = { path: `${path}/${what}` };
    const ticket = await call(test.url, 'POST', '/api/auth/ticket', { token: person.token, body });
    const cookie = ticket.headers.get('set-cookie')!.split(';')[0]!;
    const own = { headers: { cookie, 'sec-fetch-site': 'same-origin' } };
    expect((await call(test.url, 'GET', `${path}/${what}`, own)).status, what).toBe(200);
    expect((await call(test.url, 'GET', `${path}/text`, own)).status).toBe(401);
    expect(
      (await call(test.url, 'GET', `${path}/${what}`, { headers: { cookie, 'sec-fetch-site': 'cross-site' } })).status,
    ).toBe(401);
  }
}, 120_000);

it('a server that is killed before it has made them makes them when it is back, and leaves no process behind', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'strongroom-test-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const server = await startProcess(dataDir);
  const operator = await setUpOperator(server.url, server.setupToken!);
  const { admin } = await newCompany(server.url, operator.access_token, 'Killed');
  const { id } = await uploadFile(server.url, admin.token, 'plan.pdf', pdfOf(['survived']));
  let worker: number | undefined;
  for (let looks = 0; worker === undefined && looks < 2_000; looks += 1) {
    worker = childrenOf(server.pid).find((pid) => commandOf(pid).includes('renditions/program.ts'));
    if (worker === undefined) await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await server.kill();
  expect(worker).toBeDefined();
  for (let looks = 0; commandOf(worker!).includes('renditions') && looks < 2_000; looks += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(commandOf(worker!)).not.toContain('renditions');
  const again = await startProcess(dataDir);
  onTestFinished(() => again.kill());
  const text = await shown((path) => call(again.url, 'GET', path, { token: admin.token }), `/api/documents/${id}/text`);
  expect(text.text).toBe('survived');
  await again.stop();
}, 180_000);

function childrenOf(pid: number): number[] {
  const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return list === '' ? [] : list.split(' ').map(Number);
}

/** Empty for a process that is not there, or has ended. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
