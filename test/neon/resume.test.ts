/**
 * Creation and removal at Neon that break off within the placement's steps: after the restart there is a working company in
 * one project, or nothing. A sample; every place, by an error and by kill -9, is in `test/faults`.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { diesAt, throwsAt } from '../support/lifecycle-faults.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { atNeon } from './breaking-off.ts';
import { type StandIn, startStandIn } from './stand-in.ts';

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
  // One company was made, or none.
  expect(standIn.projects.all().length).toBeLessThan(2);
  await standIn.clear();
});

describe('an error at', () => {
  it.each([
    ['place.neon.created', 'create', 'project'],
    ['place.neon.filled', 'create', 'project'],
    ['remove.neon.deleted', 'purge', 'project'],
    ['place.neon.settled', 'create', 'database'],
    ['remove.neon.dropped', 'purge', 'database'],
  ] as const)('%s', (point, scenario, mode) => throwsAt(scenario, point, atNeon(server, standIn, mode)));
});

describe('kill -9 at', () => {
  it.each([
    ['place.neon.recorded', 'create', 'project'],
    ['place.neon.created', 'create', 'database'],
  ] as const)('%s', (point, scenario, mode) => diesAt(scenario, point, atNeon(server, standIn, mode)));
});
