/**
 * The S3 store against a server that fails: refusals, answers that are lost before and after the effect, cut bodies,
 * answers that lie. Each time either the whole object is there and named, or nothing is, and the caller is told when to
 * come again; work goes on when the trouble is over.
 */
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { ListMultipartUploadsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { StrongroomError } from '../../src/kernel/errors.ts';
import type { FileStore, FileStores } from '../../src/kernel/files/file-store.ts';
import { createS3Client } from '../../src/kernel/files/s3-client.ts';
import { newId } from '../../src/kernel/ids.ts';
import { createLoggerTo } from '../../src/kernel/log.ts';
import { type Fault, type FaultServer, type Planned, startFaultServer } from '../s3/fault-server.ts';
import { anyKeys, openS3, s3Config } from './s3-under-test.ts';
import { bodyOf, bytesOf } from './suite.ts';

const small = randomBytes(10_000);
/** Three parts. */
const large = randomBytes(20_000_000);
const slowDown: Fault = { kind: 'refuse', status: 503, code: 'SlowDown' };
const internal: Fault = { kind: 'refuse', status: 500, code: 'InternalError' };
const lostBefore: Fault = { kind: 'hang-up', effect: false };
const lostAfter: Fault = { kind: 'hang-up', effect: true };
const silentBefore: Fault = { kind: 'hang', effect: false };
const silentAfter: Fault = { kind: 'hang', effect: true };

let server: FaultServer;
let stores: FileStores;
let store: FileStore;
let bucket: string;
const lines: string[] = [];
const log = createLoggerTo({ write: (line) => lines.push(line) }, { level: 'warn', format: 'json' }, false);

beforeAll(async () => {
  server = await startFaultServer();
  stores = openS3(s3Config(server.endpoint, anyKeys(), { s3TimeoutSeconds: 2 }), { log });
});
afterAll(async () => {
  await stores.close();
  await server.stop();
});
beforeEach(async () => {
  bucket = stores.bucketName(newId('company'));
  await stores.createBucket(bucket);
  store = stores.open(bucket);
  server.clear();
  lines.length = 0;
});
afterEach(() => server.clear());

const plan = (on: Planned['on'], fault: Fault, times = 1, skip = 0) => server.plan({ on, fault, times, skip });
const count = (operation: string) => server.seen.filter((one) => one === operation).length;

/** Everything in the bucket, read past the store. */
async function contents(): Promise<{ objects: string[]; others: string[] }> {
  server.clear();
  const client = createS3Client(s3Config(server.endpoint, anyKeys()));
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  client.destroy();
  const names = Contents.map(({ Key = '' }) => Key);
  return {
    objects: names.filter((name) => name.startsWith('o/')),
    others: [...names.filter((name) => !name.startsWith('o/')), ...Uploads.map(({ UploadId = '' }) => UploadId)],
  };
}

async function kept(bytes: Buffer, put: Promise<{ key: string; sha256: string }>): Promise<void> {
  const { key, sha256 } = await put;
  expect(sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
  expect(await contents()).toEqual({ objects: [`o/${key}`], others: [] });
  expect((await bytesOf(await store.get(key))).equals(bytes)).toBe(true);
}

async function refused(work: Promise<unknown>, expected: object = { kind: 'unavailable', code: 'storage_failed' }) {
  const error = await work.then(
    () => undefined,
    (reason: StrongroomError) => reason,
  );
  expect(error).toMatchObject(expected);
  expect(error?.retryAfter).toBeGreaterThan(0);
  expect(error?.message).not.toMatch(/127\.0\.0\.1|strongroom-|SlowDown|Error/);
}

async function nothingKept(): Promise<void> {
  expect(await contents()).toEqual({ objects: [], others: [] });
  await kept(small, store.put(bodyOf(small)));
}

describe('a small upload', () => {
  test.each([
    ['500', internal],
    ['503 SlowDown', slowDown],
    ['a connection cut before', lostBefore],
    ['a connection cut after the effect', lostAfter],
    ['silence before', silentBefore],
    ['silence after the effect', silentAfter],
    [
      '409: somebody writes under this name',
      { kind: 'refuse', status: 409, code: 'ConditionalRequestConflict' } as Fault,
    ],
  ])('goes well after one %s', async (_, fault) => {
    plan('PUT object', fault);
    const put = store.put(bodyOf(small));
    await put;
    expect(count('PUT object')).toBe(2);
    await kept(small, put);
  });

  test.each([
    ['500', internal],
    ['503 SlowDown', slowDown],
    ['a connection cut before', lostBefore],
    ['a connection cut after the effect', lostAfter],
    ['silence before', silentBefore],
  ])('is refused after nothing but %s, and nothing is left', async (_, fault) => {
    plan('PUT object', fault, 100);
    if (fault === lostAfter) plan('HEAD object', internal, 100);
    await refused(store.put(bodyOf(small)));
    await nothingKept();
  });

  test('goes well on a server that knows no conditional put, which is asked once', async () => {
    const plain = await startFaultServer();
    const own = openS3(s3Config(plain.endpoint, anyKeys()));
    await own.createBucket(bucket);
    plain.plan({ on: 'PUT object', fault: { kind: 'refuse', status: 501, code: 'NotImplemented' } });
    for (let times = 0; times < 3; times += 1) await own.open(bucket).put(bodyOf(small));
    expect(plain.seen.filter((one) => one === 'PUT object')).toHaveLength(4);
    const upload = await own.open(bucket).partial(newId('upload'));
    await upload.append(0, bodyOf(small));
    expect(await upload.finish()).toMatchObject({ size: small.length });
    await own.close();
    await plain.stop();
  });

  test('whose every answer is lost, but which is there, is found out to be there', async () => {
    plan('PUT object', lostAfter, 2);
    await kept(small, store.put(bodyOf(small)));
  });

  test('the server says when to come again', async () => {
    plan('PUT object', { ...slowDown, headers: { 'retry-after': '1' } } as Fault, 100);
    await expect(store.put(bodyOf(small))).rejects.toMatchObject({ kind: 'unavailable', retryAfter: 1 });
  });

  test('412 where other bytes lie under the name: they stay, the upload is refused', async () => {
    plan('PUT object', { kind: 'refuse', status: 412, code: 'PreconditionFailed' });
    await refused(store.put(bodyOf(small)));
    expect(count('DELETE object')).toBe(0);
    await nothingKept();
  });

  test('an ETag of other bytes is not believed: the object is read back', async () => {
    plan('PUT object', { kind: 'etag', etag: `"${'0'.repeat(32)}"` });
    await kept(small, store.put(bodyOf(small)));
  });

  test('other bytes kept than were sent: refused, and taken away', async () => {
    plan('PUT object', { kind: 'corrupt' });
    await refused(store.put(bodyOf(small)));
    await nothingKept();
  });

  test.each([
    ['507', { kind: 'refuse', status: 507, code: 'InsufficientStorage' } as Fault],
    ['a quota', { kind: 'refuse', status: 403, code: 'QuotaExceeded' } as Fault],
  ])('%s is disk_full', async (_, fault) => {
    plan('PUT object', fault, 100);
    await refused(store.put(bodyOf(small)), { kind: 'no_space', code: 'disk_full' });
    await nothingKept();
  });

  test('keys that are refused raise an alarm that names the bucket and no key', async () => {
    plan('PUT object', { kind: 'refuse', status: 403, code: 'AccessDenied' });
    await refused(store.put(bodyOf(small)));
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ alarm: 'storage_access_denied', bucket }]);
    await nothingKept();
  });

  test('a server that is not there at all is refused within the time allowed', async () => {
    const nobody = await startFaultServer();
    await nobody.stop();
    const gone = openS3(s3Config(nobody.endpoint, anyKeys(), { s3TimeoutSeconds: 1 }));
    await refused(gone.open(bucket).put(bodyOf(small)));
    expect(await gone.check()).toMatchObject({ ok: false });
    await gone.close();
  });
});

describe('a large upload', () => {
  test.each([
    ['the beginning', 'POST begin', internal],
    ['a part', 'PUT part', slowDown],
    ['a part, its answer lost', 'PUT part', lostAfter],
    ['a part that is silent', 'PUT part', silentBefore],
    ['the completion', 'POST complete', internal],
    ['the completion, cut before', 'POST complete', lostBefore],
    ['the completion, its answer lost', 'POST complete', lostAfter],
    ['the completion, silent after the effect', 'POST complete', silentAfter],
    [
      'the completion: an error inside a 200',
      'POST complete',
      { kind: 'error-in-200', code: 'InternalError', effect: false } as Fault,
    ],
    [
      'the completion: an error inside a 200, over success',
      'POST complete',
      { kind: 'error-in-200', code: 'InternalError', effect: true } as Fault,
    ],
  ])('goes well after one failure of %s', async (_, on, fault) => {
    plan(on, fault);
    await kept(large, store.put(bodyOf(large)));
  });

  test.each([
    ['the beginning', 'POST begin', slowDown],
    ['the second part', 'PUT part', internal],
    ['a part that is silent', 'PUT part', silentBefore],
    ['the completion', 'POST complete', internal],
    [
      'the completion: an error inside a 200',
      'POST complete',
      { kind: 'error-in-200', code: 'InternalError', effect: false } as Fault,
    ],
    ['a part with a wrong ETag', 'PUT part', { kind: 'etag', etag: '"0"' } as Fault],
    ['a part of other bytes', 'PUT part', { kind: 'corrupt' } as Fault],
  ])('is refused after nothing but failures of %s, and no part is left', async (_, on, fault) => {
    plan(on, fault, 100, on === 'PUT part' ? 1 : 0);
    await refused(store.put(bodyOf(large)));
    await nothingKept();
  });

  test('too large, broken off or given up: no part is left', async () => {
    await expect(store.put(bodyOf(large), { maxBytes: 19_999_999 })).rejects.toMatchObject({ kind: 'too_large' });
    await expect(store.put(bodyOf(large, { breakAt: 19_000_000 }))).rejects.toMatchObject({ kind: 'invalid' });
    expect(count('POST begin')).toBe(2);
    await nothingKept();
  });

  test('a beginning whose answer was lost leaves nothing either', async () => {
    plan('POST begin', lostAfter);
    plan('PUT part', internal, 100);
    await refused(store.put(bodyOf(large)));
    await nothingKept();
  });

  test('a failure is told while the body still comes, not at its end', async () => {
    plan('PUT part', { kind: 'refuse', status: 403, code: 'AccessDenied' }, 100);
    let read = 0;
    const body = Readable.from(
      (function* () {
        for (; read < 200; read += 1) yield Buffer.alloc(1_000_000);
      })(),
      { objectMode: false },
    );
    await refused(store.put(body));
    expect(read).toBeLessThan(150);
  });
});

describe('a download', () => {
  test('that is cut is carried on from there', async () => {
    const { key } = await store.put(bodyOf(large));
    plan('GET object', { kind: 'cut', bytes: 7_000_000 });
    plan('GET object', { kind: 'cut', bytes: 100_000 });
    expect((await bytesOf(await store.get(key))).equals(large)).toBe(true);
    expect(count('GET object')).toBe(3);
    plan('GET object', { kind: 'cut', bytes: 10 });
    const range = await store.get(key, { start: 5, end: 15_000_005 });
    expect((await bytesOf(range)).equals(large.subarray(5, 15_000_006))).toBe(true);
  });

  test('that is cut again and again ends with an error, never short', async () => {
    const { key } = await store.put(bodyOf(large));
    plan('GET object', { kind: 'cut', bytes: 0 }, 100);
    await expect(store.get(key).then(bytesOf)).rejects.toMatchObject({ kind: 'unavailable' });
  });

  test('of what is gone, or of a server that fails, is told apart', async () => {
    const { key } = await store.put(bodyOf(small));
    plan('GET object', internal, 100);
    await refused(store.get(key));
    server.clear();
    await store.delete([key]);
    await expect(store.get(key)).rejects.toMatchObject({ kind: 'unavailable', code: 'object_missing' });
  });

  test('whose reader pauses longer than the timeout comes to its end', async () => {
    const { key } = await store.put(bodyOf(large));
    const stream = await store.get(key);
    const hash = createHash('sha256');
    let paused = false;
    for await (const chunk of stream) {
      hash.update(chunk as Uint8Array);
      if (!paused) await new Promise((resolve) => setTimeout(resolve, 5_000));
      paused = true;
    }
    expect(hash.digest('hex')).toBe(createHash('sha256').update(large).digest('hex'));
  });
});

describe('an upload in parts', () => {
  const whole = createHash('sha256').update(large).digest('hex');

  test.each([
    ['a state', 'PUT state', lostAfter],
    ['a state, silent after the effect', 'PUT state', silentAfter],
    ['a state', 'PUT state', internal],
    ['a part', 'PUT part', lostAfter],
    ['the beginning', 'POST begin', lostBefore],
    ['the list', 'GET list', slowDown],
    ['the removal of the state before', 'DELETE state', internal],
    ['the completion', 'POST complete', lostAfter],
    [
      'the completion: an error inside a 200',
      'POST complete',
      { kind: 'error-in-200', code: 'InternalError', effect: true } as Fault,
    ],
  ])('goes well after one failure of %s', async (_, on, fault) => {
    const upload = await store.partial(newId('upload'));
    plan(on, fault);
    await upload.append(0, bodyOf(large.subarray(0, 9_000_000)));
    plan(on, fault);
    await upload.append(9_000_000, bodyOf(large.subarray(9_000_000)));
    plan(on, fault);
    const object = await upload.finish();
    expect(object).toMatchObject({ size: large.length, sha256: whole });
    expect(await contents()).toEqual({ objects: [`o/${object.key}`], others: [] });
  });

  test.each([
    ['the state', 'PUT state'],
    ['a part', 'PUT part'],
  ])('whose append fails at %s stays where it was, and goes on', async (_, on) => {
    const upload = await store.partial(newId('upload'));
    await upload.append(0, bodyOf(large.subarray(0, 1_000_000)));
    plan(on, internal, 100);
    await refused(upload.append(1_000_000, bodyOf(large.subarray(1_000_000))));
    server.clear();
    expect(await upload.offset()).toBe(1_000_000);
    await upload.append(1_000_000, bodyOf(large.subarray(1_000_000)));
    expect(await upload.finish()).toMatchObject({ sha256: whole });
    expect((await contents()).others).toEqual([]);
  });

  test('that is too large after parts were sent goes back to where it was', async () => {
    const upload = await store.partial(newId('upload'));
    const long = randomBytes(90_000_000);
    await upload.append(0, bodyOf(long.subarray(0, 500)));
    const append = upload.append(500, bodyOf(long.subarray(500)), { maxBytes: 89_000_000 });
    await expect(append).rejects.toMatchObject({ kind: 'too_large' });
    // States were written on the way; the last one says what the first said.
    expect(count('PUT state')).toBeGreaterThan(2);
    expect(await upload.offset()).toBe(500);
    await upload.append(500, bodyOf(long.subarray(500)));
    expect(await upload.finish()).toMatchObject({ sha256: createHash('sha256').update(long).digest('hex') });
    expect((await contents()).others).toEqual([]);
  });

  test('of which a process died in the middle of a long append is carried on near there', async () => {
    const id = newId('upload');
    const long = randomBytes(90_000_000);
    const dying = openS3(s3Config(server.endpoint, anyKeys()));
    const body = bodyOf(long, { chunk: 1_000_000 });
    const lost = (await dying.open(bucket).partial(id)).append(0, body);
    lost.catch(() => undefined);
    await expect.poll(() => count('PUT state'), { timeout: 20_000 }).toBeGreaterThan(0);
    // No answer of the server reaches it any more, as if it were gone.
    await dying.close();
    body.destroy();
    await lost.catch(() => undefined);
    const upload = await store.partial(id);
    const offset = await upload.offset();
    expect(offset).toBeGreaterThan(0);
    await upload.append(offset, bodyOf(long.subarray(offset)));
    expect(await upload.finish()).toMatchObject({ sha256: createHash('sha256').update(long).digest('hex') });
  });

  test('on which two processes work at once: one goes on, the other hears of it, no byte is mixed', async () => {
    const other = openS3(s3Config(server.endpoint, anyKeys()));
    for (let round = 0; round < 3; round += 1) {
      const id = newId('upload');
      const [one, two] = [await store.partial(id), await other.open(bucket).partial(id)];
      const results = await Promise.allSettled([
        one.append(0, bodyOf(large.subarray(0, 10_000_000))),
        two.append(0, bodyOf(large.subarray(0, 9_000_000))),
      ]);
      const offset = await one.offset();
      const won = results.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
      expect(won).toEqual([offset]);
      const lost = results.find((result) => result.status === 'rejected');
      expect(lost?.reason).toMatchObject({ kind: 'conflict', code: 'offset_mismatch' });
      await two.append(offset, bodyOf(large.subarray(offset)));
      expect(await one.finish()).toMatchObject({ size: large.length, sha256: whole });
    }
    await other.close();
  });
});

describe('buckets', () => {
  test('a batch of deletions that fails in part is carried on', async () => {
    const objects = await Promise.all(Array.from({ length: 20 }, () => store.put(bodyOf(small))));
    plan('POST delete', internal);
    await store.delete(objects.map(({ key }) => key));
    expect((await contents()).objects).toEqual([]);
  });

  test('a removal that breaks off anywhere is carried on by the next', async () => {
    await Promise.all(Array.from({ length: 20 }, () => store.put(bodyOf(small))));
    await (await store.partial(newId('upload'))).append(0, bodyOf(large));
    for (const on of [
      'GET multiparts',
      'DELETE multipart',
      'GET versions',
      'POST delete',
      'GET list',
      'DELETE bucket',
    ]) {
      server.clear();
      plan(on, internal, 100);
      await expect(stores.deleteBucket(bucket), on).rejects.toMatchObject({ kind: 'unavailable' });
    }
    server.clear();
    await stores.deleteBucket(bucket);
    expect(await stores.bucketExists(bucket)).toBe(false);
    await stores.deleteBucket(bucket);
  });

  test('protections that the server does not know are left out, and the log says so', async () => {
    const plain = await startFaultServer();
    plain.plan({ on: 'PUT protection', fault: { kind: 'refuse', status: 501, code: 'NotImplemented' }, times: 100 });
    const own = openS3(s3Config(plain.endpoint, anyKeys()), { log });
    const name = own.bucketName(newId('company'));
    await own.createBucket(name);
    expect(await own.bucketExists(name)).toBe(true);
    expect(lines.filter((line) => line.includes('does not know'))).toHaveLength(2);
    await own.close();
    await plain.stop();
  });

  test('a bucket that belongs to somebody else is never used', async () => {
    plan('PUT bucket', { kind: 'refuse', status: 409, code: 'BucketAlreadyExists' });
    await expect(stores.createBucket(stores.bucketName(newId('company')))).rejects.toMatchObject({
      kind: 'unavailable',
    });
  });
});
