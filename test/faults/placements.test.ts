/** Every place at which creation and removal on PostgreSQL can break off, by an error and by kill -9. */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { diesAt, throwsAt } from '../support/lifecycle-faults.ts';
import { betweenPoints, insidePoints, onServer, postgresPlacements } from '../support/placement-faults.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
}, 60_000);
afterAll(() => server?.stop());

describe.each(postgresPlacements)('placement %s', (placement) => {
  const points = [...insidePoints(placement), ...betweenPoints()];
  it.each(betweenPoints())('an error at %s', (point, scenario) =>
    throwsAt(scenario, point, onServer(server, placement)),
  );
  it.each(['undo.database.before', 'undo.database.after'])('an error at %s', (point) =>
    throwsAt('undo', point, onServer(server, placement)),
  );
  it.each(points)('kill -9 at %s', (point, scenario) => diesAt(scenario, point, onServer(server, placement)));
});
