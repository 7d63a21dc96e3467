/**
 * `Database` over leased sessions: a reader a query, the writer a transaction.
 *
 * Promises: work that throws, or takes longer than 30 s, leaves nothing; a transaction is dead after its end; a due time
 * is marked before the commit; what was to run after the commit runs after it and cannot undo it. On PostgreSQL work may
 * run again from its beginning, nothing of the run before being left: it keeps its effects to the transaction.
 */
import type { CompiledQuery, Kysely, Dialect as KyselyDialect, QueryResult } from 'kysely';
import { StrongroomError, unavailable } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Database, Dialect, Transaction } from './database.ts';
import type { Lease, LeasePurpose } from './lease-set.ts';
import { isTransactionConflict } from './postgres-errors.ts';
import { type Execute, kyselyOver, type SqlSession } from './session.ts';

/** Longest life of a transaction, in milliseconds. */
export const transactionLimit = 30_000;

export interface SessionSource {
  tryLease(purpose: LeasePurpose): Lease | undefined;
  lease(purpose: LeasePurpose): Promise<Lease>;
}

export interface CreateDatabaseOptions<Kind extends 'tenant' | 'control'> {
  readonly kind: Kind;
  readonly dialect: Dialect;
  readonly grammar: KyselyDialect;
  readonly source: SessionSource;
  readonly log: Logger;
  /**
   * Marks that the database has work due at this time (ms); durable on return. Called before the commit; what it
   * resolves to is called after the commit was tried, so that a visit in between cannot miss the work (`WorkIndex.begin`).
   */
  readonly markWork?: (dueAt: number) => Promise<() => void>;
  /** Another limit than 30 s, for tests. */
  readonly transactionMs?: number;
}

export function createDatabase<Tables, Kind extends 'tenant' | 'control'>(
  options: CreateDatabaseOptions<Kind>,
): Omit<Database<Tables>, 'transaction'> & {
  readonly kind: Kind;
  transaction<T>(work: (tx: Transaction<Tables> & { readonly kind: Kind }) => Promise<T>): Promise<T>;
} {
  const { kind, dialect, grammar, source } = options;
  const execute: Execute = (query) => {
    const free = source.tryLease('read');
    if (free !== undefined) return executeLeased(free, query);
    return source.lease('read').then((lease) => executeLeased(lease, query));
  };
  return {
    kind,
    dialect,
    read: kyselyOver<Tables>(grammar, execute),
    transaction: (work) => runTransaction(options, work),
  };
}

function executeLeased<R>(lease: Lease, query: CompiledQuery): Promise<QueryResult<R>> {
  const result = lease.session.execute<R>(query);
  result.then(lease.release, lease.release);
  return result;
}

interface TransactionState {
  ended: boolean;
  readonly after: (() => void | Promise<void>)[];
  due: number | undefined;
}

/** How often a transaction that lost against another one is run. */
const conflictAttempts = 4;

/** On PostgreSQL two transactions may stand in each other's way: the one that the server ended is run again. */
async function runTransaction<Tables, Kind extends 'tenant' | 'control', T>(
  options: CreateDatabaseOptions<Kind>,
  work: (tx: Transaction<Tables> & { readonly kind: Kind }) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await runOnce(options, work);
    } catch (error) {
      if (options.dialect !== 'postgres' || attempt === conflictAttempts || !isTransactionConflict(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20 * attempt));
    }
  }
}

async function runOnce<Tables, Kind extends 'tenant' | 'control', T>(
  options: CreateDatabaseOptions<Kind>,
  work: (tx: Transaction<Tables> & { readonly kind: Kind }) => Promise<T>,
): Promise<T> {
  const state: TransactionState = { ended: false, after: [], due: undefined };
  const lease = options.source.tryLease('write') ?? (await options.source.lease('write'));
  const { session } = lease;
  let result: T;
  let marked: (() => void) | undefined;
  let passedOn = false;
  const passOn = () => {
    passedOn = true;
    lease.release();
  };
  try {
    await session.begin();
    result = await withLimit(options.transactionMs ?? transactionLimit, () =>
      work(transactionOver(options, session, state)),
    );
    state.ended = true;
    if (state.due !== undefined) marked = await options.markWork?.(state.due);
    await session.commit(passOn);
  } catch (error) {
    state.ended = true;
    // Once it was passed on, the transaction on it may be somebody else's.
    if (!passedOn) await rollBack(session, options.log);
    throw error;
  } finally {
    if (!passedOn) lease.release();
    marked?.();
  }
  for (const run of state.after) {
    try {
      await run();
    } catch (error) {
      options.log.error({ err: error }, 'work after a commit failed');
    }
  }
  return result;
}

async function rollBack(session: SqlSession, log: Logger): Promise<void> {
  try {
    await session.rollback();
  } catch (error) {
    log.warn({ err: error }, 'a transaction could not be rolled back; its connection is given up');
    await session.close().catch(() => {});
  }
}

/** The transaction object: a Kysely instance that dies with the transaction, with the kernel's own members. */
function transactionOver<Tables, Kind extends 'tenant' | 'control'>(
  options: CreateDatabaseOptions<Kind>,
  session: SqlSession,
  state: TransactionState,
): Transaction<Tables> & { readonly kind: Kind } {
  const execute: Execute = (query) => (state.ended ? Promise.reject(afterEnd()) : session.execute(query));
  const kysely: Kysely<Tables> = kyselyOver(options.grammar, execute);
  return Object.assign(kysely, {
    kind: options.kind,
    dialect: options.dialect,
    afterCommit(run: () => void | Promise<void>) {
      if (state.ended) throw afterEnd();
      state.after.push(run);
    },
    dueAt(time: number) {
      if (state.ended) throw afterEnd();
      state.due = state.due === undefined ? time : Math.min(state.due, time);
    },
  });
}

function afterEnd(): StrongroomError {
  return new StrongroomError('internal', 'transaction_ended', 'The transaction has ended.');
}

/** Resolves as `work` does, or rejects after `ms` with 503; the late end of `work` is then ignored. */
function withLimit<T>(ms: number, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(unavailable('transaction_timeout', 'The change took too long and was not made.', 1)),
      ms,
    );
    const settle = async () => work();
    settle()
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}
