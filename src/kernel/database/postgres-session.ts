/** One PostgreSQL connection as a session. 64-bit integers come as numbers: the product keeps none above 2^53. */

import type { QueryResult } from 'kysely';
import pg from 'pg';
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

/** Opens a connection. @throws the driver's error */
export async function openPostgresSession(config: pg.ClientConfig): Promise<SqlSession> {
  const client = new pg.Client({ ...config, types });
  let usable = true;
  client.on('error', () => {
    usable = false;
  });
  client.on('end', () => {
    usable = false;
  });
  await client.connect();
  const simple = async (statement: string) => {
    await client.query(statement);
  };
  return {
    dialect: 'postgres',
    shared: false,
    get usable() {
      return usable;
    },
    async execute<R>(query: { sql: string; parameters: readonly unknown[] }): Promise<QueryResult<R>> {
      const result = await client.query(query.sql, [...query.parameters]);
      const changed = ['INSERT', 'UPDATE', 'DELETE', 'MERGE'].includes(result.command);
      return { rows: result.rows as R[], ...(changed ? { numAffectedRows: BigInt(result.rowCount ?? 0) } : {}) };
    },
    begin: () => simple('BEGIN'),
    commit: () => simple('COMMIT'),
    rollback: () => simple('ROLLBACK'),
    close: () => client.end(),
  };
}
