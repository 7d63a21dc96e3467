/**
 * Every place at which creation and removal on PostgreSQL can break off, by an error and by kill -9: between
 * the steps of the journal, and within the steps of the placements. The buckets of companies in a database are on S3.
 */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { diesAt, throwsAt } from '../support/lifecycle-faults.ts';
import {
  type Buckets,
  betweenPoints,
  everyStep,
  insidePoints,
  onServer,
  postgresPlacements,
  startBuckets,
} from '../support/placement-faults.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';

let server: PostgresServer;
let buckets: Buckets;
beforeAll(async () => {
  server = await startPostgres();
  buckets = await startBuckets();
}, 180_000);
afterAll(async () => {
  await buckets?.stop();
  await server?.stop();
});

describe.each(postgresPlacements)('placement %s', (placement) => {
  const here = () => onServer(server, placement, placement === 'database' ? buckets : undefined);
  it.each(betweenPoints())('an error at %s', (point, scenario) => throwsAt(scenario, point, here()));
  it.each(['undo.database.before', 'undo.database.after'])('an error at %s', (point) =>
    throwsAt('undo', point, here()),
  );
  it.each([...insidePoints(placement), ...everyStep()])('kill -9 at %s', (point, scenario) =>
    diesAt(scenario, point, here()),
  );
});
