/** `strongroom admin create`: an operator, made on the host, without the set-up link. */
import type { Command } from 'commander';
import { hostContract } from '../../modules/fleet/host-contract.ts';
import { exitCodes } from '../exit-codes.ts';
import { CommandFailure } from '../failure.ts';
import { type CommonOptions, withCommon } from '../options.ts';
import { readSecret } from '../terminal.ts';
import type { Tools } from '../tools.ts';

interface Options extends CommonOptions {
  readonly username: string;
  readonly email: string;
  readonly passwordStdin?: boolean;
}

export function registerAdminCreate(program: Command, { terminal, withHost }: Tools): void {
  const admin = program.command('admin').description('operators of this installation');
  const command = admin
    .command('create')
    .description('create an operator; closes the set-up link for ever')
    .requiredOption('--username <name>', 'name to sign in with')
    .requiredOption('--email <address>', 'address of the operator')
    .option('--password-stdin', 'read the password from standard input');
  withCommon(command).action(async (options: Options) => {
    if (options.passwordStdin !== true && !terminal.interactive) {
      throw new CommandFailure(exitCodes.invalid, 'Send the password with --password-stdin.');
    }
    const password = options.passwordStdin === true ? await readSecret() : await askPassword();
    const { body } = await withHost(options, (host) =>
      host.call(hostContract.hostCreateOperator, {
        body: { username: options.username, email: options.email, password },
      }),
    );
    if (options.json === true) terminal.printJson(body);
    else terminal.print(`Operator ${body.username} (${body.id}) can sign in.`);
  });
}

async function askPassword(): Promise<string> {
  const { isCancel, password } = await import('@clack/prompts');
  const first = await password({ message: 'Password' });
  if (isCancel(first)) throw new CommandFailure(exitCodes.interrupted, 'Nothing was created.');
  const second = await password({ message: 'Once more' });
  if (second !== first) throw new CommandFailure(exitCodes.invalid, 'The two passwords differ. Try again.');
  return first;
}
