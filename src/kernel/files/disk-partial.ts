/**
 * Uploads in parts on a disk: `tmp/<id>.part` grows by `append`, and `finish` renames it to an object.
 *
 * - The size of the file is the offset; an append has fsynced before it returns, also when its body broke off.
 * - A refused append (too large, disk full) cuts the file back to where it began.
 * - The object's key is derived from the upload's id, so that a second `finish` after a crash finds the same object.
 * - One call at a time works on an upload. A client that asks again has lost its former request: an append that still
 *   runs is stopped, keeps what it got, and the new call goes on from there.
 * - The hash is carried along while one process appends; after a gap the file is hashed again from the disk.
 */
import { createHash, type Hash } from 'node:crypto';
import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { conflict, StrongroomError } from '../errors.ts';
import type { BucketFolder } from './bucket-folder.ts';
import { createDiskWriter, type DiskParts } from './disk-writer.ts';
import type { PartialUpload, StoredObject } from './file-store.ts';
import { close, fsync, guarded, open, unlessMissing, unlink } from './io.ts';
import { headBytes, pour } from './pour.ts';

export const partSuffix = '.part';
/** Uploads whose hash is carried along; for the others it is computed again at the end. */
const remembered = 4_096;

export interface Partials {
  open(id: string): PartialUpload;
  /** Drops what is kept in memory of an upload whose file was swept. */
  forget(id: string): void;
}

/** What this process knows of one upload. */
interface Progress {
  /** Resolves when the call before is through. */
  turn: Promise<void>;
  /** Calls that run or wait. */
  callers: number;
  /** Set when nothing is left to be remembered. */
  over: boolean;
  /** Stops the append that runs now. */
  stop: (() => void) | undefined;
  /** The hash of the first `hashed` bytes of the file. */
  hash: Hash | undefined;
  hashed: number;
  /** Whether what the file has was fsynced by this process. */
  durable: boolean;
}

export function createPartials(folder: BucketFolder, parts: DiskParts): Partials {
  const known = new Map<string, Progress>();

  function progressOf(id: string): Progress {
    const progress: Progress = known.get(id) ?? {
      turn: Promise.resolve(),
      callers: 0,
      over: false,
      stop: undefined,
      hash: undefined,
      hashed: 0,
      durable: false,
    };
    known.delete(id);
    known.set(id, progress);
    if (known.size > remembered) dropIdle();
    return progress;
  }

  function dropIdle(): void {
    for (const [id, progress] of known) {
      if (known.size <= remembered) return;
      if (progress.callers === 0) known.delete(id);
    }
  }

  /** Runs `work` alone on this upload, after stopping an append that is in the way. */
  async function alone<T>(id: string, work: (progress: Progress) => Promise<T>): Promise<T> {
    const progress = progressOf(id);
    progress.stop?.();
    progress.callers += 1;
    folder.busy.add(id + partSuffix);
    const before = progress.turn;
    let done: () => void = () => undefined;
    progress.turn = new Promise((resolve) => {
      done = resolve;
    });
    await before;
    try {
      return await guarded(() => work(progress));
    } finally {
      progress.callers -= 1;
      if (progress.callers === 0) {
        folder.busy.delete(id + partSuffix);
        if (progress.over) known.delete(id);
      }
      done();
    }
  }

  return {
    open(id) {
      if (!/^[a-z0-9_-]{1,100}$/i.test(id)) {
        throw new StrongroomError('not_found', 'not_found', 'There is no such upload.');
      }
      const part: Part = { folder, parts, path: join(folder.temporary, id + partSuffix), key: keyOf(folder.name, id) };
      return {
        id,
        key: part.key,
        offset: () => alone(id, (progress) => offset(part, progress)),
        append: (at, body, options = {}) => alone(id, (progress) => append(part, progress, at, body, options)),
        finish: () =>
          alone(id, async (progress) => {
            const object = await finish(part, progress);
            progress.over = true;
            return object;
          }),
        discard: () =>
          alone(id, async (progress) => {
            progress.over = true;
            progress.hash = undefined;
            await unlessMissing(unlink(part.path));
          }),
      };
    },
    forget: (id) => known.delete(id),
  };
}

interface Part {
  readonly folder: BucketFolder;
  readonly parts: DiskParts;
  readonly path: string;
  /** The key of the object it becomes. */
  readonly key: string;
}

/** As opaque as a random key, and the same each time. */
function keyOf(bucket: string, id: string): string {
  return createHash('sha256').update(`part ${bucket} ${id}`).digest('hex').slice(0, 32);
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await unlessMissing(fs.stat(path)))?.size;
}

/** The size of the part, of the object where it was finished, or 0 for an upload that has not begun. */
async function offset(part: Part, progress: Progress): Promise<number> {
  const size = await sizeOf(part.path);
  if (size === undefined) return (await sizeOf(part.folder.path(part.key)!)) ?? 0;
  if (!progress.durable) await makeDurable(part, progress);
  return size;
}

/** After a gap nobody knows whether the bytes that are there were fsynced. */
async function makeDurable(part: Part, progress: Progress): Promise<void> {
  const file = await open(part.path, 'r');
  try {
    await fsync(file);
    await part.parts.folders.sync(part.folder.temporary);
    progress.durable = true;
  } finally {
    await close(file);
  }
}

async function append(
  part: Part,
  progress: Progress,
  at: number,
  body: Readable,
  options: { maxBytes?: number; signal?: AbortSignal },
): Promise<number> {
  const here = await offset(part, progress);
  if (at !== here) {
    throw conflict('offset_mismatch', `The upload has ${here} bytes; it cannot go on at ${at}.`, { offset: here });
  }
  if ((await sizeOf(part.path)) === undefined && here > 0) {
    throw conflict('upload_finished', 'The upload is finished; nothing can be added.');
  }
  await part.parts.space.ensure();
  const stopping = new AbortController();
  progress.stop = () => stopping.abort();
  // Somebody asked again while this call was still waiting: it keeps what has come, and lets the newer one go on.
  if (progress.callers > 1) stopping.abort();
  const signal = options.signal === undefined ? stopping.signal : AbortSignal.any([stopping.signal, options.signal]);
  const hash = here === 0 ? createHash('sha256') : progress.hashed === here ? progress.hash : undefined;
  progress.hash = undefined;
  const writer = createDiskWriter(part.path, here, part.parts.space);
  try {
    const poured = await pour(body, { hash, write: writer.write, maxBytes: options.maxBytes, signal });
    await writer.sync();
    if (here === 0) await part.parts.folders.sync(part.folder.temporary);
    progress.hash = hash;
    progress.hashed = here + poured.bytes;
    progress.durable = true;
    return progress.hashed;
  } catch (error) {
    await writer.undo().catch(() => undefined);
    throw error;
  } finally {
    progress.stop = undefined;
    await writer.close();
  }
}

async function finish(part: Part, progress: Progress): Promise<StoredObject> {
  const target = part.folder.path(part.key)!;
  const size = await sizeOf(part.path);
  if (size === undefined) {
    if ((await sizeOf(target)) === undefined) {
      throw new StrongroomError('gone', 'upload_gone', 'The upload is not there any more. Begin it again.');
    }
    // Renamed before, perhaps by a process that died before the folder was durable.
    await part.folder.ensureFolder(part.key);
    await part.parts.folders.sync(join(target, '..'));
    return describe(target, part.key, undefined);
  }
  if (!progress.durable) await makeDurable(part, progress);
  const sha256 = progress.hash !== undefined && progress.hashed === size ? progress.hash.digest('hex') : undefined;
  progress.hash = undefined;
  const described = await describe(part.path, part.key, sha256);
  await part.folder.ensureFolder(part.key);
  await part.folder.publish(part.path, part.key);
  return described;
}

/** Size, first bytes and digest of a file; the digest is computed where it is not known. */
async function describe(path: string, key: string, sha256: string | undefined): Promise<StoredObject> {
  const file = await fs.open(path, 'r');
  try {
    const { size } = await file.stat();
    const head = new Uint8Array(Math.min(size, headBytes));
    let got = 0;
    while (got < head.length) {
      const { bytesRead } = await file.read(head, got, head.length - got, got);
      if (bytesRead === 0) break;
      got += bytesRead;
    }
    if (sha256 !== undefined) return { key, size, sha256, head: head.subarray(0, got) };
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(1024 * 1024);
    for (let at = 0; at < size; ) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
    return { key, size, sha256: hash.digest('hex'), head: head.subarray(0, got) };
  } finally {
    await file.close();
  }
}
