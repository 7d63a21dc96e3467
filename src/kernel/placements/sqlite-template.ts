/**
 * The migrated template that new tenants are copied from: `templates/<digest of the migrations>.db`. Made once, beside
 * its place, compacted, fsynced and renamed, so that it is whole or not there. Its structure is read once a process.
 */
import { existsSync } from 'node:fs';
import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { makeFolder, renameDurably } from '../database/durable.ts';
import { fingerprint } from '../database/fingerprint.ts';
import type { TenantMigration } from '../database/migration.ts';
import { applyMigrations, type ModuleMigrations, migrationsDigest } from '../database/migrator.ts';
import { kyselyOver } from '../database/session.ts';
import { sqliteDialect } from '../database/sqlite-dialect.ts';
import type { SqliteHost } from '../database/sqlite-host.ts';
import type { TenantTables } from '../database/tables.ts';

export interface SqliteTemplateOptions {
  readonly dataDir: string;
  readonly host: SqliteHost;
  readonly migrations: readonly ModuleMigrations<TenantMigration>[];
  readonly clock: Clock;
}

export interface SqliteTemplate {
  readonly path: string;
  /** Of the structure that every copy begins with. */
  readonly fingerprint: string;
}

/**
 * Gives the template, making it where it is not there. Single-flight within the process. The list of
 * migrations is read at each call: modules are registered after the placement was made.
 */
export function createSqliteTemplate(options: SqliteTemplateOptions): () => Promise<SqliteTemplate> {
  let making: Promise<SqliteTemplate> | undefined;
  let madeOf = 0;
  function start(): Promise<SqliteTemplate> {
    madeOf = countOf(options);
    making = ensure(options).catch((error: unknown) => {
      making = undefined;
      throw error;
    });
    return making;
  }
  return async () => {
    const template = await (making === undefined || madeOf !== countOf(options) ? start() : making);
    // Somebody may have emptied the folder while we ran.
    return existsSync(template.path) ? template : start();
  };
}

function countOf({ migrations }: SqliteTemplateOptions): number {
  return migrations.reduce((count, own) => count + own.migrations.length, 0);
}

async function ensure(options: SqliteTemplateOptions): Promise<SqliteTemplate> {
  const path = await ensureFile(options);
  return { path, fingerprint: await structureOf(options.host, path) };
}

/** Read with the purpose that leaves no side files behind. */
async function structureOf(host: SqliteHost, path: string): Promise<string> {
  const session = await host.open('maintenance', { path, purpose: 'maintain', create: false });
  try {
    return await fingerprint(
      kyselyOver<TenantTables>(sqliteDialect, (query) => session.execute(query)),
      'sqlite',
    );
  } finally {
    await session.close();
  }
}

async function ensureFile(options: SqliteTemplateOptions): Promise<string> {
  const folder = join(options.dataDir, 'templates');
  const name = `${migrationsDigest(options.migrations)}.db`;
  const path = join(folder, name);
  if (existsSync(path)) return path;
  await makeFolder(folder);
  // The process owns the data folder, so whatever else is here belongs to earlier versions or broke off.
  for (const entry of await readdir(folder)) if (entry !== name) await rm(join(folder, entry), { force: true });
  const made = `${path}.new`;
  await (await open(made, 'ax', 0o600)).close();
  await build(options, made);
  await renameDurably(made, path);
  return path;
}

async function build({ host, migrations, clock }: SqliteTemplateOptions, path: string): Promise<void> {
  const first = await host.open('maintenance', { path, purpose: 'maintain', create: true });
  await first.close();
  const session = await host.open('maintenance', { path, purpose: 'migrate', create: false });
  try {
    await applyMigrations<TenantTables>({ session, grammar: sqliteDialect, list: migrations, clock });
  } finally {
    await session.close();
  }
  const last = await host.open('maintenance', { path, purpose: 'maintain', create: false });
  try {
    await last.script('VACUUM');
  } finally {
    await last.close();
  }
}
