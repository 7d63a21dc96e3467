/**
 * Threads for password hashes alone, at a lower priority than whatever answers requests: a storm of sign-ins takes the
 * time that others leave, and the threads that Node keeps for files and signatures stay free of it.
 *
 * A thread starts with the first hash that finds no free one, and stays. One that fails takes its own hash with it and
 * is replaced.
 */
import { Worker } from 'node:worker_threads';
import type { Options } from '@node-rs/argon2';
import { threadEnvironment } from '../../kernel/compile-cache.ts';
import { unavailable } from '../../kernel/errors.ts';
import type { HashAnswer, HashRequest } from './hash-thread.ts';

export interface HashThreads {
  hash(password: string, options: Options): Promise<string>;
  /** argon2 or bcrypt, as the stored text says. @throws where it is neither */
  verify(stored: string, password: string): Promise<boolean>;
}

interface HashThread {
  readonly alive: boolean;
  compute(request: HashRequest): Promise<string | boolean>;
}

/** The caller sees to it that no more hashes run at once than it wants threads. */
export function createHashThreads(): HashThreads {
  const free: HashThread[] = [];

  async function run(request: HashRequest): Promise<string | boolean> {
    const thread = free.pop() ?? startThread();
    try {
      return await thread.compute(request);
    } finally {
      if (thread.alive) free.push(thread);
    }
  }
  return {
    hash: (password, options) => run({ make: password, options }) as Promise<string>,
    verify: (stored, password) => run({ check: password, stored }) as Promise<boolean>,
  };
}

function startThread(): HashThread {
  const file = import.meta.url.endsWith('.ts') ? './hash-thread.ts' : './hash-thread.js';
  const worker = new Worker(new URL(file, import.meta.url), {
    name: 'password-hash',
    execArgv: [],
    env: threadEnvironment(),
  });
  // A hash that is waited for keeps the process alive, a thread without work does not.
  worker.unref();
  let waiting: { resolve(value: string | boolean): void; reject(error: unknown): void } | undefined;
  let alive = true;
  function end() {
    const ended = waiting;
    waiting = undefined;
    worker.unref();
    return ended;
  }
  const lost = (error?: unknown) =>
    end()?.reject(unavailable('sign_in_busy', 'The password could not be checked. Try again.', 1, error));
  worker.on('error', (error) => {
    alive = false;
    lost(error);
  });
  worker.on('exit', () => {
    alive = false;
    lost();
  });
  worker.on('message', (answer: HashAnswer) => {
    if ('value' in answer) end()?.resolve(answer.value);
    else end()?.reject(new Error(answer.error));
  });
  return {
    get alive() {
      return alive;
    },
    compute(request) {
      worker.ref();
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        worker.postMessage(request);
      });
    },
  };
}
