/** Our side of Citus on what stands in for it, on every run: see what that is worth in the file of the stand-in. */
import { afterAll, describe } from 'vitest';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { standInForCitus } from './stand-in.ts';
import { companiesOnCitus } from './suite.ts';

// A server that is not ours is not changed.
describe.skipIf(process.env.TEST_POSTGRES_URL)('companies on what stands in for Citus', { timeout: 120_000 }, () => {
  let server: PostgresServer;
  afterAll(() => server?.stop());
  companiesOnCitus(async () => {
    server = await startPostgres();
    await standInForCitus(server.url);
    return server.url;
  });
});
