/** Every command, and how one is run: texts for people, `--json` for programs, an exit code for scripts. */
import { Command, CommanderError } from 'commander';
import { version } from '../modules/fleet/index.ts';
import { registerAdminCreate } from './commands/admin-create.ts';
import { registerAuditVerify } from './commands/audit-verify.ts';
import { registerCompanies } from './commands/companies.ts';
import { registerConfig } from './commands/config.ts';
import { registerDoctor } from './commands/doctor.ts';
import { registerDocuments } from './commands/documents.ts';
import { registerMigrate } from './commands/migrate.ts';
import { registerReset } from './commands/reset.ts';
import { registerServe } from './commands/serve.ts';
import { registerUsersImport } from './commands/users-import.ts';
import { registerWorker } from './commands/worker.ts';
import { registerDemo } from './demo/index.ts';
import { exitCodes } from './exit-codes.ts';
import { toFailure } from './failure.ts';
import { createTools, type Tools } from './tools.ts';

/** Every command, for running and for the reference page. */
export function createProgram(tools: Tools): Command {
  const program = new Command('strongroom')
    .description('Keeps every company’s people, documents and history in a database and a bucket of its own.')
    .version(version)
    .showSuggestionAfterError()
    .showHelpAfterError('(add --help for what there is)');
  for (const register of [
    registerServe,
    registerWorker,
    registerAdminCreate,
    registerCompanies,
    registerMigrate,
    registerDocuments,
    registerUsersImport,
    registerAuditVerify,
    registerConfig,
    registerDoctor,
    registerDemo,
    registerReset,
  ]) {
    register(program, tools);
  }
  for (const each of everyCommand(program)) each.exitOverride();
  return program;
}

/** A command with all below it. */
export function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap((each) => everyCommand(each as Command))];
}

/** @param args the words behind `strongroom` */
export async function run(args: readonly string[]): Promise<void> {
  const tools = createTools();
  quietBrokenPipe();
  try {
    await createProgram(tools).parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      // Help and version end with 0; a mistake in usage has been told already.
      process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.invalid;
      return;
    }
    const failure = toFailure(error);
    if (!failure.silent) tools.terminal.note(`strongroom: ${failure.message}`);
    if (tools.terminal.env.STRONGROOM_LOG_LEVEL === 'debug') console.error(failure.cause ?? failure);
    process.exitCode = failure.exitCode;
  }
}

/** `strongroom companies list | head` is no failure. */
function quietBrokenPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.ok);
  });
}
