/**
 * The other process of `isolated.ts`: reads the bytes, lets the program work on them, gives one answer, ends. The
 * watchdog beside it kills it when it exceeds its limits, however busy this thread is. A program imports its parsers
 * when it works, not before: so that they are watched too.
 */

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { argv, exit, stdin } from 'node:process';
import { Worker } from 'node:worker_threads';
import type { IsolatedLimits, IsolatedResult, IsolatedWork } from './isolated.ts';

const [, , task, limits] = argv as unknown as [string, string, string, string];

async function answerOf(work: IsolatedWork): Promise<Uint8Array[]> {
  try {
    const watchdog = new Worker(new URL('watchdog.ts', import.meta.url), {
      workerData: JSON.parse(limits) as IsolatedLimits,
    });
    watchdog.unref();
    // Nothing of the file is looked at before somebody looks at us.
    await once(watchdog, 'message');
    const chunks: Uint8Array[] = [];
    for await (const chunk of stdin) chunks.push(chunk as Uint8Array);
    const { facts, blobs }: IsolatedResult = await work(Buffer.concat(chunks), JSON.parse(task));
    const head = JSON.stringify({ facts, sizes: blobs.map((blob) => blob.length) });
    return [Buffer.from(`${head}\n`), ...blobs];
  } catch (error) {
    // The word of a refusal is ours; the message of a parser may hold what the file says.
    const refused = (error as { refusal?: unknown }).refusal;
    const word = typeof refused === 'string' ? refused : 'unreadable';
    return [Buffer.from(`${JSON.stringify({ refused: word })}\n`)];
  }
}

/** What a program calls, as its only statement: does the work that this process was started for, and ends it. */
export async function serveIsolated(work: IsolatedWork): Promise<never> {
  const out = createWriteStream('', { fd: 3 });
  for (const chunk of await answerOf(work)) out.write(chunk);
  out.end();
  await once(out, 'close');
  exit(0);
}
