/**
 * Hostile SQL of a company at Neon, in the project that companies share: the same list as on a server of one's own, but for
 * what only a superuser can close, which nobody is there.
 */
import { afterAll, beforeAll } from 'vitest';
import { createNeonPlacement } from '../../src/kernel/placements/neon.ts';
import { hostileSuite } from '../placements/hostile-suite.ts';
import { startTestProgram, type TestProgram } from '../support/program.ts';
import { neonConfig, useNeon } from './neon-server.ts';

const neon = useNeon();
let program: TestProgram;

beforeAll(async () => {
  program = await startTestProgram(neonConfig(neon.standIn, 'database'));
}, 60_000);
afterAll(() => program?.stop());

/** Views of statistics, locks that a session holds, large objects, and the databases that every server has: Neon's own. */
const open = /pg_stat|pg_locks|advisory_lock|\blo_(create|creat|from_bytea)\b|pg_database_size\('(postgres|template1)'/;

hostileSuite(
  'a company in the project that companies share',
  'neon',
  () => ({
    server: neon.server,
    program,
    placement: (options) =>
      createNeonPlacement({
        ...options,
        apiKey: '',
        apiUrl: neon.standIn.url,
        organisation: null,
        region: null,
        callsPerSecond: 10,
        mode: 'database',
        pooled: false,
      }),
  }),
  { open, reached: ['postgres', 'template1'] },
);
