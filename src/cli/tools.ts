/** What every command is given: the terminal, and the ways to a server. */
import { connectHost } from './connect.ts';
import { type CommonOptions, configOf } from './options.ts';
import type { Remote } from './remote.ts';
import { createTerminal, type Terminal } from './terminal.ts';

export interface Tools {
  readonly terminal: Terminal;
  /** Runs `work` with the server of the data folder (or with the program in this process), and lets go of it. */
  withHost<T>(options: CommonOptions, work: (host: Remote) => Promise<T>): Promise<T>;
}

export function createTools(): Tools {
  const terminal = createTerminal();
  return {
    terminal,
    async withHost(options, work) {
      const { config } = configOf(options, terminal.env);
      const host = await connectHost(config);
      try {
        return await work(host);
      } finally {
        await host.close();
      }
    },
  };
}
