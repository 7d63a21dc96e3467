/** `strongroom reset`: purges every company of a development installation. Asks first. */
import type { Command } from 'commander';
import { hostContract } from '../../modules/fleet/host-contract.ts';
import { exitCodes } from '../exit-codes.ts';
import { CommandFailure } from '../failure.ts';
import { type CommonOptions, configOf, withCommon } from '../options.ts';
import type { Tools } from '../tools.ts';

interface Options extends CommonOptions {
  readonly yes?: boolean;
}

export function registerReset(program: Command, { terminal, withHost }: Tools): void {
  const command = program
    .command('reset')
    .description('purge every company (development only; operators stay)')
    .option('--yes', 'do not ask');
  withCommon(command).action(async (options: Options) => {
    const { config } = configOf(options, terminal.env);
    if (!config.development) {
      throw new CommandFailure(
        exitCodes.forbidden,
        'Only a development installation can be reset. Set STRONGROOM_DEVELOPMENT=true if this is one.',
      );
    }
    if (options.yes !== true) await askFirst(terminal.interactive, config.dataDir);
    const { body } = await withHost(options, (host) =>
      host.call(hostContract.hostReset, { body: { confirm: 'everything' } }),
    );
    if (options.json === true) terminal.printJson(body);
    else terminal.print(`${body.companies} companies are gone.`);
  });
}

async function askFirst(interactive: boolean, dataDir: string): Promise<void> {
  if (!interactive) {
    throw new CommandFailure(exitCodes.invalid, 'This removes every company. Add --yes to do it without a question.');
  }
  const { confirm } = await import('@clack/prompts');
  const sure = await confirm({
    message: `Remove every company in ${dataDir}, with all documents?`,
    initialValue: false,
  });
  if (sure !== true) throw new CommandFailure(exitCodes.interrupted, 'Nothing was removed.');
}
