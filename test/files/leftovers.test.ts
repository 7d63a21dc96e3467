/**
 * D2, D6, P7: a real process killed between the rename of an object and the commit of its row, with another upload half
 * way. What they left goes by itself after the grace, and nothing else does; nobody asks for it, not even by signing in.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, expect, test } from 'vitest';
import { hour } from '../../src/kernel/clock.ts';
import { type RunningProcess, startProcess } from '../support/process.ts';
import { call, expectCall, fileForm, newCompany, setUpOperator, uploadFile } from '../support/story.ts';

const folder = mkdtempSync(join(tmpdir(), 'strongroom-leftovers-'));
const env = { STRONGROOM_OBJECT_GRACE_SECONDS: '1', TEST_FAILPOINTS: 'upload.stored=exit' };
let server: RunningProcess | undefined;

afterAll(async () => {
  await server?.kill();
  rmSync(folder, { recursive: true, force: true });
});

/** When the control database says that a company is due. */
function nextVisit(): number {
  const control = new DatabaseSync(join(folder, 'control.db'), { readOnly: true });
  const row = control.prepare('select min(due_at) as due_at from tenant_work').get() as { due_at: string };
  control.close();
  return Date.parse(row.due_at);
}

const tus = { 'tus-resumable': '1.0.0' };

/** Begins an upload and sends no more than its beginning. */
function beginUpload(url: string, token: string): void {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'multipart/form-data; boundary=edge' };
  const sending = request(`${url}/api/documents/upload`, { method: 'POST', headers });
  sending.on('error', () => {});
  sending.write('--edge\r\ncontent-disposition: form-data; name="file"; filename="half.bin"\r\n\r\n');
  sending.write(Buffer.alloc(1_000_000));
}

test('what a killed process left of uploads goes by itself, and nothing else', { timeout: 120_000 }, async () => {
  server = await startProcess(folder, { env });
  const operator = await setUpOperator(server.url, server.setupToken!);
  const { admin, bucket } = await newCompany(server.url, operator.access_token, 'North Works');
  const { token } = admin;
  const kept = await uploadFile(server.url, token, 'kept.txt', 'kept');
  const begun = await call(server.url, 'POST', '/api/uploads', {
    token,
    headers: { ...tus, 'upload-length': '10', 'upload-metadata': `filename ${btoa('parts.txt')}` },
  });
  const part = begun.headers.get('location')!;
  const append = (offset: string, raw: string) =>
    call(server!.url, 'PATCH', part, {
      token,
      raw,
      headers: { ...tus, 'upload-offset': offset, 'content-type': 'application/offset+octet-stream' },
    });
  expect((await append('0', 'parts')).status).toBe(204);
  // Until whatever is due is done, and the work index knows of nothing for hours.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect(await server.stop()).toBe(0);
  expect(nextVisit() - Date.now()).toBeGreaterThan(hour);

  const files = () =>
    readdirSync(join(folder, 'buckets', bucket), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => ({ name: entry.name, temporary: entry.parentPath.endsWith('tmp') }));
  const before = files();
  expect(before).toHaveLength(2);

  server = await startProcess(folder, { env, script: 'test/support/armed-program.ts' });
  beginUpload(server.url, token);
  await expect.poll(() => files().length, { timeout: 10_000 }).toBe(3);
  server.child.kill('SIGUSR2');
  const dying = call(server.url, 'POST', '/api/documents/upload', { token, raw: fileForm('lost.txt', 'lost') });
  await expect(dying).rejects.toThrow('fetch failed');
  await server.kill();
  expect(files().filter(({ temporary }) => temporary)).toHaveLength(2);
  expect(files().filter(({ temporary }) => !temporary)).toHaveLength(2);

  server = await startProcess(folder, { env });
  await expect.poll(files, { timeout: 10_000 }).toEqual(before);
  expect((await call(server.url, 'GET', `/api/documents/${kept.id}/download`, { token })).text).toBe('kept');
  expect((await append('5', 'parts')).headers.get('strongroom-document')).toMatch(/^doc_/);
  const { items } = await expectCall<{ items: unknown[] }>(200, server.url, 'GET', '/api/documents', { token });
  expect(items).toHaveLength(2);
});
