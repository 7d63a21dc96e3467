/** Hostile SQL of a company in a schema, and in a database, on a PostgreSQL server of one's own. */
import { afterAll, beforeAll } from 'vitest';
import { createPostgresPlacements } from '../../src/kernel/placements/postgres.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { startTestProgram, type TestProgram } from '../support/program.ts';
import { hostileSuite } from './hostile-suite.ts';

let server: PostgresServer;
let program: TestProgram;

beforeAll(async () => {
  server = await startPostgres();
  program = await startTestProgram({ postgresUrl: server.url });
}, 120_000);
afterAll(async () => {
  await program?.stop();
  await server?.stop();
});

for (const kind of ['schema', 'database'] as const) {
  hostileSuite(`a company in a ${kind}`, kind, () => ({
    server,
    program,
    placement: (options) => createPostgresPlacements({ ...options, url: server.url, schemaTenants: 500 })[kind],
  }));
}
