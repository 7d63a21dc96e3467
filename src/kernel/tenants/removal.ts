/** Removing a company for good: one commit refuses it from then on, the steps follow, one commit leaves the tombstone. */
import { actorText } from '../audit/trail.ts';
import { conflict } from '../errors.ts';
import type { Actor } from '../handles.ts';
import { newId, type TenantId } from '../ids.ts';
import { failpoint } from './failpoints.ts';
import { insertOperations, type OpenOperation, selectOpenOperation } from './journal.ts';
import {
  attemptError,
  type LifecycleParts,
  type LifecycleTools,
  leased,
  notTheOwner,
  requireMade,
  system,
} from './lifecycle-tools.ts';
import { setState } from './repository.ts';
import { stepRows, type Work } from './runner.ts';
import { purgePlan } from './steps.ts';
import type { TenantRecord, Tenants } from './tenants.ts';

export interface Removal extends Pick<Tenants, 'purge'> {
  /** The end of the grace: removes the company unless something changed meanwhile. */
  purgeDue(id: TenantId): Promise<void>;
  work(record: TenantRecord, actor: Actor): Work;
}

interface Begun {
  readonly record: TenantRecord;
  /** A removal that was begun before. */
  readonly running: string | undefined;
}

export function createRemoval(parts: LifecycleParts, tools: LifecycleTools): Removal {
  const { control, registry, runner, clock } = parts;

  function work(record: TenantRecord, actor: Actor): Work {
    return {
      first: 'refuse',
      plan: purgePlan(parts, record),
      finish: async (tx) => {
        await parts.audit.forget(tx, record.id);
        await tools.audited(tx, 'purged', actor, record.id);
      },
      changed: () => registry.invalidate(record.id),
    };
  }

  /** The commit from which on nothing leads to the company any more. Undefined where `wanted` says no. */
  async function refuse(
    operationId: string,
    id: TenantId,
    actor: Actor,
    wanted: (record: TenantRecord) => boolean,
  ): Promise<Begun | undefined> {
    runner.requireOpen();
    await failpoint('purge.refuse.before');
    const begun = await control.transaction(async (tx) => {
      const record = await tools.locked(tx, id);
      if (!wanted(record)) return undefined;
      // Nothing is begun that this process cannot carry through.
      if (parts.serves !== undefined && !parts.serves(record.placement.kind)) throw notTheOwner();
      if (record.state === 'purging') return { record, running: (await selectOpenOperation(tx, id))?.id };
      requireMade(record);
      const now = clock.iso();
      const row = { id: operationId, tenantId: id, verb: 'purge' as const, status: 'running' as const, startedAt: now };
      const steps = stepRows('refuse', purgePlan(parts, record), now);
      await setState(tx, id, 'purging');
      await insertOperations(tx, [{ ...row, actor: actorText(actor), ...leased(runner), steps }]);
      await tools.audited(tx, 'purge_started', actor, id);
      return { record, running: undefined };
    });
    registry.invalidate(id);
    return begun;
  }

  async function purge(
    id: TenantId,
    actor: Actor,
    wanted: (record: TenantRecord) => boolean,
  ): Promise<{ operationId: string }> {
    const operationId = newId('operation', clock.now());
    const begun = await refuse(operationId, id, actor, wanted);
    if (begun === undefined) return { operationId };
    try {
      if (begun.running !== undefined) await join(begun.running, id, actor);
      else {
        const operation = { id: operationId, tenantId: id, verb: 'purge' as const, payload: null };
        const first: OpenOperation = { ...operation, attempts: 1, undoing: false, retryAt: null };
        await parts.locks.run(id, () => runner.begin(first, work(begun.record, actor)));
      }
    } catch (error) {
      parts.poke();
      throw attemptError(error, id);
    }
    await tools.over(id);
    return { operationId: begun.running ?? operationId };
  }

  /** Waits for the removal that runs, or runs the one that waits for its next attempt. */
  async function join(operationId: string, id: TenantId, actor: Actor): Promise<void> {
    const running = runner.running(operationId);
    if (running !== undefined) return running;
    await parts.locks.run(id, () => runner.resume(operationId, async () => work(await tools.current(id), actor)));
    if ((await tools.current(id)).state !== 'deleted') {
      throw conflict('company_busy', 'Another process removes this company now.');
    }
  }

  return {
    work,
    purge: (id, actor) => purge(id, actor, () => true),
    async purgeDue(id) {
      const due = (record: TenantRecord) =>
        record.state === 'deleting' && record.purgeAfter !== null && record.purgeAfter <= clock.iso();
      await purge(id, system, due);
    },
  };
}
