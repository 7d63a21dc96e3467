/**
 * Limits in memory: how often something may happen, and how sign-in slows down who guesses.
 *
 * Guarantees
 * - Memory is bounded whatever is thrown at it: the least recently used keys go first.
 * - A name that is guessed at gets a growing delay, never a lock: guesses are bounded per hour whatever the number of
 *   addresses, and the delay ends by itself, at most `longestDelay` after the last guess that was let through.
 * - A device from which the owner signed in before keeps a count of its own: strangers cannot shut it out.
 * - Names that do not exist are treated as those that do.
 */
import { type Clock, day, hour, minute, second } from './clock.ts';
import { StrongroomError } from './errors.ts';

export type Verdict =
  | { readonly allowed: true }
  | { readonly allowed: false /** Seconds. */; readonly retryAfter: number };

const yes: Verdict = { allowed: true };

export interface Limiter {
  /** Counts one and says whether it may happen. A refused one is not counted. */
  take(key: string): Verdict;
  /** The same without counting. */
  peek(key: string): Verdict;
  /** Takes one back, which turned out not to count. */
  giveBack(key: string): void;
  readonly size: number;
}

export interface LimiterOptions {
  readonly clock: Clock;
  /** How many in one window. */
  readonly limit: number;
  /** Milliseconds. Default one minute. */
  readonly window?: number;
  /** Keys remembered at most. Default 50,000. */
  readonly maxKeys?: number;
}

/** A token bucket: `limit` at once, refilled evenly over the window. */
export function createLimiter({ clock, limit, window = minute, maxKeys = 50_000 }: LimiterOptions): Limiter {
  const buckets = boundedMap<{ tokens: number; at: number }>(maxKeys);
  const perToken = window / limit;

  function refilled(key: string): { tokens: number; at: number } {
    const now = clock.now();
    const bucket = buckets.get(key);
    if (bucket === undefined) return { tokens: limit, at: now };
    // A clock that goes backwards neither fills nor empties.
    const since = Math.max(0, now - bucket.at);
    return { tokens: Math.min(limit, bucket.tokens + since / perToken), at: now };
  }

  function verdict(tokens: number): Verdict {
    // Sums of fractions miss the whole number by a hair.
    if (tokens > 1 - 1e-6) return yes;
    return { allowed: false, retryAfter: Math.max(1, Math.ceil(((1 - tokens) * perToken) / second)) };
  }

  return {
    take(key) {
      const bucket = refilled(key);
      const said = verdict(bucket.tokens);
      buckets.set(key, said.allowed ? { ...bucket, tokens: bucket.tokens - 1 } : bucket);
      return said;
    },
    peek: (key) => verdict(refilled(key).tokens),
    giveBack(key) {
      const bucket = refilled(key);
      buckets.set(key, { ...bucket, tokens: Math.min(limit, bucket.tokens + 1) });
    },
    get size() {
      return buckets.size;
    },
  };
}

/** The key of an address: IPv4 in full, IPv6 by its /64, since one customer has all of it. */
export function addressKey(address: string): string {
  const text = address.split('%')[0]!.toLowerCase();
  const mapped = /^(?:0*:)*:?ffff:(?:0:)?(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (mapped !== null) return mapped[1]!;
  if (!text.includes(':')) return text;
  const [head = '', tail] = text.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  const groups = [...front, ...Array<string>(zeros).fill('0'), ...back];
  const first = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${first.join(':')}::/64`;
}

export interface SignInAttempt {
  /** The name as it was asked for, normalised by the caller; whether it exists does not matter. */
  readonly account: string;
  readonly address: string;
  /** Opaque: what tells a device that was here before (a cookie's value, or the address). */
  readonly device?: string;
}

export interface SignInGuard {
  /**
   * Before the password is checked; counts as a try until `succeeded` says otherwise.
   * @throws limited `too_many_attempts`, with the seconds to wait
   */
  begin(attempt: SignInAttempt): void;
  /** The password was right: forgets failures, and remembers the device. */
  succeeded(attempt: SignInAttempt): void;
}

export interface SignInGuardOptions {
  readonly clock: Clock;
  /** Failures that an address may make a minute. */
  readonly addressLimit: number;
  /** Failures on one name before the delay begins. */
  readonly accountLimit: number;
  readonly maxKeys?: number;
}

/** Delays after the free tries: 1 s, doubling, at most this. */
const longestDelay = 5 * minute;
/** A name without a try for this long is as new. */
const forgetAfter = hour;
const rememberDevice = 90 * day;

interface Failures {
  count: number;
  /** Not before this time again. */
  until: number;
  last: number;
}

export function createSignInGuard(options: SignInGuardOptions): SignInGuard {
  const { clock, addressLimit, accountLimit, maxKeys = 50_000 } = options;
  const addresses = createLimiter({ clock, limit: addressLimit, maxKeys });
  const failures = boundedMap<Failures>(maxKeys);
  const devices = boundedMap<number>(maxKeys);

  const deviceKey = (attempt: SignInAttempt) => JSON.stringify([attempt.account, attempt.device]);

  /** A known device is counted by itself, everybody else together. */
  function accountKey(attempt: SignInAttempt): string {
    const seen = attempt.device === undefined ? undefined : devices.get(deviceKey(attempt));
    const known = seen !== undefined && clock.now() - seen < rememberDevice;
    return known ? deviceKey(attempt) : attempt.account;
  }

  function current(key: string): Failures {
    const known = failures.get(key);
    const now = clock.now();
    if (known === undefined || now - known.last > forgetAfter) return { count: 0, until: 0, last: now };
    // After a clock that went backwards no delay is longer than it can be made.
    return { ...known, until: Math.min(known.until, now + longestDelay) };
  }

  return {
    begin(attempt) {
      const key = accountKey(attempt);
      const now = clock.now();
      const state = current(key);
      if (state.until > now) throw tooMany(Math.ceil((state.until - now) / second));
      const address = addresses.take(addressKey(attempt.address));
      if (!address.allowed) throw tooMany(address.retryAfter);
      // Counted before the check, so that many at once are not more than one after the other.
      const count = state.count + 1;
      const delay = count < accountLimit ? 0 : Math.min(longestDelay, second * 2 ** Math.min(30, count - accountLimit));
      failures.set(key, { count, until: now + delay, last: now });
    },
    succeeded(attempt) {
      failures.delete(accountKey(attempt));
      addresses.giveBack(addressKey(attempt.address));
      if (attempt.device !== undefined) devices.set(deviceKey(attempt), clock.now());
    },
  };
}

function tooMany(retryAfter: number): StrongroomError {
  return new StrongroomError('limited', 'too_many_attempts', 'Too many attempts. Wait a moment, then try again.', {
    retryAfter,
  });
}

/** A map that forgets the least recently used key when it is full. */
function boundedMap<V>(limit: number) {
  const map = new Map<string, V>();
  return {
    get(key: string): V | undefined {
      const value = map.get(key);
      if (value !== undefined) {
        map.delete(key);
        map.set(key, value);
      }
      return value;
    },
    set(key: string, value: V): void {
      map.delete(key);
      map.set(key, value);
      if (map.size > limit) map.delete(map.keys().next().value!);
    },
    delete: (key: string) => map.delete(key),
    get size() {
      return map.size;
    },
  };
}
