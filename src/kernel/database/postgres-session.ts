/**
 * One PostgreSQL connection as a session. 64-bit integers come as numbers: the product keeps none above 2^53.
 *
 * - BEGIN travels with the first statement; a transaction without a statement costs nothing.
 * - A commit that the server turned into a rollback is an error.
 * - Statements are prepared once a connection (a few hundred of them) where `prepared` says so; not behind a pooler in
 *   transaction mode. One that a migration has outdated is prepared anew.
 * - One statement a call, `script` excepted: a text that holds a second one is refused.
 * - With `stateless` a connection whose session may hold what a later user of it could meet (a setting, another role, an
 *   open transaction, a lock, a cursor …) is not usable any more: it is closed, and everything of it with it.
 * - With `mapErrors` everything thrown is as `postgres-errors.ts` says.
 */
import type { Socket } from 'node:net';
import type { CompiledQuery, QueryResult } from 'kysely';
import pg from 'pg';
import { StrongroomError, unavailable } from '../errors.ts';
import { connectError, isOutdatedPlan, postgresError, sqlState, transactionConflict } from './postgres-errors.ts';
import type { SqlSession } from './session.ts';

const int8 = 20;
const numeric = 1700;

/** Type parsers by which rows look as they do on SQLite. */
const types = {
  getTypeParser(oid: number, format?: 'text' | 'binary'): (value: string) => unknown {
    if (oid === int8 || oid === numeric) return Number;
    return pg.types.getTypeParser(oid, format as 'text');
  },
} as pg.CustomTypesConfig;

export interface PostgresSessionOptions {
  /** Keep statements prepared. Default false. */
  readonly prepared?: boolean;
  /** Throw the product's errors instead of the driver's. Default false. */
  readonly mapErrors?: boolean;
  /** Give the connection up once a statement may have left something in its session. Default false. */
  readonly stateless?: boolean;
  /** How many queries may be under way at once. Those of one turn of the event loop travel together. Default 1. */
  readonly concurrency?: number;
  /** Told of every statement that the server refused for lack of a right: an attack or a fault of ours. */
  readonly onRefused?: (error: unknown) => void;
}

export interface PostgresSession extends SqlSession {
  readonly dialect: 'postgres';
  /** Several statements at once, without parameters; the rows of the last. One transaction unless they say otherwise. */
  script<R>(sql: string): Promise<readonly R[]>;
  /** The same; the rows of all of them. */
  scriptRows<R>(sql: string): Promise<readonly R[]>;
}

/** Statements that a connection keeps prepared; further ones are sent as they are. */
const cacheSize = 300;
const changing = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);
/** What leaves nothing in a session but rows, by the tag of its answer … */
const stateless = new Set(['SELECT', ...changing, 'SHOW', 'EXPLAIN', 'VALUES']);
/** … unless it calls one of these, or writes names in a way that hides them. */
const stateful = /set_config|pg_(?:try_)?advisory_lock|_to_xml|dblink|setseed|\bU&["']/i;
/** How long a connection may take to say goodbye. */
const closePatience = 2_000;

/** Opens a connection. @throws the driver's error, or the product's with `mapErrors` */
export async function openPostgresSession(
  config: pg.ClientConfig,
  options: PostgresSessionOptions = {},
): Promise<PostgresSession> {
  // Not yet in the types of the driver: statements go out without waiting for the answer to the one before.
  const client = new pg.Client({ ...config, types, pipeline: true } as pg.ClientConfig);
  let usable = true;
  const broke = () => {
    usable = false;
  };
  client.on('error', broke);
  client.on('end', broke);
  try {
    await client.connect();
  } catch (error) {
    client.end().catch(() => {});
    throw options.mapErrors === true ? connectError(error) : error;
  }
  return sessionOver(client, () => usable, broke, options);
}

/** What is written to the connection from a call on goes out as one message at the end of the event loop's turn. */
function createGathering(client: pg.Client): () => void {
  const { connection } = client as unknown as { connection: { readonly stream: Socket } };
  let gathering = false;
  return () => {
    if (gathering) return;
    gathering = true;
    const { stream } = connection;
    stream.cork();
    setImmediate(() => {
      gathering = false;
      stream.uncork();
    });
  };
}

function sessionOver(
  client: pg.Client,
  isUsable: () => boolean,
  broke: () => void,
  options: PostgresSessionOptions,
): PostgresSession {
  const { concurrency = 1 } = options;
  const gather = concurrency > 1 ? createGathering(client) : () => {};
  const names = new Map<string, string>();
  let epoch = 0;
  let slow = false;
  /** BEGIN is wanted and not yet sent; then, the transaction is open. */
  let fresh = false;
  let inside = false;

  function failure(error: unknown): unknown {
    const code = sqlState(error);
    slow = code === '57014' || (code === undefined && /timeout/i.test(String((error as Error).message)));
    if (code === '42501') options.onRefused?.(error);
    return options.mapErrors === true ? postgresError(error) : error;
  }

  function nameOf(sql: string): string | undefined {
    if (options.prepared !== true) return undefined;
    const known = names.get(sql);
    if (known !== undefined || names.size >= cacheSize) return known;
    const name = `s${epoch}_${names.size}`;
    names.set(sql, name);
    return name;
  }

  async function run(query: CompiledQuery, again = false): Promise<pg.QueryResult> {
    const name = nameOf(query.sql);
    try {
      const config = {
        text: query.sql,
        values: [...query.parameters],
        // Not in the driver's types. One statement a call, with parameters or without: what is injected begins no other.
        queryMode: 'extended',
        ...(name === undefined ? {} : { name }),
      };
      return await client.query(config);
    } catch (error) {
      if (!isOutdatedPlan(error) || again) throw error;
      names.clear();
      epoch += 1;
      if (inside) throw transactionConflict(error);
      return run(query, true);
    }
  }

  function beginNow(): void {
    fresh = false;
    inside = true;
    // A failure shows in the statement behind it as well.
    client.query('BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE').catch(() => {});
  }

  async function end(statement: 'COMMIT' | 'ROLLBACK'): Promise<void> {
    inside = false;
    if (fresh) {
      fresh = false;
      return;
    }
    try {
      const result = await client.query(statement);
      if (result.command === statement) return;
    } catch (error) {
      throw failure(error);
    }
    throw unavailable('transaction_lost', 'The change was not made. Try again.', 1);
  }

  async function script(sql: string): Promise<readonly pg.QueryResult[]> {
    if (fresh) beginNow();
    try {
      return [(await client.query(sql)) as unknown as pg.QueryResult | pg.QueryResult[]].flat();
    } catch (error) {
      throw failure(error);
    }
  }

  return {
    dialect: 'postgres',
    concurrency,
    get usable() {
      return isUsable();
    },
    get slow() {
      return slow;
    },
    async execute<R>(query: CompiledQuery): Promise<QueryResult<R>> {
      if (fresh) beginNow();
      // Said by the newest failure alone: queries under way beside it may well go through.
      slow = false;
      gather();
      try {
        if (options.stateless === true && stateful.test(query.sql)) broke();
        const { rows, command, rowCount } = await run(query);
        if (options.stateless === true && !stateless.has(command)) broke();
        return changing.has(command)
          ? { rows: rows as R[], numAffectedRows: BigInt(rowCount ?? 0) }
          : { rows: rows as R[] };
      } catch (error) {
        throw error instanceof StrongroomError ? error : failure(error);
      }
    },
    begin() {
      fresh = true;
      return Promise.resolve();
    },
    commit: () => end('COMMIT'),
    rollback: () => end('ROLLBACK'),
    script: async <R>(sql: string) => (await script(sql)).at(-1)!.rows as R[],
    scriptRows: async <R>(sql: string) => (await script(sql)).flatMap(({ rows }) => rows as R[]),
    async close() {
      broke();
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(() => {
          // Something still runs there: cut off. Its answer is waited for by nobody.
          (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
          resolve();
        }, closePatience);
      });
      await Promise.race([client.end().catch(() => {}), patience]);
      clearTimeout(timer);
    },
  };
}
