/**
 * Applies migrations: in order, each in one transaction with its ledger row, on both dialects.
 *
 * Promises: a step is applied once or not at all, also when the process dies inside it; of two runners one applies a
 * step and the other finds it applied (the ledger row is written first, in the same transaction).
 */
import './kernel-tables.ts';
import { createHash } from 'node:crypto';
import type { Dialect as KyselyDialect } from 'kysely';
import { type Kysely, sql } from 'kysely';
import type { Clock } from '../clock.ts';
import type { Dialect } from './database.ts';
import type { MigrationTable } from './kernel-tables.ts';
import type { Migration, SchemaOf } from './migration.ts';
import { kyselyOver, type SqlSession } from './session.ts';

/** The migrations of one module, in order. */
export interface ModuleMigrations<M> {
  readonly module: string;
  readonly migrations: readonly M[];
}

export interface MigrateOptions<Tables> {
  readonly session: SqlSession;
  readonly grammar: KyselyDialect;
  readonly list: readonly ModuleMigrations<Migration<Tables>>[];
  readonly clock: Clock;
  /** What the ledger holds, where the caller has read it under the lock of the schema; it is then not asked for again. */
  readonly present?: ReadonlySet<string>;
  /** In the transaction of each step, after it: where what follows from the structure is recorded. */
  readonly afterEach?: (db: Kysely<Tables>) => Promise<void>;
}

interface Ledger {
  migrations: MigrationTable;
}

/** First key of the PostgreSQL advisory lock that lets one runner at a time work in a schema; the second is its name. */
const runnerLock = 7_350_114;
/** Takes that lock, of the schema that this expression names, until the end of the transaction. */
export const schemaLock = (schema: string): string =>
  `SELECT pg_advisory_xact_lock(${runnerLock}, hashtext(${schema}))`;

/** Names, `module/name`, in the order in which they are applied. @throws Error on names out of order or doubled */
export function migrationNames(list: readonly ModuleMigrations<{ readonly name: string }>[]): string[] {
  const names = list.flatMap(({ module, migrations }) => {
    const own = migrations.map((migration) => migration.name);
    const sorted = own.toSorted();
    if (own.some((name, index) => name !== sorted[index] || !/^\d{4}-/.test(name))) {
      throw new Error(`the migrations of ${module} are not in the order of their numbers`);
    }
    return own.map((name) => `${module}/${name}`);
  });
  if (new Set(names).size !== names.length) throw new Error('two migrations have the same name');
  return names;
}

/** A digest of a list of migrations, their code included: names the template that they make. */
export function migrationsDigest(list: readonly ModuleMigrations<Migration<never>>[]): string {
  const hash = createHash('sha256');
  migrationNames(list);
  for (const { module, migrations } of list) {
    for (const migration of migrations) hash.update(`${module}/${migration.name}\n${String(migration.up)}\n`);
  }
  return hash.digest('hex').slice(0, 32);
}

/** Names of the migrations that a database has, `module/name`, in order of application; none where there is no ledger. */
export async function appliedMigrations(session: SqlSession, grammar: KyselyDialect): Promise<string[]> {
  const db = kyselyOver<Ledger>(grammar, (query) => session.execute(query));
  return (await hasLedger(db, session.dialect)) ? ledgerNames(db) : [];
}

async function ledgerNames(db: Kysely<Ledger>): Promise<string[]> {
  const rows = await db
    .selectFrom('migrations')
    .selectAll()
    .orderBy('applied_at')
    .orderBy('module')
    .orderBy('name')
    .execute();
  return rows.map((row) => `${row.module}/${row.name}`);
}

async function hasLedger(db: Kysely<Ledger>, dialect: Dialect): Promise<boolean> {
  const found =
    dialect === 'sqlite'
      ? await sql`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migrations'`.execute(db)
      : await sql`SELECT 1 FROM pg_class
          WHERE relname = 'migrations' AND relnamespace = current_schema()::regnamespace`.execute(db);
  return found.rows.length > 0;
}

/** Applies what is missing. Returns the names that this call applied. Forward only: unknown ledger rows are left alone. */
export async function applyMigrations<Tables>(options: MigrateOptions<Tables>): Promise<string[]> {
  const { list } = options;
  migrationNames(list);
  const present = options.present ?? (await readLedger(options));
  const applied: string[] = [];
  for (const { module, migrations } of list) {
    for (const migration of migrations) {
      if (present.has(`${module}/${migration.name}`)) continue;
      if (await inTransaction(options, () => applyStep(options, module, migration))) {
        applied.push(`${module}/${migration.name}`);
      }
    }
  }
  return applied;
}

/** Makes the ledger where there is none. */
async function readLedger<Tables>(options: MigrateOptions<Tables>): Promise<ReadonlySet<string>> {
  const { session, grammar } = options;
  const db = kyselyOver<Ledger>(grammar, (query) => session.execute(query));
  if (await hasLedger(db, session.dialect)) return new Set(await ledgerNames(db));
  await inTransaction(options, () => createLedger(db));
  return new Set();
}

async function createLedger(db: Kysely<Ledger>): Promise<void> {
  await db.schema
    .createTable('migrations')
    .ifNotExists()
    .addColumn('module', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('applied_at', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('migrations_pkey', ['module', 'name'])
    .execute();
}

async function applyStep<Tables>(
  options: MigrateOptions<Tables>,
  module: string,
  migration: Migration<Tables>,
): Promise<boolean> {
  const { session, grammar, clock } = options;
  const ledger = kyselyOver<Ledger>(grammar, (query) => session.execute(query));
  const written = await ledger
    .insertInto('migrations')
    .values({ module, name: migration.name, applied_at: clock.iso() })
    .onConflict((conflict) => conflict.columns(['module', 'name']).doNothing())
    .returning('name')
    .execute();
  if (written.length === 0) return false;
  const db = kyselyOver<Tables>(grammar, (query) => session.execute(query));
  await migration.up(schemaOf(db, session.dialect));
  await options.afterEach?.(db);
  return true;
}

async function inTransaction<T>(
  { session, grammar, present }: Pick<MigrateOptions<never>, 'session' | 'grammar' | 'present'>,
  work: () => Promise<T>,
): Promise<T> {
  await session.begin();
  try {
    if (session.dialect === 'postgres' && present === undefined) {
      const db = kyselyOver(grammar, (query) => session.execute(query));
      await sql.raw(schemaLock('current_schema()')).execute(db);
    }
    const result = await work();
    await session.commit();
    return result;
  } catch (error) {
    await session.rollback().catch(() => {});
    throw error;
  }
}

/** Kysely's schema builder, narrowed as `SchemaOf` says. */
export function schemaOf<Tables>(db: Kysely<Tables>, dialect: Dialect): SchemaOf<Tables> {
  const { schema } = db;
  return {
    dialect,
    createTable: (table) => schema.createTable(table),
    alterTable: (table) => schema.alterTable(table),
    dropTable: (table) => schema.dropTable(table),
    createIndex: (name) => schema.createIndex(name),
    dropIndex: (name) => schema.dropIndex(name),
    rows: db,
    async run(statement) {
      await statement.execute(db);
    },
  };
}
