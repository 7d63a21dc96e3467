/**
 * What every file store must do, whatever it stands on. Run by the test of each store with real storage behind it.
 *
 * Everything is checked from the outside: through the store's own contract, and by `leftovers`, which looks at the
 * storage itself, so that a store cannot hide what it left behind.
 */
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StrongroomError } from '../../src/kernel/errors.ts';
import type { FileStore, FileStores } from '../../src/kernel/files/file-store.ts';
import { newId } from '../../src/kernel/ids.ts';

export interface StoreUnderTest {
  readonly stores: FileStores;
  /** A second view of the same storage that shares no memory with the first, as a restarted process has. */
  restarted(): FileStores;
  /** Names of everything temporary in a bucket, read from the storage itself. */
  leftovers(bucket: string): Promise<readonly string[]>;
  /** Makes everything temporary in a bucket look untouched for `ms`. */
  age(bucket: string, ms: number): Promise<void>;
  remove(): Promise<void>;
  /** Bytes after which an upload that goes on has left something in the storage; default 600,000. */
  readonly visibleAfter?: number;
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** A body of these bytes in chunks, which breaks off behind `breakAt` of them. */
export function bodyOf(bytes: Uint8Array, options: { chunk?: number; breakAt?: number; error?: Error } = {}): Readable {
  const { chunk = 65_536, breakAt } = options;
  return Readable.from(
    (function* () {
      const end = breakAt ?? bytes.length;
      for (let at = 0; at < end; at += chunk) yield bytes.subarray(at, Math.min(at + chunk, end));
      if (breakAt !== undefined) throw options.error ?? new Error('aborted');
    })(),
    { objectMode: false },
  );
}

export async function bytesOf(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function listOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list.sort();
}

export function fileStoreSuite(name: string, make: () => Promise<StoreUnderTest>): void {
  describe(`file store: ${name}`, () => {
    let under: StoreUnderTest;
    beforeAll(async () => {
      under = await make();
    });
    afterAll(() => under.remove());

    /** A fresh bucket of its own for each test. */
    async function fresh(): Promise<{ store: FileStore; bucket: string }> {
      const bucket = under.stores.bucketName(newId('company'));
      await under.stores.createBucket(bucket);
      return { bucket, store: under.stores.open(bucket) };
    }
    const again = (bucket: string) => under.restarted().open(bucket);
    const nothingLeft = async (store: FileStore) => {
      expect(await under.leftovers(store.bucket)).toEqual([]);
      expect(await listOf(store.keys())).toEqual([]);
    };

    describe('objects', () => {
      test.each([0, 1, 4_099, 4_100, 4_101, 65_536, 524_287, 524_288, 524_289, 3_000_000])(
        'of %i bytes come back as they went in',
        async (length) => {
          const { store, bucket } = await fresh();
          const bytes = randomBytes(length);
          const object = await store.put(bodyOf(bytes));
          expect(object).toMatchObject({ size: length, sha256: sha256(bytes) });
          expect(Buffer.from(object.head).equals(bytes.subarray(0, 4_100))).toBe(true);
          expect(await store.size(object.key)).toBe(length);
          expect((await bytesOf(await again(bucket).get(object.key))).equals(bytes)).toBe(true);
          expect(await listOf(store.keys())).toEqual([object.key]);
          expect(await under.leftovers(bucket)).toEqual([]);
        },
      );

      test('arrive in chunks of any size', async () => {
        const { store } = await fresh();
        const bytes = randomBytes(20_000);
        const object = await store.put(bodyOf(bytes, { chunk: 1 }));
        expect(object.sha256).toBe(sha256(bytes));
        expect((await bytesOf(await store.get(object.key))).equals(bytes)).toBe(true);
      });

      test('have keys that are never the same, for equal bytes too', async () => {
        const { store } = await fresh();
        const objects = await Promise.all(Array.from({ length: 64 }, () => store.put(bodyOf(Buffer.from('same')))));
        expect(new Set(objects.map(({ key }) => key)).size).toBe(64);
        expect(await listOf(store.keys())).toEqual(objects.map(({ key }) => key).sort());
        for (const { key } of objects) expect((await bytesOf(await store.get(key))).toString()).toBe('same');
      });

      test('tell their progress', async () => {
        const { store } = await fresh();
        const seen: number[] = [];
        await store.put(bodyOf(randomBytes(200_000)), { onProgress: (bytes) => seen.push(bytes) });
        expect(seen.at(-1)).toBe(200_000);
        expect(seen).toEqual([...seen].sort((a, b) => a - b));
      });
    });

    describe('ranges', () => {
      test('give exactly the bytes asked for', async () => {
        const { store } = await fresh();
        const bytes = randomBytes(700_001);
        const { key } = await store.put(bodyOf(bytes));
        for (const [start, end] of [
          [0, 0],
          [0, 700_000],
          [1, 262_144],
          [262_143, 262_145],
          [700_000, 700_000],
        ] as const) {
          const got = await bytesOf(await store.get(key, { start, end }));
          expect(got.equals(bytes.subarray(start, end + 1)), `${start}-${end}`).toBe(true);
        }
      });

      test.each([
        [10, 10],
        [0, 10],
        [5, 4],
        [-1, 3],
      ])('%i-%i of ten bytes is refused', async (start, end) => {
        const { store } = await fresh();
        const { key } = await store.put(bodyOf(randomBytes(10)));
        await expect(store.get(key, { start, end })).rejects.toMatchObject({ kind: 'range' });
      });
    });

    describe('what is not there', () => {
      const unknown = '0'.repeat(32);
      test.each([
        unknown,
        '',
        '.',
        '..',
        '../x',
        `../tmp/${unknown}`,
        'a/b',
        'tmp',
        `${unknown}\u0000`,
        'x'.repeat(5_000),
      ])('key %j', async (key) => {
        const { store } = await fresh();
        await expect(store.get(key)).rejects.toMatchObject({ kind: 'unavailable', code: 'object_missing' });
        expect(await store.size(key)).toBeUndefined();
        await expect(store.delete([key])).resolves.toBeUndefined();
      });

      test('deleted objects are gone, and deleting twice is fine', async () => {
        const { store, bucket } = await fresh();
        const [a, b] = [await store.put(bodyOf(randomBytes(10))), await store.put(bodyOf(randomBytes(10)))];
        await store.delete([a.key, unknown]);
        await store.delete([a.key]);
        await expect(store.get(a.key)).rejects.toMatchObject({ code: 'object_missing' });
        expect(await listOf(again(bucket).keys())).toEqual([b.key]);
      });

      test('a key of one bucket is nothing in another', async () => {
        const [one, other] = [await fresh(), await fresh()];
        const { key } = await one.store.put(bodyOf(randomBytes(10)));
        expect(await other.store.size(key)).toBeUndefined();
        await expect(other.store.get(key)).rejects.toMatchObject({ code: 'object_missing' });
      });
    });

    describe('a refused or broken upload leaves nothing', () => {
      const bytes = randomBytes(2_000_000);
      test('broken off at many places', async () => {
        const { store } = await fresh();
        const places = [0, 1, 100, 4_100, 65_536, 524_288, 524_289, 1_048_576, 1_500_000, 1_999_999];
        await Promise.all(
          places.map(async (breakAt) => {
            const put = store.put(bodyOf(bytes, { breakAt, chunk: 10_000 }));
            await expect(put).rejects.toMatchObject({ kind: 'invalid', code: 'upload_incomplete' });
          }),
        );
        await nothingLeft(store);
      });

      test('destroyed with a refusal, which is what the caller gets', async () => {
        const { store } = await fresh();
        const refusal = new StrongroomError('limited', 'body_too_slow', 'Too slow.');
        const put = store.put(bodyOf(bytes, { breakAt: 600_000, error: refusal }));
        await expect(put).rejects.toBe(refusal);
        await nothingLeft(store);
      });

      test('given up by its signal, while it waits and before it began', async () => {
        const { store } = await fresh();
        const stop = new AbortController();
        const endless = new Readable({ read() {} });
        endless.push(bytes.subarray(0, 700_000));
        const put = store.put(endless, { signal: stop.signal });
        setTimeout(() => stop.abort(), 30);
        await expect(put).rejects.toMatchObject({ code: 'upload_incomplete' });
        expect(endless.destroyed).toBe(true);
        await expect(store.put(bodyOf(bytes), { signal: stop.signal })).rejects.toMatchObject({ kind: 'invalid' });
        await nothingLeft(store);
      });

      test('a body that failed before anybody read it', async () => {
        const { store } = await fresh();
        const body = new Readable({ read() {} });
        body.on('error', () => {});
        body.destroy(new Error('gone'));
        await new Promise(setImmediate);
        await expect(store.put(body)).rejects.toMatchObject({ code: 'upload_incomplete' });
        await nothingLeft(store);
      });

      test.each([0, 1, 99_999, 1_999_999])('more than %i bytes allowed; the body stays whole', async (maxBytes) => {
        const { store } = await fresh();
        const body = bodyOf(bytes);
        await expect(store.put(body, { maxBytes })).rejects.toMatchObject({ kind: 'too_large' });
        expect(body.destroyed).toBe(false);
        body.destroy(new Error('late')); // Nobody listens any more; this must not end the process.
        await nothingLeft(store);
      });

      test('exactly as many as allowed is fine', async () => {
        const { store } = await fresh();
        expect(await store.put(bodyOf(bytes), { maxBytes: bytes.length })).toMatchObject({ size: bytes.length });
      });

      test('a bucket that was never made', async () => {
        const bucket = under.stores.bucketName(newId('company'));
        const put = under.stores.open(bucket).put(bodyOf(bytes));
        await expect(put).rejects.toMatchObject({ kind: 'unavailable', code: 'bucket_missing' });
        expect(await under.stores.bucketExists(bucket)).toBe(false);
      });
    });

    describe('uploads in parts', () => {
      const bytes = randomBytes(1_300_000);
      const cut = (from: number, to?: number) => bodyOf(bytes.subarray(from, to), { chunk: 30_000 });

      test('grow by appends and become the object, which a second finish gives again', async () => {
        const { store, bucket } = await fresh();
        const upload = await store.partial(newId('upload'));
        expect(await upload.offset()).toBe(0);
        expect(await upload.append(0, cut(0, 500_000))).toBe(500_000);
        expect(await upload.append(500_000, cut(500_000, 500_000))).toBe(500_000);
        expect(await upload.append(500_000, cut(500_000))).toBe(bytes.length);
        expect(await listOf(store.keys())).toEqual([]);
        const object = await upload.finish();
        expect(object).toMatchObject({ size: bytes.length, sha256: sha256(bytes) });
        expect(Buffer.from(object.head).equals(bytes.subarray(0, 4_100))).toBe(true);
        expect(await upload.finish()).toEqual(object);
        expect(await (await again(bucket).partial(upload.id)).finish()).toEqual(object);
        expect(await (await store.partial(upload.id)).offset()).toBe(bytes.length);
        expect((await bytesOf(await store.get(object.key))).equals(bytes)).toBe(true);
        expect(await listOf(store.keys())).toEqual([object.key]);
        expect(await under.leftovers(bucket)).toEqual([]);
      });

      test('of no bytes', async () => {
        const { store } = await fresh();
        const upload = await store.partial(newId('upload'));
        expect(await upload.append(0, cut(0, 0))).toBe(0);
        expect(await upload.finish()).toMatchObject({ size: 0, sha256: sha256(Buffer.alloc(0)) });
      });

      test.each([1, 4_000, 524_288, 1_000_000])('go on in another process, broken off at %i', async (breakAt) => {
        const { store, bucket } = await fresh();
        const id = newId('upload');
        const first = await store.partial(id);
        expect(await first.append(0, bodyOf(bytes, { breakAt, chunk: 30_000 }))).toBe(breakAt);
        const second = await again(bucket).partial(id);
        expect(await second.offset()).toBe(breakAt);
        expect(await second.append(breakAt, cut(breakAt))).toBe(bytes.length);
        // A third one knows nothing of the hash and must read it from the storage.
        expect(await (await again(bucket).partial(id)).finish()).toMatchObject({ sha256: sha256(bytes) });
      });

      test('keep the hash right over a process that went between', async () => {
        const { store, bucket } = await fresh();
        const id = newId('upload');
        const [one, other] = [await store.partial(id), await again(bucket).partial(id)];
        await one.append(0, cut(0, 400_000));
        await other.append(400_000, cut(400_000, 800_000));
        await one.append(800_000, cut(800_000));
        expect(await one.finish()).toMatchObject({ size: bytes.length, sha256: sha256(bytes) });
      });

      test('refuse any other offset and change nothing', async () => {
        const { store } = await fresh();
        const upload = await store.partial(newId('upload'));
        await upload.append(0, cut(0, 1_000));
        for (const at of [0, 999, 1_001, -1, Number.NaN]) {
          const refused = upload.append(at, cut(0, 10));
          await expect(refused).rejects.toMatchObject({
            kind: 'conflict',
            code: 'offset_mismatch',
            extra: { offset: 1_000 },
          });
        }
        expect(await upload.offset()).toBe(1_000);
      });

      test('refuse more than is allowed and keep nothing of it', async () => {
        const { store } = await fresh();
        const upload = await store.partial(newId('upload'));
        await upload.append(0, cut(0, 1_000));
        await expect(upload.append(1_000, cut(1_000), { maxBytes: 900_000 })).rejects.toMatchObject({
          kind: 'too_large',
        });
        expect(await upload.offset()).toBe(1_000);
        expect(await upload.append(1_000, cut(1_000))).toBe(bytes.length);
        expect(await upload.finish()).toMatchObject({ sha256: sha256(bytes) });
      });

      test('let a client that lost its connection go on at once, with what had come', async () => {
        const { store } = await fresh();
        const upload = await store.partial(newId('upload'));
        const hanging = new Readable({ read() {} });
        hanging.push(bytes.subarray(0, 600_000));
        const lost = upload.append(0, hanging);
        await expect.poll(() => hanging.readableLength, { interval: 5, timeout: 10_000 }).toBe(0);
        const offset = await (await store.partial(upload.id)).offset();
        expect(await lost).toBe(offset);
        expect(offset).toBe(600_000);
        await upload.append(offset, cut(offset));
        expect(await upload.finish()).toMatchObject({ sha256: sha256(bytes) });
      });

      test('wait for the append before, which is stopped, and then go on behind it', async () => {
        const { store } = await fresh();
        const upload = await store.partial(newId('upload'));
        const hanging = new Readable({ read() {} });
        hanging.push(bytes.subarray(0, 400_000));
        const lost = upload.append(0, hanging);
        await expect.poll(() => hanging.readableLength, { interval: 5, timeout: 10_000 }).toBe(0);
        expect(await upload.append(400_000, cut(400_000))).toBe(bytes.length);
        expect(await lost).toBe(400_000);
        expect(await upload.finish()).toMatchObject({ sha256: sha256(bytes) });
      });

      test('take two appends at once as one after the other, never mixed', async () => {
        const { store } = await fresh();
        const upload = await store.partial(newId('upload'));
        const results = await Promise.allSettled([
          upload.append(0, cut(0)),
          upload.append(0, cut(0)),
          upload.append(0, cut(0)),
        ]);
        const offset = await upload.offset();
        for (const result of results) {
          if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'offset_mismatch' });
          else expect(result.value).toBeLessThanOrEqual(offset);
        }
        if (offset < bytes.length) await upload.append(offset, cut(offset));
        expect(await upload.finish()).toMatchObject({ size: bytes.length, sha256: sha256(bytes) });
      });

      test('are gone when discarded, twice too, and take nothing more when finished', async () => {
        const { store, bucket } = await fresh();
        const upload = await store.partial(newId('upload'));
        await upload.append(0, cut(0, 10));
        await upload.discard();
        await upload.discard();
        await expect(upload.finish()).rejects.toMatchObject({ kind: 'gone' });
        expect(await under.leftovers(bucket)).toEqual([]);
        const other = await store.partial(newId('upload'));
        await other.append(0, cut(0, 10));
        await other.finish();
        await expect(other.append(10, cut(10, 20))).rejects.toMatchObject({ code: 'upload_finished' });
        expect(await other.finish()).toMatchObject({ size: 10 });
      });

      test.each(['', '.', '..', '../x', 'a/b', 'a\\b', 'x\u0000', 'x'.repeat(300)])(
        'have no id like %j',
        async (id) => {
          const { store } = await fresh();
          await expect(store.partial(id)).rejects.toMatchObject({ kind: 'not_found' });
        },
      );
    });

    describe('the sweep', () => {
      test('removes what is old and temporary, and nothing else', async () => {
        const { store, bucket } = await fresh();
        const object = await store.put(bodyOf(randomBytes(10)));
        const old = await store.partial(newId('upload'));
        await old.append(0, bodyOf(randomBytes(10)));
        await under.age(bucket, 3_600_000);
        const young = await store.partial(newId('upload'));
        await young.append(0, bodyOf(randomBytes(10)));
        expect(await store.sweepTemporary(Date.now() - 7_200_000)).toBe(0);
        expect(await store.sweepTemporary(Date.now() - 1_800_000)).toBe(1);
        await expect(old.finish()).rejects.toMatchObject({ kind: 'gone' });
        expect(await young.finish()).toMatchObject({ size: 10 });
        expect(await store.size(object.key)).toBe(10);
      });

      test('leaves alone what is being written, however old it looks', async () => {
        const { store, bucket } = await fresh();
        const body = new Readable({ read() {} });
        const bytes = randomBytes(under.visibleAfter ?? 600_000);
        body.push(bytes);
        const put = store.put(body);
        await expect.poll(() => under.leftovers(bucket), { timeout: 20_000 }).not.toEqual([]);
        await under.age(bucket, 3_600_000);
        expect(await store.sweepTemporary(Date.now())).toBe(0);
        body.push(null);
        expect(await put).toMatchObject({ size: bytes.length });
      });
    });

    describe('buckets', () => {
      test('are named from the id alone, made twice without harm, and listed', async () => {
        const id = newId('company');
        const bucket = under.stores.bucketName(id);
        expect(bucket).toMatch(/^[a-z0-9-]{28,63}$/);
        expect(bucket.endsWith(id.slice(-26))).toBe(true);
        await under.stores.createBucket(bucket);
        const { key } = await under.stores.open(bucket).put(bodyOf(Buffer.from('kept')));
        await under.stores.createBucket(bucket);
        expect(await under.stores.open(bucket).size(key)).toBe(4);
        expect(await under.stores.bucketExists(bucket)).toBe(true);
        expect(await listOf(under.stores.listBuckets())).toContain(bucket);
      });

      test('are deleted with all they hold, twice too, and can be made again', async () => {
        const { store, bucket } = await fresh();
        const other = await fresh();
        const kept = await other.store.put(bodyOf(randomBytes(10)));
        await store.put(bodyOf(randomBytes(10)));
        await (await store.partial(newId('upload'))).append(0, bodyOf(randomBytes(10)));
        await under.stores.deleteBucket(bucket);
        await under.stores.deleteBucket(bucket);
        expect(await under.stores.bucketExists(bucket)).toBe(false);
        expect(await listOf(under.stores.listBuckets())).not.toContain(bucket);
        await expect(store.put(bodyOf(randomBytes(10)))).rejects.toMatchObject({ code: 'bucket_missing' });
        expect(await other.store.size(kept.key)).toBe(10);
        await under.stores.createBucket(bucket);
        expect(await under.stores.open(bucket).put(bodyOf(randomBytes(10)))).toMatchObject({ size: 10 });
      });

      test('deleted under running uploads end with nothing', async () => {
        const { store, bucket } = await fresh();
        const puts = Array.from({ length: 20 }, (_, index) =>
          store.put(bodyOf(randomBytes(index * 50_000), { chunk: 5_000 })),
        );
        const settled = Promise.allSettled(puts);
        await under.stores.deleteBucket(bucket);
        for (const result of await settled) {
          if (result.status === 'rejected') expect(result.reason).toMatchObject({ kind: 'unavailable' });
        }
        await under.stores.deleteBucket(bucket);
        expect(await under.stores.bucketExists(bucket)).toBe(false);
      });

      test.each(['', '..', '../x', 'A', 'a/b', 'a_b', '-a', 'x'.repeat(64)])('have no name like %j', async (name) => {
        expect(() => under.stores.open(name)).toThrow(/name that no bucket can have/);
        await expect(under.stores.createBucket(name)).rejects.toThrow();
        await expect(under.stores.deleteBucket(name)).rejects.toThrow();
      });
    });

    test('answers whether it works', async () => {
      expect(await under.stores.check()).toEqual({ ok: true });
    });
  });
}
