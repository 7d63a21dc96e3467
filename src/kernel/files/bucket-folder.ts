/**
 * The folder of one bucket: `<2 hex>/<key>` for objects, `tmp/` for what is not yet durable. Knows names and folders,
 * makes what is missing durably, and turns finished temporary files into objects.
 */
import { randomBytes } from 'node:crypto';
import { mkdir as mkdirPath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FolderSync } from './folder-sync.ts';
import { hasCode, mkdir, rename } from './io.ts';

const folderMode = 0o700;
/** Objects that go to one folder in a row before the next is drawn. */
const run = 256;

export interface BucketFolder {
  readonly name: string;
  readonly root: string;
  readonly temporary: string;
  /** Names in `temporary` that this process is writing; the sweep leaves them alone. */
  readonly busy: Set<string>;
  /** A fresh random key. */
  newKey(): string;
  /** Where an object lies; undefined for what cannot be a key. */
  path(key: string): string | undefined;
  /** Makes the folder of a key, durably. Cheap when it was made before. */
  ensureFolder(key: string): Promise<void>;
  /** Renames a fsynced temporary file to the object and fsyncs the folder. On failure it is the temporary file again. */
  publish(temporary: string, key: string): Promise<void>;
}

const keyPattern = /^[0-9a-f]{32}$/;

export function isKey(key: string): boolean {
  return keyPattern.test(key);
}

export function createBucketFolder(buckets: string, name: string, folders: FolderSync): BucketFolder {
  const root = join(buckets, name);
  const temporary = join(root, 'tmp');
  const made = new Map<string, Promise<void>>();
  let prefix = '';
  let left = 0;

  async function make(folder: string): Promise<void> {
    await mkdir(folder, { mode: folderMode }).catch((error: unknown) => {
      if (!hasCode(error, 'EEXIST')) throw error;
    });
    // Also where it was there: the process that made it may have died before it was durable.
    await folders.sync(root);
  }

  const objectPath = (key: string) => join(root, key.slice(0, 2), key);

  return {
    name,
    root,
    temporary,
    busy: new Set(),
    newKey() {
      // Neighbours in time share a folder, so that they share its fsync; over many keys all folders fill alike.
      if (left === 0) {
        prefix = randomBytes(1).toString('hex');
        left = run;
      }
      left -= 1;
      return prefix + randomBytes(15).toString('hex');
    },
    path: (key) => (isKey(key) ? objectPath(key) : undefined),
    ensureFolder(key) {
      const folder = dirname(objectPath(key));
      const known = made.get(folder);
      if (known !== undefined) return known;
      const making = make(folder);
      made.set(folder, making);
      making.catch(() => made.delete(folder));
      return making;
    },
    async publish(from, key) {
      const target = objectPath(key);
      try {
        await rename(from, target);
      } catch (error) {
        made.delete(dirname(target));
        throw error;
      }
      try {
        await folders.sync(dirname(target));
      } catch (error) {
        await rename(target, from).catch(() => undefined);
        throw error;
      }
    },
  };
}

/** Makes a folder with all above it, each entry durable in its parent. Idempotent. */
export async function makeFolder(path: string, folders: FolderSync): Promise<void> {
  const first = await mkdirPath(path, { recursive: true, mode: folderMode });
  if (first === undefined) return;
  for (let folder = path; ; folder = dirname(folder)) {
    await folders.sync(dirname(folder));
    if (folder === first || folder === dirname(folder)) return;
  }
}
