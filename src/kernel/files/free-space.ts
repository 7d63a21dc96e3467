/**
 * The floor of free space: uploads are refused before the disk is full, so that databases can still write.
 *
 * The file system is asked at most once a second; in between, what this process wrote is counted against the answer.
 */
import { statfs } from 'node:fs/promises';
import { diskFull } from './io.ts';

export interface FreeSpace {
  /** @throws no_space `disk_full` when less than the floor is free */
  ensure(): Promise<void>;
  /** Counts bytes that are about to be written. @throws no_space `disk_full` when they would go below the floor */
  spend(bytes: number): Promise<void>;
}

const freshFor = 1_000;
/** On a small file system the floor is this part of it, so that a floor meant for disks leaves room to work. */
const partOfSmall = 1 / 20;

/**
 * @param folder any folder of the file system
 * @param floor bytes to be left free, 0 for no floor
 * @param most the part of the file system that the floor is at most
 */
export function createFreeSpace(folder: string, floor: number, most = partOfSmall): FreeSpace {
  let free = 0;
  let least = floor;
  let askedAt = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;

  /** Callers at once share one question. */
  function ask(): Promise<void> {
    asking ??= statfs(folder)
      .then(({ bavail, blocks, bsize }) => {
        free = bavail * bsize;
        least = Math.min(floor, blocks * bsize * most);
        askedAt = performance.now();
      })
      .finally(() => {
        asking = undefined;
      });
    return asking;
  }

  async function spend(bytes: number): Promise<void> {
    if (floor === 0) return;
    if (performance.now() - askedAt > freshFor) await ask();
    // Space that was given back is not counted, so nobody is refused on an old answer.
    if (free - bytes < least) await ask();
    if (free - bytes < least) throw diskFull();
    free -= bytes;
  }

  return { spend, ensure: () => spend(0) };
}
