/**
 * fsync of folders, shared by all who wait for the same one: a rename is durable only when its folder is.
 *
 * Guarantee: `sync` resolves after an fsync of the folder that began after the call. Callers who come while one is
 * running wait together for the next, so many renames into one folder cost few fsyncs. A folder's descriptor is held
 * only while somebody waits.
 */
import { closeSynced, fsync, open } from './io.ts';

export interface FolderSync {
  sync(folder: string): Promise<void>;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export function createFolderSync(): FolderSync {
  const waiting = new Map<string, Waiter[]>();

  async function drive(folder: string): Promise<void> {
    let descriptor: number | undefined;
    for (let group = take(folder); group.length > 0; group = take(folder)) {
      try {
        descriptor ??= await open(folder, 'r');
        // Whoever came while the folder was being opened did so before the fsync begins.
        group = [...group, ...take(folder)];
        await fsync(descriptor);
        for (const waiter of group) waiter.resolve();
      } catch (error) {
        for (const waiter of group) waiter.reject(error);
      }
    }
    waiting.delete(folder);
    if (descriptor !== undefined) closeSynced(descriptor);
  }

  function take(folder: string): Waiter[] {
    const group = waiting.get(folder) ?? [];
    waiting.set(folder, []);
    return group;
  }

  return {
    sync(folder) {
      return new Promise((resolve, reject) => {
        const group = waiting.get(folder);
        if (group !== undefined) group.push({ resolve, reject });
        else {
          waiting.set(folder, [{ resolve, reject }]);
          void drive(folder);
        }
      });
    },
  };
}
