/** The places within the placement's steps at which creation and removal at Neon can break off, and what may be left. */
import { idPart } from '../../src/kernel/ids.ts';
import type { Elsewhere } from '../support/lifecycle-faults.ts';
import type { PostgresServer } from '../support/postgres.ts';
import { type StandIn, standInKey } from './stand-in.ts';

export type Mode = 'project' | 'database';

/** A company at the stand-in, and how to look for what is left of it. */
export const atNeon = (server: PostgresServer, standIn: StandIn, neonMode: Mode): Elsewhere => ({
  config: {
    placement: 'neon',
    neonApiKey: standInKey,
    neonApiUrl: standIn.url,
    neonCallsPerSecond: 500,
    neonMode,
  },
  remains: async (tenantId) => [
    ...(await server.named(idPart(tenantId))),
    ...standIn.projects
      .all()
      .map(({ name }) => name)
      .filter((name) => name.includes(idPart(tenantId))),
  ],
});

const making = ['reserved', 'recorded', 'created', 'settled', 'filled', 'addressed'];
const removing = { project: ['deleted'], database: ['locked', 'dropped', 'deleted'] };

export function neonPoints(mode: Mode): (readonly [point: string, scenario: 'create' | 'purge'])[] {
  return [
    ...making.map((point) => [`place.neon.${point}`, 'create'] as const),
    ...removing[mode].map((point) => [`remove.neon.${point}`, 'purge'] as const),
  ];
}
