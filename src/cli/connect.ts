/**
 * The way to a server of a data folder: the one that runs, over the folder's socket; where none runs, the program in
 * this very process, without a TCP listener, for as long as the command takes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isStrongroomError } from '../kernel/errors.ts';
import { hostSocketPath, isServed } from '../kernel/host-socket.ts';
import type { Config } from '../kernel/settings.ts';
import { createRemote, type Remote } from './remote.ts';
import { socketBase, socketFetch } from './transport.ts';

/** Another command may own the folder for a moment, or a server be on its way up or down. */
const patienceMs = 10_000;

/** @throws unavailable where another process owns the folder and does not answer */
export async function connectHost(config: Config): Promise<Remote> {
  const until = Date.now() + patienceMs;
  for (;;) {
    if (await isServed(config.dataDir)) return attached(config, async () => {});
    try {
      const { startProgram } = await import('../server/program.ts');
      const program = await startProgram(
        {
          ...config,
          logLevel: config.logLevel === 'info' ? 'error' : config.logLevel,
          runWorker: false,
          migrateOnStart: false,
        },
        { listen: false },
      );
      return attached(config, () => program.close());
    } catch (error) {
      const taken = isStrongroomError(error) && error.code === 'folder_in_use';
      if (!taken || Date.now() > until) throw error;
      await sleep(100);
    }
  }
}

function attached(config: Config, close: () => Promise<void>): Remote {
  return createRemote(socketBase, socketFetch(hostSocketPath(config.dataDir)), close);
}
