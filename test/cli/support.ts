/** Runs the real command line in processes of their own, on temporary folders. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const executable = join(root, 'bin', 'strongroom.js');

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** The environment without what a developer's machine may have set. */
export function cleanEnv(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name, value]) => value !== undefined && !name.startsWith('STRONGROOM_') && !['HOST', 'PORT'].includes(name),
  ) as [string, string][];
  return { ...Object.fromEntries(kept), NO_COLOR: '1', ...more };
}

/** One command, to its end, which comes with a SIGTERM where it says `signalAfter`. It is killed, and the test fails by its code, after `within` ms. */
export function strongroom(
  dataDir: string,
  args: readonly string[],
  options: {
    input?: string;
    env?: Readonly<Record<string, string>>;
    cwd?: string;
    within?: number;
    signalAfter?: string;
  } = {},
): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [executable, ...args], {
      cwd: options.cwd ?? root,
      env: cleanEnv({ STRONGROOM_DATA_DIR: dataDir, ...options.env }),
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), options.within ?? 60_000);
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      if (options.signalAfter !== undefined && out.includes(options.signalAfter)) child.kill('SIGTERM');
    });
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, out, err });
    });
  });
}

export interface Served {
  readonly url: string;
  readonly setupToken: string | undefined;
  readonly lines: readonly string[];
  readonly log: () => string;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly exit: Promise<number | null>;
}

/** `strongroom serve` as a newcomer starts it, on a free port. */
export async function serve(
  dataDir: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Served> {
  const child = spawn(process.execPath, [executable, 'serve', '--port', '0', ...args], {
    cwd: root,
    env: cleanEnv({ STRONGROOM_DATA_DIR: dataDir, ...env }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const exit = new Promise<number | null>((resolve) => child.on('close', resolve));
  const ready = Promise.withResolvers<string>();
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop()!;
    lines.push(...parts);
    const address = parts
      .map((line) => /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0])
      .find((found) => found !== undefined);
    // The set-up line comes with the same turn of the program.
    if (address !== undefined) setTimeout(() => ready.resolve(address), 100);
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
  const died = exit.then((code) => Promise.reject(new Error(`serve ended with ${code} before it was ready\n${err}`)));
  died.catch(() => {});
  const url = await Promise.race([ready.promise, died]);
  clearTimeout(timer);
  return {
    url,
    setupToken: /setup\?token=([\w.-]+)/.exec(lines.join('\n'))?.[1],
    lines,
    log: () => err,
    kill: (signal) => void child.kill(signal),
    exit,
  };
}

export async function temporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'strongroom-cli-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** One request as curl would send it. */
export async function ask(
  url: string,
  method: string,
  path: string,
  options: { token?: string; body?: unknown; form?: FormData } = {},
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
): Promise<{ status: number; body: any }> {
  const answer = await fetch(url + path, {
    method,
    headers: {
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(options.form !== undefined ? { body: options.form } : {}),
    ...(options.body !== undefined ? { body: JSON.stringify(options.body) } : {}),
  });
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
}

export function fileForm(name: string, content: string, fields: Readonly<Record<string, string>> = {}): FormData {
  const form = new FormData();
  for (const [field, value] of Object.entries(fields)) form.set(field, value);
  form.set('file', new Blob([content]), name);
  return form;
}
