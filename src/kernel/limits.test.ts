import { describe, expect, it } from 'vitest';
import { hour, minute, second } from './clock.ts';
import { isStrongroomError } from './errors.ts';
import { addressKey, createLimiter, createSignInGuard, type SignInAttempt } from './limits.ts';

function testClock() {
  let now = Date.parse('2030-01-01T00:00:00Z');
  return {
    clock: { now: () => now, iso: () => new Date(now).toISOString() },
    advance: (ms: number) => {
      now += ms;
    },
  };
}

describe('a limiter', () => {
  it('lets its limit through at once, then one whenever one has grown back', () => {
    const { clock, advance } = testClock();
    const limiter = createLimiter({ clock, limit: 6, window: minute });
    for (let n = 0; n < 6; n += 1) expect(limiter.take('a')).toEqual({ allowed: true });
    expect(limiter.take('a')).toEqual({ allowed: false, retryAfter: 10 });
    expect(limiter.take('b').allowed).toBe(true);
    advance(9 * second);
    expect(limiter.take('a')).toEqual({ allowed: false, retryAfter: 1 });
    advance(1 * second);
    expect(limiter.peek('a').allowed).toBe(true);
    expect(limiter.take('a').allowed).toBe(true);
    expect(limiter.take('a').allowed).toBe(false);
    limiter.giveBack('a');
    expect(limiter.take('a').allowed).toBe(true);
  });

  it('is not moved by a clock that goes backwards', () => {
    const { clock, advance } = testClock();
    const limiter = createLimiter({ clock, limit: 2, window: minute });
    limiter.take('a');
    limiter.take('a');
    advance(-hour);
    expect(limiter.take('a')).toEqual({ allowed: false, retryAfter: 30 });
    advance(30 * second);
    expect(limiter.take('a').allowed).toBe(true);
  });

  it('keeps its memory bounded', () => {
    const { clock } = testClock();
    const limiter = createLimiter({ clock, limit: 2, maxKeys: 100 });
    for (let n = 0; n < 10_000; n += 1) limiter.take(String(n));
    expect(limiter.size).toBe(100);
  });
});

describe('the key of an address', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002:ffff::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('of %s is %s', (address, key) => expect(addressKey(address)).toBe(key));
});

describe('the guard of sign-in', () => {
  const setUp = (more: { accountLimit?: number; addressLimit?: number } = {}) => {
    const time = testClock();
    const guard = createSignInGuard({ clock: time.clock, accountLimit: 10, addressLimit: 120, ...more });
    const wait = (attempt: SignInAttempt): number => {
      try {
        guard.begin(attempt);
        return 0;
      } catch (error) {
        if (!isStrongroomError(error, 'limited')) throw error;
        expect(error.code).toBe('too_many_attempts');
        return error.retryAfter!;
      }
    };
    return { ...time, guard, wait };
  };
  const stranger = (n: number): SignInAttempt => ({
    account: 'owner',
    address: `198.51.${n % 250}.${Math.floor(n / 250)}`,
  });
  const owner: SignInAttempt = { account: 'owner', address: '192.0.2.9', device: 'laptop' };

  it('delays after the free failures, longer and longer, and never for ever', () => {
    const { wait, advance } = setUp();
    for (let n = 0; n < 10; n += 1) expect(wait(stranger(n))).toBe(0);
    const waits: number[] = [];
    for (let n = 10; n < 24; n += 1) {
      const seconds = wait(stranger(n));
      waits.push(seconds);
      advance(seconds * second);
      expect(wait(stranger(n))).toBe(0);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300, 300]);
  });

  it('bounds the guesses an hour whatever the number of addresses', () => {
    const { wait, advance } = setUp();
    let let_through = 0;
    for (let n = 0; n < 3_600; n += 1) {
      for (let time = 0; time < 3; time += 1) if (wait(stranger(n * 3 + time)) === 0) let_through += 1;
      advance(second);
    }
    expect(let_through).toBeLessThanOrEqual(35);
  });

  it('does not let strangers shut out a device from which the owner signed in before', () => {
    const { guard, wait, advance } = setUp();
    expect(wait(owner)).toBe(0);
    guard.succeeded(owner);
    advance(day30);
    for (let n = 0; n < 1_000; n += 1) wait(stranger(n));
    expect(wait({ ...owner, device: 'another' })).toBeGreaterThan(0);
    expect(wait({ account: 'owner', address: '192.0.2.9' })).toBeGreaterThan(0);
    expect(wait(owner)).toBe(0);
    guard.succeeded(owner);
    // Nor may a known device guess without end.
    const guesses = Array.from({ length: 100 }, () => wait(owner)).filter((seconds) => seconds === 0);
    expect(guesses).toHaveLength(10);
  });

  it('does not know a device of another account', () => {
    const { guard, wait } = setUp();
    guard.begin({ ...owner, account: 'attacker' });
    guard.succeeded({ ...owner, account: 'attacker' });
    for (let n = 0; n < 50; n += 1) wait(stranger(n));
    expect(wait(owner)).toBeGreaterThan(0);
  });

  it('counts many at once like many one after the other', () => {
    const { wait } = setUp({ accountLimit: 3 });
    const through = Array.from({ length: 20 }, (_, n) => wait(stranger(n))).filter((seconds) => seconds === 0);
    expect(through).toHaveLength(3);
  });

  it('forgets failures with a success', () => {
    const { guard, wait } = setUp({ accountLimit: 3 });
    for (let n = 0; n < 2; n += 1) wait(owner);
    guard.succeeded(owner);
    for (let n = 0; n < 3; n += 1) expect(wait(owner)).toBe(0);
    expect(wait(owner)).toBeGreaterThan(0);
  });

  it('limits an address over all names, IPv6 by its /64, and does not count successes', () => {
    const { guard, wait, advance } = setUp({ addressLimit: 20 });
    const at = (n: number) => ({ account: `name-${n}`, address: `2001:db8:1:2::${n.toString(16)}` });
    for (let n = 0; n < 200; n += 1) {
      expect(wait(at(n))).toBe(0);
      guard.succeeded(at(n));
    }
    for (let n = 0; n < 20; n += 1) expect(wait(at(n))).toBe(0);
    expect(wait(at(500))).toBe(3);
    expect(wait({ account: 'x', address: '2001:db8:1:3::1' })).toBe(0);
    advance(minute);
    expect(wait(at(500))).toBe(0);
  });
});

const day30 = 30 * 24 * hour;
