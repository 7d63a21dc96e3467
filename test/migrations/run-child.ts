/** A process that migrates a fleet to the next release, to be killed: `node run-child.ts <config>`. Says `running`, then how it ended. */
import { armFailpoints } from '../../src/kernel/tenants/failpoints.ts';
import { testOperatorActor } from '../support/actors.ts';
import { type MixedFleet, nextRelease, openRelease } from './mixed-fleet.ts';

const config = JSON.parse(process.argv[2]!) as MixedFleet['config'];
// So that a kill finds a company before, within and after its own transaction.
armFailpoints(
  [
    'fleet.company.before=delay:15',
    'migrate.schema.applied=delay:25',
    'fleet.company.applied=delay:25',
    'fleet.company.after=delay:15',
  ].join(','),
);
const kernel = await openRelease(config, [nextRelease]);
process.stdout.write('running\n');
const { run } = await kernel.fleet.start({ concurrency: 2 }, testOperatorActor);
const ended = await kernel.fleet.wait(run.id);
process.stdout.write(`${ended.status}\n`);
await kernel.close();
