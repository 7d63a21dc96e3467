/**
 * One call at a time works on an upload, within this process. A client that asks again has lost its former request: an
 * append that still runs is stopped, keeps what it got, and the new call goes on from there.
 */

export interface Turn {
  /** Calls that run or wait. */
  readonly callers: number;
  /** Set by work that can be stopped; called when somebody else comes. */
  stop: (() => void) | undefined;
}

export interface Turns<T> {
  /** Runs `work` alone among those of this id. `known` is what is remembered of it, to be changed by the work. */
  alone<R>(id: string, work: (known: T, turn: Turn) => Promise<R>): Promise<R>;
  /** Whether work of this id runs or waits. */
  busy(id: string): boolean;
  forget(id: string): void;
}

interface Waiting<T> extends Turn {
  callers: number;
  /** Resolves when the call before is through. */
  last: Promise<void>;
  readonly known: T;
}

/** @param remembered how many ids are kept in memory while nobody works on them */
export function createTurns<T>(fresh: () => T, remembered: number): Turns<T> {
  const all = new Map<string, Waiting<T>>();

  function turnOf(id: string): Waiting<T> {
    const turn = all.get(id) ?? { callers: 0, stop: undefined, last: Promise.resolve(), known: fresh() };
    // The one used last goes to the end.
    all.delete(id);
    all.set(id, turn);
    for (const [other, { callers }] of all) {
      if (all.size <= remembered) break;
      if (callers === 0 && other !== id) all.delete(other);
    }
    return turn;
  }

  return {
    async alone(id, work) {
      const turn = turnOf(id);
      turn.stop?.();
      turn.callers += 1;
      const before = turn.last;
      const { promise, resolve } = Promise.withResolvers<void>();
      turn.last = promise;
      await before;
      try {
        return await work(turn.known, turn);
      } finally {
        turn.callers -= 1;
        turn.stop = undefined;
        resolve();
      }
    },
    busy: (id) => (all.get(id)?.callers ?? 0) > 0,
    forget(id) {
      if ((all.get(id)?.callers ?? 0) === 0) all.delete(id);
    },
  };
}
