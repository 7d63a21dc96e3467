/** A program for the tests of `isolated.ts`: does whatever bad thing its task names. */

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import type { IsolatedWork } from './isolated.ts';
import { serveIsolated } from './program.ts';

const deeds: Readonly<Record<string, (input: Uint8Array) => unknown>> = {
  echo: (input) => input.length,
  spin: () => {
    for (;;);
  },
  wait: () => new Promise(() => setInterval(() => undefined, 1_000)),
  buffers: () => {
    const held: Buffer[] = [];
    for (;;) held.push(Buffer.alloc(8 * 1024 * 1024, 1));
  },
  heap: () => {
    const held: unknown[] = [];
    for (;;) held.push({ number: held.length, text: `${held.length}`.repeat(20) });
  },
  exit: () => process.exit(0),
  crash: () => process.abort(),
  throw: () => {
    throw new Error('the content of the file is secret');
  },
  hostname: () => readFileSync('/etc/hostname', 'utf8'),
  write: () => writeFileSync('written-by-an-isolated-process', ''),
  start: () => spawnSync('true').error?.message,
  environment: () => Object.keys(process.env).length,
};

const work: IsolatedWork = async (input, task) => {
  const { deed, output = 0 } = task as { deed: string; output?: number };
  const facts = (await deeds[deed]!(input)) ?? null;
  return { facts, blobs: output > 0 ? [Buffer.alloc(output, 7), input] : [input] };
};

await serveIsolated(work);
