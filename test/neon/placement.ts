/** The placement `neon` on the stand-in, with a control database of its own. */
import { newId } from '../../src/kernel/ids.ts';
import { createLoggerTo } from '../../src/kernel/log.ts';
import { createNeonPlacement } from '../../src/kernel/placements/neon.ts';
import { type NeonTimes, neonTimes } from '../../src/kernel/placements/neon-times.ts';
import type { NeonMode } from '../../src/kernel/placements/neon-unit.ts';
import type { PlacementRef } from '../../src/kernel/placements/placement.ts';
import { type PostgresUnderTest, underTest } from '../placements/under-test.ts';
import { type StandIn, standInKey } from './stand-in.ts';

export interface NeonUnderTest extends PostgresUnderTest {
  newRef(): PlacementRef;
}

/** The stand-in answers at once; what it is told to do later it does well within the time that a call is waited for. */
const times: NeonTimes = { ...neonTimes, firstPauseMs: 10, longestPauseMs: 100, inFlightMs: 600, claimMs: 1_200 };

export async function startNeon(
  standIn: StandIn,
  mode: NeonMode,
  options: { readonly pooled?: boolean; readonly write?: (line: string) => void } = {},
): Promise<NeonUnderTest> {
  const { write } = options;
  const log = write === undefined ? undefined : createLoggerTo({ write }, { level: 'trace', format: 'json' }, false);
  const under = await underTest(
    (given) =>
      createNeonPlacement({
        ...given,
        apiKey: standInKey,
        apiUrl: standIn.url,
        organisation: null,
        region: 'aws-eu-central-1',
        callsPerSecond: 500,
        times,
        mode,
        pooled: options.pooled ?? false,
      }),
    log,
  );
  return {
    ...under,
    newRef() {
      const tenantId = newId('company');
      return { tenantId, kind: 'neon', unit: under.placement.unitName(tenantId), server: null, generation: 1 };
    },
  };
}
