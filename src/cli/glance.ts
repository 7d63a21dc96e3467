/**
 * `strongroom migrate` with nothing to do, answered before the rest of the command line is loaded: it runs at every
 * deployment, over fleets of any size. Handles that one case and leaves everything else to the command.
 */
import { join } from 'node:path';
import { isFleetCurrent } from '../kernel/database/control-glance.ts';
import { controlHead, tenantHead } from '../modules/heads.ts';
import { configOf } from './options.ts';

/** @returns whether the command was answered */
export function answerMigrateAtAGlance(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  print: (text: string) => void,
): boolean {
  const [command, ...flags] = args;
  if (command !== 'migrate' || flags.some((flag) => flag !== '--json')) return false;
  const { config } = configOf({}, env);
  if (config.controlUrl !== null) return false;
  if (!isFleetCurrent(join(config.dataDir, 'control.db'), { control: controlHead, tenant: tenantHead })) return false;
  const run = {
    id: null,
    status: 'succeeded',
    head: tenantHead,
    total: 0,
    done: 0,
    failed: 0,
    skipped: 0,
    reason: null,
    items: [],
  };
  print(flags.includes('--json') ? JSON.stringify(run, null, 2) : `Every company is at ${tenantHead} already.`);
  return true;
}
