/**
 * The lifecycle as a chore of the worker: attempts after a failure, and removals whose grace is over.
 *
 * A removal may take minutes, and the worker waits for its chores; so the chore only starts the work, says nothing of it
 * while it runs, and asks to be asked again when it has ended.
 */
import type { Chore } from '../jobs/worker.ts';
import type { Logger } from '../log.ts';
import type { Lifecycle } from './lifecycle.ts';

export interface LifecycleChore {
  readonly chore: Chore;
  /** Waits for the work that runs; true where there was some. */
  settled(): Promise<boolean>;
}

export interface LifecycleChoreParts {
  readonly lifecycle: Pick<Lifecycle, 'settle' | 'nextDue'>;
  readonly log: Logger;
  readonly poke: () => void;
}

export function createLifecycleChore({ lifecycle, log, poke }: LifecycleChoreParts): LifecycleChore {
  let running: Promise<void> | undefined;
  return {
    chore: {
      name: 'lifecycle',
      nextDue: () => (running === undefined ? lifecycle.nextDue() : Promise.resolve(null)),
      async run() {
        running ??= lifecycle
          .settle('due')
          .catch((error) => log.error({ err: error }, 'the journal could not be settled'))
          .finally(() => {
            running = undefined;
            poke();
          });
      },
    },
    async settled() {
      if (running === undefined) return false;
      await running;
      return true;
    },
  };
}
