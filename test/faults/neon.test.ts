/** Every place at which creation and removal at Neon can break off, by an error and by kill -9. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { atNeon, neonPoints } from '../neon/breaking-off.ts';
import { type StandIn, startStandIn } from '../neon/stand-in.ts';
import { diesAt, throwsAt } from '../support/lifecycle-faults.ts';
import { betweenPoints } from '../support/placement-faults.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';

let server: PostgresServer;
let standIn: StandIn;
beforeAll(async () => {
  server = await startPostgres();
  standIn = await startStandIn(server);
  standIn.looks = 1;
}, 60_000);
afterAll(async () => {
  await standIn?.stop();
  await server?.stop();
});
afterEach(async () => {
  expect(standIn.projects.all().length).toBeLessThan(2);
  await standIn.clear();
});

describe.each(['project', 'database'] as const)('a %s a company', (mode) => {
  const points = [...neonPoints(mode), ...betweenPoints()];
  it.each(points)('an error at %s', (point, scenario) => throwsAt(scenario, point, atNeon(server, standIn, mode)));
  it.each(['undo.database.before', 'undo.database.after'])('an error at %s', (point) =>
    throwsAt('undo', point, atNeon(server, standIn, mode)),
  );
  it.each(points)('kill -9 at %s', (point, scenario) => diesAt(scenario, point, atNeon(server, standIn, mode)));
});
