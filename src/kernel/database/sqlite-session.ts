/**
 * One SQLite connection in a thread, as a session: caches statements (bounded, least recently used goes), makes rows of
 * flat values, sends BEGIN together with the first statement.
 */
import type { CompiledQuery, QueryResult } from 'kysely';
import { isStrongroomError } from '../errors.ts';
import type { SqlSession } from './session.ts';
import type { ThreadLink } from './sqlite-host.ts';
import { type Answer, answer, op, type SqlitePurpose, type SqliteValue } from './sqlite-protocol.ts';

export interface SqliteSession extends SqlSession {
  readonly dialect: 'sqlite';
  /** Runs several statements as they are, for pragmas and VACUUM of the maintenance purpose. */
  script(sql: string): Promise<void>;
  /** Statements that are prepared now, and how many ever were. */
  readonly cached: number;
  readonly prepared: number;
}

/** Statements that a connection keeps prepared. The product has a few hundred, a tenant in use needs fewer. */
const cacheSize = 250;
/** A BEGIN that finds the file locked by somebody outside of this set is tried again for this long (ms). */
const beginPatience = 5_000;

interface Known {
  readonly id: number;
  columns: readonly string[];
}
type Row = Record<string, SqliteValue>;

export function createSqliteSession(thread: ThreadLink, connection: number, purpose: SqlitePurpose): SqliteSession {
  const known = new Map<string, Known>();
  let statements = 0;
  let open = true;
  /** The BEGIN that was sent and not yet confirmed; statements behind the first wait for it. */
  let beginning: Promise<unknown> | undefined;
  let fresh = false;

  function send(query: CompiledQuery): Promise<QueryResult<never>> {
    let statement = known.get(query.sql);
    let sql: string | undefined;
    let drop: number | undefined;
    if (statement === undefined) {
      sql = query.sql;
      statements += 1;
      statement = { id: statements, columns: [] };
      if (known.size >= cacheSize) {
        const [oldest, gone] = known.entries().next().value!;
        known.delete(oldest);
        drop = gone.id;
      }
    } else known.delete(query.sql);
    known.set(query.sql, statement);
    const cached = statement;
    const params = query.parameters as readonly SqliteValue[];
    const sent = thread.send([op.run, connection, statement.id, params, sql, drop]);
    if (sql === undefined) return sent.then((item) => resultOf(item, cached));
    return sent.then(
      (item) => resultOf(item, cached),
      (error: unknown) => {
        // It may not have been prepared: the next use sends its text again, under a new number.
        if (known.get(query.sql) === cached) known.delete(query.sql);
        throw error;
      },
    );
  }

  async function beginWith(query: CompiledQuery): Promise<QueryResult<never>> {
    const until = performance.now() + beginPatience;
    for (;;) {
      const begun = thread.send([op.begin, connection]);
      begun.catch(() => {});
      const first = send(query);
      first.catch(() => {});
      try {
        await begun;
        return await first;
      } catch (error) {
        const wait = isStrongroomError(error) && error.code === 'database_busy' && performance.now() < until;
        if (!wait || (await settled(begun))) throw error;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  }

  return {
    dialect: 'sqlite',
    concurrency: purpose === 'read' ? Number.POSITIVE_INFINITY : 1,
    get usable() {
      return open && thread.alive;
    },
    get prepared() {
      return statements;
    },
    get cached() {
      return known.size;
    },
    execute(query) {
      if (fresh) {
        fresh = false;
        const first = beginWith(query);
        beginning = first.catch(() => {});
        return first;
      }
      if (beginning === undefined) return send(query);
      const before = beginning;
      return before.then(() => {
        if (beginning === before) beginning = undefined;
        return send(query);
      });
    },
    begin() {
      fresh = true;
      beginning = undefined;
      return Promise.resolve();
    },
    async commit(sent) {
      if (fresh) {
        fresh = false;
        return;
      }
      await beginning;
      beginning = undefined;
      const committed = thread.send([op.commit, connection]);
      // The thread works in order, and rolls back by itself what it could not commit.
      sent?.();
      await committed;
    },
    async rollback() {
      if (fresh) {
        fresh = false;
        return;
      }
      await beginning;
      beginning = undefined;
      await thread.send([op.rollback, connection]);
    },
    async script(sql) {
      await thread.send([op.script, connection, sql]);
    },
    async close() {
      if (!open) return;
      open = false;
      known.clear();
      if (thread.alive) await thread.send([op.close, connection]);
    },
  };
}

async function settled(promise: Promise<unknown>): Promise<boolean> {
  return promise.then(
    () => true,
    () => false,
  );
}

function resultOf(item: Answer, statement: Known): QueryResult<never> {
  if (item[0] === answer.changes) {
    return { rows: [], numAffectedRows: BigInt(item[1]), insertId: BigInt(item[2]) };
  }
  if (item[0] !== answer.rows && item[0] !== answer.json) return { rows: [] };
  if (item[2] !== undefined) statement.columns = item[2];
  const values = item[0] === answer.rows ? item[1] : (JSON.parse(item[1]) as readonly SqliteValue[]);
  return { rows: rowsOf(values, statement.columns) as unknown as never[] };
}

function rowsOf(values: readonly SqliteValue[], columns: readonly string[]): Row[] {
  const width = columns.length;
  const rows: Row[] = [];
  for (let at = 0; at < values.length; at += width) {
    const row: Row = {};
    for (let column = 0; column < width; column += 1) row[columns[column]!] = values[at + column]!;
    rows.push(row);
  }
  return rows;
}
