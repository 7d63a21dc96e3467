/** How long to wait before the next try, and what may be said about the last one. */
import { isStrongroomError } from '../errors.ts';

/** Milliseconds to wait after `failures` failed tries (at least 1): doubles from `first` up to `most`. */
export function backoff(failures: number, first = 1_000, most = 3_600_000): number {
  return Math.min(most, first * 2 ** Math.min(30, Math.max(0, failures - 1)));
}

/** Text about a failure that may be stored and shown: never the message of a driver or a library. */
export function safeReason(error: unknown): string {
  return isStrongroomError(error)
    ? `${error.code}: ${error.message}`.slice(0, 300)
    : 'internal: it failed unexpectedly';
}
