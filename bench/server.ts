/** Starts real processes to measure: the product through its command line, and the bare server beside it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

export interface Running {
  readonly url: string;
  readonly pid: number;
  readonly dataDir: string;
  readonly setupToken: string | undefined;
  stop(): Promise<void>;
}

/** A fresh folder on the same disk as the repository (a memory file system would hide the cost of an fsync). */
export function benchFolder(name: string): string {
  return mkdtempSync(join(root, 'data-bench-').replace('data-bench-', `.bench-${name}-`));
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
  await exit;
  clearTimeout(timer);
}

/** Starts the product on a free port and waits until it says that it listens. */
export async function startProduct(dataDir: string, env: Record<string, string> = {}): Promise<Running> {
  const child = spawn(process.execPath, [join(root, 'bin/strongroom.js'), 'serve', '--json'], {
    cwd: root,
    env: {
      ...process.env,
      STRONGROOM_DATA_DIR: dataDir,
      PORT: '0',
      STRONGROOM_LOG_LEVEL: 'info',
      STRONGROOM_LOG_FORMAT: 'json',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let setupToken: string | undefined;
  let text = '';
  let errors = '';
  child.stderr!.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-4_000);
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout!.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      for (const line of text.split('\n').slice(0, -1)) {
        if (!line.startsWith('{')) continue;
        const entry = JSON.parse(line) as { setup_token?: string; listening?: string };
        if (entry.setup_token) setupToken = entry.setup_token;
        // The set-up line may come behind the address; one more turn of the loop catches it.
        if (entry.listening) setTimeout(() => resolve(entry.listening!), 200);
      }
      text = text.slice(text.lastIndexOf('\n') + 1);
    });
    child.once('exit', (code) => reject(new Error(`serve ended with ${code}\n${errors}`)));
  });
  return { url, pid: child.pid!, dataDir, setupToken, stop: () => stopped(child) };
}

/** Starts `bench/bare/server.ts`: Fastify, node:sqlite on the serving thread, one file, one folder. */
export async function startBare(dataDir: string): Promise<Running> {
  const child = spawn(process.execPath, [join(root, 'bench/bare/server.ts'), dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout!.once('data', (chunk: Buffer) => resolve(chunk.toString().trim()));
    child.once('exit', (code) => reject(new Error(`the bare server ended with ${code}`)));
  });
  return { url, pid: child.pid!, dataDir, setupToken: undefined, stop: () => stopped(child) };
}
