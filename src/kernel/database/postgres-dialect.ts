/** Kysely's PostgreSQL grammar over our own sessions. */
import type { Dialect as KyselyDialect } from 'kysely';
import { PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely';

export const postgresDialect: KyselyDialect = {
  createAdapter: () => new PostgresAdapter(),
  createDriver() {
    throw new Error('statements go through sessions, not through a driver');
  },
  createIntrospector: (db) => new PostgresIntrospector(db),
  createQueryCompiler: () => new PostgresQueryCompiler(),
};
