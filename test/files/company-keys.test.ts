/**
 * Keys of companies' own: asked for when a bucket is made, used for it and no other, kept sealed, taken back when it
 * goes. The server in memory says who asked; that a real one keeps them apart is in `s3-gateway.test.ts`.
 */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLoggerTo } from '../../src/kernel/log.ts';
import type { Config } from '../../src/kernel/settings.ts';
import { type FaultServer, startFaultServer } from '../s3/fault-server.ts';
import { startTestProgram, type TestCompany, type TestProgram } from '../support/program.ts';
import { call, uploadFile } from '../support/story.ts';
import { anyKeys } from './s3-under-test.ts';

const folder = mkdtempSync(join(tmpdir(), 'strongroom-keys-'));
const [calls, given, failing, script] = ['calls', 'given', 'failing', 'program'].map((name) => join(folder, name)) as [
  string,
  string,
  string,
  string,
];
const product = anyKeys();
const lines: string[] = [];
let storage: FaultServer;
let program: TestProgram;

/** Gives `key-1`, `key-2`, …; writes down what it was asked for and what it saw. */
const text = `#!/bin/sh
read -r input
echo "$1 $input" >> ${calls}
env | cut -d= -f1 | sort > ${join(folder, 'env')}
if [ -e ${failing} ]; then echo '{"access_key_id":"printed-before-it-failed"}'; exit 3; fi
[ "$1" = grant ] || exit 0
secret=$(od -An -tx1 -N20 /dev/urandom | tr -d ' \\n')
echo "$secret" >> ${given}
printf '{"access_key_id":"key-%s","secret_access_key":"%s"}' "$(wc -l < ${given} | tr -d ' ')" "$secret"
`;

function settings(overrides: Partial<Config> = {}): Partial<Config> {
  return {
    fileStore: 's3',
    s3Endpoint: storage.endpoint,
    s3AccessKeyId: product.accessKeyId,
    s3SecretAccessKey: product.secretAccessKey,
    s3KeysCommand: script,
    ...overrides,
  };
}

const calledWith = () =>
  (existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : []).map((line) => {
    const space = line.indexOf(' ');
    return { verb: line.slice(0, space), ...(JSON.parse(line.slice(space)) as { bucket: string }) };
  });

const rows = (of: TestProgram = program) =>
  of.program.kernel.control.read.selectFrom('storage_credentials').selectAll().execute();

async function purge(company: TestCompany): Promise<void> {
  const { token } = await program.operator();
  const path = `/api/companies/${company.id}?confirm=${company.slug}&purge=now`;
  expect((await call(program.url, 'DELETE', path, { token })).status).toBe(204);
}

beforeAll(async () => {
  writeFileSync(script, text);
  chmodSync(script, 0o700);
  storage = await startFaultServer();
  const log = createLoggerTo({ write: (line) => lines.push(line) }, { level: 'trace', format: 'json' }, false);
  program = await startTestProgram(settings(), { log });
});
afterAll(async () => {
  await program?.stop();
  await storage?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('a company with keys of its own', () => {
  let one: TestCompany;
  let two: TestCompany;

  test('gets them with its bucket, and they are kept sealed', async () => {
    one = await program.company('Key Works');
    expect(calledWith()).toEqual([{ verb: 'grant', bucket: one.bucket, prefix: null }]);
    const [row] = await rows();
    expect(row).toMatchObject({ bucket: one.bucket, tenant_id: one.id, access_key_id: 'key-1' });
    const secret = readFileSync(given, 'utf8').trim();
    expect(JSON.stringify(row)).not.toContain(secret);
    expect(lines.join('')).not.toContain(secret);
  });

  test('is reached with them alone, and no other bucket is', async () => {
    two = await program.company('Other Keys');
    storage.clear();
    for (const { admin } of [one, two]) {
      const { id } = await uploadFile(program.url, admin.token, 'a.txt', 'content');
      const answer = await call(program.url, 'GET', `/api/documents/${id}/download`, { token: admin.token });
      expect(answer.text).toBe('content');
      await call(program.url, 'DELETE', `/api/documents/${id}?purge=true`, { token: admin.token });
    }
    await program.program.kernel.settle();
    expect(storage.signersOf(one.bucket)).toEqual(['key-1']);
    expect(storage.signersOf(two.bucket)).toEqual(['key-2']);
  });

  test('is told of by doctor where its keys reach another bucket, and where they are refused', async () => {
    const { doctor } = program.program.kernel;
    // Nobody is kept apart by the server in memory.
    const open = await doctor.examine({ repair: false });
    const reaches = { problem: 'its keys reach the bucket of another company', repair: null, repaired: false };
    expect(open.map(({ subject, ...rest }) => [subject, rest]).toSorted()).toEqual(
      [one.id, two.id].toSorted().map((id) => [id, reaches]),
    );
    storage.plan({ on: 'HEAD object', fault: { kind: 'refuse', status: 403, code: 'AccessDenied' }, times: 1 });
    const only = [one.id] as never;
    const refused = await doctor.examine({ repair: true, only });
    expect(refused).toMatchObject([{ problem: 'the keys to the bucket are refused', repaired: true }]);
    expect(calledWith().slice(-2)).toEqual([
      { verb: 'revoke', bucket: one.bucket, prefix: null, access_key_id: 'key-1' },
      { verb: 'grant', bucket: one.bucket, prefix: null },
    ]);
    expect((await rows()).map((row) => row.access_key_id).sort()).toEqual(['key-2', 'key-3']);
    storage.clear();
    await uploadFile(program.url, one.admin.token, 'b.txt', 'with the new ones');
    expect(storage.signersOf(one.bucket)).toEqual(['key-3']);
  });

  test('takes them along when it goes', async () => {
    await purge(one);
    expect(calledWith().at(-1)).toEqual({
      verb: 'revoke',
      bucket: one.bucket,
      prefix: null,
      access_key_id: 'key-3',
    });
    expect((await rows()).map((row) => row.bucket)).toEqual([two.bucket]);
  });

  test('is not made without them, and goes on when the provider does', async () => {
    writeFileSync(failing, '');
    const { token } = await program.operator();
    const body = { name: 'Waiting Works', email: 'office@waiting.example' };
    const answer = await call<{ id: string }>(program.url, 'POST', '/api/companies', { token, body });
    expect(answer.status).toBe(202);
    expect(answer.text).not.toContain(folder);
    rmSync(failing);
    const path = `/api/companies/${answer.body.id}`;
    const status = async () => (await call(program.url, 'GET', path, { token })).body.status;
    await expect.poll(status, { timeout: 20_000, interval: 200 }).toBe('active');
    expect(await rows()).toHaveLength(2);
    expect(lines.join('')).not.toContain('printed-before-it-failed');
  });

  test('the program sees the settings of S3 and nothing else', () => {
    const seen = readFileSync(join(folder, 'env'), 'utf8').trim().split('\n');
    const usual = ['PATH', 'PWD', 'SHLVL', 'OLDPWD', '_'];
    expect(seen.filter((name) => !usual.includes(name))).toEqual([
      'AWS_ACCESS_KEY_ID',
      'AWS_ENDPOINT_URL_S3',
      'AWS_REGION',
      'AWS_SECRET_ACCESS_KEY',
    ]);
  });
});

test('a company made before there was a provider is found by doctor and given keys; they count after a restart', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'strongroom-keys-data-'));
  const own = settings({ dataDir, bucketPrefix: 'before', s3SharedBucket: 'for-all' });
  await fetch(`${storage.endpoint}/for-all`, { method: 'PUT' });
  const before = await startTestProgram({ ...own, s3KeysCommand: null });
  const company = await before.company('Early Works');
  await uploadFile(before.url, company.admin.token, 'a.txt', 'early');
  expect(await before.program.kernel.doctor.examine({ repair: false })).toEqual([]);
  await before.program.close();

  const later = await startTestProgram(own);
  const { doctor } = later.program.kernel;
  const problem = 'the bucket is reached with the keys of the product, not with its own';
  expect(await doctor.examine({ repair: false })).toMatchObject([{ subject: company.id, problem, repaired: false }]);
  expect(await doctor.examine({ repair: true })).toMatchObject([{ problem, repaired: true }]);
  expect(calledWith().at(-1)).toEqual({ verb: 'grant', bucket: 'for-all', prefix: `${company.bucket}/` });
  await later.program.close();

  const last = await startTestProgram({ ...own, s3KeysCommand: null });
  storage.clear();
  await uploadFile(last.url, company.admin.token, 'b.txt', 'late');
  const [row] = await rows(last);
  expect(storage.signersOf('for-all')).toEqual([row!.access_key_id]);
  expect(await last.program.kernel.doctor.examine({ repair: false })).toEqual([]);
  await last.stop();
});

describe('orphan buckets', () => {
  test.each([
    ['a bucket for each company', null],
    ['one bucket for all', 'all-of-them'],
  ])('are found by doctor and removed, and nothing else is: %s', async (_, s3SharedBucket) => {
    const bucketPrefix = s3SharedBucket === null ? 'orphans' : 'shared-orphans';
    if (s3SharedBucket !== null) await fetch(`${storage.endpoint}/${s3SharedBucket}`, { method: 'PUT' });
    const own = await startTestProgram(settings({ bucketPrefix, s3SharedBucket, s3KeysCommand: null }));
    const { kernel } = own.program;
    const company = await own.company('Living Works');
    const { id } = await uploadFile(own.url, company.admin.token, 'a.txt', 'alive');
    // 2020, and now.
    const old = `${bucketPrefix}-01dxf6dt00${'0'.repeat(16)}`;
    const young = kernel.files.bucketName(`${company.id.slice(0, -4)}0000` as never);
    const foreign = `${bucketPrefix}-backups`;
    for (const bucket of [old, young, foreign]) await kernel.files.createBucket(bucket);
    await kernel.files.open(old).put(Readable.from([Buffer.from('left behind')]));
    const found = { subject: old, problem: 'a bucket that belongs to no company', repair: 'remove it' };
    expect(await kernel.doctor.examine({ repair: false })).toEqual([{ ...found, repaired: false }]);
    expect(await kernel.doctor.examine({ repair: true })).toEqual([{ ...found, repaired: true }]);
    expect(await kernel.doctor.examine({ repair: false })).toEqual([]);
    expect(await kernel.files.bucketExists(old)).toBe(false);
    expect(await kernel.files.bucketExists(young)).toBe(true);
    expect(await kernel.files.bucketExists(foreign)).toBe(true);
    const { token } = company.admin;
    expect((await call(own.url, 'GET', `/api/documents/${id}/download`, { token })).text).toBe('alive');
    await own.stop();
  });
});
