/**
 * Bounds guessing (`kernel/limits.ts`): failed sign-ins by address and by name, known or not; failed one-time tokens by
 * address; invitations and resets by the person who sends them.
 */
import { type Clock, minute } from '../../kernel/clock.ts';
import { StrongroomError } from '../../kernel/errors.ts';
import { addressKey, createLimiter, createSignInGuard } from '../../kernel/limits.ts';
import type { Config } from '../../kernel/settings.ts';
import type { SharedAttempts } from '../../kernel/several-processes.ts';

export interface Guard {
  /** Before anything is looked up or hashed; counts as a failure until `succeeded`. @throws limited `too_many_attempts` */
  begin(ip: string | undefined, name: string): void;
  succeeded(ip: string | undefined, name: string): void;
  /** Before a one-time token is looked up. @throws limited `too_many_attempts` */
  beginToken(ip: string | undefined): void;
  wrongToken(ip: string | undefined): void;
  /** One more link on behalf of this person. @throws limited `too_many_invitations` */
  invitation(userId: string): void;
}

const nowhere = 'host';

export function createGuard(
  clock: Clock,
  config: Pick<Config, 'signInAddressLimit' | 'signInAccountLimit' | 'inviteLimit'>,
  shared?: SharedAttempts,
): Guard {
  const signIns = createSignInGuard({
    clock,
    addressLimit: config.signInAddressLimit,
    accountLimit: config.signInAccountLimit,
  });
  const tokens = createLimiter({ clock, limit: config.signInAddressLimit, window: minute });
  const invitations = createLimiter({ clock, limit: config.inviteLimit, window: minute });

  // Told to other processes, names and addresses are digests; then they are so here, too, that all count alike.
  const kept = (value: string) => (shared === undefined ? value : shared.digest(value));
  const attempt = (ip: string | undefined, account: string) => {
    const address = kept(addressKey(ip ?? nowhere));
    return { account: kept(account), address, device: address };
  };
  const tokenKey = (ip: string | undefined) => kept(addressKey(ip ?? nowhere));

  shared?.hear((message) => {
    const [kind, address = '', account = ''] = message.split(' ');
    const known = { account, address, device: address };
    try {
      if (kind === 'begin') signIns.begin(known);
      else if (kind === 'succeeded') signIns.succeeded(known);
      else if (kind === 'token') tokens.take(address);
      else if (kind === 'invitation') invitations.take(address);
    } catch {
      // Already as slow as it gets.
    }
  });

  return {
    begin(ip, name) {
      const one = attempt(ip, name);
      signIns.begin(one);
      shared?.tell(`begin ${one.address} ${one.account}`);
    },
    succeeded(ip, name) {
      const one = attempt(ip, name);
      signIns.succeeded(one);
      shared?.tell(`succeeded ${one.address} ${one.account}`);
    },
    beginToken(ip) {
      const verdict = tokens.peek(tokenKey(ip));
      if (!verdict.allowed) {
        throw new StrongroomError('limited', 'too_many_attempts', 'Too many attempts. Wait a moment, then try again.', {
          retryAfter: verdict.retryAfter,
        });
      }
    },
    wrongToken(ip) {
      tokens.take(tokenKey(ip));
      shared?.tell(`token ${tokenKey(ip)}`);
    },
    invitation(userId) {
      const verdict = invitations.take(userId);
      if (!verdict.allowed) {
        throw new StrongroomError('limited', 'too_many_invitations', 'Too many invitations. Wait a moment.', {
          retryAfter: verdict.retryAfter,
        });
      }
      shared?.tell(`invitation ${userId}`);
    },
  };
}
