/** What every file store must do with uploads in parts; the rest of its contract is in `suite.ts`. */
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { bodyOf, bytesOf, type FreshBuckets, listOf, sha256 } from './suite.ts';

export function partsSuite({ fresh, again, leftovers }: FreshBuckets): void {
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
      expect(await leftovers(bucket)).toEqual([]);
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
      await expect.poll(() => hanging.readableLength, { timeout: 10_000 }).toBe(0);
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
      await expect.poll(() => hanging.readableLength, { timeout: 10_000 }).toBe(0);
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
      expect(await leftovers(bucket)).toEqual([]);
      const other = await store.partial(newId('upload'));
      await other.append(0, cut(0, 10));
      await other.finish();
      await expect(other.append(10, cut(10, 20))).rejects.toMatchObject({ code: 'upload_finished' });
      expect(await other.finish()).toMatchObject({ size: 10 });
    });

    test.each(['', '.', '..', '../x', 'a/b', 'a\\b', 'x\u0000', 'x'.repeat(300)])('have no id like %j', async (id) => {
      const { store } = await fresh();
      await expect(store.partial(id)).rejects.toMatchObject({ kind: 'not_found' });
    });
  });
}
