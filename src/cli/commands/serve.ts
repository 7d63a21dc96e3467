/**
 * `strongroom serve`: the server, until SIGTERM or SIGINT. One line with the address when it is ready; while no
 * operator exists one line with the set-up link, whether or not this is a terminal.
 */
import type { Command } from 'commander';
import { type CommonOptions, configOf, withCommon } from '../options.ts';
import { untilSignal } from '../signals.ts';
import type { Tools } from '../tools.ts';

interface Options extends CommonOptions {
  readonly worker: boolean;
  readonly migrate: boolean;
  readonly port?: string;
  readonly host?: string;
}

export function registerServe(program: Command, { terminal }: Tools): void {
  const command = program
    .command('serve')
    .description('run the server')
    .option('--port <port>', 'port to listen on; 0 takes a free one')
    .option('--host <address>', 'address to listen on')
    .option('--no-worker', 'leave jobs and lifecycle to another process')
    .option('--no-migrate', 'do not start the fleet migration');
  withCommon(command).action(async (options: Options) => {
    const { config } = configOf(options, terminal.env, {
      port: options.port,
      host: options.host,
      ...(options.worker ? {} : { runWorker: false, runLifecycle: false }),
      ...(options.migrate ? {} : { migrateOnStart: false }),
      ...(options.json === true ? { logFormat: 'json' } : {}),
    });
    const stopped = untilSignal();
    const { startProgram } = await import('../../server/program.ts');
    const server = await startProgram(config);
    const line = (fields: object, text: string) =>
      terminal.print(
        options.json === true ? JSON.stringify({ time: new Date().toISOString(), ...fields, msg: text }) : text,
      );
    line({ listening: server.address }, `Strongroom is ready at ${server.address}`);
    const token = server.setupToken;
    if (token !== undefined) {
      const link = server.modules.accounts.setupUrl(token);
      line({ setup_token: token, setup_url: link }, `Create the first operator: ${link}`);
    }
    const signal = await stopped;
    terminal.note(`${signal}: finishing what runs…`);
    await server.close();
  });
}
