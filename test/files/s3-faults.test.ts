/**
 * The S3 store against a server that fails: refusals, answers that are lost before and after the effect, cut bodies,
 * answers that lie. Each time either the whole object is there and named, or nothing is, and the caller is told when to
 * come again; work goes on when the trouble is over.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { type Fault, startFaultServer } from '../s3/fault-server.ts';
import {
  bucket,
  count,
  errorIn200,
  impatient,
  internal,
  kept,
  large,
  lines,
  lostAfter,
  lostBefore,
  nothingKept,
  patience,
  plan,
  refused,
  server,
  silentAfter,
  silentBefore,
  slowDown,
  small,
  store,
  storeFor,
  useFaultServer,
} from './s3-faults-world.ts';
import { anyKeys, openS3, s3Config } from './s3-under-test.ts';
import { bodyOf, bytesOf } from './suite.ts';

useFaultServer();

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
    const put = storeFor(fault).put(bodyOf(small));
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
    await refused(storeFor(fault).put(bodyOf(small)));
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
    ['the completion: an error inside a 200', 'POST complete', errorIn200(false)],
    ['the completion: an error inside a 200, over success', 'POST complete', errorIn200(true)],
  ])('goes well after one failure of %s', async (_, on, fault) => {
    plan(on, fault);
    await kept(large, storeFor(fault).put(bodyOf(large)));
  });

  test.each([
    ['the beginning', 'POST begin', slowDown],
    ['the second part', 'PUT part', internal],
    ['a part that is silent', 'PUT part', silentBefore],
    ['the completion', 'POST complete', internal],
    ['the completion: an error inside a 200', 'POST complete', errorIn200(false)],
    ['a part with a wrong ETag', 'PUT part', { kind: 'etag', etag: '"0"' } as Fault],
    ['a part of other bytes', 'PUT part', { kind: 'corrupt' } as Fault],
  ])('is refused after nothing but failures of %s, and no part is left', async (_, on, fault) => {
    plan(on, fault, 100, on === 'PUT part' ? 1 : 0);
    await refused(storeFor(fault).put(bodyOf(large)));
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
    const stream = await impatient.get(key);
    const hash = createHash('sha256');
    let paused = false;
    for await (const chunk of stream) {
      hash.update(chunk as Uint8Array);
      if (!paused) await new Promise((resolve) => setTimeout(resolve, 2.5 * patience));
      paused = true;
    }
    expect(hash.digest('hex')).toBe(createHash('sha256').update(large).digest('hex'));
  });
});
