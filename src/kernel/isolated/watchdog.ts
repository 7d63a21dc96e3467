/**
 * The thread that watches over an isolated process from inside: kills it when it holds more memory, works or takes longer
 * than it may, and when the process that wanted the work is gone. Says why beforehand.
 */
import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { IsolatedLimits } from './isolated.ts';
import { processorMilliseconds } from './processor-time.ts';

const limits = workerData as IsolatedLimits;
const began = performance.now();
const parent = process.ppid;
const interval = 20;
/** Later than whoever wants the work kills it: this is for the case that nobody is there to do it. */
const late = 2_000;

function end(word: string): void {
  try {
    writeSync(4, word);
  } finally {
    process.kill(process.pid, 'SIGKILL');
  }
}

setInterval(() => {
  if (process.memoryUsage.rss() > limits.memoryBytes) end('memory');
  else if (processorMilliseconds() > limits.processorMilliseconds) end('time');
  else if (performance.now() - began > limits.milliseconds + late) end('time');
  else if (process.ppid !== parent) end('orphan');
}, interval);
parentPort?.postMessage('watching');
