/** The stand-in before a real PostgreSQL for a whole test file, and the settings by which a program finds it. */
import { afterAll, beforeAll } from 'vitest';
import type { NeonMode } from '../../src/kernel/placements/neon-unit.ts';
import type { Config } from '../../src/kernel/settings.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { type StandIn, standInKey, startStandIn } from './stand-in.ts';

export interface NeonServer {
  readonly server: PostgresServer;
  readonly standIn: StandIn;
}

/** Started before the tests of this file and stopped after them; an operation ends after so many looks at it. */
export function useNeon(looks = 1): NeonServer {
  let server: PostgresServer | undefined;
  let standIn: StandIn | undefined;
  beforeAll(async () => {
    server = await startPostgres();
    standIn = await startStandIn(server);
    standIn.looks = looks;
  }, 60_000);
  afterAll(async () => {
    await standIn?.stop();
    await server?.stop();
  });
  return {
    get server() {
      return server!;
    },
    get standIn() {
      return standIn!;
    },
  };
}

/** Companies go to the stand-in, unless something else is asked for. */
export const neonConfig = (standIn: StandIn, neonMode: NeonMode) =>
  ({
    placement: 'neon',
    neonApiKey: standInKey,
    neonApiUrl: standIn.url,
    neonCallsPerSecond: 500,
    neonMode,
  }) satisfies Partial<Config>;

/** The same for a program in a process of its own. */
export const neonEnvironment = (standIn: StandIn, mode: NeonMode) => ({
  NEON_API_KEY: standInKey,
  NEON_API_URL: standIn.url,
  NEON_CALLS_PER_SECOND: '500',
  STRONGROOM_NEON_MODE: mode,
});
