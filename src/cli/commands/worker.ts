/** `strongroom worker`: jobs, lifecycle and schedules without HTTP, for installations that keep the two apart. */
import type { Command } from 'commander';
import { type CommonOptions, configOf, withCommon } from '../options.ts';
import { untilSignal } from '../signals.ts';
import type { Tools } from '../tools.ts';

export function registerWorker(program: Command, { terminal }: Tools): void {
  withCommon(program.command('worker').description('run jobs and lifecycle without HTTP')).action(
    async (options: CommonOptions) => {
      const { config } = configOf(options, terminal.env, {
        runWorker: true,
        ...(options.json === true ? { logFormat: 'json' } : {}),
      });
      const stopped = untilSignal();
      const { startProgram } = await import('../../server/program.ts');
      const worker = await startProgram(config, { listen: false });
      const text = 'Strongroom works on jobs.';
      terminal.print(
        options.json === true ? JSON.stringify({ time: new Date().toISOString(), worker: true, msg: text }) : text,
      );
      const signal = await stopped;
      terminal.note(`${signal}: finishing what runs…`);
      await worker.close();
    },
  );
}
