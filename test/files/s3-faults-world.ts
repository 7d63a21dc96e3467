/** An S3 store over a server that fails as planned, and what is to be seen in a bucket past the store. */
import { createHash, randomBytes } from 'node:crypto';
import { ListMultipartUploadsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type { StrongroomError } from '../../src/kernel/errors.ts';
import type { FileStore, FileStores } from '../../src/kernel/files/file-store.ts';
import { createS3Client } from '../../src/kernel/files/s3-client.ts';
import { newId } from '../../src/kernel/ids.ts';
import { createLoggerTo } from '../../src/kernel/log.ts';
import { type Fault, type FaultServer, type Planned, startFaultServer } from '../s3/fault-server.ts';
import { anyKeys, openS3, s3Config } from './s3-under-test.ts';
import { bodyOf, bytesOf } from './suite.ts';

export const small = randomBytes(10_000);
/** Three parts. */
export const large = randomBytes(20_000_000);
export const slowDown: Fault = { kind: 'refuse', status: 503, code: 'SlowDown' };
export const internal: Fault = { kind: 'refuse', status: 500, code: 'InternalError' };
export const lostBefore: Fault = { kind: 'hang-up', effect: false };
export const lostAfter: Fault = { kind: 'hang-up', effect: true };
export const silentBefore: Fault = { kind: 'hang', effect: false };
export const silentAfter: Fault = { kind: 'hang', effect: true };
/** Status 200 over an error document, before or behind the effect. */
export const errorIn200 = (effect: boolean): Fault => ({ kind: 'error-in-200', code: 'InternalError', effect });

export let server: FaultServer;
export let stores: FileStores;
export let store: FileStore;
/** The same bucket through a store that gives a silent server up soon: nobody has to wait long to see what follows. */
export let impatient: FileStore;
/** Time (ms) after which `impatient` gives up. */
export const patience = 1_000;
export let bucket: string;
export const lines: string[] = [];
export const log = createLoggerTo({ write: (line) => lines.push(line) }, { level: 'warn', format: 'json' }, false);

/** To be called once by a test file: a server for the file, a bucket for each test. */
export function useFaultServer(): void {
  let hasty: FileStores;
  beforeAll(async () => {
    server = await startFaultServer();
    stores = openS3(s3Config(server.endpoint, anyKeys(), { s3TimeoutSeconds: 2 }), { log });
    hasty = openS3(s3Config(server.endpoint, anyKeys(), { s3TimeoutSeconds: patience / 1_000 }), { log });
  });
  afterAll(async () => {
    await Promise.all([stores.close(), hasty.close()]);
    await server.stop();
  });
  beforeEach(async () => {
    bucket = stores.bucketName(newId('company'));
    await stores.createBucket(bucket);
    store = stores.open(bucket);
    impatient = hasty.open(bucket);
    server.clear();
    lines.length = 0;
  });
  afterEach(() => server.clear());
}

/** The store to try this fault on: the impatient one where the server will be silent. */
export const storeFor = (fault: Fault) => (fault.kind === 'hang' ? impatient : store);

export const plan = (on: Planned['on'], fault: Fault, times = 1, skip = 0) => server.plan({ on, fault, times, skip });
export const count = (operation: string) => server.seen.filter((one) => one === operation).length;

/** Everything in the bucket, read past the store. */
export async function contents(): Promise<{ objects: string[]; others: string[] }> {
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

export async function kept(bytes: Buffer, put: Promise<{ key: string; sha256: string }>): Promise<void> {
  const { key, sha256 } = await put;
  expect(sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
  expect(await contents()).toEqual({ objects: [`o/${key}`], others: [] });
  expect((await bytesOf(await store.get(key))).equals(bytes)).toBe(true);
}

export async function refused(
  work: Promise<unknown>,
  expected: object = { kind: 'unavailable', code: 'storage_failed' },
) {
  const error = await work.then(
    () => undefined,
    (reason: StrongroomError) => reason,
  );
  expect(error).toMatchObject(expected);
  expect(error?.retryAfter).toBeGreaterThan(0);
  expect(error?.message).not.toMatch(/127\.0\.0\.1|strongroom-|SlowDown|Error/);
}

export async function nothingKept(): Promise<void> {
  expect(await contents()).toEqual({ objects: [], others: [] });
  await kept(small, store.put(bodyOf(small)));
}
