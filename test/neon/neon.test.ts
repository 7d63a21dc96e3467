/** The placement `neon` through the suite of placements: a project a company, and a database a company. */
import { afterAll, beforeAll } from 'vitest';
import { placementSuite } from '../placements/suite.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { startNeon } from './placement.ts';
import { type StandIn, startStandIn } from './stand-in.ts';

let server: PostgresServer;
let standIn: StandIn;

beforeAll(async () => {
  server = await startPostgres();
  standIn = await startStandIn(server);
}, 60_000);
afterAll(async () => {
  await standIn?.stop();
  await server?.stop();
});

placementSuite('neon, a project a company', () => startNeon(standIn, 'project'));
placementSuite('neon, a database a company', () => startNeon(standIn, 'database'));
