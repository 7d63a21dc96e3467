/** `strongroom audit verify`: checks the chain of one trail, or of all, and names the first bad row. */
import type { Command } from 'commander';
import { hostContract } from '../../modules/fleet/host-contract.ts';
import { exitCodes } from '../exit-codes.ts';
import { endWith } from '../failure.ts';
import { type CommonOptions, withCommon } from '../options.ts';
import type { Tools } from '../tools.ts';

interface Options extends CommonOptions {
  readonly company?: string;
}

export function registerAuditVerify(program: Command, { terminal, withHost }: Tools): void {
  const audit = program.command('audit').description('audit trails');
  const command = audit
    .command('verify')
    .description('check the chain of the fleet’s trail and of every company’s')
    .option('--company <company>', 'only this one, by id or slug');
  withCommon(command).action(async (options: Options) => {
    const { body } = await withHost(options, (host) =>
      host.call(hostContract.hostVerifyAudit, {
        body: options.company === undefined ? {} : { company: options.company },
      }),
    );
    if (options.json === true) terminal.printJson(body);
    else {
      terminal.printTable(
        body.trails,
        [
          { title: 'TRAIL', value: (trail) => trail.subject },
          { title: 'ROWS', value: (trail) => trail.rows, align: 'right' },
          { title: 'SEALED', value: (trail) => trail.sealed, align: 'right' },
          { title: 'UNSEALED', value: (trail) => trail.unsealed, align: 'right' },
          {
            title: 'RESULT',
            value: (trail) =>
              trail.first_bad === undefined
                ? trail.ok
                  ? 'intact'
                  : 'broken'
                : `row ${trail.first_bad.seq}: ${trail.first_bad.reason}`,
            flexible: true,
          },
        ],
        'There are no trails.',
      );
    }
    if (!body.ok) throw endWith(exitCodes.failed);
  });
}
