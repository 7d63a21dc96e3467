/**
 * The S3 store on a real server: Ceph's gateway, started here. Besides the suite of all stores, what only a server that
 * knows users can show (one company's keys reach no other bucket), and the whole program on it over HTTP.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  DeletePublicAccessBlockCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StrongroomError } from '../../src/kernel/errors.ts';
import { createS3Client } from '../../src/kernel/files/s3-client.ts';
import { newId, type TenantId } from '../../src/kernel/ids.ts';
import { createLoggerTo } from '../../src/kernel/log.ts';
import type { Config } from '../../src/kernel/settings.ts';
import { startFaultServer } from '../s3/fault-server.ts';
import { type Gateway, gatewayInstalled, type Keys, startGateway } from '../s3/gateway.ts';
import { startTestProgram } from '../support/program.ts';
import { call, uploadFile } from '../support/story.ts';
import { openS3, s3Config, s3UnderTest } from './s3-under-test.ts';
import { bodyOf, bytesOf, fileStoreSuite } from './suite.ts';

const installed = gatewayInstalled();
if (!installed) {
  console.warn(
    'The gateway is not here (radosgw ceph-mon ceph-osd ceph-common): S3 is tried on a server in memory alone.',
  );
}

describe.skipIf(!installed)('a real server', () => {
  let gateway: Gateway;
  let product: Keys;
  beforeAll(async () => {
    gateway = await startGateway();
    product = await gateway.user('product');
  }, 120_000);
  afterAll(() => gateway?.stop());

  fileStoreSuite('S3 gateway, a bucket for each company', async () => {
    const server = await startFaultServer(gateway.endpoint);
    return s3UnderTest(server, s3Config(server.endpoint, product), server.stop);
  });

  fileStoreSuite('S3 gateway, one bucket for all', async () => {
    const server = await startFaultServer(gateway.endpoint);
    const config = s3Config(server.endpoint, product, { s3SharedBucket: 'one-for-all' });
    const client = createS3Client(config);
    await client.send(new CreateBucketCommand({ Bucket: 'one-for-all' }));
    client.destroy();
    return s3UnderTest(server, config, server.stop);
  });

  describe('keys', () => {
    /** Opens a bucket, and nothing else, to a user. */
    async function open(client: S3Client, bucket: string, user: string) {
      // This version takes every policy for a public one.
      await client.send(new DeletePublicAccessBlockCommand({ Bucket: bucket }));
      const Resource = [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`];
      const Statement = [
        { Effect: 'Allow', Principal: { AWS: [`arn:aws:iam:::user/${user}`] }, Action: 's3:*', Resource },
      ];
      await client.send(
        new PutBucketPolicyCommand({ Bucket: bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }),
      );
    }

    test('of a company do all of its work, reach no other bucket, and a refusal raises an alarm', async () => {
      const config = s3Config(gateway.endpoint, product);
      const owner = openS3(config);
      const [mine, other] = [owner.bucketName(newId('company')), owner.bucketName(newId('company'))];
      await Promise.all([owner.createBucket(mine), owner.createBucket(other)]);
      const foreign = await owner.open(other).put(bodyOf(Buffer.from('not yours')));
      const keys = await gateway.user('company-a', { mayMakeBuckets: false });
      const client = createS3Client(config);
      await open(client, mine, 'company-a');

      const lines: string[] = [];
      const log = createLoggerTo({ write: (line) => lines.push(line) }, { level: 'error', format: 'json' }, false);
      // Both buckets with the keys of the one: what a mistake, or a thief, would try.
      const company = openS3(config, { keysFor: () => keys, log });
      const store = company.open(mine);
      const object = await store.put(bodyOf(randomBytes(20_000_000)));
      expect(await store.size(object.key)).toBe(20_000_000);
      const upload = await store.partial(newId('upload'));
      await upload.append(0, bodyOf(Buffer.from('in parts')));
      const finished = await upload.finish();
      expect((await bytesOf(await store.get(finished.key))).toString()).toBe('in parts');
      await store.delete([object.key, finished.key]);
      expect(lines).toEqual([]);

      const wall = company.open(other);
      const refused = { kind: 'unavailable', code: 'storage_failed' };
      await expect(wall.get(foreign.key)).rejects.toMatchObject(refused);
      await expect(wall.size(foreign.key)).rejects.toMatchObject(refused);
      await expect(wall.put(bodyOf(Buffer.from('x')))).rejects.toMatchObject(refused);
      await expect(wall.put(bodyOf(randomBytes(20_000_000)))).rejects.toMatchObject(refused);
      await expect(wall.delete([foreign.key])).rejects.toMatchObject(refused);
      await expect(wall.keys()[Symbol.asyncIterator]().next()).rejects.toMatchObject(refused);
      await expect((await wall.partial(newId('upload'))).append(0, bodyOf(Buffer.from('x')))).rejects.toMatchObject(
        refused,
      );
      expect(lines.length).toBeGreaterThanOrEqual(7);
      for (const line of lines)
        expect(JSON.parse(line)).toMatchObject({ alarm: 'storage_access_denied', bucket: other });
      expect(lines.join('')).not.toContain(keys.secretAccessKey);
      expect(await owner.open(other).size(foreign.key)).toBe(9);
      await Promise.all([owner.deleteBucket(mine), owner.deleteBucket(other), company.close()]);
      client.destroy();
      await owner.close();
    });

    test('that are wrong say so in the log, and to the caller only that it does not work', async () => {
      const config = s3Config(gateway.endpoint, { ...product, secretAccessKey: randomBytes(20).toString('hex') });
      const stores = openS3(config);
      const check = await stores.check();
      expect(check).toMatchObject({ ok: false });
      expect(JSON.stringify(check)).not.toContain('127.0.0.1');
      await expect(stores.createBucket(stores.bucketName(newId('company')))).rejects.toMatchObject({
        kind: 'unavailable',
      });
      await stores.close();
    });

    test('nobody without keys reads anything, also where an object is made public', async () => {
      const config = s3Config(gateway.endpoint, product);
      const stores = openS3(config);
      const bucket = stores.bucketName(newId('company'));
      await stores.createBucket(bucket);
      const client = createS3Client(config);
      await client
        .send(new PutObjectCommand({ Bucket: bucket, Key: 'open', Body: 'x', ContentLength: 1, ACL: 'public-read' }))
        .catch(() => undefined);
      const answer = await fetch(`${gateway.endpoint}/${bucket}/open`);
      expect([403, 404]).toContain(answer.status);
      await answer.body?.cancel();
      await stores.deleteBucket(bucket);
      client.destroy();
      await stores.close();
    });
  });

  test('a quota that is used up is disk_full, and leaves nothing', async () => {
    const keys = await gateway.user('small');
    await gateway.admin('quota', 'set', '--quota-scope', 'user', '--uid', 'small', '--max-size', '1000000');
    await gateway.admin('quota', 'enable', '--quota-scope', 'user', '--uid', 'small');
    const stores = openS3(s3Config(gateway.endpoint, keys));
    const bucket = stores.bucketName(newId('company'));
    await stores.createBucket(bucket);
    // The gateway hangs up while the body is still on its way, so that its answer is lost now and then.
    const put = () => stores.open(bucket).put(bodyOf(randomBytes(3_000_000)));
    const refusal = () => put().catch((error: StrongroomError) => error.code);
    await expect.poll(refusal, { timeout: 20_000 }).toBe('disk_full');
    await stores.deleteBucket(bucket);
    expect(await stores.bucketExists(bucket)).toBe(false);
    await stores.close();
  });

  test('a bucket that somebody gave versions is removed with all of them', async () => {
    const config = s3Config(gateway.endpoint, product);
    const stores = openS3(config);
    const bucket = stores.bucketName(newId('company'));
    await stores.createBucket(bucket);
    const client = createS3Client(config);
    await client.send(
      new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: 'Enabled' } }),
    );
    const store = stores.open(bucket);
    const { key } = await store.put(bodyOf(Buffer.from('one')));
    await store.delete([key]);
    await store.put(bodyOf(Buffer.from('two')));
    await stores.deleteBucket(bucket);
    expect(await stores.bucketExists(bucket)).toBe(false);
    client.destroy();
    await stores.close();
  });

  test('an address for a download serves the object as told, and ends', async () => {
    const stores = openS3(s3Config(gateway.endpoint, product, { s3PresignedSeconds: 1 }));
    const bucket = stores.bucketName(newId('company'));
    await stores.createBucket(bucket);
    const store = stores.open(bucket);
    const { key } = await store.put(bodyOf(Buffer.from('<script>')));
    const as = { disposition: 'attachment; filename="a.html"', mediaType: 'application/octet-stream' };
    const address = (await store.downloadAddress?.(key, as)) ?? '';
    const answer = await fetch(address);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe('<script>');
    expect(answer.headers.get('content-disposition')).toBe(as.disposition);
    expect(answer.headers.get('content-type')).toBe(as.mediaType);
    expect((await fetch(address.replace(key, '0'.repeat(32)))).status).toBe(403);
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    expect((await fetch(address)).status).toBe(403);
    expect(await store.downloadAddress?.('../x', as)).toBeUndefined();
    await stores.deleteBucket(bucket);
    await stores.close();
  });

  test('companies get keys of their own, which reach no other company’s bucket, and lose them when they go', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'strongroom-keys-'));
    const script = join(folder, 'program');
    const words = [process.execPath, join(import.meta.dirname, '../s3/keys-program.ts'), gateway.configPath];
    writeFileSync(script, `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`, { mode: 0o700 });
    const { dataDir: _, ...overrides } = s3Config(gateway.endpoint, product, {
      bucketPrefix: 'own-keys',
      s3KeysCommand: script,
      s3PresignedSeconds: 60,
    });
    const program = await startTestProgram(overrides);
    try {
      const { kernel } = program.program;
      const [one, two] = [await program.company('Key Works'), await program.company('Other Keys')];
      const uploaded = await uploadFile(program.url, one.admin.token, 'a.txt', 'for one alone');
      const other = await uploadFile(program.url, two.admin.token, 'a.txt', 'for two alone');
      const download = `/api/documents/${uploaded.id}/download`;
      const redirect = await call(program.url, 'GET', download, { token: one.admin.token });
      expect(await (await fetch(redirect.headers.get('location')!)).text()).toBe('for one alone');
      // Each opens its own bucket alone, and doctor has tried that.
      expect(await kernel.doctor.examine({ repair: false })).toEqual([]);
      const row = await kernel.control.read
        .selectFrom('storage_credentials')
        .selectAll()
        .where('bucket', '=', one.bucket)
        .executeTakeFirstOrThrow();
      expect(redirect.headers.get('location')).toContain(row.access_key_id);
      const record = (await kernel.tenants.get(one.id as TenantId))!;
      const secrets = kernel.secrets.forTenant(record.id, record.wrappedKey);
      const keys = JSON.parse(secrets.open(`storage:${one.bucket}`, row.sealed)) as Keys;
      const client = createS3Client(overrides as Config, keys);
      const list = (Bucket: string) => client.send(new ListObjectsV2Command({ Bucket }));
      const { Contents = [] } = await list(one.bucket);
      expect(Contents).toHaveLength(1);
      await expect(list(two.bucket)).rejects.toMatchObject({ name: 'AccessDenied' });
      for await (const key of kernel.files.open(two.bucket).keys()) {
        const wanted = { Bucket: two.bucket, Key: `o/${key}` };
        await expect(client.send(new GetObjectCommand(wanted))).rejects.toMatchObject({ name: 'AccessDenied' });
      }
      expect(other.sha256).not.toBe(uploaded.sha256);

      const { token } = await program.operator();
      const path = `/api/companies/${one.id}?confirm=${one.slug}&purge=now`;
      expect((await call(program.url, 'DELETE', path, { token })).status).toBe(204);
      expect(await kernel.files.bucketExists(one.bucket)).toBe(false);
      await expect(gateway.admin('user', 'info', '--uid', `company-${one.bucket}`)).rejects.toThrow();
      client.destroy();
    } finally {
      await program.stop();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('the whole program: a document comes, is read in ranges and goes, and so does the company', async () => {
    const config = s3Config(gateway.endpoint, product, { bucketPrefix: 'story', objectGraceSeconds: 0 });
    const { dataDir: _, ...overrides } = config;
    const program = await startTestProgram(overrides);
    const client = createS3Client(config);
    try {
      const { admin, bucket, id, slug } = await program.company('Northern Mills');
      const objects = async () => {
        const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
        return Contents.map(({ Key }) => Key ?? '');
      };
      const bytes = randomBytes(12_000_000);
      const form = new FormData();
      form.append('file', new Blob([bytes]), 'mill.bin');
      const { token } = admin;
      const uploaded = await call<{ id: string; sha256: string }>(program.url, 'POST', '/api/documents/upload', {
        token,
        raw: form,
      });
      expect(uploaded.status).toBe(201);
      const keys = await objects();
      expect(keys).toHaveLength(1);
      const stored = await client.send(new GetObjectCommand({ Bucket: bucket, Key: keys[0]! }));
      expect(Buffer.from(await stored.Body!.transformToByteArray()).equals(bytes)).toBe(true);

      const path = `/api/documents/${uploaded.body.id}/download`;
      const authorization = `Bearer ${token}`;
      const whole = await fetch(program.url + path, { headers: { authorization } });
      expect(Buffer.from(await whole.arrayBuffer()).equals(bytes)).toBe(true);
      const range = await fetch(program.url + path, { headers: { authorization, range: 'bytes=9000000-9000999' } });
      expect(range.status).toBe(206);
      expect(Buffer.from(await range.arrayBuffer()).equals(bytes.subarray(9_000_000, 9_001_000))).toBe(true);

      const purged = await call(program.url, 'DELETE', `/api/documents/${uploaded.body.id}?purge=true`, { token });
      expect(purged.status).toBe(204);
      await program.program.kernel.settle();
      await expect.poll(objects).toEqual([]);

      const operator = await program.operator();
      const gone = await call(program.url, 'DELETE', `/api/companies/${id}?confirm=${slug}&purge=now`, {
        token: operator.token,
      });
      expect(gone.status).toBe(204);
      expect(await program.program.kernel.files.bucketExists(bucket)).toBe(false);
    } finally {
      client.destroy();
      await program.stop();
    }
  });
});
