/**
 * Long requests: who sends or receives bytes for a while may lose the right to it meanwhile (signed out, disabled,
 * company suspended or deleted). Every open stream is asked about again each 2 s, so that it ends within the 5 s that
 * are promised. One timer for all; a stream that is over before the first turn costs nothing.
 */
import { isStrongroomError } from '../kernel/errors.ts';

export interface StreamWatch {
  /**
   * Asks `holds` again and again; calls `end` once with its refusal. A check that fails for another reason (a database
   * that does not answer) decides nothing. Returns how to stop.
   */
  watch(holds: () => Promise<void>, end: (refusal: unknown) => void): () => void;
  close(): void;
}

interface Watched {
  readonly holds: () => Promise<void>;
  readonly end: (refusal: unknown) => void;
  asking: boolean;
}

/** Whether this error says that the caller may not go on. */
export function isLost(error: unknown): boolean {
  return isStrongroomError(error, 'unauthenticated') || isStrongroomError(error, 'forbidden');
}

export function createStreamWatch(everyMs = 2_000): StreamWatch {
  const watched = new Set<Watched>();
  let timer: NodeJS.Timeout | undefined;

  async function ask(item: Watched): Promise<void> {
    item.asking = true;
    try {
      await item.holds();
    } catch (error) {
      if (isLost(error) && watched.delete(item)) item.end(error);
    } finally {
      item.asking = false;
    }
  }

  function stop(): void {
    clearInterval(timer);
    timer = undefined;
  }

  return {
    watch(holds, end) {
      const item: Watched = { holds, end, asking: false };
      watched.add(item);
      timer ??= setInterval(() => {
        for (const one of watched) if (!one.asking) void ask(one);
        if (watched.size === 0) stop();
      }, everyMs).unref();
      return () => watched.delete(item);
    },
    close() {
      watched.clear();
      stop();
    },
  };
}
