/**
 * Makes a tenant's file from the migrated template. Runs inside a SQLite thread, with synchronous calls: the whole way
 * is one message, and four fsyncs are all that it waits for.
 *
 * Promises: after an error or a crash there is nothing under the name; on return the file is whole, carries its identity
 * row, and is durable with the folders that were made for it (0700; the file has the template's mode).
 */
import { closeSync, constants, copyFileSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { CopyRequest } from './sqlite-protocol.ts';

export function placeCopy({ template, path, identity }: CopyRequest): void {
  const folder = dirname(path);
  const first = mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (first !== undefined) syncUpTo(folder, first);
  const made = `${path}.new`;
  // What an attempt before left; a log of it would be played into the new copy.
  for (const ending of ['', '-wal', '-shm']) rmSync(made + ending, { force: true });
  copyFileSync(template, made, constants.COPYFILE_FICLONE);
  const db = new DatabaseSync(made);
  try {
    // Nobody else knows of the file, and what is in it becomes durable below, as a whole.
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = OFF');
    db.prepare('INSERT INTO identity (singleton, tenant_id, generation, fingerprint) VALUES (1, ?, ?, ?)').run(
      identity.tenantId,
      identity.generation,
      identity.fingerprint,
    );
  } finally {
    db.close();
  }
  sync(made);
  renameSync(made, path);
  sync(folder);
}

/** Every folder that got a new entry, from the parent of `folder` up to the parent of `first`. */
function syncUpTo(folder: string, first: string): void {
  for (let made = folder; ; made = dirname(made)) {
    sync(dirname(made));
    if (made === first || made === dirname(made)) return;
  }
}

function sync(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
