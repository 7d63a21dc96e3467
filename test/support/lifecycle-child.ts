/**
 * A process that dies in the middle of a verb: `node lifecycle-child.ts <data folder> <scenario> <failpoints> <config>`.
 * Prints the company's id as soon as it is known. Exits with 3 where the failpoint was never reached.
 */
import { testConfig } from '../../src/kernel/config.ts';
import { openKernel } from '../../src/kernel/open.ts';
import { armFailpoints } from '../../src/kernel/tenants/failpoints.ts';
import { probeModule } from './lifecycle.ts';
import { runScenario, type Scenario } from './lifecycle-scenarios.ts';

const [dataDir, scenario, failpoints, config] = process.argv.slice(2) as [string, Scenario, string, string];
const kernel = await openKernel(testConfig({ ...(JSON.parse(config) as object), dataDir }));
kernel.register([probeModule(kernel, scenario)]);
await kernel.start({ worker: false, migrateFleet: false });
await runScenario(kernel, scenario, {
  arm: () => armFailpoints(failpoints),
  known: (id) => process.stdout.write(`${id}\n`),
}).catch(() => {});
await kernel.close();
process.exit(3);
