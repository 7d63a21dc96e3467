/**
 * Companies on a real Citus cluster. Needs TEST_CITUS_URL: a superuser's login to the coordinator, where
 * `strongroom_shared_1` is prepared as docs/operate/scaling.md says, with two nodes that take companies or more.
 */
import { describe } from 'vitest';
import { companiesOnCitus } from './suite.ts';

const given = process.env.TEST_CITUS_URL ?? '';
if (given === '') console.warn('TEST_CITUS_URL is not given: the tests on a Citus cluster are skipped.');

describe.skipIf(given === '')('companies on Citus', { timeout: 120_000 }, () => {
  companiesOnCitus(() => Promise.resolve(given));
});
