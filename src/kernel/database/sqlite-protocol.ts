/**
 * What the main side and a SQLite thread say to each other. Both sides send arrays of messages, once a tick; a thread
 * answers every request in the order in which it came, so requests carry no number.
 */

/** `maintain` is never reached by modules: it may VACUUM and has no walls. */
export type SqlitePurpose = 'read' | 'write' | 'migrate' | 'maintain';

export interface OpenRequest {
  readonly path: string;
  readonly purpose: SqlitePurpose;
  /** Make the file where there is none. Only the control database and templates are made so. */
  readonly create: boolean;
  /** Memory for pages, in KiB. */
  readonly cacheKiB?: number;
  /** Compare the one row of `identity` with this; left out where there is none yet. */
  readonly identity?: { readonly tenantId: string; readonly generation: number };
}

/** A new file from a template: its place, and the row of `identity` that it is born with. */
export interface CopyRequest {
  readonly template: string;
  readonly path: string;
  readonly identity: { readonly tenantId: string; readonly generation: number; readonly fingerprint: string };
}

export const op = {
  open: 0,
  close: 1,
  run: 2,
  begin: 3,
  commit: 4,
  rollback: 5,
  script: 6,
  changing: 7,
  copy: 8,
} as const;

/** Values that travel as parameters and in rows. */
export type SqliteValue = null | number | bigint | string | Uint8Array;

export type Request =
  | readonly [typeof op.open, connection: number, request: OpenRequest]
  | readonly [typeof op.close | typeof op.begin | typeof op.commit | typeof op.rollback, connection: number]
  /** `sql` is sent with the first use of a statement; `drop` names a statement that the cache gave up. */
  | readonly [
      typeof op.run,
      connection: number,
      statement: number,
      params: readonly SqliteValue[],
      sql: string | undefined,
      drop: number | undefined,
    ]
  | readonly [typeof op.script, connection: number, sql: string]
  /** The structure of a file may change from now on, or has settled: until then no column names are remembered. */
  | readonly [typeof op.changing, connection: 0, path: string, changing: boolean]
  | readonly [typeof op.copy, connection: 0, request: CopyRequest];

export const answer = { done: 0, rows: 1, changes: 2, error: 3, json: 4 } as const;

export interface WireError {
  /** Where the thread itself refuses, the product's own code. */
  readonly code: 'missing' | 'unreadable' | 'identity' | 'no_transaction' | 'sqlite' | 'other';
  /** Extended result code of SQLite; 0 where it was not SQLite. */
  readonly errcode: number;
  readonly message: string;
}

export type Answer =
  | readonly [typeof answer.done]
  /** All values of all rows, one after the other. Column names come when the main side cannot know them. */
  | readonly [typeof answer.rows, values: readonly SqliteValue[], columns: readonly string[] | undefined]
  /** The same values as JSON, where there are many and JSON can carry them: half the cost on the main side. */
  | readonly [typeof answer.json, values: string, columns: readonly string[] | undefined]
  | readonly [typeof answer.changes, changes: number | bigint, lastId: number | bigint]
  | readonly [typeof answer.error, error: WireError];

/** What a thread is started with. `progress[0]` is odd while a statement runs that is watched for its time. */
export interface ThreadData {
  readonly progress: Int32Array;
  /** Written once: the thread's number at the operating system, 0 where that is unknown. */
  readonly threadId: Int32Array;
}
