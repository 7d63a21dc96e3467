/** Options that commands share, and the configuration that they lead to. */
import type { Command } from 'commander';
import { type LoadedConfig, loadConfig } from '../kernel/config.ts';

export interface CommonOptions {
  readonly dataDir?: string;
  readonly config?: string;
  readonly json?: boolean;
}

/** Variables that are the command line's own, not settings. */
export const tokenVariable = 'STRONGROOM_TOKEN';

export function withCommon(command: Command): Command {
  return command
    .option('--data-dir <folder>', 'folder that holds everything (default ./data)')
    .option('--config <file>', 'configuration file (default strongroom.yaml, where there is one)')
    .option('--json', 'answer in JSON, for programs');
}

/** The configuration of a command: file, environment, then its flags. @throws invalid `config_invalid` */
export function configOf(
  options: CommonOptions,
  env: Readonly<Record<string, string | undefined>>,
  flags: Readonly<Record<string, unknown>> = {},
): LoadedConfig {
  const { [tokenVariable]: _, ...settings } = env;
  return loadConfig({
    env: settings,
    flags: { dataDir: options.dataDir, ...flags },
    ...(options.config === undefined ? {} : { file: options.config }),
  });
}
