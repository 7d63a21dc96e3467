/** What the services of accounts share, made once in `index.ts`. */
import type { Kernel } from '../../kernel/kernel.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { Directory } from './directory.ts';
import type { Guard } from './guard.ts';
import type { Links } from './links.ts';
import type { Post } from './mail.ts';
import type { Passwords } from './passwords.ts';
import type { Origin, SessionStore } from './session-store.ts';
import type { Tickets } from './tickets.ts';

export interface Parts {
  readonly kernel: Kernel;
  readonly passwords: Passwords;
  readonly tokens: AccessTokens;
  readonly tickets: Tickets;
  readonly directory: Directory;
  readonly sessions: SessionStore;
  readonly guard: Guard;
  readonly links: Links;
  readonly post: Post;
  readonly background: Background;
}

/** Where an audit row says that something came from. */
export function sourceOf(origin: Pick<Origin, 'ip' | 'requestId'>): { ip?: string; requestId?: string } {
  return {
    ...(origin.ip === undefined ? {} : { ip: origin.ip }),
    ...(origin.requestId === undefined ? {} : { requestId: origin.requestId }),
  };
}

/**
 * Work that an answer must not wait for: neither for its cost, nor because its time would tell something. A failure is
 * logged and changes nothing.
 */
export interface Background {
  run(what: string, work: () => Promise<unknown>): void;
  /** Resolves when nothing runs: for draining and for tests. */
  settled(): Promise<void>;
}

export function createBackground(log: Kernel['log']): Background {
  const running = new Set<Promise<unknown>>();
  return {
    run(what, work) {
      const one = Promise.resolve()
        .then(work)
        .catch((error: unknown) => log.warn({ err: error }, `${what} failed in the background`))
        .finally(() => running.delete(one));
      running.add(one);
    },
    async settled() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}

/** Runs work on one key at a time, in order. For what must not hash a password fifty times to find one winner. */
export function createTurns() {
  const last = new Map<string, Promise<unknown>>();
  return async function inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = last.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    const settled = mine.catch(() => undefined);
    last.set(key, settled);
    try {
      return await mine;
    } finally {
      if (last.get(key) === settled) last.delete(key);
    }
  };
}
export type Turns = ReturnType<typeof createTurns>;
