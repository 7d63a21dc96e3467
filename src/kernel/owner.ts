/**
 * Who owns a data folder: the process that holds `owner.lock`, a SQLite file in an open exclusive transaction. The
 * operating system drops the lock with the process, however it ends; there are no times to run out.
 */
import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface FolderClaim {
  release(): void;
}

/** Folders claimed by this process: file locks do not keep a process from itself on every system. */
const claimed = new Set<string>();

/** Claims a folder (made where there is none), or gives undefined at once where a live process owns it. */
export async function claimDataFolder(dir: string): Promise<FolderClaim | undefined> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const path = join(realpathSync(dir), 'owner.lock');
  if (claimed.has(path)) return undefined;
  const lock = new DatabaseSync(path, { timeout: 0 });
  try {
    // Not WAL: an exclusive transaction on a rollback journal shuts out every other process.
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
  claimed.add(path);
  let held = true;
  return {
    release() {
      if (!held) return;
      held = false;
      claimed.delete(path);
      lock.close();
    },
  };
}

function isBusy(error: unknown): boolean {
  const code = (error as { errcode?: number }).errcode;
  return code !== undefined && ((code & 0xff) === 5 || (code & 0xff) === 6);
}
