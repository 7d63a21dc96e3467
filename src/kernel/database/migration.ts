/**
 * Migrations: numbered steps of one module, for the control database or for every tenant's, written once for both
 * dialects. The type of `schema` knows only the tables of its own kind of database, so a tenant table cannot land in
 * the control database.
 *
 * Rules (they keep Citus and PgBouncer possible): one statement a call, no CHECK inside ADD COLUMN, no trigger that
 * correctness needs, expand before contract, forward only. Ids never change once released.
 */
import type { Kysely, RawBuilder, SchemaModule } from 'kysely';
import type { Dialect } from './database.ts';
import type { ControlTables, TenantTables } from './tables.ts';

type Name<Tables> = keyof Tables & string;

/** Kysely's schema builder narrowed to the tables of one kind of database. */
export interface SchemaOf<Tables> {
  readonly dialect: Dialect;
  createTable<N extends Name<Tables>>(table: N): ReturnType<SchemaModule['createTable']>;
  alterTable<N extends Name<Tables>>(table: N): ReturnType<SchemaModule['alterTable']>;
  dropTable(table: string): ReturnType<SchemaModule['dropTable']>;
  createIndex(name: string): ReturnType<SchemaModule['createIndex']>;
  dropIndex(name: string): ReturnType<SchemaModule['dropIndex']>;
  /** Rows, for migrations that carry data over or add reference rows. */
  readonly rows: Pick<Kysely<Tables>, 'selectFrom' | 'insertInto' | 'updateTable' | 'deleteFrom'>;
  /** One raw statement, where a dialect needs its own. */
  run(statement: RawBuilder<unknown>): Promise<void>;
}

export interface Migration<Tables> {
  /** `0001-accounts`: four digits that order it within its module, then what it does. */
  readonly name: string;
  up(schema: SchemaOf<Tables>): Promise<void>;
}

export type TenantMigration = Migration<TenantTables> & { readonly target: 'tenant' };
export type ControlMigration = Migration<ControlTables> & { readonly target: 'control' };

export function tenantMigration(name: string, up: Migration<TenantTables>['up']): TenantMigration {
  return { target: 'tenant', name, up };
}

export function controlMigration(name: string, up: Migration<ControlTables>['up']): ControlMigration {
  return { target: 'control', name, up };
}
