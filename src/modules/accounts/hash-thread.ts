/** A thread that computes one password hash at a time, for `hash-threads.ts`. Keeps nothing between two of them. */
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { hashSync, type Options, verifySync } from '@node-rs/argon2';
import { verifySync as verifyBcrypt } from '@node-rs/bcrypt';

export type HashRequest =
  | { readonly make: string; readonly options: Options }
  | { readonly check: string; readonly stored: string };
export type HashAnswer = { readonly value: string | boolean } | { readonly error: string };

// On Linux this is the thread's priority; elsewhere it would be the whole process's.
if (process.platform === 'linux') setPriority(5);

function compute(request: HashRequest): string | boolean {
  if ('make' in request) return hashSync(request.make, request.options);
  const { check, stored } = request;
  return stored.startsWith('$2') ? verifyBcrypt(check, stored) : verifySync(stored, check);
}

parentPort!.on('message', (request: HashRequest) => {
  let answer: HashAnswer;
  try {
    answer = { value: compute(request) };
  } catch (error) {
    answer = { error: error instanceof Error ? error.message : String(error) };
  }
  parentPort!.postMessage(answer);
});
