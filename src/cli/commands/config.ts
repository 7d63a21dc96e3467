/** `strongroom config`: effective values and where each came from. No secret is ever shown. */
import type { Command } from 'commander';
import { describeConfig } from '../../kernel/config.ts';
import { type CommonOptions, configOf, withCommon } from '../options.ts';
import type { Tools } from '../tools.ts';

export function registerConfig(program: Command, { terminal }: Tools): void {
  withCommon(program.command('config').description('effective settings and their source')).action(
    (options: CommonOptions) => {
      const lines = describeConfig(configOf(options, terminal.env));
      if (options.json === true) {
        terminal.printJson(lines);
        return;
      }
      terminal.printTable(
        lines,
        [
          { title: 'SETTING', value: (line) => line.key },
          { title: 'VALUE', value: (line) => (line.value === null ? '–' : String(line.value)), flexible: true },
          { title: 'SOURCE', value: (line) => line.source },
          { title: 'VARIABLE', value: (line) => line.variable },
        ],
        '',
      );
    },
  );
}
