/**
 * The file store on a disk: `<data folder>/buckets/<prefix>-<id>/`, folders 0700, files 0600.
 *
 * Durable order of `put`: temporary file → written and hashed → fsync → rename → fsync of the folder (and of the
 * bucket, for a new folder). Until the rename nothing can be seen; after any failure nothing is left, except when the
 * process dies: then the sweep of temporary files removes it.
 */
import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Clock } from '../clock.ts';
import { StrongroomError, unavailable } from '../errors.ts';
import { idPart } from '../ids.ts';
import type { Logger } from '../log.ts';
import type { Config } from '../settings.ts';
import { type BucketFolder, createBucketFolder, isKey, makeFolder } from './bucket-folder.ts';
import { createPartials, type Partials, partSuffix } from './disk-partial.ts';
import { createDiskWriter, type DiskParts } from './disk-writer.ts';
import type { ByteRange, FileStore, FileStores, PutOptions, StoredObject, TemporarySweep } from './file-store.ts';
import { createFolderSync, type FolderSync } from './folder-sync.ts';
import { createFreeSpace } from './free-space.ts';
import { guarded, hasCode, storageError, unlessMissing, unlink } from './io.ts';
import { brokenOff, pour } from './pour.ts';

export interface DiskOptions {
  readonly config: Pick<Config, 'dataDir' | 'bucketPrefix' | 'freeSpaceFloorBytes'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** The part of the file system that the floor is at most; another than the twentieth for tests alone. */
  readonly floorPart?: number;
}

const bucketPattern = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** Buckets whose folder state is kept in memory; it can be made again at any time. */
const rememberedBuckets = 1_000;
const deletingPrefix = '.deleting-';

/** The disk store of a data folder. Makes the folder `buckets` when the first bucket is made. */
export function createDiskStores({ config, floorPart }: DiskOptions): FileStores {
  const buckets = join(config.dataDir, 'buckets');
  const parts: DiskParts = {
    folders: createFolderSync(),
    space: createFreeSpace(config.dataDir, config.freeSpaceFloorBytes, floorPart),
  };
  const known = new Map<string, FileStore>();

  function remember(bucket: string): FileStore {
    if (!bucketPattern.test(bucket)) {
      throw new StrongroomError('internal', 'bucket_name_invalid', 'A bucket has a name that no bucket can have.');
    }
    const store = known.get(bucket) ?? openBucket(createBucketFolder(buckets, bucket, parts.folders), parts);
    known.delete(bucket);
    known.set(bucket, store);
    if (known.size > rememberedBuckets) known.delete(known.keys().next().value!);
    return store;
  }

  return {
    kind: 'disk',
    bucketName: (tenantId) => `${config.bucketPrefix}-${idPart(tenantId)}`,
    open: remember,
    async createBucket(bucket) {
      remember(bucket);
      await guarded(() => makeFolder(join(buckets, bucket, 'tmp'), parts.folders));
    },
    async bucketExists(bucket) {
      remember(bucket);
      const found = await guarded(() => unlessMissing(fs.stat(join(buckets, bucket))));
      return found?.isDirectory() === true;
    },
    async deleteBucket(bucket) {
      remember(bucket);
      known.delete(bucket);
      await guarded(() => removeBucket(buckets, bucket, parts.folders));
    },
    async *listBuckets() {
      const entries = (await guarded(() => unlessMissing(fs.readdir(buckets)))) ?? [];
      const found = new Set(entries.map((entry) => entry.replace(deletingPrefix, '')));
      const named = new RegExp(`^${config.bucketPrefix}-[0-7][0-9a-hjkmnp-tv-z]{25}$`);
      for (const name of found) if (named.test(name)) yield name;
    },
    async check() {
      try {
        await makeFolder(buckets, parts.folders);
        await fs.access(buckets, constants.R_OK | constants.W_OK | constants.X_OK);
        await parts.space.ensure();
        return { ok: true };
      } catch (error) {
        return { ok: false, reason: storageError(error).message };
      }
    },
    async close() {
      known.clear();
    },
  };
}

/** Takes the bucket out of sight first, so that a removal that breaks off can only be carried on. */
async function removeBucket(buckets: string, bucket: string, folders: FolderSync): Promise<void> {
  const doomed = join(buckets, deletingPrefix + bucket);
  if ((await unlessMissing(fs.stat(buckets))) === undefined) return;
  await fs.rm(doomed, { recursive: true, force: true });
  if ((await unlessMissing(fs.rename(join(buckets, bucket), doomed).then(() => true))) === true) {
    await folders.sync(buckets);
    await fs.rm(doomed, { recursive: true, force: true });
  }
  await folders.sync(buckets);
}

function openBucket(folder: BucketFolder, parts: DiskParts): FileStore {
  const partials: Partials = createPartials(folder, parts);
  return {
    bucket: folder.name,
    put: (body, options = {}) => guarded(() => put(folder, parts, body, options)),
    get: (key, range) => guarded(() => get(folder, key, range)),
    size: (key) => guarded(async () => (await statOf(folder, key))?.size),
    madeAt: (key) => guarded(() => madeAt(folder, key)),
    delete: (keys) => guarded(() => remove(folder, parts, keys)),
    keys: () => listKeys(folder),
    partial: async (id) => partials.open(id),
    sweepTemporary: (olderThan, keep) => guarded(() => sweep(folder, partials, olderThan, keep)),
  };
}

async function put(folder: BucketFolder, parts: DiskParts, body: Readable, options: PutOptions): Promise<StoredObject> {
  await parts.space.ensure();
  const key = folder.newKey();
  options.onKey?.(key);
  const ready = folder.ensureFolder(key);
  // Awaited before the rename; a body may take hours until then, and a failure must not count as unhandled.
  ready.catch(() => undefined);
  const name = `${key}.put`;
  const path = join(folder.temporary, name);
  const hash = createHash('sha256');
  const writer = createDiskWriter(path, 0, parts.space);
  folder.busy.add(name);
  try {
    const { maxBytes, signal, onProgress } = options;
    const poured = await pour(body, { hash, write: writer.write, maxBytes, signal, onProgress });
    if (poured.broken !== undefined) throw brokenOff(poured.broken);
    await writer.sync();
    await ready;
    await folder.publish(path, key);
    return { key, size: poured.bytes, sha256: hash.digest('hex'), head: poured.head };
  } catch (error) {
    if (writer.opened()) await unlink(path).catch(() => undefined);
    throw error;
  } finally {
    folder.busy.delete(name);
    await writer.close();
  }
}

function objectMissing(cause?: unknown): StrongroomError {
  return unavailable('object_missing', 'The content of this file is not where it should be.', 60, cause);
}

async function get(folder: BucketFolder, key: string, range?: ByteRange): Promise<Readable> {
  const path = folder.path(key);
  if (path === undefined) throw objectMissing();
  const file = await fs.open(path, 'r').catch((error: unknown) => {
    throw hasCode(error, 'ENOENT', 'ENOTDIR') ? objectMissing(error) : error;
  });
  if (range !== undefined) {
    const { size: bytes } = await file.stat();
    const inside = range.start >= 0 && range.start <= range.end && range.end < bytes;
    if (!inside) {
      await file.close();
      throw new StrongroomError('range', 'range_not_satisfiable', `The range is outside of the ${bytes} bytes.`);
    }
  }
  return file.createReadStream({ highWaterMark: 256 * 1024, ...range });
}

async function statOf(folder: BucketFolder, key: string): Promise<Stats | undefined> {
  const path = folder.path(key);
  return path === undefined ? undefined : await unlessMissing(fs.stat(path));
}

/** The later of two times: bytes may have been complete long before the rename that made them an object. */
async function madeAt(folder: BucketFolder, key: string): Promise<number | undefined> {
  const found = await statOf(folder, key);
  return found === undefined ? undefined : Math.max(found.mtimeMs, found.ctimeMs);
}

async function remove(folder: BucketFolder, parts: DiskParts, keys: readonly string[]): Promise<void> {
  const touched = new Set<string>();
  for (const key of keys) {
    const path = folder.path(key);
    if (path === undefined) continue;
    if ((await unlessMissing(unlink(path).then(() => true))) === true) touched.add(key.slice(0, 2));
  }
  // Durable, so that what was deleted does not come back with the power.
  await Promise.all([...touched].map((prefix) => parts.folders.sync(join(folder.root, prefix))));
}

async function* listKeys(folder: BucketFolder): AsyncIterable<string> {
  const entries = await guarded(() => unlessMissing(fs.readdir(folder.root)));
  for (const prefix of entries ?? []) {
    if (!/^[0-9a-f]{2}$/.test(prefix)) continue;
    const names = await guarded(() => unlessMissing(fs.readdir(join(folder.root, prefix))));
    for (const name of names ?? []) if (isKey(name) && name.startsWith(prefix)) yield name;
  }
}

async function sweep(
  folder: BucketFolder,
  partials: Partials,
  olderThan: number,
  keep?: (uploadId: string) => Promise<boolean>,
): Promise<TemporarySweep> {
  let removed = 0;
  let oldestLeft: number | null = null;
  const names = (await unlessMissing(fs.readdir(folder.temporary))) ?? [];
  for (const name of names) {
    if (folder.busy.has(name)) continue;
    const path = join(folder.temporary, name);
    const upload = name.endsWith(partSuffix) ? name.slice(0, -partSuffix.length) : undefined;
    if (upload !== undefined && (await keep?.(upload)) === true) continue;
    const found = await unlessMissing(fs.stat(path));
    if (found === undefined || folder.busy.has(name)) continue;
    if (found.mtimeMs >= olderThan) {
      oldestLeft = Math.min(oldestLeft ?? Number.POSITIVE_INFINITY, found.mtimeMs);
      continue;
    }
    if (upload !== undefined) partials.forget(upload);
    if ((await unlessMissing(unlink(path).then(() => true))) === true) removed += 1;
  }
  return { removed, oldestLeft };
}
