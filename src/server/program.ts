/**
 * The whole program as one object: kernel, modules and server on one data folder. `strongroom serve` starts it, so do
 * commands while no server runs, and tests. Prints nothing and handles no signal: that is for whoever starts it.
 */
import type { Server } from 'node:http';
import type { Clock } from '../kernel/clock.ts';
import { listenOnHostSocket } from '../kernel/host-socket.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Logger } from '../kernel/log.ts';
import type { Module } from '../kernel/module.ts';
import { openKernel } from '../kernel/open.ts';
import type { Config } from '../kernel/settings.ts';
import { tenantOldestServed } from '../modules/heads.ts';
import { createModules, type Modules } from '../modules/index.ts';
import { createServer, type HttpServer } from './server.ts';

export interface ProgramOptions {
  /** Listen on the configured host and port. Default true. */
  readonly listen?: boolean;
  /** Where the host's routes are served. Default: the data folder's socket, where commands look for a server. */
  readonly listenForHost?: (server: Server) => Promise<void>;
  /** Modules behind those of the product. */
  readonly modules?: (kernel: Kernel) => readonly Module[];
  /** Companies with fewer tenant migrations answer 503. Default: what the release states. */
  readonly oldestServed?: number;
  readonly log?: Logger;
  readonly clock?: Clock;
  /** Parse every answer by its shape too; for tests. */
  readonly validateAnswers?: boolean;
  /** Window of the minimum rate of bodies. Default 20 s. */
  readonly bodyWindowMs?: number;
  /** The built web app. Default: where the build puts it. */
  readonly webAppFolder?: string;
}

export interface Program {
  /** `http://host:port`; empty where it does not listen. */
  readonly address: string;
  /** The one-time token of the set-up link, while no operator exists. */
  readonly setupToken: string | undefined;
  readonly kernel: Kernel;
  readonly modules: Modules;
  readonly server: HttpServer;
  /** Drains the server, lets work behind answers end, and gives the folder back. Safe to call twice. */
  close(): Promise<void>;
}

/** @throws unavailable `folder_in_use`, and what listening throws (a port that is taken) */
export async function startProgram(config: Config, options: ProgramOptions = {}): Promise<Program> {
  const kernel = await openKernel(config, { oldestServed: tenantOldestServed, ...options });
  try {
    const modules = createModules(kernel);
    const all = [...modules.all, ...(options.modules?.(kernel) ?? [])];
    kernel.register(all);
    await kernel.start();
    const server = await createServer({
      kernel,
      modules: all,
      accounts: modules.accounts,
      idempotency: kernel.idempotency,
      hashQueue: () => modules.accounts.hashQueue,
      validateAnswers: options.validateAnswers === true,
      ...(options.bodyWindowMs === undefined ? {} : { bodyWindowMs: options.bodyWindowMs }),
      ...(options.webAppFolder === undefined ? {} : { webAppFolder: options.webAppFolder }),
    });
    return await serve({ config, options, kernel, modules, server });
  } catch (error) {
    await kernel.close();
    throw error;
  }
}

interface Parts {
  readonly config: Config;
  readonly options: ProgramOptions;
  readonly kernel: Kernel;
  readonly modules: Modules;
  readonly server: HttpServer;
}

async function serve({ config, options, kernel, modules, server }: Parts): Promise<Program> {
  try {
    const address = options.listen === false ? '' : await server.listen();
    if (address !== '') modules.accounts.listening(address);
    const { listenForHost } = options;
    if (listenForHost !== undefined) await server.serveHost(listenForHost);
    else {
      // Of several processes on one folder, commands reach its owner.
      const atFolder = async (host: Server) => void (await listenOnHostSocket(host, config.dataDir));
      await kernel.folder.whenOwned(() => server.serveHost(atFolder));
    }
    const setupToken = address === '' ? undefined : await modules.accounts.ensureSetupToken();
    let closing: Promise<void> | undefined;
    const close = async () => {
      await server.close();
      await modules.accounts.settled();
      await kernel.close();
    };
    return {
      address,
      setupToken,
      kernel,
      modules,
      server,
      close() {
        closing ??= close();
        return closing;
      },
    };
  } catch (error) {
    await server.close();
    throw error;
  }
}
