/**
 * File-system calls as promises over plain descriptors, and what their errors mean to a caller.
 *
 * The callback functions cost about half of what `fs/promises` does for small files, and a descriptor can be closed
 * without being waited for. Every write here is complete: a short one is carried on.
 */
import * as fs from 'node:fs';
import { constants } from 'node:os';
import { promisify } from 'node:util';
import { StrongroomError, unavailable } from '../errors.ts';

export const open: (path: string, flags: string | number, mode?: number) => Promise<number> = promisify(fs.open);
export const fsync: (file: number) => Promise<void> = promisify(fs.fsync);
export const fdatasync: (file: number) => Promise<void> = promisify(fs.fdatasync);
export const truncate: (file: number, length: number) => Promise<void> = promisify(fs.ftruncate);
export const rename: (from: string, to: string) => Promise<void> = promisify(fs.rename);
export const unlink: (path: string) => Promise<void> = promisify(fs.unlink);
export const mkdir: (path: string, options: { mode: number }) => Promise<unknown> = promisify(fs.mkdir);

/** Closes a descriptor. What had to be durable was fsynced before, so an error here says nothing worth hearing. */
export function close(file: number): Promise<void> {
  return new Promise((resolve) => fs.close(file, () => resolve()));
}

/**
 * Closes at once a descriptor whose file or folder was fsynced: nothing is left to be written, so the call does not
 * wait for a disk, and costs a tenth of what handing it to another thread does.
 */
export function closeSynced(file: number): void {
  try {
    fs.closeSync(file);
  } catch {
    // As for `close`.
  }
}

/** Writes every byte of `pieces`, at `position` or, where that is null, where the file stands. */
export async function writeAll(file: number, pieces: readonly Uint8Array[], position: number | null): Promise<void> {
  let rest = pieces;
  let at = position;
  while (rest.length > 0) {
    const written = await writev(file, rest, at);
    if (at !== null) at += written;
    rest = behind(rest, written);
  }
}

function writev(file: number, pieces: readonly Uint8Array[], position: number | null): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.writev(file, pieces, position, (error, written) => (error === null ? resolve(written) : reject(error)));
  });
}

/** What is left of `pieces` behind their first `count` bytes. */
function behind(pieces: readonly Uint8Array[], count: number): readonly Uint8Array[] {
  let left = count;
  let index = 0;
  while (index < pieces.length && left >= pieces[index]!.length) {
    left -= pieces[index]!.length;
    index += 1;
  }
  if (index === pieces.length) return [];
  return left === 0 ? pieces.slice(index) : [pieces[index]!.subarray(left), ...pieces.slice(index + 1)];
}

/** Whether an error of the file system carries this code. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes((error as NodeJS.ErrnoException | undefined)?.code ?? '');
}

/** Resolves to undefined where there is nothing under the name; other errors are thrown. */
export async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

export function diskFull(cause?: unknown): StrongroomError {
  return new StrongroomError('no_space', 'disk_full', 'There is no space left for files. Reading works as before.', {
    retryAfter: 60,
    cause,
  });
}

export function tooLarge(maxBytes?: number): StrongroomError {
  const limit = maxBytes === undefined ? '' : ` At most ${maxBytes} bytes are accepted here.`;
  return new StrongroomError('too_large', 'file_too_large', `The file is too large.${limit}`);
}

/** Node has no name for EDQUOT, only its number. */
function isOverQuota(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.errno === -constants.errno.EDQUOT;
}

/** What a failure of the disk is to a caller. Errors of the product's own pass as they are. */
export function storageError(error: unknown): StrongroomError {
  if (error instanceof StrongroomError) return error;
  if (hasCode(error, 'ENOSPC') || isOverQuota(error)) return diskFull(error);
  if (hasCode(error, 'EFBIG'))
    return new StrongroomError('too_large', 'file_too_large', 'The file is larger than the disk takes.', {
      cause: error,
    });
  if (hasCode(error, 'EMFILE', 'ENFILE'))
    return unavailable('too_many_files', 'Too many files are open at the moment.', 1, error);
  if (hasCode(error, 'ENOENT', 'ENOTDIR'))
    return unavailable('bucket_missing', 'The place where files are kept is not there.', 30, error);
  return unavailable('storage_failed', 'The place where files are kept does not work at the moment.', 10, error);
}

/** Runs work on the disk and gives its failures the form that callers know. */
export async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storageError(error);
  }
}
