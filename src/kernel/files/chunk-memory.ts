/**
 * Keeps what a body leaves behind small: the engine counts 64 MB of chunks that nobody holds any more before it collects
 * them, for each large body anew. Here they are collected after every 16 MB that went through, all bodies together.
 *
 * Only the young generation is collected, where such chunks are: one to two milliseconds each time.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const every = 16 * 1024 * 1024;

type Collect = (options: { readonly type: 'minor' }) => void;
let collect: Collect | undefined;
let passed = 0;

/** Says that a chunk of so many bytes went through. */
export function chunkPassed(bytes: number): void {
  passed += bytes;
  if (passed < every) return;
  passed = 0;
  collect ??= collector();
  collect({ type: 'minor' });
}

/** Node hands it out with a flag of the engine alone, which may be set while it runs: contexts made afterwards have it. */
function collector(): Collect {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as Collect;
}
