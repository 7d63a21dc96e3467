/**
 * Creating a company: one commit reserves id, slug and journal; the steps follow; one commit activates. Giving a creation
 * up takes back what it made.
 */
import { actorText } from '../audit/trail.ts';
import { second } from '../clock.ts';
import type { ControlTx } from '../database/database.ts';
import { isUniqueViolation } from '../database/unique-violation.ts';
import { conflict, invalidField } from '../errors.ts';
import type { Actor } from '../handles.ts';
import { newId } from '../ids.ts';
import { failpoint } from './failpoints.ts';
import { insertOperations, type OpenOperation, selectOpenOperation } from './journal.ts';
import {
  attemptError,
  type LifecycleParts,
  type LifecycleTools,
  leased,
  noCompany,
  notTheOwner,
  system,
} from './lifecycle-tools.ts';
import { insertTenant, selectById, setState, takenSlugs } from './repository.ts';
import { stepRows, type Work } from './runner.ts';
import { isReservedSlug, isSlug, slugFromName, suffixedSlug } from './slugs.ts';
import { createPlan, type Plan, purgePlan } from './steps.ts';
import type { CreateTenant, TenantRecord, Tenants } from './tenants.ts';

export interface Creation extends Pick<Tenants, 'create' | 'abandon'> {
  /** What there is to do for an open creation; `fresh` for the first attempt of the process that reserved it. */
  work(operation: OpenOperation, record: TenantRecord, actor: Actor, fresh?: Fresh): Work;
}

/** What modules were given for their steps, by the names of those. */
type Provisioning = Readonly<Record<string, unknown>>;

/** The first attempt of the process that reserved the company. */
interface Fresh {
  readonly plan: Plan;
  /** The record as it was committed active. */
  made?: TenantRecord | undefined;
}

const payloadPurpose = 'journal:payload';

export function createCreation(parts: LifecycleParts, tools: LifecycleTools): Creation {
  const { control, registry, runner, clock } = parts;

  function work(operation: OpenOperation, record: TenantRecord, actor: Actor, fresh?: Fresh): Work {
    const open = () => parts.openTenant(record, system);
    const removed = async (tx: ControlTx) => {
      const action = 'company.creation_undone';
      await parts.audit.forget(tx, record.id);
      await parts.audit.recordFleet(tx, { action, actor: system, target: record.id, outcome: 'failed' });
    };
    return {
      first: 'reserve',
      plan:
        fresh?.plan ??
        createPlan(parts, { record, open, provisioning: openPayload(parts, operation, record), fresh: false }),
      async finish(tx) {
        const read = fresh === undefined ? undefined : selectById(tx, record.id);
        await Promise.all([tools.audited(tx, 'created', actor, record.id), read]);
        if (fresh !== undefined) fresh.made = await read!;
      },
      failed: (tx) => setState(tx, record.id, 'failed'),
      undo: { plan: purgePlan(parts, record), finish: removed },
      changed: () => registry.invalidate(record.id),
    };
  }

  async function reserve(
    input: CreateTenant,
    actor: Actor,
  ): Promise<{ record: TenantRecord; operation: OpenOperation; fresh: Fresh }> {
    runner.requireOpen();
    const wanted = await draft(parts, input);
    const provisioning = input.provisioning ?? {};
    const payload = parts.secrets
      .forTenant(wanted.id, wanted.wrappedKey)
      .seal(payloadPurpose, JSON.stringify(provisioning));
    const id = newId('operation', clock.now());
    const identity = { id, tenantId: wanted.id, verb: 'create' as const, payload };
    const open = () => parts.openTenant(record, system);
    const plan = createPlan(parts, { record: wanted, open, provisioning, fresh: true });
    await failpoint('create.reserve.before');
    const record = await reserved(async (tx) => {
      const found = { ...wanted, slug: await freeSlug(tx, wanted, input.slug !== undefined) };
      const now = clock.iso();
      const rest = { status: 'running' as const, startedAt: now, actor: actorText(actor), ...leased(runner) };
      const steps = stepRows('reserve', plan, now);
      const written = [insertTenant(tx, found), insertOperations(tx, [{ ...identity, ...rest, steps }])];
      // It will have work before it is active: the first audit rows to seal, an invitation to send.
      await Promise.all([...written, parts.audit.open(tx, found.id), parts.work.reserve(tx, found.id, clock.now())]);
      return found;
    });
    return { record, operation: { ...identity, attempts: 1, undoing: false, retryAt: null }, fresh: { plan } };
  }

  /** Two that ask for one slug at once where transactions do not take turns: the index decides, and one looks again. */
  async function reserved(reserveIn: (tx: ControlTx) => Promise<TenantRecord>): Promise<TenantRecord> {
    try {
      return await control.transaction(reserveIn);
    } catch (error) {
      if (isUniqueViolation(error) === false) throw error;
      return control.transaction(reserveIn);
    }
  }

  return {
    work,

    async create(input, actor, started) {
      const { record, operation, fresh } = await reserve(input, actor);
      started?.(operation.id, record);
      try {
        await runner.begin(operation, work(operation, record, actor, fresh));
      } catch (error) {
        await tools.over(record.id);
        parts.poke();
        throw attemptError(error, record.id);
      }
      // Its first audit rows are sealed in a second; a burst of creations is not slowed by visits to those just made.
      tools.wake(record.id, second);
      return { record: fresh.made ?? (await tools.current(record.id)), operationId: operation.id };
    },

    async abandon(id, actor) {
      const record = await registry.get(id);
      if (record === undefined || record.state === 'deleted') throw noCompany();
      const open = await selectOpenOperation(control.read, id);
      if (open === undefined || open.verb !== 'create') {
        throw conflict('company_not_creating', 'This company is not being created.');
      }
      const workOf = async (operation: OpenOperation) => work(operation, await tools.current(id), actor);
      try {
        await runner.abandon(open.id, workOf);
      } catch (error) {
        parts.poke();
        throw attemptError(error, id);
      }
      await tools.over(id);
      const { state } = await tools.current(id);
      if (state === 'active') throw conflict('company_not_creating', 'This company was completed meanwhile.');
      if (state !== 'deleted') throw conflict('company_busy', 'Another process works on this company. Try again.');
    },
  };
}

/** The record as it will be reserved, its slug still to be found free. @throws invalid */
async function draft(parts: LifecycleParts, input: CreateTenant): Promise<TenantRecord> {
  const kind = input.placement ?? parts.config.placement;
  const placement = parts.placements[kind];
  if (placement === undefined) {
    throw invalidField('placement', `This installation has no placement "${kind}".`, 'placement_unavailable');
  }
  if (parts.serves !== undefined && !parts.serves(kind)) throw notTheOwner();
  if (input.slug !== undefined) requireSlug(input.slug);
  const server = (await placement.chooseServer?.(input.region ?? null)) ?? null;
  const id = newId('company', parts.clock.now());
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
    placement: { tenantId: id, kind, unit: placement.unitName(id), server, generation: 1 },
    bucket: parts.files.bucketName(id),
    wrappedKey: parts.secrets.newTenantKey(id),
    schemaVersion: 0,
    fingerprint: null,
    createdAt: parts.clock.iso(),
    deletedAt: null,
    purgeAfter: null,
  };
}

function requireSlug(slug: string): void {
  if (!isSlug(slug)) {
    throw invalidField('slug', 'lower-case letters, digits and single hyphens between them, at most 40 characters');
  }
  if (isReservedSlug(slug)) throw invalidField('slug', 'This word cannot be a slug: it means something else here.');
}

/** @throws conflict `slug_taken` */
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

function openPayload(parts: LifecycleParts, operation: OpenOperation, record: TenantRecord): Provisioning {
  if (operation.payload === null || record.wrappedKey === '') return {};
  const text = parts.secrets.forTenant(record.id, record.wrappedKey).open(payloadPurpose, operation.payload);
  return JSON.parse(text) as Provisioning;
}
