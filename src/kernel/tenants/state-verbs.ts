/** The verbs that are over with one control commit: suspend, resume, delete, restore, update. */
import { actorText } from '../audit/trail.ts';
import { day, isoTime } from '../clock.ts';
import type { ControlTx } from '../database/database.ts';
import { conflict } from '../errors.ts';
import type { Actor } from '../handles.ts';
import { newId, type TenantId } from '../ids.ts';
import { insertOperations, newestOperation, pendingStep } from './journal.ts';
import {
  beingDeleted,
  isBeingDeleted,
  type LifecycleParts,
  type LifecycleTools,
  requireLiving,
  requireMade,
} from './lifecycle-tools.ts';
import { selectById, selectRestoreState, setDetails, setState } from './repository.ts';
import type { TenantRecord, Tenants } from './tenants.ts';

export type StateVerbs = Pick<Tenants, 'suspend' | 'resume' | 'delete' | 'restore' | 'update'>;

const pastTense = { suspend: 'suspended', resume: 'resumed', delete: 'deleted', restore: 'restored' } as const;

export function createStateVerbs(parts: LifecycleParts, tools: LifecycleTools): StateVerbs {
  const { control, registry, clock } = parts;

  /** Decides, changes, writes journal and audit in one commit. `change` gives false where there is nothing to do. */
  async function instant(
    id: TenantId,
    verb: keyof typeof pastTense,
    actor: Actor,
    change: (tx: ControlTx, record: TenantRecord) => Promise<boolean>,
  ): Promise<{ record: TenantRecord; operationId: string | undefined }> {
    const operationId = newId('operation', clock.now());
    const result = await control.transaction(async (tx) => {
      const record = await tools.locked(tx, id);
      if (!(await change(tx, record))) return { record, operationId: undefined };
      const now = clock.iso();
      const row = { id: operationId, tenantId: id, verb, status: 'succeeded' as const, startedAt: now };
      const step = { ...pendingStep(verb), status: 'done' as const, startedAt: now, finishedAt: now };
      await insertOperations(tx, [{ ...row, actor: actorText(actor), steps: [step] }]);
      await tools.audited(tx, pastTense[verb], actor, id);
      return { record: (await selectById(tx, id))!, operationId };
    });
    registry.invalidate(id);
    return result;
  }

  return {
    async suspend(id, actor) {
      const { record } = await instant(id, 'suspend', actor, async (tx, found) => {
        requireLiving(found);
        if (found.state === 'suspended') return false;
        await setState(tx, id, 'suspended');
        return true;
      });
      tools.closeConnections(id);
      return record;
    },

    async resume(id, actor) {
      const { record } = await instant(id, 'resume', actor, async (tx, found) => {
        requireLiving(found);
        if (found.state === 'active') return false;
        await setState(tx, id, 'active');
        return true;
      });
      tools.wake(id);
      return record;
    },

    async delete(id, actor) {
      let before: string | undefined;
      const done = await instant(id, 'delete', actor, async (tx, found) => {
        if (isBeingDeleted(found)) {
          before = await newestOperation(tx, id, found.state === 'deleting' ? 'delete' : 'purge');
          return false;
        }
        requireMade(found);
        await setState(tx, id, 'deleting', {
          deletedAt: clock.iso(),
          purgeAfter: isoTime(clock.now() + parts.config.graceDays * day),
          restoreState: found.state,
        });
        return true;
      });
      tools.closeConnections(id);
      parts.poke();
      return { operationId: done.operationId ?? before ?? '', record: done.record };
    },

    async restore(id, actor) {
      const { record } = await instant(id, 'restore', actor, async (tx, found) => {
        if (found.state !== 'deleting') {
          throw conflict('company_not_deleting', 'Only a company that is being deleted can be restored.');
        }
        if (found.purgeAfter !== null && found.purgeAfter <= clock.iso()) {
          throw conflict('company_not_deleting', 'The time in which this company could be restored is over.');
        }
        const state = (await selectRestoreState(tx, id)) ?? 'active';
        await setState(tx, id, state, { deletedAt: null, purgeAfter: null, restoreState: null });
        return true;
      });
      tools.wake(id);
      return record;
    },

    async update(id, change, actor) {
      const given = defined(change);
      const record = await control.transaction(async (tx) => {
        const found = await tools.locked(tx, id);
        if (isBeingDeleted(found)) throw beingDeleted();
        const next = { ...found, ...given };
        await setDetails(tx, next);
        const details = { fields: Object.keys(given).sort().join(', ') };
        const entry = { action: 'company.updated', actor, target: id, outcome: 'success' as const, details };
        await parts.audit.recordFleet(tx, entry);
        return next;
      });
      registry.invalidate(id);
      return record;
    },
  };
}

function defined<T extends object>(change: T): Partial<T> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as Partial<T>;
}
