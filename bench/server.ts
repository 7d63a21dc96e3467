/** The two processes that are measured: the product through its command line, and the bare server beside it. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type RunningProcess, root, startProcess } from '../test/support/process.ts';

export type Running = Pick<RunningProcess, 'url' | 'pid' | 'dataDir' | 'setupToken'> & { stop(): Promise<unknown> };

/** A fresh folder on the same disk as the repository (a memory file system would hide the cost of an fsync). */
export function benchFolder(name: string): string {
  return mkdtempSync(join(root, `.bench-${name}-`));
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** Starts the product on a free port and waits until it says that it listens. */
export function startProduct(dataDir: string, env: Record<string, string> = {}): Promise<Running> {
  return startProcess(dataDir, { env });
}

/** Starts `bench/bare/server.ts`: Fastify, node:sqlite on the serving thread, one file, one folder. */
export function startBare(dataDir: string): Promise<Running> {
  return startScript('server.ts', dataDir);
}

/** Starts `bench/bare/postgres-list.ts` over the table of this database. */
export function startBarePostgres(url: string): Promise<Running> {
  return startScript('postgres-list.ts', url);
}

async function startScript(script: string, argument: string): Promise<Running> {
  const child = spawn(process.execPath, [join(root, 'bench/bare', script), argument], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout!.once('data', (chunk: Buffer) => resolve(chunk.toString().trim()));
    child.once('exit', (code) => reject(new Error(`the bare server ended with ${code}`)));
  });
  const stop = async () => {
    child.kill('SIGTERM');
    await exit;
  };
  return { url, pid: child.pid!, dataDir: argument, setupToken: undefined, stop };
}
