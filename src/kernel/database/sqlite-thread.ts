/**
 * A SQLite thread: holds connections, runs what the main side sends, answers in order. It starts nothing by itself and
 * knows no tenant, only paths. Statements are prepared once per connection; the main side bounds that cache.
 */
import { readlinkSync } from 'node:fs';
import type { StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import { placeCopy } from './sqlite-copy.ts';
import {
  type Answer,
  answer,
  op,
  type Request,
  type SqlitePurpose,
  type SqliteValue,
  type ThreadData,
  type WireError,
} from './sqlite-protocol.ts';
import { openWalled, WallError, type WalledDatabase } from './sqlite-walls.ts';

interface Prepared {
  readonly statement: StatementSync;
  /** Number of columns that the main side knows of; 0 for none yet, -1 for a statement without rows. */
  columns: number;
}
interface Connection {
  readonly walled: WalledDatabase;
  readonly purpose: SqlitePurpose;
  readonly path: string;
  readonly statements: Map<number, Prepared>;
  /** Why the transaction did not begin: every statement up to the next COMMIT or ROLLBACK fails with it. */
  failedBegin: unknown;
}

const port = parentPort!;
const { progress, threadId } = workerData as ThreadData;
const connections = new Map<number, Connection>();
/** Files whose structure may be changing now. */
const changing = new Set<string>();
const done: Answer = [answer.done];
/** Answers wait this long (ms) for company: long batches are answered in parts. */
const flushAfter = 1;

threadId[0] = ownThreadId();

port.on('message', (batch: readonly Request[]) => {
  let answers: Answer[] = [];
  let since = performance.now();
  for (const request of batch) {
    answers.push(handle(request));
    const now = performance.now();
    if (now - since > flushAfter) {
      port.postMessage(answers);
      answers = [];
      since = now;
    }
  }
  if (answers.length > 0) port.postMessage(answers);
});

/** The number that the operating system gave this thread, so that the main side can lower its priority. */
function ownThreadId(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1)) || 0;
  } catch {
    return 0;
  }
}

function handle(request: Request): Answer {
  // Structure changes and copies may take long; only what modules send is watched for its time.
  const connection = connections.get(request[1]);
  const watched = request[0] !== op.open && (connection?.purpose === 'read' || connection?.purpose === 'write');
  if (watched) Atomics.add(progress, 0, 1);
  try {
    return perform(request, connection);
  } catch (error) {
    return [answer.error, wireError(error)];
  } finally {
    if (watched) Atomics.add(progress, 0, 1);
  }
}

function perform(request: Request, connection: Connection | undefined): Answer {
  if (request[0] === op.open) {
    const { path, purpose } = request[2];
    connections.set(request[1], {
      walled: openWalled(request[2]),
      purpose,
      path,
      statements: new Map(),
      failedBegin: undefined,
    });
    return done;
  }
  if (request[0] === op.changing) {
    markChanging(request[2], request[3]);
    return done;
  }
  if (request[0] === op.copy) {
    placeCopy(request[2]);
    return done;
  }
  if (connection === undefined) throw new WallError('other', 'there is no such connection');
  switch (request[0]) {
    case op.run:
      return run(connection, request[2], request[3], request[4], request[5]);
    case op.begin:
      return begin(connection);
    case op.commit:
      return commit(connection);
    case op.rollback:
      connection.failedBegin = undefined;
      if (connection.walled.db.isTransaction) connection.walled.trusted(() => connection.walled.db.exec('ROLLBACK'));
      return done;
    case op.script:
      connection.walled.db.exec(request[2]);
      return done;
    case op.close:
      close(request[1], connection);
      return done;
  }
}

function run(
  connection: Connection,
  id: number,
  params: readonly SqliteValue[],
  sql: string | undefined,
  drop: number | undefined,
): Answer {
  if (drop !== undefined) connection.statements.delete(drop);
  if (connection.failedBegin !== undefined) throw connection.failedBegin;
  const { db } = connection.walled;
  // A writer works inside transactions alone, so that nothing is written after a transaction was lost.
  if (connection.purpose === 'write' && !db.isTransaction) {
    throw new WallError('no_transaction', 'there is no transaction');
  }
  let prepared = connection.statements.get(id);
  if (prepared === undefined) {
    if (sql === undefined) throw new WallError('other', 'there is no such statement');
    const statement = db.prepare(sql);
    statement.setReturnArrays(true);
    prepared = { statement, columns: statement.columns().length === 0 ? -1 : 0 };
    connection.statements.set(id, prepared);
  }
  try {
    if (prepared.columns === -1) {
      const result = prepared.statement.run(...params);
      return [answer.changes, result.changes, result.lastInsertRowid];
    }
    return rowsOf(connection, prepared, prepared.statement.all(...params) as unknown as SqliteValue[][]);
  } catch (error) {
    // The main side keeps no statement whose first use failed.
    if (sql !== undefined) connection.statements.delete(id);
    throw error;
  }
}

function markChanging(path: string, value: boolean): void {
  if (value) changing.add(path);
  else changing.delete(path);
  for (const connection of connections.values()) {
    if (connection.path !== path) continue;
    for (const prepared of connection.statements.values()) if (prepared.columns > 0) prepared.columns = 0;
  }
}

function rowsOf(connection: Connection, prepared: Prepared, rows: readonly SqliteValue[][]): Answer {
  const first = rows[0];
  if (first === undefined) return [answer.rows, [], undefined];
  let columns: string[] | undefined;
  if (first.length !== prepared.columns) {
    columns = prepared.statement.columns().map((column) => column.name);
    prepared.columns = changing.has(connection.path) ? 0 : columns.length;
  }
  if (rows.length === 1) return [answer.rows, first, columns];
  const values: SqliteValue[] = [];
  let plain = true;
  for (const row of rows) {
    for (const value of row) {
      values.push(value);
      if (plain && typeof value !== 'string' && value !== null) plain = Number.isFinite(value);
    }
  }
  return plain ? [answer.json, JSON.stringify(values), columns] : [answer.rows, values, columns];
}

function begin(connection: Connection): Answer {
  connection.failedBegin = undefined;
  try {
    connection.walled.trusted(() => connection.walled.db.exec('BEGIN IMMEDIATE'));
  } catch (error) {
    connection.failedBegin = error;
    throw error;
  }
  return done;
}

function commit(connection: Connection): Answer {
  const failed = connection.failedBegin;
  connection.failedBegin = undefined;
  if (failed !== undefined) throw failed;
  if (!connection.walled.db.isTransaction) throw new WallError('no_transaction', 'there is no transaction');
  try {
    connection.walled.trusted(() => connection.walled.db.exec('COMMIT'));
  } catch (error) {
    // The next transaction may be under way behind this one already: it must find the connection free.
    if (connection.walled.db.isTransaction) connection.walled.trusted(() => connection.walled.db.exec('ROLLBACK'));
    throw error;
  }
  return done;
}

function close(id: number, connection: Connection): void {
  connections.delete(id);
  connection.statements.clear();
  connection.walled.db.close();
}

function wireError(error: unknown): WireError {
  if (error instanceof WallError) return { code: error.code, errcode: 0, message: error.message };
  const { errcode, message } = error as { errcode?: number; message?: string };
  const code = typeof errcode === 'number' ? 'sqlite' : 'other';
  return { code, errcode: errcode ?? 0, message: message ?? String(error) };
}
