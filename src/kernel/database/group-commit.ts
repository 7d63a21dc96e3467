/**
 * Group commit: what comes while one write runs goes with the next, in one transaction, so that a hundred callers at the
 * same time cost a few commits and not a hundred.
 *
 * - Writes follow one another; there are never two at once.
 * - A caller is answered when the write that its item went with is over: with its own result, or with that write's error.
 */
export interface GroupCommit<T, R> {
  add(item: T): Promise<R>;
  /** Everybody has been answered. */
  readonly idle: boolean;
}

export interface GroupCommitOptions<T> {
  /** Most items of one write; default all there are. */
  readonly most?: number;
  /** The order in which items are given to a write, so that processes which share a database lock rows in the same one. */
  readonly order?: (one: T, other: T) => number;
  /** Whether, after this error of a write of several, each is tried in a write of its own; default never. */
  readonly alone?: (error: unknown) => boolean;
}

interface Waiting<T, R> {
  readonly item: T;
  readonly written: PromiseWithResolvers<R>;
}

/** @param write one transaction; gives the result of each item, in the order of the items */
export function groupCommit<T, R>(
  write: (items: readonly T[]) => Promise<readonly R[]>,
  { most = Number.POSITIVE_INFINITY, order, alone = () => false }: GroupCommitOptions<T> = {},
): GroupCommit<T, R> {
  let waiting: Waiting<T, R>[] = [];
  let writing = false;
  let unanswered = 0;

  function answer(batch: readonly Waiting<T, R>[], tell: (written: PromiseWithResolvers<R>, index: number) => void) {
    unanswered -= batch.length;
    for (const [index, { written }] of batch.entries()) tell(written, index);
  }

  async function writeBatch(batch: readonly Waiting<T, R>[]): Promise<void> {
    try {
      const results = await write(batch.map(({ item }) => item));
      answer(batch, (written, index) => written.resolve(results[index]!));
    } catch (error) {
      if (batch.length > 1 && alone(error)) for (const one of batch) await writeBatch([one]);
      else answer(batch, (written) => written.reject(error));
    }
  }

  async function writeAll(): Promise<void> {
    writing = true;
    while (waiting.length > 0) {
      const batch = waiting.slice(0, most);
      waiting = waiting.slice(most);
      if (order !== undefined) batch.sort((one, other) => order(one.item, other.item));
      await writeBatch(batch);
    }
    writing = false;
  }

  return {
    add(item) {
      const written = Promise.withResolvers<R>();
      waiting.push({ item, written });
      unanswered += 1;
      if (!writing) void writeAll();
      return written.promise;
    },
    get idle() {
      return unanswered === 0;
    },
  };
}
