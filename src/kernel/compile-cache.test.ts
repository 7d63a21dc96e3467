/** Threads find the compiled code of their process, and nothing else of its environment. */
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { testFolder } from '../../test/support/kernel.ts';

/** Starts a thread as ours are started, and prints what it has. */
const program = `
  import { getCompileCacheDir } from 'node:module';
  import { Worker } from 'node:worker_threads';
  import { threadEnvironment } from '${new URL('compile-cache.ts', import.meta.url).href}';
  const source = \`
    const { parentPort } = require('node:worker_threads');
    const { getCompileCacheDir } = require('node:module');
    parentPort.postMessage({ folder: getCompileCacheDir(), names: Object.keys(process.env) });
  \`;
  const worker = new Worker(source, { eval: true, execArgv: [], env: threadEnvironment() });
  worker.once('message', (thread) => console.log(JSON.stringify({ own: getCompileCacheDir(), thread })));
`;

function threadOf(environment: Record<string, string>) {
  const options = {
    input: program,
    encoding: 'utf8',
    env: { SECRET: 'of the process', ...environment },
  } as const;
  const ran = spawnSync(process.execPath, ['--input-type=module', '-'], options);
  expect(ran.stderr).toBe('');
  return JSON.parse(ran.stdout) as { own?: string; thread: { folder?: string; names: string[] } };
}

it('a thread keeps compiled code where its process does', () => {
  const folder = testFolder();
  const { own, thread } = threadOf({ NODE_COMPILE_CACHE: folder });
  expect(own?.startsWith(folder)).toBe(true);
  expect(thread).toEqual({ folder: own, names: ['NODE_COMPILE_CACHE'] });
});

it('a thread of a process that keeps none has no environment at all', () => {
  expect(threadOf({})).toEqual({ thread: { names: [] } });
  expect(threadOf({ NODE_COMPILE_CACHE: tmpdir(), NODE_DISABLE_COMPILE_CACHE: '1' })).toEqual({
    thread: { names: [] },
  });
});
