/**
 * What modules see of a database: `read` for queries, `transaction` for everything that writes.
 *
 * `ControlDb` and `TenantDb` carry different tables and a brand, so that neither can be passed where the other is
 * due. A connection is leased for one query or one transaction and given back; a handle itself holds nothing.
 */
import type { Kysely } from 'kysely';
import type { ControlTables, TenantTables } from './tables.ts';

export type Dialect = 'sqlite' | 'postgres';

/** Reads only; on SQLite its connection cannot write. Also takes raw `sql` through `getExecutor`. */
export type Reader<Tables> = Pick<
  Kysely<Tables>,
  'selectFrom' | 'selectNoFrom' | 'with' | 'withRecursive' | 'fn' | 'dynamic' | 'getExecutor' | 'executeQuery'
>;

/** A write transaction (BEGIN IMMEDIATE on SQLite). It awaits only its own statements: no files, no hashing, no mail. */
export interface Transaction<Tables> extends Reader<Tables> {
  readonly insertInto: Kysely<Tables>['insertInto'];
  readonly updateTable: Kysely<Tables>['updateTable'];
  readonly deleteFrom: Kysely<Tables>['deleteFrom'];
  readonly dialect: Dialect;
  /** Runs after a successful commit, in order; an error there is logged and changes nothing. */
  afterCommit(run: () => void | Promise<void>): void;
  /** The database has work due at this time (ms): marked in the control database before the commit. */
  dueAt(time: number): void;
}

export interface Database<Tables> {
  readonly dialect: Dialect;
  readonly read: Reader<Tables>;
  /**
   * Runs `work` in one write transaction and commits; any error rolls back and is thrown on.
   * Never nest: inside use the transaction that was passed in.
   * @throws StrongroomError `unavailable` (no connection in time, database down), `no_space` (disk full)
   */
  transaction<T>(work: (tx: Transaction<Tables>) => Promise<T>): Promise<T>;
}

export interface TenantDb extends Database<TenantTables> {
  readonly kind: 'tenant';
  /** As above, with a transaction that cannot be taken for one of the control database. */
  transaction<T>(work: (tx: TenantTx) => Promise<T>): Promise<T>;
}
export interface ControlDb extends Database<ControlTables> {
  readonly kind: 'control';
  /** As above, with a transaction that cannot be taken for one of a tenant. */
  transaction<T>(work: (tx: ControlTx) => Promise<T>): Promise<T>;
}
export type TenantReader = Reader<TenantTables>;
export type ControlReader = Reader<ControlTables>;
export type TenantTx = Transaction<TenantTables> & { readonly kind: 'tenant' };
export type ControlTx = Transaction<ControlTables> & { readonly kind: 'control' };
