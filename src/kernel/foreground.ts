/**
 * How many requests somebody waits for at this moment, so that what nobody waits for (the worker's visits) can leave
 * them the processor. A count in memory: it costs a request nothing.
 */
export interface Foreground {
  readonly busy: boolean;
  /** A request begins. Returns its end, to be called once. */
  begin(): () => void;
}

export function createForeground(): Foreground {
  let running = 0;
  const end = () => {
    running -= 1;
  };
  return {
    get busy() {
      return running > 0;
    },
    begin() {
      running += 1;
      return end;
    },
  };
}
