/**
 * The control database on PostgreSQL: a small pool of its own, shared by several server processes.
 *
 * Guarantees
 * - Write transactions of all processes take turns (one advisory lock from BEGIN to COMMIT), as on SQLite: a decision
 *   that reads and then writes is linearizable, and numbers that are counted up are committed in their order.
 * - A process that hangs in its turn loses it: the server ends its transaction; others wait no longer than `waitSeconds`
 *   and are answered 503.
 * - A server that is down is answered 503 `control_database_unreachable`; once it is back, the next try within two
 *   seconds finds it. A broken connection is never lent again.
 * - Nothing depends on session state, so that a pooler may stand between; LISTEN and migrations use the direct address.
 */
import pg from 'pg';
import { systemClock } from '../clock.ts';
import { StrongroomError, unavailable } from '../errors.ts';
import type { ControlDatabase, ControlDatabaseOptions } from './control-database.ts';
import { createDatabase } from './create-database.ts';
import type { ControlDb } from './database.ts';
import { createLeaseSet } from './lease-set.ts';
import { applyMigrations } from './migrator.ts';
import { postgresClientConfig } from './postgres-address.ts';
import { postgresDialect } from './postgres-dialect.ts';
import { isConnectionLost, postgresError } from './postgres-errors.ts';
import { openPostgresSession, type PostgresSession } from './postgres-session.ts';
import type { ControlTables } from './tables.ts';

export interface PostgresControlOptions extends Pick<ControlDatabaseOptions, 'log' | 'clock' | 'waitSeconds'> {
  readonly url: string;
  /** Without a pooler in between; default is `url`. */
  readonly directUrl?: string | null;
  /** Longest time of one statement, in seconds. Default 15. */
  readonly statementSeconds?: number;
  /** Connections for reading. Default 4; two more write. */
  readonly readers?: number;
}

export interface PostgresControl extends ControlDatabase {
  /**
   * The same database for single statements that need no order among each other: its transactions take no turn. One
   * must not wait for anything but rows.
   */
  readonly unordered: ControlDb;
  /** A connection outside the pool, to the direct address. @throws the driver's error */
  connect(): Promise<pg.Client>;
}

/** Keys of advisory locks: the turn of writers, and the one runner of control migrations. */
const writersTurn = 7_350_115;
const migratorsTurn = 7_350_116;
/** Longest life of a transaction whose process says nothing (ms): a little more than `transactionLimit`. */
const silentLimit = 35_000;
const unreachable = 'control_database_unreachable';
const connectMs = 4_000;
/** By this name the connection on which a process listens is known: there is one a process. */
export const controlListener = 'strongroom control listener';

/** @throws unavailable `control_database_unreachable`; nothing is kept open then */
export async function openPostgresControl(options: PostgresControlOptions): Promise<PostgresControl> {
  const { log, clock = systemClock } = options;
  const waitMs = (options.waitSeconds ?? 10) * 1_000;
  const leases = createLeaseSet({
    budget: (options.readers ?? 4) + 2,
    perKey: (options.readers ?? 4) + 1,
    waitMs,
    idleMs: 60_000,
    longestPauseMs: 1_000,
    open: (key) => openSession(options, key === 'ordered' ? beginInTurn(options, waitMs) : beginAtOnce(options)),
    limit: (_key, purpose) => (purpose === 'write' ? 1 : (options.readers ?? 4)),
    log,
  });
  const databaseOver = (key: 'ordered' | 'unordered'): ControlDb =>
    createDatabase<ControlTables, 'control'>({
      kind: 'control',
      dialect: 'postgres',
      grammar: postgresDialect,
      source: {
        // All readers are those of one key.
        tryLease: (purpose) => leases.tryLease(purpose === 'read' ? 'ordered' : key, purpose),
        lease: (purpose) => leases.lease(purpose === 'read' ? 'ordered' : key, purpose),
      },
      log,
    });
  // Whether it can be reached at all is known before anything is built on it.
  const first = await leases.lease('ordered', 'read').catch(async (error: unknown) => {
    await leases.close();
    throw error;
  });
  first.release();
  return {
    db: databaseOver('ordered'),
    unordered: databaseOver('unordered'),
    connect: () => connectDirectly(options),
    async migrate(list) {
      const session = await openSession({ ...options, url: options.directUrl ?? options.url, statementSeconds: 300 });
      try {
        await session.script(`SET lock_timeout = 60000; SELECT pg_advisory_lock(${migratorsTurn})`);
        return await applyMigrations<ControlTables>({ session, grammar: postgresDialect, list, clock });
      } finally {
        // The lock ends with the connection.
        await session.close();
      }
    },
    close: () => leases.close(),
  };
}

const limits = ({ statementSeconds = 15 }: PostgresControlOptions) =>
  `SET LOCAL idle_in_transaction_session_timeout = ${silentLimit}; SET LOCAL statement_timeout = ${statementSeconds * 1_000}`;

/** One message: begins, and waits for the turn. */
const beginInTurn = (options: PostgresControlOptions, waitMs: number) =>
  `BEGIN; SET LOCAL lock_timeout = ${waitMs}; SELECT pg_advisory_xact_lock(${writersTurn}); ${limits(options)}`;
const beginAtOnce = (options: PostgresControlOptions) => `BEGIN; ${limits(options)}`;

async function connectDirectly(options: PostgresControlOptions): Promise<pg.Client> {
  const config = postgresClientConfig(options.directUrl ?? options.url, controlListener, connectMs);
  const client = new pg.Client({ ...config, query_timeout: 5_000 });
  // Whoever uses it listens too; an error without a listener would end the process.
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** A session that takes its turn when it begins, and whose errors are the product's. */
async function openSession(options: PostgresControlOptions, begin = 'BEGIN'): Promise<PostgresSession> {
  const seconds = Math.max(options.statementSeconds ?? 15, options.waitSeconds ?? 10) + 5;
  const config = postgresClientConfig(options.url, 'strongroom control', connectMs);
  const session = await openPostgresSession({ ...config, query_timeout: seconds * 1_000 }).catch((error: unknown) => {
    const mapped = postgresError(error, unreachable);
    // No login, no such database, no right to connect: an operator must act; callers can only wait.
    throw mapped instanceof StrongroomError
      ? mapped
      : unavailable(unreachable, 'The database cannot be reached now.', 30, error);
  });
  let broken = false;

  function mapped(error: unknown): never {
    broken ||= isConnectionLost(error);
    throw postgresError(error, unreachable);
  }

  return {
    dialect: 'postgres',
    concurrency: 1,
    get usable() {
      return !broken && session.usable;
    },
    execute: (query) => session.execute<never>(query).catch(mapped),
    script: (sql) => session.script<never>(sql).catch(mapped),
    scriptRows: (sql) => session.scriptRows<never>(sql).catch(mapped),
    async begin() {
      await session.script(begin).catch(mapped);
    },
    commit: () => session.commit().catch(mapped),
    rollback: () => session.rollback().catch(mapped),
    close: () => session.close(),
  };
}
