/** The placements `schema` and `database` on a real PostgreSQL server, through the suite and in what is their own. */
import { afterAll, beforeAll } from 'vitest';
import { createPostgresPlacements } from '../../src/kernel/placements/postgres.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { placementSuite } from './suite.ts';
import { underTest } from './under-test.ts';

let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());

for (const kind of ['schema', 'database'] as const) {
  placementSuite(kind, () =>
    underTest((options) => createPostgresPlacements({ ...options, url: server.url, schemaTenants: 500 })[kind]),
  );
}
