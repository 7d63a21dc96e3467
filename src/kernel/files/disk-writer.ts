/**
 * Writes one file in pieces and makes it durable.
 *
 * The file is opened with the first piece, so that a small upload that breaks off has not touched the disk. For large
 * files the disk is told to begin early, beside the receiving of more. A failure of that early fsync is never lost:
 * the kernel reports it once, so it is kept and thrown by the next call.
 */
import { constants } from 'node:fs';
import type { FolderSync } from './folder-sync.ts';
import type { FreeSpace } from './free-space.ts';
import { close, closeSynced, fdatasync, fsync, open, truncate, writeAll } from './io.ts';

/** What the parts of the disk store share. */
export interface DiskParts {
  readonly folders: FolderSync;
  readonly space: FreeSpace;
}

export interface DiskWriter {
  write(chunks: readonly Uint8Array[], bytes: number): Promise<void>;
  /** Whether there is a file to be cleaned up. */
  opened(): boolean;
  /** Makes everything that was written durable; an empty file too. */
  sync(): Promise<void>;
  /** Cuts the file back to where this writer began. */
  undo(): Promise<void>;
  close(): Promise<void>;
}

const { O_CREAT, O_WRONLY } = constants;
/** After so many bytes the disk is told to begin, so that a large file does not end with one long fsync. */
const writebackBytes = 32 * 1024 * 1024;

/** @param start where the first byte goes: 0 makes the file where it is not there */
export function createDiskWriter(path: string, start: number, space: FreeSpace): DiskWriter {
  let file: number | undefined;
  let position = start;
  let pending = 0;
  let synced = false;
  let early: Promise<void> | undefined;
  let failure: { readonly error: unknown } | undefined;

  const opened = async () => {
    file ??= await open(path, start === 0 ? O_WRONLY | O_CREAT : O_WRONLY, 0o600);
    return file;
  };

  function beginEarly(descriptor: number): void {
    if (pending < writebackBytes || early !== undefined) return;
    pending = 0;
    early = fdatasync(descriptor)
      .catch((error: unknown) => {
        failure = { error };
      })
      .finally(() => {
        early = undefined;
      });
  }

  return {
    opened: () => file !== undefined,
    async write(chunks, bytes) {
      if (failure !== undefined) throw failure.error;
      await space.spend(bytes);
      const descriptor = await opened();
      synced = false;
      await writeAll(descriptor, chunks, position);
      position += bytes;
      pending += bytes;
      beginEarly(descriptor);
    },
    async sync() {
      const descriptor = await opened();
      await early;
      if (failure !== undefined) throw failure.error;
      await fsync(descriptor);
      synced = true;
    },
    async undo() {
      if (file === undefined) return;
      await early;
      await truncate(file, start);
      await fsync(file);
    },
    async close() {
      await early;
      if (file === undefined) return;
      if (synced) closeSynced(file);
      else await close(file);
    },
  };
}
