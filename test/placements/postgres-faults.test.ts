/**
 * Creation and removal on PostgreSQL that break off within the placement's steps: what remains after the restart is a
 * working company or nothing, on the server too. A sample; every place, and kill -9 at each, is in `test/faults`.
 */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { diesAt, throwsAt } from '../support/lifecycle-faults.ts';
import { insidePoints, onServer, postgresPlacements } from '../support/placement-faults.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(() => server?.stop());

describe.each(postgresPlacements)('placement %s', (placement) => {
  it.each(insidePoints(placement))('an error at %s', (point, scenario) =>
    throwsAt(scenario, point, onServer(server, placement)),
  );
});

describe('kill -9', () => {
  it.each([
    ['place.schema.filled', 'create', 'schema'],
    ['place.database.copied', 'create', 'database'],
    ['remove.database.dropped', 'purge', 'database'],
  ] as const)('at %s', (point, scenario, placement) => diesAt(scenario, point, onServer(server, placement)));
});
