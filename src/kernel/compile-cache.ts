/**
 * What a thread of ours starts with: nothing of the environment, where secrets may stand, but the folder in which Node
 * keeps compiled code, if this process uses one. A thread compiles its files anew otherwise, which is two thirds of the
 * time that it takes to start.
 */
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';

export function threadEnvironment(): Readonly<Record<string, string>> {
  // Node names the folder of its own version inside the one that it was given.
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: dirname(folder) };
}
