/**
 * The runner of a process that must not make or remove companies itself (`serve --no-worker`): it has no provisioner's
 * login. What it begins stands in the journal without a lease, so that a worker takes it up at once, and it waits for the
 * end.
 *
 * Guarantees
 * - It never runs a step and never holds a lease.
 * - It waits `patience` at most; what goes on longer goes on in the worker, and the caller is told so.
 */
import type { ControlDb, ControlTx } from '../database/database.ts';
import { conflict, StrongroomError, unavailable } from '../errors.ts';
import { selectOperations } from './journal.ts';
import type { Runner } from './runner.ts';

export interface WaitingRunnerOptions {
  readonly control: ControlDb;
  /** Tells workers that there is something in the journal. */
  readonly tell: (tx: ControlTx, tenantId: string) => Promise<void>;
  /** Longest wait, and time between two looks, in milliseconds. */
  readonly patience?: number;
  readonly lookEvery?: number;
}

export function createWaitingRunner(options: WaitingRunnerOptions): Runner {
  const { control, patience = 60_000, lookEvery = 100 } = options;
  const waiting = new Map<string, Promise<void>>();
  let closed = false;

  async function untilOver(id: string): Promise<void> {
    const end = performance.now() + patience;
    for (;;) {
      const [operation] = await selectOperations(control.read, { id });
      if (operation?.status === 'succeeded') return;
      if (operation?.status === 'undone') {
        const why = operation.reason ?? 'The operation was given up.';
        throw new StrongroomError('conflict', 'creation_undone', why, { extra: { operation_id: id } });
      }
      if (closed || operation === undefined || performance.now() > end) {
        throw unavailable('operation_interrupted', 'The operation goes on in the background.', 5);
      }
      await new Promise((resolve) => setTimeout(resolve, lookEvery));
    }
  }

  function once(id: string): Promise<void> {
    const known = waiting.get(id);
    if (known !== undefined) return known;
    const promise = untilOver(id).finally(() => waiting.delete(id));
    waiting.set(id, promise);
    return promise;
  }

  return {
    requireOpen() {
      if (closed) throw unavailable('shutting_down', 'The server is shutting down.');
    },
    lease: () => undefined,
    // All of them are another's.
    heldElsewhere: () => true,
    async begin(operation) {
      await control.transaction((tx) => options.tell(tx, operation.tenantId));
      await once(operation.id);
    },
    resume: (id) => once(id),
    abandon() {
      throw conflict(
        'not_the_worker',
        'This server leaves the lifecycle to a worker: ask there, with doctor --abandon.',
      );
    },
    running: (id) => waiting.get(id),
    async idle() {
      while (waiting.size > 0) await Promise.allSettled(waiting.values());
    },
    async close() {
      closed = true;
      while (waiting.size > 0) await Promise.allSettled(waiting.values());
    },
  };
}
