/** The places within the placement's steps at which creation and removal at Neon can break off, and what may be left. */
import { afterEach, expect } from 'vitest';
import { idPart } from '../../src/kernel/ids.ts';
import type { NeonMode } from '../../src/kernel/placements/neon-unit.ts';
import type { Elsewhere } from '../support/lifecycle-faults.ts';
import { type NeonServer, neonConfig, useNeon } from './neon-server.ts';

/** A company at the stand-in, and how to look for what is left of it. */
export const atNeon = ({ server, standIn }: NeonServer, mode: NeonMode): Elsewhere => ({
  config: neonConfig(standIn, mode),
  remains: async (tenantId) => [
    ...(await server.named(idPart(tenantId))),
    ...standIn.projects
      .all()
      .map(({ name }) => name)
      .filter((name) => name.includes(idPart(tenantId))),
  ],
});

/** A stand-in to which each test finds nothing from another, and leaves one project or none. */
export function useNeonAlone(): ((mode: NeonMode) => Elsewhere) & { readonly neon: NeonServer } {
  const neon = useNeon();
  afterEach(async () => {
    // One company was made, or none.
    expect(neon.standIn.projects.all().length).toBeLessThan(2);
    await neon.standIn.clear();
  });
  return Object.assign((mode: NeonMode) => atNeon(neon, mode), { neon });
}

const making = {
  project: ['reserved', 'recorded', 'created', 'settled', 'filled', 'committed', 'addressed'],
  database: ['reserved', 'recorded', 'created', 'database', 'settled', 'filled', 'committed', 'addressed'],
};
const removing = { project: ['deleted', 'forgotten'], database: ['locked', 'dropped', 'deleted', 'forgotten'] };

export function neonPoints(mode: NeonMode): (readonly [point: string, scenario: 'create' | 'purge'])[] {
  return [
    ...making[mode].map((point) => [`place.neon.${point}`, 'create'] as const),
    ...removing[mode].map((point) => [`remove.neon.${point}`, 'purge'] as const),
  ];
}
