/** Kysely's SQLite grammar over our own sessions. Kysely's own driver is never used. */
import type { Dialect as KyselyDialect } from 'kysely';
import { SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';

export const sqliteDialect: KyselyDialect = {
  createAdapter: () => new SqliteAdapter(),
  createDriver() {
    throw new Error('statements go through sessions, not through a driver');
  },
  createIntrospector: (db) => new SqliteIntrospector(db),
  createQueryCompiler: () => new SqliteQueryCompiler(),
};
