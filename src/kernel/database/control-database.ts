/**
 * The control database. On SQLite it is the only file that opening may create (first start); it has a thread, a reader
 * and a writer of its own. Commits are durable (`synchronous=FULL`).
 */
import { closeSync, existsSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Clock, systemClock } from '../clock.ts';
import type { Logger } from '../log.ts';
import { createDatabase } from './create-database.ts';
import type { ControlDb } from './database.ts';
import { renameDurably } from './durable.ts';
import { createLeaseSet } from './lease-set.ts';
import type { ControlMigration } from './migration.ts';
import { applyMigrations, type ModuleMigrations } from './migrator.ts';
import { sqliteDialect } from './sqlite-dialect.ts';
import type { SqliteHost } from './sqlite-host.ts';
import type { SqlitePurpose } from './sqlite-protocol.ts';
import type { ControlTables } from './tables.ts';

export interface ControlDatabase {
  readonly db: ControlDb;
  /** Applies what is missing; returns the names applied. */
  migrate(list: readonly ModuleMigrations<ControlMigration>[]): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface ControlDatabaseOptions {
  readonly host: SqliteHost;
  /** Path of the file. Its folder is made where there is none. */
  readonly path: string;
  readonly log: Logger;
  readonly clock?: Clock;
  /** Longest wait for the writer, in seconds. Default 10. */
  readonly waitSeconds?: number;
}

/** Opens the control database of the embedded default, making the file on the first start. */
export async function openControlDatabase(options: ControlDatabaseOptions): Promise<ControlDatabase> {
  const { host, path, log } = options;
  await createFile(host, path);
  const open = (purpose: SqlitePurpose) => host.open('control', { path, purpose, create: false, cacheKiB: 8_192 });
  const leases = createLeaseSet({
    budget: 4,
    perKey: 4,
    waitMs: (options.waitSeconds ?? 10) * 1_000,
    idleMs: Number.POSITIVE_INFINITY,
    open: (_key, purpose) => open(purpose),
    limit: () => 1,
    log,
  });
  const source = {
    tryLease: (purpose: 'read' | 'write') => leases.tryLease('control', purpose),
    lease: (purpose: 'read' | 'write') => leases.lease('control', purpose),
  };
  const db = createDatabase<ControlTables, 'control'>({
    kind: 'control',
    dialect: 'sqlite',
    grammar: sqliteDialect,
    source,
    log,
  });
  return {
    db,
    async migrate(list) {
      const session = await open('migrate');
      try {
        return await applyMigrations<ControlTables>({
          session,
          grammar: sqliteDialect,
          list,
          clock: options.clock ?? systemClock,
        });
      } finally {
        await session.close();
      }
    },
    close: () => leases.close(),
  };
}

/** Made beside its place and renamed, so that a crash leaves a whole file or none. */
async function createFile(host: SqliteHost, path: string): Promise<void> {
  if (existsSync(path)) return;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const made = `${path}.new`;
  for (const ending of ['', '-wal', '-shm']) rmSync(made + ending, { force: true });
  closeSync(openSync(made, 'a', 0o600));
  const session = await host.open('control', { path: made, purpose: 'maintain', create: true });
  await session.close();
  await renameDurably(made, path);
}
