/** The S3 store on a server in memory: the suite of all stores, with a bucket for each company and with one for all. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FileStores } from '../../src/kernel/files/file-store.ts';
import { createS3Client } from '../../src/kernel/files/s3-client.ts';
import { newId } from '../../src/kernel/ids.ts';
import type { Config } from '../../src/kernel/settings.ts';
import { type FaultServer, startFaultServer } from '../s3/fault-server.ts';
import { anyKeys, openS3, s3Config, s3UnderTest } from './s3-under-test.ts';
import { bodyOf, fileStoreSuite } from './suite.ts';

fileStoreSuite('S3 in memory, a bucket for each company', async () => {
  const server = await startFaultServer();
  return s3UnderTest(server, s3Config(server.endpoint, anyKeys()), server.stop);
});

fileStoreSuite('S3 in memory, one bucket for all', async () => {
  const server = await startFaultServer();
  const config = s3Config(server.endpoint, anyKeys(), { s3SharedBucket: 'shared' });
  const client = createS3Client(config);
  await client.send(new CreateBucketCommand({ Bucket: 'shared' }));
  client.destroy();
  return s3UnderTest(server, config, server.stop);
});

describe('one bucket for all', () => {
  let server: FaultServer;
  let stores: FileStores;
  let config: Config;
  beforeAll(async () => {
    server = await startFaultServer();
    config = s3Config(server.endpoint, anyKeys(), { s3SharedBucket: 'shared' });
    stores = openS3(config);
  });
  afterAll(async () => {
    await stores.close();
    await server.stop();
  });
  const listed = async () => {
    const names = [];
    for await (const name of stores.listBuckets()) names.push(name);
    return names;
  };

  test('is asked for by the check, and says that it is missing', async () => {
    expect(await stores.check()).toEqual({ ok: false, reason: 'The place where files are kept is not there.' });
    const client = createS3Client(config);
    await client.send(new CreateBucketCommand({ Bucket: 'shared' }));
    client.destroy();
    expect(await stores.check()).toEqual({ ok: true });
  });

  test('an upload that ends when its company is gone is taken back, small, large and in parts', async () => {
    const bucket = stores.bucketName(newId('company'));
    await stores.createBucket(bucket);
    const store = stores.open(bucket);
    const upload = await store.partial(newId('upload'));
    const bodies = Array.from({ length: 3 }, () => new Readable({ read() {} }));
    const work = [store.put(bodies[0]!), store.put(bodies[1]!), upload.append(0, bodies[2]!)];
    bodies[0]!.push(randomBytes(1_000));
    bodies[1]!.push(randomBytes(12_000_000));
    bodies[2]!.push(randomBytes(12_000_000));
    await expect.poll(() => server.seen.filter((one) => one === 'PUT part').length).toBeGreaterThan(1);
    await stores.deleteBucket(bucket);
    for (const body of bodies) body.push(null);
    for (const result of await Promise.allSettled(work)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { kind: 'unavailable' } });
    }
    expect(await listed()).not.toContain(bucket);
  });

  test('what a process that died has left of a company that is gone is listed, and can be removed', async () => {
    const bucket = stores.bucketName(newId('company'));
    const client = createS3Client(config);
    await client.send(new PutObjectCommand({ Bucket: 'shared', Key: `${bucket}/o/${'0'.repeat(32)}`, Body: 'x' }));
    client.destroy();
    expect(await stores.bucketExists(bucket)).toBe(false);
    expect(await listed()).toContain(bucket);
    await stores.deleteBucket(bucket);
    expect(await listed()).not.toContain(bucket);
  });
});

test('a download that is given up gives its connection back', async () => {
  const server = await startFaultServer();
  const stores = openS3(s3Config(server.endpoint, anyKeys()));
  const bucket = stores.bucketName(newId('company'));
  await stores.createBucket(bucket);
  const store = stores.open(bucket);
  const { key } = await store.put(bodyOf(randomBytes(20_000_000)));
  // More than there may be connections.
  for (let times = 0; times < 300; times += 1) (await store.get(key)).destroy();
  expect(await store.size(key)).toBe(20_000_000);
  await stores.close();
  await server.stop();
});

describe('the sweep looks at what was touched last', () => {
  let server: FaultServer;
  let stores: FileStores;
  beforeAll(async () => {
    server = await startFaultServer();
    stores = openS3(s3Config(server.endpoint, anyKeys()));
  });
  afterAll(async () => {
    await stores.close();
    await server.stop();
  });
  async function fresh() {
    const bucket = stores.bucketName(newId('company'));
    await stores.createBucket(bucket);
    server.clear();
    return { bucket, store: stores.open(bucket) };
  }
  const hour = 3_600_000;
  const partsSeen = () => server.seen.filter((one) => one === 'PUT part').length;

  test('an upload of this process that has rested for long goes on', async () => {
    const { bucket, store } = await fresh();
    const body = new Readable({ read() {} });
    body.push(randomBytes(12_000_000));
    const put = store.put(body);
    await expect.poll(partsSeen).toBe(2);
    await new Promise((resolve) => setTimeout(resolve, 100));
    server.age(bucket, hour);
    expect(await store.sweepTemporary(Date.now())).toEqual({ removed: 0, oldestLeft: null });
    body.push(null);
    expect(await put).toMatchObject({ size: 12_000_000 });
  });

  test('an upload in parts that was begun long ago and touched just now goes on, from another process too', async () => {
    const { bucket, store } = await fresh();
    const upload = await store.partial(newId('upload'));
    await upload.append(0, bodyOf(randomBytes(6_000_000)));
    server.age(bucket, hour);
    await upload.append(6_000_000, bodyOf(randomBytes(10)));
    const other = openS3(s3Config(server.endpoint, anyKeys()));
    const swept = await other.open(bucket).sweepTemporary(Date.now() - hour / 2);
    expect(swept).toEqual({ removed: 0, oldestLeft: expect.closeTo(Date.now(), -5) });
    expect(await upload.finish()).toMatchObject({ size: 6_000_010 });
    await other.close();
  });

  test('an upload of another process that was begun long ago and got a part just now goes on', async () => {
    const { bucket, store } = await fresh();
    const other = openS3(s3Config(server.endpoint, anyKeys()));
    const body = new Readable({ read() {} });
    body.push(randomBytes(12_000_000));
    const put = other.open(bucket).put(body);
    await expect.poll(partsSeen).toBe(2);
    await new Promise((resolve) => setTimeout(resolve, 100));
    server.age(bucket, hour);
    body.push(randomBytes(12_000_000));
    await expect.poll(partsSeen).toBeGreaterThan(2);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await store.sweepTemporary(Date.now() - hour / 2)).toMatchObject({ removed: 0 });
    body.push(null);
    expect(await put).toMatchObject({ size: 24_000_000 });
    await other.close();
  });

  test('what a process that died has left open goes, with its parts', async () => {
    const { bucket, store } = await fresh();
    const dying = openS3(s3Config(server.endpoint, anyKeys()));
    const body = new Readable({ read() {} });
    body.push(randomBytes(12_000_000));
    const put = dying.open(bucket).put(body);
    put.catch(() => undefined);
    await expect.poll(partsSeen).toBe(2);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const sweep = () => store.sweepTemporary(Date.now() - hour / 2);
    expect(await sweep()).toEqual({ removed: 0, oldestLeft: expect.closeTo(Date.now(), -5) });
    server.age(bucket, hour);
    expect(await sweep()).toEqual({ removed: 1, oldestLeft: null });
    expect(await sweep()).toEqual({ removed: 0, oldestLeft: null });
    body.destroy();
    await dying.close();
  });
});
