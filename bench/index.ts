/**
 * `npm run bench [-- --quick] [-- --only=list,uploads]`: every figure beside the bare thing measured in the same run,
 * in turn, as medians. Ends with 0 whatever the figures say: machines are shared, and a figure is read, not asserted.
 */

import { run as companies } from './cases/companies.ts';
import { run as list } from './cases/list.ts';
import { run as migrate } from './cases/migrate.ts';
import { run as postgres } from './cases/postgres.ts';
import { run as s3 } from './cases/s3.ts';
import { run as signIn } from './cases/sign-in.ts';
import { run as uploads } from './cases/uploads.ts';
import { printRows, type Row } from './measure.ts';

const cases: Record<string, (quick: boolean) => Promise<Row[]>> = {
  companies,
  list,
  uploads,
  'sign-in': signIn,
  postgres,
  migrate,
  s3,
};
const quick = process.argv.includes('--quick');
const only = process.argv
  .find((argument) => argument.startsWith('--only='))
  ?.slice('--only='.length)
  .split(',');

for (const [name, run] of Object.entries(cases)) {
  if (only && !only.includes(name)) continue;
  console.log(`\n${name}`);
  printRows(await run(quick));
}
