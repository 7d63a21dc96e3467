/**
 * Uploads in parts, and buckets as a whole, on an S3 server that fails: what was durable before stays, and another call
 * or another process carries on from there.
 */
import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import {
  bucket,
  contents,
  count,
  errorIn200,
  internal,
  large,
  lines,
  log,
  lostAfter,
  lostBefore,
  plan,
  refused,
  server,
  silentAfter,
  slowDown,
  small,
  store,
  storeFor,
  stores,
  useFaultServer,
} from '../files/s3-faults-world.ts';
import { anyKeys, openS3, s3Config } from '../files/s3-under-test.ts';
import { bodyOf } from '../files/suite.ts';
import { startFaultServer } from '../s3/fault-server.ts';

useFaultServer();

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
    ['the completion: an error inside a 200', 'POST complete', errorIn200(true)],
  ])('goes well after one failure of %s', async (_, on, fault) => {
    const upload = await storeFor(fault).partial(newId('upload'));
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
