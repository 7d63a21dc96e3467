/** The real program in a process of its own, started through the command line: to be killed, measured and restarted. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface RunningProcess {
  readonly url: string;
  readonly pid: number;
  readonly dataDir: string;
  /** The one-time token, while no operator exists. */
  readonly setupToken: string | undefined;
  readonly child: ChildProcess;
  /** SIGTERM, and the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL: what a crash is. */
  kill(): Promise<void>;
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** A script instead of `strongroom serve --json`, which says the same lines. */
  readonly script?: string;
  /** A command put before node, such as `strace -f …`. */
  readonly wrap?: readonly string[];
  /** Deadline in milliseconds for the line with the address. */
  readonly within?: number;
}

function exited(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)));
}

/** Starts `strongroom serve --json` on a free port and waits until it says that it listens. */
export async function startProcess(dataDir: string, options: StartOptions = {}): Promise<RunningProcess> {
  const program = options.script === undefined ? ['bin/strongroom.js', 'serve', '--json'] : [options.script];
  const command = [...(options.wrap ?? []), process.execPath, ...program];
  const child = spawn(command[0]!, command.slice(1), {
    cwd: root,
    env: {
      ...process.env,
      STRONGROOM_DATA_DIR: dataDir,
      PORT: '0',
      STRONGROOM_LOG_LEVEL: 'info',
      STRONGROOM_LOG_FORMAT: 'json',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr!.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-4_000);
  });
  const started = await firstLines(child, () => errors, options.within ?? 50_000);
  return {
    ...started,
    pid: child.pid!,
    dataDir,
    child,
    stop: () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
      return exited(child).finally(() => clearTimeout(timer));
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited(child);
    },
  };
}

function firstLines(child: ChildProcess, errors: () => string, within: number) {
  return new Promise<{ url: string; setupToken: string | undefined }>((resolve, reject) => {
    let setupToken: string | undefined;
    let rest = '';
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`no address within ${within} ms\n${errors()}`));
    }, within);
    child.stdout!.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop()!;
      for (const line of lines) {
        if (!line.startsWith('{')) continue;
        const entry = JSON.parse(line) as { setup_token?: string; listening?: string };
        if (entry.setup_token) setupToken = entry.setup_token;
        if (!entry.listening) continue;
        clearTimeout(timer);
        const url = entry.listening;
        // The set-up line may come right behind the address.
        setTimeout(() => resolve({ url, setupToken }), 150);
      }
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`serve ended with ${code}\n${errors()}`));
    });
  });
}
