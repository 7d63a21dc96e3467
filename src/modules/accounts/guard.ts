/**
 * Bounds guessing (`kernel/limits.ts`): failed sign-ins by address and by name, known or not; failed one-time tokens by
 * address; invitations and resets by the person who sends them.
 */
import { type Clock, minute } from '../../kernel/clock.ts';
import { StrongroomError } from '../../kernel/errors.ts';
import { addressKey, createLimiter, createSignInGuard } from '../../kernel/limits.ts';
import type { Config } from '../../kernel/settings.ts';

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
): Guard {
  const signIns = createSignInGuard({
    clock,
    addressLimit: config.signInAddressLimit,
    accountLimit: config.signInAccountLimit,
  });
  const tokens = createLimiter({ clock, limit: config.signInAddressLimit, window: minute });
  const invitations = createLimiter({ clock, limit: config.inviteLimit, window: minute });

  const attempt = (ip: string | undefined, account: string) => {
    const address = ip ?? nowhere;
    return { account, address, device: addressKey(address) };
  };

  return {
    begin: (ip, name) => signIns.begin(attempt(ip, name)),
    succeeded: (ip, name) => signIns.succeeded(attempt(ip, name)),
    beginToken(ip) {
      const verdict = tokens.peek(addressKey(ip ?? nowhere));
      if (!verdict.allowed) {
        throw new StrongroomError('limited', 'too_many_attempts', 'Too many attempts. Wait a moment, then try again.', {
          retryAfter: verdict.retryAfter,
        });
      }
    },
    wrongToken(ip) {
      tokens.take(addressKey(ip ?? nowhere));
    },
    invitation(userId) {
      const verdict = invitations.take(userId);
      if (!verdict.allowed) {
        throw new StrongroomError('limited', 'too_many_invitations', 'Too many invitations. Wait a moment.', {
          retryAfter: verdict.retryAfter,
        });
      }
    },
  };
}
