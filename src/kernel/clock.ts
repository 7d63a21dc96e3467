/** Time as a dependency: everything that expires asks a `Clock`, so that a test can move it. */

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** The same instant as ISO 8601 in UTC with milliseconds: the only form in which times are stored. */
  iso(): string;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  iso: () => new Date().toISOString(),
};

/** A clock shifted against the system's by `offsetMs()`, which may change while it runs. */
export function shiftedClock(offsetMs: () => number): Clock {
  const now = () => Date.now() + offsetMs();
  return { now, iso: () => new Date(now()).toISOString() };
}

export const second = 1_000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;

/** ISO 8601 in UTC of milliseconds since 1970. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
