/** Work on one company that must not overlap in this process (migrating it, removing it), in the order it was asked. */

export interface Locks {
  run<T>(key: string, work: () => Promise<T>): Promise<T>;
}

export function createLocks(): Locks {
  const tails = new Map<string, Promise<void>>();
  return {
    async run(key, work) {
      const before = tails.get(key);
      const turn = Promise.withResolvers<void>();
      tails.set(key, turn.promise);
      try {
        await before;
        return await work();
      } finally {
        if (tails.get(key) === turn.promise) tails.delete(key);
        turn.resolve();
      }
    },
  };
}

/** Runs tasks, at most `width` at a time, in order. `more` is asked before each; errors are the task's own business. */
export async function inLanes<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<unknown>,
  more: () => boolean = () => true,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < items.length && more()) {
      const item = items[next]!;
      next += 1;
      await work(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
}
