/**
 * One open connection as the kernel sees it, whatever the engine, and Kysely over it without a driver of its own:
 * statements go straight from the compiler to the session.
 */
import {
  type CompiledQuery,
  type DatabaseConnection,
  DefaultQueryExecutor,
  Kysely,
  type Dialect as KyselyDialect,
  type QueryResult,
} from 'kysely';
import type { Dialect } from './database.ts';

export interface SqlSession {
  readonly dialect: Dialect;
  /** False once it broke: it is then closed and never lent again. */
  readonly usable: boolean;
  /** Its last statement was ended because it took too long. */
  readonly slow?: boolean;
  /** How many queries may be under way at once; the engine runs them one after the other. 1 for a writer. */
  readonly concurrency: number;
  execute<R>(query: CompiledQuery): Promise<QueryResult<R>>;
  /** Begins a write transaction. May resolve before the engine has begun; the first statement then reports a failure. */
  begin(): Promise<void>;
  /**
   * Ends the transaction. `sent` is called where the next one may begin at once: it then runs behind this commit, and
   * a commit that fails has left nothing that the next one could meet. Not called where that cannot be promised.
   */
  commit(sent?: () => void): Promise<void>;
  rollback(): Promise<void>;
  close(): Promise<void>;
}

/** Where a Kysely instance sends its compiled statements. */
export type Execute = <R>(query: CompiledQuery) => Promise<QueryResult<R>>;

const noTransaction = () => Promise.reject(new Error('transactions are opened by Database.transaction alone'));
/** Kysely asks for a driver only to begin transactions itself, which nobody here may. */
const refusingDriver = {
  init: () => Promise.resolve(),
  acquireConnection: noTransaction,
  beginTransaction: noTransaction,
  commitTransaction: noTransaction,
  rollbackTransaction: noTransaction,
  releaseConnection: () => Promise.resolve(),
  destroy: () => Promise.resolve(),
};

/** A Kysely instance whose statements all go to `execute`. Cheap to make: one per handle and per transaction. */
export function kyselyOver<Tables>(dialect: KyselyDialect, execute: Execute): Kysely<Tables> {
  const connection: DatabaseConnection = {
    executeQuery: execute,
    streamQuery() {
      throw new Error('streaming of rows is not supported: page through them');
    },
  };
  const parts = partsOf(dialect);
  const executor = new DefaultQueryExecutor(parts.compiler, parts.adapter, {
    provideConnection: (consumer) => consumer(connection),
  });
  executor.executeQuery = execute;
  return new Kysely<Tables>({ config: { dialect }, dialect, driver: refusingDriver, executor });
}

type Parts = {
  compiler: ReturnType<KyselyDialect['createQueryCompiler']>;
  adapter: ReturnType<KyselyDialect['createAdapter']>;
};
const partsByDialect = new WeakMap<KyselyDialect, Parts>();

function partsOf(dialect: KyselyDialect): Parts {
  let parts = partsByDialect.get(dialect);
  if (parts === undefined) {
    parts = { compiler: dialect.createQueryCompiler(), adapter: dialect.createAdapter() };
    partsByDialect.set(dialect, parts);
  }
  return parts;
}
