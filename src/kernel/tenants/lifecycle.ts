/**
 * The verbs of a company's life. Each is linearizable: its decision is one control transaction that reads the state and
 * changes it, with journal and fleet audit in the same commit. Creation and removal go on from there, step by step, and
 * are gone on with after a crash.
 *
 * Nothing half-made and nothing being removed is routable: only `active` opens for requests.
 */

import type { TenantId } from '../ids.ts';
import { createCreation } from './creation.ts';
import { type OpenOperation, selectOpenOperations } from './journal.ts';
import { createLifecycleTools, type LifecycleParts, system } from './lifecycle-tools.ts';
import { inLanes } from './locks.ts';
import { createRemoval } from './removal.ts';
import { selectPurgeable } from './repository.ts';
import { createStateVerbs } from './state-verbs.ts';
import type { Tenants } from './tenants.ts';

type Verbs = Pick<Tenants, 'create' | 'suspend' | 'resume' | 'delete' | 'restore' | 'purge' | 'abandon' | 'update'>;

export interface Lifecycle extends Verbs {
  /** Takes up what is open: all of it (`now`), or what is due. Resolves when every attempt has ended, either way. */
  settle(which: 'now' | 'due'): Promise<void>;
  /** When something becomes due (ms): an attempt after a failure, the end of a grace. Null for nothing. */
  nextDue(): Promise<number | null>;
}

/** Operations that are gone on with at once. */
const width = 4;

export function createLifecycle(parts: LifecycleParts): Lifecycle {
  const { control, runner, clock, log } = parts;
  const tools = createLifecycleTools(parts);
  const { create, abandon, work: creation } = createCreation(parts, tools);
  const { purge, purgeDue, work: removal } = createRemoval(parts, tools);

  async function goOn(operation: OpenOperation): Promise<void> {
    const workOf = async (taken: OpenOperation) => {
      const record = await tools.current(operation.tenantId);
      return taken.verb === 'create' ? creation(taken, record, system) : removal(record, system);
    };
    await parts.locks.run(operation.tenantId, () => runner.resume(operation.id, workOf));
    await tools.over(operation.tenantId);
  }

  /** Those that this process can work on, and that no other one works on. */
  async function mine(operations: readonly OpenOperation[]): Promise<OpenOperation[]> {
    const own: OpenOperation[] = [];
    for (const operation of operations) {
      if (!runner.heldElsewhere(operation) && (await served(operation.tenantId))) own.push(operation);
    }
    return own;
  }

  async function served(id: TenantId): Promise<boolean> {
    if (parts.serves === undefined) return true;
    const record = await parts.registry.get(id);
    return record !== undefined && parts.serves(record.placement.kind);
  }

  async function servedOf(ids: readonly TenantId[]): Promise<TenantId[]> {
    const own: TenantId[] = [];
    for (const id of ids) if (await served(id)) own.push(id);
    return own;
  }

  return {
    ...createStateVerbs(parts, tools),
    create,
    abandon,
    purge,

    async settle(which) {
      const now = clock.iso();
      const open = await mine(await selectOpenOperations(control.read));
      const todo = open.filter(({ retryAt }) => which === 'now' || retryAt === null || retryAt <= now);
      const { due } = await selectPurgeable(control.read, now);
      const tasks: (() => Promise<unknown>)[] = [
        ...todo.map((operation) => () => goOn(operation)),
        ...(await servedOf(due)).map((id) => () => purgeDue(id)),
      ];
      await inLanes(tasks, width, async (task) => {
        await task().catch((error) => log.warn({ err: error }, 'a lifecycle operation failed; it is tried again'));
      });
    },

    async nextDue() {
      const open = await selectOpenOperations(control.read);
      const { due, next } = await selectPurgeable(control.read, clock.iso());
      const times = (await mine(open))
        .filter((operation) => runner.running(operation.id) === undefined)
        .map((operation) => (operation.retryAt === null ? clock.now() : Date.parse(operation.retryAt)));
      // What another process holds is due when its lease ends.
      for (const { tenantId, lease, ...operation } of open) {
        if (lease != null && runner.heldElsewhere({ tenantId, lease, ...operation }) && (await served(tenantId))) {
          times.push(Date.parse(lease.until));
        }
      }
      if ((await servedOf(due)).length > 0) times.push(clock.now());
      if (next !== null) times.push(Date.parse(next));
      return times.length === 0 ? null : Math.min(...times);
    },
  };
}
