/** `strongroom migrate`: brings companies to the release's schema, with progress; `--plan` only says what it would do. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { fleetContract, type MigrationRun } from '../../modules/fleet/contract.ts';
import { overHost } from '../../modules/fleet/host-contract.ts';
import { exitCodes } from '../exit-codes.ts';
import { CommandFailure, endWith } from '../failure.ts';
import { type CommonOptions, withCommon } from '../options.ts';
import type { Remote } from '../remote.ts';
import type { Tools } from '../tools.ts';
import { printPlan, printReport, progressLine } from './migrate-report.ts';

interface Options extends CommonOptions {
  readonly plan?: boolean;
  readonly only?: readonly string[];
  readonly concurrency?: string;
  readonly canary?: string;
  readonly maxFailures?: string;
}

function wholeOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,3}$/.test(text))
    throw new CommandFailure(exitCodes.invalid, `${flag} must be a whole number from 1.`);
  return Number(text);
}

/** `3`, or `10%` of the companies of the run. */
function stopRuleOf(text: string | undefined): { max_failures?: number; max_failure_percent?: number } {
  if (text === undefined) return {};
  const [, number, percent] = /^(\d{1,6})(%?)$/.exec(text) ?? [];
  if (number === undefined || (percent === '%' && Number(number) > 100)) {
    throw new CommandFailure(exitCodes.invalid, '--max-failures must be a whole number, or a share as 10%.');
  }
  return percent === '%' ? { max_failure_percent: Number(number) } : { max_failures: Number(number) };
}

function requestOf(options: Options) {
  const concurrency = wholeOf('--concurrency', options.concurrency);
  const canary = wholeOf('--canary', options.canary);
  return {
    ...(options.only === undefined ? {} : { only: [...options.only] }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(canary === undefined ? {} : { canary }),
    ...stopRuleOf(options.maxFailures),
  };
}

/** Starts a run; or gives the one that is under way, which a crash may have left. */
async function begin(host: Remote, body: ReturnType<typeof requestOf>, note: (text: string) => void) {
  try {
    return (await host.call(overHost(fleetContract.startMigration), { body })).body as MigrationRun;
  } catch (error) {
    if (!(error instanceof CommandFailure) || error.exitCode !== exitCodes.conflict) throw error;
    const { items } = (await host.call(overHost(fleetContract.listMigrations), { query: { limit: '20' } })).body;
    const found = items.find((run) => run.status === 'running') ?? items[0];
    if (found === undefined) throw error;
    note('A migration is under way already: this is how it goes on. What was asked for here does not count for it.');
    return (await host.call(overHost(fleetContract.getMigration), { params: { id: found.id } })).body;
  }
}

/** Polls until the run has ended. @param tell called whenever something has moved */
async function follow(host: Remote, run: MigrationRun, tell: (run: MigrationRun) => void): Promise<MigrationRun> {
  let current = run;
  let told = '';
  for (;;) {
    const state = `${current.done} ${current.failed}`;
    if (state !== told) tell(current);
    told = state;
    if (current.status !== 'running') return current;
    await sleep(200);
    current = (await host.call(overHost(fleetContract.getMigration), { params: { id: run.id } })).body;
  }
}

export function registerMigrate(program: Command, { terminal, withHost }: Tools): void {
  const command = program
    .command('migrate')
    .description('bring the databases of companies to this release')
    .option('--plan', 'say what would be done, and do nothing')
    .option('--only <company...>', 'ids or slugs')
    .option('--concurrency <n>', 'companies at once')
    .option('--canary <n>', 'so many first, of every placement; the rest only when they succeed')
    .option('--max-failures <n>', 'more failures than this, or than such a share (10%), end the run');
  withCommon(command).action(async (options: Options) => {
    const request = requestOf(options);
    if (options.plan === true) {
      const { only } = request;
      const body = { dry_run: true, ...(only === undefined ? {} : { only }) };
      const plan = (await withHost(options, (host) => host.call(overHost(fleetContract.startMigration), { body })))
        .body;
      if (options.json === true) terminal.printJson(plan);
      else if ('behind' in plan) printPlan(plan, terminal);
      return;
    }
    const progress = progressLine(terminal, options.json === true);
    const run = await withHost(options, async (host) => {
      return follow(host, await begin(host, request, terminal.note), progress.show);
    });
    progress.end();
    if (options.json === true) terminal.printJson(run);
    else printReport(run, terminal);
    if (run.status === 'failed') throw endWith(run.done > 0 ? exitCodes.partial : exitCodes.failed);
    if (run.status === 'stopped') throw endWith(exitCodes.interrupted);
  });
}
