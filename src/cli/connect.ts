/**
 * The way to a server of a data folder: the one that runs, over the folder's socket; where none runs, the program in
 * this very process, without a TCP listener, for as long as the command takes.
 *
 * What answers may go away between two requests (another command that owned the folder is done, a server shuts down).
 * A request that was surely not begun then goes to whoever has the folder next.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isStrongroomError } from '../kernel/errors.ts';
import { hostSocketPath, isServed } from '../kernel/host-socket.ts';
import type { Config } from '../kernel/settings.ts';
import { createRemote, type Remote } from './remote.ts';
import { type FetchLike, socketBase, socketFetch } from './transport.ts';

/** How long to wait for a folder that another process has, or that nobody answers for. */
const patienceMs = 15_000;
const pauseMs = 100;

interface Reached {
  readonly fetch: FetchLike;
  close(): Promise<void>;
}

/** @throws unavailable where another process owns the folder and does not answer */
export async function connectHost(config: Config): Promise<Remote> {
  let reached = await reach(config);
  const fetch: FetchLike = async (input, init) => {
    const until = Date.now() + patienceMs;
    for (;;) {
      const answer = await reached.fetch(input, init).catch((error: unknown) => {
        if (!neverArrived(error) || Date.now() > until) throw error;
        return undefined;
      });
      if (answer !== undefined && (!(await isShuttingDown(answer)) || Date.now() > until)) return answer;
      await sleep(pauseMs);
      await reached.close();
      reached = await reach(config);
    }
  };
  return createRemote(socketBase, fetch, () => reached.close());
}

async function reach(config: Config): Promise<Reached> {
  const until = Date.now() + patienceMs;
  for (;;) {
    if (await isServed(config.dataDir)) {
      return { fetch: socketFetch(hostSocketPath(config.dataDir)), close: async () => {} };
    }
    try {
      return await startHere(config);
    } catch (error) {
      const taken = isStrongroomError(error) && error.code === 'folder_in_use';
      if (!taken || Date.now() > until) throw error;
      await sleep(pauseMs);
    }
  }
}

/**
 * The program in this process, on a socket that nobody else looks for: another command would find it gone with the end
 * of this one, in the middle of its work. It waits for the folder instead.
 */
async function startHere(config: Config): Promise<Reached> {
  const { startProgram } = await import('../server/program.ts');
  const logLevel = config.logLevel === 'info' ? 'error' : config.logLevel;
  const folder = await mkdtemp(join(tmpdir(), 'strongroom-command-'));
  const socket = join(folder, 'host.sock');
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const program = await startProgram(
      { ...config, logLevel, runWorker: false, migrateOnStart: false },
      { listen: false, listenForHost: (server) => listenOn(server, socket) },
    );
    return {
      fetch: socketFetch(socket),
      async close() {
        await program.close();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** The folder of the socket is open to this user alone, from when it was made. */
async function listenOn(server: Server, path: string): Promise<void> {
  server.listen(path);
  await once(server, 'listening');
}

/** Nobody listened: a connection that broke later could have done its work. */
function neverArrived(error: unknown): boolean {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return syscall === 'connect' && (code === 'ECONNREFUSED' || code === 'ENOENT');
}

/** Answered before any route is looked at, so nothing was done. */
async function isShuttingDown(answer: Response): Promise<boolean> {
  if (answer.status !== 503) return false;
  const problem = (await answer
    .clone()
    .json()
    .catch(() => ({}))) as { code?: string };
  return problem.code === 'shutting_down';
}
