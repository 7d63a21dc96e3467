/**
 * The verbs of a company's life. Each is linearizable: its decision is one control transaction that reads the state and
 * changes it, with journal and fleet audit in the same commit. Creation and removal go on from there, step by step.
 *
 * Nothing half-made and nothing being removed is routable: only `active` opens for requests.
 */
import type { AuditService } from '../audit/create-audit.ts';
import { actorText } from '../audit/trail.ts';
import { type Clock, day, isoTime } from '../clock.ts';
import type { ControlDb, ControlTx } from '../database/database.ts';
import { conflict, invalidField, notFound, StrongroomError, unavailable } from '../errors.ts';
import type { FileStores } from '../files/file-store.ts';
import type { Actor, TenantState } from '../handles.ts';
import { newId, type TenantId } from '../ids.ts';
import type { WorkIndex } from '../jobs/work-index.ts';
import type { Logger } from '../log.ts';
import type { Placement, PlacementKind } from '../placements/placement.ts';
import type { Secrets } from '../secrets.ts';
import type { Config } from '../settings.ts';

import { failpoint } from './failpoints.ts';
import {
  insertOperation,
  newestOperation,
  type OpenOperation,
  pendingStep,
  selectOpenOperation,
  selectOpenOperations,
} from './journal.ts';
import { inLanes, type Locks } from './locks.ts';
import type { OpenTenant } from './open-tenant.ts';
import type { Registry } from './registry.ts';
import {
  insertTenant,
  selectById,
  selectPurgeable,
  selectRestoreState,
  setDetails,
  setState,
  takenSlugs,
} from './repository.ts';
import { type Runner, stepRows, type Work } from './runner.ts';
import { isReservedSlug, isSlug, slugFromName, suffixedSlug } from './slugs.ts';
import { createPlan, purgePlan, type StepParts } from './steps.ts';
import type { CreateTenant, TenantRecord, Tenants, Verb } from './tenants.ts';

export interface LifecycleParts extends StepParts {
  readonly config: Pick<Config, 'placement' | 'defaultQuotaBytes' | 'graceDays'>;
  readonly control: ControlDb;
  readonly registry: Registry;
  readonly runner: Runner;
  readonly locks: Locks;
  readonly openTenant: OpenTenant;
  readonly placements: Partial<Readonly<Record<PlacementKind, Placement>>>;
  readonly files: FileStores;
  readonly secrets: Secrets;
  readonly audit: Pick<AuditService, 'recordFleet' | 'forget'>;
  readonly work: Pick<WorkIndex, 'mark' | 'forget'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** The lifecycle may have become due earlier. */
  readonly poke: () => void;
}

type Verbs = Pick<Tenants, 'create' | 'suspend' | 'resume' | 'delete' | 'restore' | 'purge' | 'abandon' | 'update'>;

export interface Lifecycle extends Verbs {
  /** Takes up what is open: all of it (`now`), or what is due. Resolves when every attempt has ended, either way. */
  settle(which: 'now' | 'due'): Promise<void>;
  /** When something becomes due (ms): an attempt after a failure, the end of a grace. Null for nothing. */
  nextDue(): Promise<number | null>;
}

const system: Actor = { kind: 'system' };
const payloadPurpose = 'journal:payload';

export function createLifecycle(parts: LifecycleParts): Lifecycle {
  const { control, registry, runner, clock, log } = parts;

  function background(promise: Promise<unknown>, text: string): void {
    promise.catch((error) => log.warn({ err: error }, text));
  }

  async function audited(tx: ControlTx, action: string, actor: Actor, id: TenantId): Promise<void> {
    await parts.audit.recordFleet(tx, { action: `company.${action}`, actor, target: id, outcome: 'success' });
  }

  async function locked(tx: ControlTx, id: TenantId): Promise<TenantRecord> {
    const record = await selectById(tx, id);
    if (record === undefined || record.state === 'deleted') throw notFound('There is no such company.');
    return record;
  }

  function wake(id: TenantId): void {
    background(parts.work.mark(id, clock.now()), 'a company could not be marked as having work');
  }

  /** A verb has ended: the work index learns whether there is a company to visit. */
  async function over(id: TenantId): Promise<void> {
    const record = await registry.get(id);
    if (record?.state === 'active') wake(id);
    else if (record?.state === 'deleted') await parts.work.forget(id);
  }

  // --- Verbs of one commit -------------------------------------------------------------------------------------------

  /** A verb that is over with its commit. `change` returns false where there is nothing to do. */
  async function instant(
    id: TenantId,
    verb: Verb,
    actor: Actor,
    change: (tx: ControlTx, record: TenantRecord) => Promise<boolean>,
  ): Promise<{ record: TenantRecord; operationId: string | undefined }> {
    const operationId = newId('operation', clock.now());
    const result = await control.transaction(async (tx) => {
      const record = await locked(tx, id);
      if (!(await change(tx, record))) return { record, operationId: undefined };
      const now = clock.iso();
      const row = {
        id: operationId,
        tenantId: id,
        verb,
        status: 'succeeded' as const,
        actor: actorText(actor),
        startedAt: now,
      };
      await insertOperation(tx, row, [{ ...pendingStep(verb), status: 'done', startedAt: now, finishedAt: now }]);
      await audited(tx, pastTense[verb], actor, id);
      return { record: (await selectById(tx, id))!, operationId };
    });
    registry.invalidate(id);
    return result;
  }

  async function suspend(id: TenantId, actor: Actor): Promise<TenantRecord> {
    const { record } = await instant(id, 'suspend', actor, async (tx, found) => {
      requireLiving(found);
      if (found.state === 'suspended') return false;
      await setState(tx, id, 'suspended');
      return true;
    });
    background(parts.connections.closeTenant(id), 'connections of a suspended company could not be closed');
    return record;
  }

  async function resume(id: TenantId, actor: Actor): Promise<TenantRecord> {
    const { record } = await instant(id, 'resume', actor, async (tx, found) => {
      requireLiving(found);
      if (found.state === 'active') return false;
      await setState(tx, id, 'active');
      return true;
    });
    wake(id);
    return record;
  }

  async function remove(id: TenantId, actor: Actor): Promise<{ operationId: string; record: TenantRecord }> {
    let before: string | undefined;
    const done = await instant(id, 'delete', actor, async (tx, found) => {
      if (found.state === 'deleting' || found.state === 'purging') {
        const verb = found.state === 'deleting' ? 'delete' : 'purge';
        before = await newestOperation(tx, id, verb);
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
    background(parts.connections.closeTenant(id), 'connections of a deleted company could not be closed');
    parts.poke();
    return { operationId: done.operationId ?? before ?? '', record: done.record };
  }

  async function restore(id: TenantId, actor: Actor): Promise<TenantRecord> {
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
    wake(id);
    return record;
  }

  async function update(id: TenantId, change: Parameters<Tenants['update']>[1], actor: Actor): Promise<TenantRecord> {
    const record = await control.transaction(async (tx) => {
      const found = await locked(tx, id);
      if (found.state === 'deleting' || found.state === 'purging') throw beingDeleted();
      const next = { ...found, ...defined(change) };
      await setDetails(tx, next);
      const fields = Object.keys(defined(change)).sort().join(', ');
      const entry = { action: 'company.updated', actor, target: id, outcome: 'success' as const, details: { fields } };
      await parts.audit.recordFleet(tx, entry);
      return next;
    });
    registry.invalidate(id);
    return record;
  }

  // --- Creation ------------------------------------------------------------------------------------------------------

  function draft(input: CreateTenant): TenantRecord {
    const kind = input.placement ?? parts.config.placement;
    const placement = parts.placements[kind];
    if (placement === undefined) {
      throw invalidField('placement', `This installation has no placement "${kind}".`, 'placement_unavailable');
    }
    if (input.slug !== undefined) requireSlug(input.slug);
    const id = newId('company', clock.now());
    const quota = parts.config.defaultQuotaBytes === 0 ? null : parts.config.defaultQuotaBytes;
    return {
      id,
      name: input.name,
      slug: input.slug ?? slugFromName(input.name),
      email: input.email,
      state: 'creating',
      preset: input.preset ?? 'company',
      region: input.region ?? null,
      quotaBytes: input.quotaBytes === undefined ? quota : input.quotaBytes,
      registration: 'closed',
      placement: { tenantId: id, kind, unit: placement.unitName(id), server: null, generation: 1 },
      bucket: parts.files.bucketName(id),
      wrappedKey: parts.secrets.newTenantKey(id),
      schemaVersion: 0,
      fingerprint: null,
      createdAt: clock.iso(),
      deletedAt: null,
      purgeAfter: null,
    };
  }

  async function freeSlug(tx: ControlTx, wanted: TenantRecord, asked: boolean): Promise<string> {
    if (asked) {
      const taken = await takenSlugs(tx, [wanted.slug]);
      if (taken.size > 0) throw conflict('slug_taken', `The slug "${wanted.slug}" is taken.`);
      return wanted.slug;
    }
    const few = [2, 3, 4, 5, 6, 7, 8, 9].map((number) => suffixedSlug(wanted.slug, String(number)));
    const many = [6, 12, 26].map((length) => suffixedSlug(wanted.slug, wanted.id.slice(-length)));
    const candidates = [wanted.slug, ...few, ...many];
    const taken = await takenSlugs(tx, candidates);
    const free = candidates.find((slug) => !taken.has(slug));
    if (free === undefined) throw conflict('slug_taken', 'No slug could be made from this name. Ask for one.');
    return free;
  }

  function creation(operation: OpenOperation, record: TenantRecord, actor: Actor, fresh = false): Work {
    const provisioning = openPayload(operation, record);
    const removed = async (tx: ControlTx) => {
      const action = 'company.creation_undone';
      await parts.audit.forget(tx, record.id);
      await parts.audit.recordFleet(tx, { action, actor: system, target: record.id, outcome: 'failed' });
    };
    return {
      first: 'reserve',
      plan: createPlan(parts, { record, open: () => parts.openTenant(record, system), provisioning, fresh }),
      finish: (tx) => audited(tx, 'created', actor, record.id),
      failed: (tx) => setState(tx, record.id, 'failed'),
      undo: { plan: purgePlan(parts, record), finish: removed },
      changed: () => registry.invalidate(record.id),
    };
  }

  function openPayload(operation: OpenOperation, record: TenantRecord): Readonly<Record<string, unknown>> {
    if (operation.payload === null || record.wrappedKey === '') return {};
    const text = parts.secrets.forTenant(record.id, record.wrappedKey).open(payloadPurpose, operation.payload);
    return JSON.parse(text) as Record<string, unknown>;
  }

  async function reserve(
    input: CreateTenant,
    actor: Actor,
  ): Promise<{ record: TenantRecord; operation: OpenOperation }> {
    const wanted = draft(input);
    const provisioning = JSON.stringify(input.provisioning ?? {});
    const payload = parts.secrets.forTenant(wanted.id, wanted.wrappedKey).seal(payloadPurpose, provisioning);
    const id = newId('operation', clock.now());
    const operation: OpenOperation = {
      id,
      tenantId: wanted.id,
      verb: 'create',
      attempts: 1,
      undoing: false,
      payload,
      retryAt: null,
    };
    const open = () => parts.openTenant(wanted, system);
    const plan = createPlan(parts, { record: wanted, open, provisioning: {}, fresh: true });
    await failpoint('create.reserve.before');
    const record = await control.transaction(async (tx) => {
      const found = { ...wanted, slug: await freeSlug(tx, wanted, input.slug !== undefined) };
      const now = clock.iso();
      const row = {
        id,
        tenantId: found.id,
        verb: 'create' as const,
        status: 'running' as const,
        payload,
        startedAt: now,
      };
      const operationRow = { ...row, actor: actorText(actor), lease: runner.lease() };
      const steps = stepRows('reserve', plan, now);
      await Promise.all([insertTenant(tx, found), insertOperation(tx, operationRow, steps)]);
      return found;
    });
    return { record, operation };
  }

  async function create(
    input: CreateTenant,
    actor: Actor,
    started?: (operationId: string, record: TenantRecord) => void,
  ): Promise<{ record: TenantRecord; operationId: string }> {
    const { record, operation } = await reserve(input, actor);
    started?.(operation.id, record);
    try {
      await runner.begin(operation, creation(operation, record, actor, true));
    } catch (error) {
      await over(record.id);
      parts.poke();
      throw attemptError(error, record.id);
    }
    wake(record.id);
    const made = await registry.get(record.id);
    return { record: made!, operationId: operation.id };
  }

  async function abandon(id: TenantId, actor: Actor): Promise<void> {
    const record = await registry.get(id);
    if (record === undefined || record.state === 'deleted') throw notFound('There is no such company.');
    const open = await selectOpenOperation(control.read, id);
    if (open === undefined || open.verb !== 'create') {
      throw conflict('company_not_creating', 'This company is not being created.');
    }
    const workOf = async (operation: OpenOperation) => creation(operation, await current(id), actor);
    await runner.abandon(open.id, workOf).catch((error: unknown) => {
      throw attemptError(error, id);
    });
    await over(id);
    const { state } = await current(id);
    if (state === 'active') throw conflict('company_not_creating', 'This company was completed meanwhile.');
    if (state !== 'deleted') throw conflict('company_busy', 'Another process works on this company. Try again.');
  }

  async function current(id: TenantId): Promise<TenantRecord> {
    const record = await selectById(control.read, id);
    if (record === undefined) throw new StrongroomError('internal', 'journal_broken', 'An operation has no company.');
    return record;
  }

  // --- Removal -------------------------------------------------------------------------------------------------------

  function removal(record: TenantRecord, actor: Actor): Work {
    return {
      first: 'refuse',
      plan: purgePlan(parts, record),
      finish: async (tx) => {
        await parts.audit.forget(tx, record.id);
        await audited(tx, 'purged', actor, record.id);
      },
      changed: () => registry.invalidate(record.id),
    };
  }

  async function purge(id: TenantId, actor: Actor): Promise<{ operationId: string }> {
    const operationId = newId('operation', clock.now());
    await failpoint('purge.refuse.before');
    const begun = await control.transaction(async (tx) => {
      const record = await locked(tx, id);
      if (record.state === 'purging') return { record, running: (await selectOpenOperation(tx, id))?.id };
      requireMade(record);
      const now = clock.iso();
      const row = { id: operationId, tenantId: id, verb: 'purge' as const, status: 'running' as const, startedAt: now };
      const steps = stepRows('refuse', purgePlan(parts, record), now);
      await setState(tx, id, 'purging');
      await insertOperation(tx, { ...row, actor: actorText(actor), lease: runner.lease() }, steps);
      await audited(tx, 'purge_started', actor, id);
      return { record, running: undefined };
    });
    registry.invalidate(id);
    try {
      if (begun.running !== undefined) await join(begun.running, id, actor);
      else {
        const work = removal(begun.record, actor);
        await parts.locks.run(id, () => runner.begin(fresh(operationId, id), work));
      }
    } catch (error) {
      parts.poke();
      throw attemptError(error, id);
    }
    await over(id);
    return { operationId: begun.running ?? operationId };
  }

  /** Waits for the removal that runs, or runs the one that waits for its next attempt. */
  async function join(operationId: string, id: TenantId, actor: Actor): Promise<void> {
    const running = runner.running(operationId);
    if (running !== undefined) return running;
    await parts.locks.run(id, () => runner.resume(operationId, async () => removal(await current(id), actor)));
    if ((await current(id)).state !== 'deleted') {
      throw conflict('company_busy', 'Another process removes this company now.');
    }
  }

  function fresh(id: string, tenantId: TenantId): OpenOperation {
    return { id, tenantId, verb: 'purge', attempts: 1, undoing: false, payload: null, retryAt: null };
  }

  // --- What is left open ---------------------------------------------------------------------------------------------

  async function goOn(operation: OpenOperation): Promise<void> {
    const workOf = async (taken: OpenOperation) => {
      const record = await current(operation.tenantId);
      return taken.verb === 'create' ? creation(taken, record, system) : removal(record, system);
    };
    await parts.locks.run(operation.tenantId, () => runner.resume(operation.id, workOf));
    await over(operation.tenantId);
  }

  async function settle(which: 'now' | 'due'): Promise<void> {
    const now = clock.iso();
    const open = await selectOpenOperations(control.read);
    const todo = open.filter((operation) => which === 'now' || operation.retryAt === null || operation.retryAt <= now);
    const { due } = await selectPurgeable(control.read, now);
    const tasks: (() => Promise<unknown>)[] = [
      ...todo.map((operation) => () => goOn(operation)),
      ...due.map((id) => () => purge(id, system)),
    ];
    await inLanes(tasks, 4, async (task) => {
      await task().catch((error) => log.warn({ err: error }, 'a lifecycle operation failed; it is tried again'));
    });
  }

  return {
    create,
    suspend,
    resume,
    delete: remove,
    restore,
    purge,
    abandon,
    update,
    settle,
    async nextDue() {
      const open = await selectOpenOperations(control.read);
      const { due, next } = await selectPurgeable(control.read, clock.iso());
      const times = open
        .filter((operation) => runner.running(operation.id) === undefined)
        .map((operation) => (operation.retryAt === null ? clock.now() : Date.parse(operation.retryAt)));
      if (due.length > 0) times.push(clock.now());
      if (next !== null) times.push(Date.parse(next));
      return times.length === 0 ? null : Math.min(...times);
    },
  };
}

const pastTense: Readonly<Record<Verb, string>> = {
  create: 'created',
  migrate: 'migrated',
  suspend: 'suspended',
  resume: 'resumed',
  delete: 'deleted',
  restore: 'restored',
  purge: 'purged',
};

function beingDeleted(): StrongroomError {
  return conflict('company_deleting', 'This company is being deleted. Restore it first.');
}

const unmade: readonly TenantState[] = ['creating', 'failed'];

function requireMade(record: TenantRecord): void {
  if (!unmade.includes(record.state)) return;
  throw conflict('company_not_ready', 'This company is not ready yet. See its operations.');
}

function requireLiving(record: TenantRecord): void {
  requireMade(record);
  if (record.state === 'deleting' || record.state === 'purging') throw beingDeleted();
}

function requireSlug(slug: string): void {
  if (!isSlug(slug)) {
    throw invalidField('slug', 'lower-case letters, digits and single hyphens between them, at most 40 characters');
  }
  if (isReservedSlug(slug)) throw invalidField('slug', 'This word cannot be a slug: it means something else here.');
}

function defined<T extends object>(change: T): Partial<T> {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** What the caller is told about an attempt that failed: a refusal as it is, anything else as "it goes on". */
function attemptError(error: unknown, id: TenantId): unknown {
  if (error instanceof StrongroomError && error.kind !== 'unavailable' && error.kind !== 'internal') return error;
  const text = 'The operation was interrupted. It goes on in the background; see the operations of the company.';
  const failure = unavailable('operation_interrupted', text, 5, error);
  return new StrongroomError(failure.kind, failure.code, failure.message, {
    retryAfter: 5,
    cause: error,
    extra: { company_id: id },
  });
}
