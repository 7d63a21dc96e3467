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

interface Options extends CommonOptions {
  readonly plan?: boolean;
  readonly only?: readonly string[];
  readonly concurrency?: string;
  readonly canary?: string;
}

function wholeOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,3}$/.test(text))
    throw new CommandFailure(exitCodes.invalid, `${flag} must be a whole number from 1.`);
  return Number(text);
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
    .option('--canary <n>', 'so many first; the rest only when they succeed');
  withCommon(command).action(async (options: Options) => {
    const concurrency = wholeOf('--concurrency', options.concurrency);
    const canary = wholeOf('--canary', options.canary);
    const only = options.only === undefined ? {} : { only: [...options.only] };
    if (options.plan === true) {
      const { body } = await withHost(options, (host) =>
        host.call(overHost(fleetContract.startMigration), { body: { dry_run: true, ...only } }),
      );
      if (options.json === true) terminal.printJson(body);
      else if ('behind' in body) {
        terminal.print(`The head is ${body.head}; ${body.behind} companies are behind.`);
        if (body.items.length > 0) {
          terminal.printTable(
            body.items,
            [
              { title: 'COMPANY', value: (item) => item.slug },
              { title: 'FROM', value: (item) => item.from, align: 'right' },
              { title: 'TO', value: (item) => item.to, align: 'right' },
            ],
            '',
          );
        }
      }
      return;
    }
    const progress = progressLine(terminal, options.json === true);
    const run = await withHost(options, async (host) => {
      const { body } = await host.call(overHost(fleetContract.startMigration), {
        body: {
          ...only,
          ...(concurrency === undefined ? {} : { concurrency }),
          ...(canary === undefined ? {} : { canary }),
        },
      });
      return follow(host, body as MigrationRun, progress.show);
    });
    progress.end();
    report(run, options.json === true, terminal);
    if (run.status === 'failed') throw endWith(run.done > 0 ? exitCodes.partial : exitCodes.failed);
    if (run.status === 'stopped') throw endWith(exitCodes.interrupted);
  });
}

function report(run: MigrationRun, json: boolean, terminal: Tools['terminal']): void {
  if (json) {
    terminal.printJson(run);
    return;
  }
  terminal.print(
    run.total === 0
      ? `Every company is at ${run.head} already.`
      : `${run.done} of ${run.total} companies are at ${run.head}${run.failed > 0 ? `, ${run.failed} failed` : ''}.`,
  );
  const failed = run.items.filter((item) => item.status === 'failed');
  if (failed.length === 0) return;
  terminal.printTable(
    failed,
    [
      { title: 'COMPANY', value: (item) => item.slug },
      { title: 'REASON', value: (item) => item.reason, flexible: true },
    ],
    '',
  );
  terminal.note('Run the command again for those that failed; the others stay as they are.');
}

/** On a terminal one line that is written over; elsewhere a line whenever a tenth more is done. */
function progressLine(terminal: Tools['terminal'], json: boolean) {
  let tenth = -1;
  return {
    show(run: MigrationRun) {
      if (json || run.total === 0) return;
      const text = `migrating: ${run.done} of ${run.total} done${run.failed > 0 ? `, ${run.failed} failed` : ''}`;
      if (terminal.progress.live) {
        terminal.progress.show(text);
        return;
      }
      const reached = Math.floor(((run.done + run.failed) / run.total) * 10);
      if (reached > tenth) terminal.note(text);
      tenth = reached;
    },
    end() {
      terminal.progress.end();
    },
  };
}
