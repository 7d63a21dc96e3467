/**
 * Creation and removal at Neon that break off within the placement's steps, by an error and by kill -9: after the restart
 * there is a working company in one project, or nothing.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { idPart } from '../../src/kernel/ids.ts';
import { diesAt, type Elsewhere, throwsAt } from '../support/lifecycle-faults.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { type StandIn, standInKey, startStandIn } from './stand-in.ts';

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

const atNeon = (neonMode: 'project' | 'database'): Elsewhere => ({
  config: {
    placement: 'neon',
    neonApiKey: standInKey,
    neonApiUrl: standIn.url,
    neonCallsPerSecond: 500,
    neonMode,
  },
  remains: async (tenantId) =>
    [
      ...(await server.named(idPart(tenantId))),
      ...standIn.projects.all().filter(({ name }) => name.includes(idPart(tenantId))),
    ].map(String),
});

const points = {
  create: ['reserved', 'recorded', 'created', 'settled', 'filled', 'addressed'],
  purge: { project: ['deleted'], database: ['locked', 'dropped', 'deleted'] },
} as const;

describe.each(['project', 'database'] as const)('a %s a company, an error at', (mode) => {
  it.each(points.create)('place.neon.%s', (point) => throwsAt('create', `place.neon.${point}`, atNeon(mode)));
  it.each(points.purge[mode])('remove.neon.%s', (point) => throwsAt('purge', `remove.neon.${point}`, atNeon(mode)));
});

describe('kill -9 at', () => {
  it.each([
    ['place.neon.created', 'create', 'project'],
    ['place.neon.filled', 'create', 'database'],
    ['remove.neon.deleted', 'purge', 'project'],
  ] as const)('%s', (point, scenario, mode) => diesAt(scenario, point, atNeon(mode)));
});
