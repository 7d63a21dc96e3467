/** How much a piece of isolated work may take. Read on both sides: by who wants the work and by the watchdog inside. */

export interface IsolatedLimits {
  /** Of processor time, all its threads together. */
  readonly milliseconds: number;
  /** Of the whole process, code included (about 100 MB). */
  readonly memoryBytes: number;
  readonly inputBytes: number;
  readonly outputBytes: number;
}

/** How long it may take by the clock (ms): on a busy machine it waits, and that is no fault of the file's. */
export function longest({ milliseconds }: Pick<IsolatedLimits, 'milliseconds'>): number {
  return 2.5 * milliseconds;
}
