/** `strongroom doctor`: what a crash left, orphans, drift, missing objects; `--repair` mends what is safe to mend. */
import type { Command } from 'commander';
import { hostContract } from '../../modules/fleet/host-contract.ts';
import { exitCodes } from '../exit-codes.ts';
import { endWith } from '../failure.ts';
import { type CommonOptions, withCommon } from '../options.ts';
import type { Tools } from '../tools.ts';

interface Options extends CommonOptions {
  readonly repair?: boolean;
  readonly deep?: boolean;
  readonly only?: readonly string[];
  readonly abandon?: string;
}

export function registerDoctor(program: Command, { terminal, withHost }: Tools): void {
  const command = program
    .command('doctor')
    .description('examine control database, companies, buckets and journal')
    .option('--repair', 'mend what is safe to mend')
    .option('--deep', 'also read every object and compare its hash')
    .option('--only <company...>', 'ids or slugs')
    .option('--abandon <company>', 'give up a creation that does not succeed, and undo it');
  withCommon(command).action(async (options: Options) => {
    const { body } = await withHost(options, (host) =>
      host.call(hostContract.hostDoctor, {
        body: {
          repair: options.repair === true,
          deep: options.deep === true,
          ...(options.only === undefined ? {} : { only: [...options.only] }),
          ...(options.abandon === undefined ? {} : { abandon: options.abandon }),
        },
      }),
    );
    const { findings } = body;
    if (options.json === true) terminal.printJson(findings);
    else {
      terminal.printTable(
        findings,
        [
          { title: 'WHERE', value: (finding) => finding.subject },
          { title: 'PROBLEM', value: (finding) => finding.problem, flexible: true },
          { title: 'REPAIR', value: (finding) => finding.repair, flexible: true },
          { title: 'DONE', value: (finding) => (finding.repaired ? 'yes' : 'no') },
        ],
        'Everything is in order.',
      );
      const open = findings.filter((finding) => !finding.repaired);
      if (open.some((finding) => finding.repair !== null) && options.repair !== true) {
        terminal.note('Run `strongroom doctor --repair` to mend what can be mended.');
      }
    }
    if (findings.some((finding) => !finding.repaired)) throw endWith(exitCodes.failed);
  });
}
