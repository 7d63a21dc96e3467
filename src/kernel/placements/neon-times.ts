/**
 * How long the placement `neon` waits, and for what. These are the times of Neon itself; where what stands behind the API
 * answers at once, as in tests, they are set shorter.
 */

export interface NeonTimes {
  /** From one try to the next: at first, and at most. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** A call whose answer nobody waits for any more may still be worked on for so long. */
  readonly inFlightMs: number;
  /** So long another process may wait for an answer: it does not ask at the same time. */
  readonly claimMs: number;
  /** One call is asked again for so long. */
  readonly patienceMs: number;
  /** Operations are waited for so long. */
  readonly operationsMs: number;
  /** A project may be listed for so long without what it was made with. */
  readonly listedMs: number;
  /** A new project may refuse the logins that it has for so long. */
  readonly reachMs: number;
  /** What the API said of a project that does not answer is remembered for so long. */
  readonly rememberedMs: number;
}

export const neonTimes: NeonTimes = {
  firstPauseMs: 250,
  longestPauseMs: 5_000,
  inFlightMs: 3_000,
  claimMs: 6_000,
  patienceMs: 120_000,
  operationsMs: 300_000,
  listedMs: 10_000,
  reachMs: 60_000,
  rememberedMs: 30_000,
};

export const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

type Pauses = Pick<NeonTimes, 'firstPauseMs' | 'longestPauseMs'>;

/** Growing, and spread so that several do not come at once. */
export function pauseOf({ firstPauseMs, longestPauseMs }: Pauses, attempt: number): number {
  return Math.min(longestPauseMs, firstPauseMs * 1.6 ** attempt) * (0.75 + Math.random() / 2);
}
