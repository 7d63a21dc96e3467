/**
 * Password hashes: argon2id (19 MiB, two passes, one lane) for all that is set here; bcrypt and other argon2 parameters
 * only to check what was imported.
 *
 * Hashing is the dearest thing that a stranger can ask for, so it has threads of its own, one more than there are cores
 * (no core is idle while an answer is on its way), and a short queue; beyond it the answer is 503 at once. A name that is unknown costs one hash too.
 */

import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { parseOptions } from '@node-rs/argon2';
import { invalidField, unavailable } from '../../kernel/errors.ts';
import { passwordBytes } from '../../kernel/shapes.ts';
import { createHashThreads } from './hash-threads.ts';

const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 } as const;
const bcryptBytes = 72;
const bcryptPattern = /^\$2[abxy]\$(0[4-9]|1[0-6])\$[./A-Za-z0-9]{53}$/;

export interface Passwords {
  hash(password: string): Promise<string>;
  /**
   * Whether the password fits. `stored` undefined or null: a hash of equal cost is checked, and the answer is false.
   * @throws unavailable `sign_in_busy` where too many are waiting
   */
  verify(stored: string | null | undefined, password: string): Promise<boolean>;
  /** True where a stored hash should be replaced by one with the present parameters. */
  outdated(stored: string): boolean;
  readonly running: number;
  readonly waiting: number;
}

export interface HashLimits {
  /** Hashes at once; 0 for one more than there are cores. */
  readonly concurrency: number;
}

function queue(concurrency: number, longest: number) {
  const waiting: (() => void)[] = [];
  let running = 0;
  return {
    get running() {
      return running;
    },
    get waiting() {
      return waiting.length;
    },
    async run<T>(work: () => Promise<T>): Promise<T> {
      if (running >= concurrency) {
        if (waiting.length >= longest) {
          throw unavailable('sign_in_busy', 'Too many sign-ins at this moment. Try again in a second.', 1);
        }
        // The place is handed over by the one that leaves, so nobody can slip in between.
        await new Promise<void>((resolve) => waiting.push(resolve));
      } else running += 1;
      try {
        return await work();
      } finally {
        const next = waiting.shift();
        if (next === undefined) running -= 1;
        else next();
      }
    },
  };
}

/** PHC text of equal parameters that no password fits. */
function decoy(): string {
  const text = (bytes: number) => randomBytes(bytes).toString('base64').replaceAll('=', '');
  const { memoryCost, timeCost, parallelism, outputLen } = parameters;
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${text(16)}$${text(outputLen)}`;
}

export function createPasswords(limits: HashLimits): Passwords {
  const concurrency = limits.concurrency === 0 ? availableParallelism() + 1 : limits.concurrency;
  const line = queue(concurrency, concurrency * 16);
  const nobody = decoy();
  const { hash, verify } = createHashThreads();

  async function check(stored: string | null | undefined, password: string): Promise<boolean> {
    if (Buffer.byteLength(password) > passwordBytes) return false;
    if (stored === null || stored === undefined) {
      await verify(nobody, password);
      return false;
    }
    if (stored.startsWith('$2')) {
      // bcrypt looks at 72 bytes and no further: two long passwords with one beginning would be equal to it.
      if (Buffer.byteLength(password) > bcryptBytes || password.includes('\u0000')) {
        await verify(nobody, password);
        return false;
      }
    }
    return verify(stored, password);
  }

  return {
    hash: (password) => line.run(() => hash(password, parameters)),
    verify: (stored, password) => line.run(() => check(stored, password)),
    outdated(stored) {
      if (!stored.startsWith('$argon2id$')) return true;
      const found = parseOptions(stored);
      return (
        found.memoryCost !== parameters.memoryCost ||
        found.timeCost !== parameters.timeCost ||
        found.parallelism !== parameters.parallelism ||
        found.outputLen !== parameters.outputLen
      );
    },
    get running() {
      return line.running;
    },
    get waiting() {
      return line.waiting;
    },
  };
}

/**
 * A hash that may be imported: bcrypt of cost 4 to 16, or argon2 within bounds that a sign-in can pay.
 * @throws invalid `hash_unsupported`
 */
export function requireImportableHash(stored: string): string {
  if (bcryptPattern.test(stored)) return stored;
  const refused = () =>
    invalidField('password_hash', 'Only bcrypt (cost 4 to 16) and argon2 hashes can be imported.', 'hash_unsupported');
  if (stored.length > 500 || !/^\$argon2(id|i|d)\$/.test(stored)) throw refused();
  try {
    const { memoryCost, timeCost, parallelism } = parseOptions(stored);
    if (memoryCost > 262_144 || timeCost > 16 || parallelism > 16) throw refused();
  } catch {
    throw refused();
  }
  return stored;
}
