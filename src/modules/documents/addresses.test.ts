/**
 * Downloads that S3 serves by itself: the address is given to those alone who would get the bytes, with the same row in
 * the audit trail, and shows the file under its name and never as something that a browser runs.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anyKeys } from '../../../test/files/s3-under-test.ts';
import { type FaultServer, startFaultServer } from '../../../test/s3/fault-server.ts';
import {
  startTestProgram,
  type TestCompany,
  type TestPerson,
  type TestProgram,
} from '../../../test/support/program.ts';
import { call, uploadFile } from '../../../test/support/story.ts';
import type { TenantId } from '../../kernel/ids.ts';
import { createLoggerTo } from '../../kernel/log.ts';
import type { Config } from '../../kernel/settings.ts';

let storage: FaultServer;
let program: TestProgram;
let company: TestCompany;
let owner: TestPerson;
const lines: string[] = [];

function onS3(overrides: Partial<Config> = {}): Partial<Config> {
  const { accessKeyId: s3AccessKeyId, secretAccessKey: s3SecretAccessKey } = anyKeys();
  return { fileStore: 's3', s3Endpoint: storage.endpoint, s3AccessKeyId, s3SecretAccessKey, ...overrides };
}

beforeAll(async () => {
  storage = await startFaultServer();
  const log = createLoggerTo({ write: (line) => lines.push(line) }, { level: 'trace', format: 'json' }, false);
  program = await startTestProgram(onS3({ s3PresignedSeconds: 30 }), { log });
  company = await program.company('Address Works');
  owner = await program.person(company.admin, 'employee');
});
afterAll(async () => {
  await program?.stop();
  await storage?.stop();
});

const pathOf = (id: string) => `/api/documents/${id}/download`;

function get(token: string | null, path: string, headers: Record<string, string> = {}) {
  return call(program.url, 'GET', path, { token, headers });
}

async function downloads(): Promise<string[]> {
  const { kernel } = program.program;
  const tenant = await kernel.tenants.open(company.id as TenantId, { kind: 'system' });
  const { items } = await kernel.audit.list(tenant, { limit: 200 });
  return items.filter((row) => row.action === 'document.downloaded').map((row) => `${row.actor} ${row.target}`);
}

describe('with addresses of S3 itself', () => {
  test('a download is a redirect to bytes that need no token, named as they would be here', async () => {
    const { id } = await uploadFile(program.url, owner.token, 'Übersicht.txt', 'content of one');
    const before = await downloads();
    const answer = await get(owner.token, pathOf(id));
    expect(answer.status).toBe(302);
    expect(answer.text).toBe('');
    expect(answer.headers.get('cache-control')).toBe('private, no-store');
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    const address = new URL(answer.headers.get('location')!);
    expect(address.origin).toBe(storage.endpoint);
    expect(address.searchParams.get('X-Amz-Expires')).toBe('30');
    const served = await fetch(address);
    expect(await served.text()).toBe('content of one');
    expect(served.headers.get('content-type')).toBe('text/plain');
    expect(served.headers.get('cache-control')).toBe('private, no-store');
    const head = await call(program.url, 'HEAD', pathOf(id), { token: owner.token });
    expect(head.status).toBe(200);
    expect(served.headers.get('content-disposition')).toBe(head.headers.get('content-disposition'));
    const part = await fetch(address, { headers: { range: 'bytes=0-6' } });
    expect([part.status, await part.text()]).toEqual([206, 'content']);
    expect(await downloads()).toEqual([`user:${owner.id} ${id}`, ...before]);
    // A typed client follows, and the sign-in stays behind.
    const followed = await owner.client.open('downloadDocument', { params: { id } });
    expect(await followed.text()).toBe('content of one');
  });

  test('nobody gets one who would not get the bytes', async () => {
    const { id } = await uploadFile(program.url, owner.token, 'private.txt', 'for its owner');
    const elsewhere = await program.company('Other Works');
    const colleague = await program.person(company.admin, 'employee');
    const operator = await program.operator();
    const before = await downloads();
    storage.clear();
    const refused: [number, string | null][] = [
      [401, null],
      [401, 'not.a.token'],
      [403, operator.token],
      [404, elsewhere.admin.token],
      [404, colleague.token],
    ];
    for (const [status, token] of refused) {
      const answer = await get(token, pathOf(id));
      expect([answer.status, answer.headers.get('location')]).toEqual([status, null]);
      expect(answer.text).not.toContain(storage.endpoint);
    }
    // Nothing was asked of the storage, and nothing was written down as read.
    expect(storage.seen).toEqual([]);
    expect(await downloads()).toEqual(before);
    const admin = await get(company.admin.token, pathOf(id));
    expect(admin.status).toBe(302);
    await company.admin.client.documents.deleteDocument({ params: { id }, query: { purge: 'true' } });
    const gone = await get(owner.token, pathOf(id));
    expect([gone.status, gone.headers.get('location')]).toEqual([404, null]);
  });

  test('conditions, versions and damage are answered as without', async () => {
    const { id } = await uploadFile(program.url, owner.token, 'a.txt', 'first');
    const etag = (await call(program.url, 'HEAD', pathOf(id), { token: owner.token })).headers.get('etag')!;
    expect((await get(owner.token, pathOf(id), { 'if-none-match': etag })).status).toBe(304);
    expect((await get(owner.token, pathOf(id), { 'if-match': '"other"' })).status).toBe(412);
    expect((await get(owner.token, pathOf(id), { range: 'bytes=9-' })).status).toBe(416);
    expect((await get(owner.token, pathOf(id), { range: 'bytes=1-2' })).status).toBe(302);
    expect((await get(owner.token, `${pathOf(id)}?version=2`)).status).toBe(404);
    const { kernel } = program.program;
    const files = kernel.files.open(company.bucket);
    const keys: string[] = [];
    for await (const key of files.keys()) keys.push(key);
    await files.delete(keys);
    const damaged = await get(owner.token, pathOf(id));
    expect([damaged.status, damaged.body.code, damaged.headers.get('location')]).toEqual([503, 'object_damaged', null]);
  });

  test.each([
    ['page.html', '<!doctype html><script>alert(1)</script>', 'application/octet-stream'],
    ['drawing.svg', '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', 'application/octet-stream'],
    ['data.xml', '<?xml version="1.0"?><a/>', 'application/octet-stream'],
    ['code.js', 'alert(1)', 'text/plain'],
    ['paper.pdf', '%PDF-1.7\n', 'application/pdf'],
  ])('%s is never shown as what a browser runs', async (name, content, type) => {
    const { id } = await uploadFile(program.url, owner.token, name, content);
    const served = await fetch((await get(owner.token, pathOf(id))).headers.get('location')!);
    expect(served.headers.get('content-type')).toBe(type);
    expect(served.headers.get('content-disposition')).toMatch(/^attachment; /);
    await served.body?.cancel();
  });

  test('the log holds no address', () => {
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join('')).not.toMatch(/X-Amz-Signature/i);
  });
});

test('without the setting the bytes pass through the server', async () => {
  const plain = await startTestProgram(onS3({ bucketPrefix: 'plain' }));
  const { admin } = await plain.company('Plain Works');
  const { id } = await uploadFile(plain.url, admin.token, 'a.txt', 'hello');
  const answer = await call(plain.url, 'GET', pathOf(id), { token: admin.token });
  expect([answer.status, answer.text, answer.headers.get('location')]).toEqual([200, 'hello', null]);
  await plain.stop();
});
