/**
 * The rules of companies: what operators may do with one, and what each verb waits for. Everything durable is the
 * kernel's journal; nothing here reads a company's documents.
 */
import { randomBytes } from 'node:crypto';
import type { z } from 'zod';
import { day, isoTime } from '../../kernel/clock.ts';
import { conflict, invalidField, isStrongroomError, notFound } from '../../kernel/errors.ts';
import type { Actor, Tenant } from '../../kernel/handles.ts';
import { isId } from '../../kernel/ids.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { dayOf } from '../../kernel/tenants/figures.ts';
import type { Operation, TenantFilter, TenantRecord } from '../../kernel/tenants/tenants.ts';
import type { CompanyFigures, CompanyStats, CreateCompany, FirstInvitation, UpdateCompany } from './contract.ts';
import { late, within } from './deadline.ts';
import type { FleetParts, Invitation } from './ports.ts';

/** How long a DELETE with `purge=now` waits before it answers that the work goes on. */
const purgeWaitMs = 30_000;
const statsWaitMs = 15_000;
/** How long a move to another node is waited for, and how long the look at where a company is may take. */
const moveWaitMs = 30_000;
const nodeWaitMs = 1_000;
/** After one that failed the next is made this much later. */
const nodePauseMs = 60_000;

export interface Created {
  readonly record: TenantRecord;
  readonly operationId: string;
  readonly invitation: z.output<typeof FirstInvitation> | undefined;
}

export type Deleted =
  | { readonly done: true }
  | { readonly done: false; readonly operationId: string; readonly record: TenantRecord };

export interface Companies {
  /** Answers when the company works, or earlier (`record.state` is `creating`) where the first attempt failed. */
  create(input: z.output<typeof CreateCompany>, actor: Actor): Promise<Created>;
  /** Answers as soon as the operation is durable. */
  begin(input: z.output<typeof CreateCompany>, actor: Actor): Promise<Created>;
  /** @throws not_found for anything that is not the id of a company that is there */
  get(id: string): Promise<TenantRecord>;
  /** By id or slug, for the command line. @throws not_found */
  find(idOrSlug: string): Promise<TenantRecord>;
  /** A handle for work of operators in a company. @throws conflict while it is suspended, deleted or not ready */
  open(record: TenantRecord, actor: Actor): Promise<Tenant>;
  /** The node that its database is on, where its server has several; null too where that cannot be told in time. */
  node(record: TenantRecord): Promise<string | null>;
  /** `node` is null while the move goes on. @throws conflict `not_on_citus` */
  moveNode(id: string, node: string, actor: Actor): Promise<{ record: TenantRecord; node: string | null }>;
  list(page: {
    limit: number;
    filter: TenantFilter;
    sort: 'created_at' | '-created_at' | 'name' | '-name';
    after: readonly string[] | undefined;
    total: boolean;
  }): Promise<{ items: readonly TenantRecord[]; next: readonly string[] | null; total: number | undefined }>;
  update(id: string, change: z.output<typeof UpdateCompany>, actor: Actor): Promise<TenantRecord>;
  stats(id: string): Promise<CompanyStats>;
  /** Of so many days, today among them; as it was counted, without opening the company. */
  figures(id: string, days: number): Promise<CompanyFigures>;
  /** Newest first. */
  operations(id: string): Promise<readonly Operation[]>;
  suspend(id: string, actor: Actor): Promise<TenantRecord>;
  resume(id: string, actor: Actor): Promise<TenantRecord>;
  inviteAdmin(id: string, person: { email: string; full_name: string }, actor: Actor): Promise<Invitation>;
  delete(id: string, options: { confirm?: string; purge: boolean }, actor: Actor): Promise<Deleted>;
  restore(id: string, actor: Actor): Promise<TenantRecord>;
}

export function createCompanies(kernel: Kernel, parts: FleetParts): Companies {
  const { tenants } = kernel;

  async function get(id: string): Promise<TenantRecord> {
    const record = isId('company', id) ? await tenants.get(id) : undefined;
    if (record === undefined || record.state === 'deleted') throw notFound();
    return record;
  }

  /** Refuses what needs a database that is there and meant to stay. */
  function requireLiving(record: TenantRecord): TenantRecord {
    if (record.state === 'deleting' || record.state === 'purging') {
      throw conflict('company_deleting', 'This company is being deleted. Restore it first.');
    }
    if (record.state === 'creating' || record.state === 'failed') {
      throw conflict('company_not_ready', 'This company is not ready yet. See its operations.');
    }
    return record;
  }

  async function open(record: TenantRecord, actor: Actor): Promise<Tenant> {
    requireLiving(record);
    try {
      return await tenants.open(record.id, actor);
    } catch (error) {
      // To its people a suspended company says 401; the operator is signed in and learns the reason.
      if (!isStrongroomError(error, 'unauthenticated')) throw error;
      throw conflict('company_suspended', 'This company is suspended. Resume it first.');
    }
  }

  function plan(input: z.output<typeof CreateCompany>) {
    const secret = input.admin === undefined ? undefined : randomBytes(32).toString('base64url');
    return {
      secret,
      // The link is answered before the step that stores it has run, so its end is reckoned from now.
      expiresAt: new Date(kernel.clock.now() + kernel.config.invitationDays * day).toISOString(),
      tenant: {
        name: input.name,
        email: input.email,
        ...(input.slug === undefined ? {} : { slug: input.slug }),
        ...(input.placement === undefined ? {} : { placement: input.placement }),
        ...(input.region === undefined ? {} : { region: input.region }),
        ...(input.quota_bytes === undefined ? {} : { quotaBytes: input.quota_bytes }),
        ...(input.roles === undefined ? {} : { preset: input.roles }),
        ...(input.admin === undefined
          ? {}
          : { provisioning: { 'first-invitation': { ...input.admin, token: secret } } }),
      },
    };
  }

  function created(planned: ReturnType<typeof plan>, made: { record: TenantRecord; operationId: string }): Created {
    if (planned.secret === undefined) return { ...made, invitation: undefined };
    const token = parts.accounts.invitationToken(made.record.id, planned.secret);
    const invitation = { setup_url: parts.accounts.invitationUrl(token), token, expires_at: planned.expiresAt };
    return { ...made, invitation };
  }

  /** True where somebody could still sign in, or where that cannot be told. */
  async function mayHaveUsers(record: TenantRecord): Promise<boolean> {
    try {
      const activity = await within(statsWaitMs, parts.accounts.activity(tenants.openAny(record, { kind: 'system' })));
      return activity === late || activity.users > 0;
    } catch (error) {
      if (!isStrongroomError(error, 'unavailable')) throw error;
      return true;
    }
  }

  async function remove(id: string, options: { confirm?: string; purge: boolean }, actor: Actor): Promise<Deleted> {
    const record = await get(id);
    if (options.confirm !== undefined && options.confirm !== record.slug) {
      throw invalidField('confirm', 'Confirm with the slug of the company.', 'confirmation_wrong');
    }
    const again = record.state === 'deleting' || record.state === 'purging';
    if (record.state === 'creating') {
      throw conflict('company_not_ready', 'This company is still being created. Try again when that has ended.');
    }
    if (record.state === 'failed') {
      await tenants.abandon(record.id, actor);
      return { done: true };
    }
    if (options.confirm === undefined && (!again || options.purge) && (await mayHaveUsers(record))) {
      throw conflict(
        'company_not_empty',
        `This company has active users, or its database does not answer. Confirm with ?confirm=${record.slug}.`,
      );
    }
    const deleting = await tenants.delete(record.id, actor);
    if (!options.purge) return { done: false, ...deleting };
    try {
      const purged = await within(purgeWaitMs, tenants.purge(record.id, actor));
      if (purged !== late) return { done: true };
    } catch (error) {
      // The journal goes on with it; the company is unreachable from now on, which is what 202 says.
      kernel.log.warn({ err: error, company: record.id }, 'purge goes on in the background');
    }
    return { done: false, ...deleting };
  }

  /** Companies whose database did not say where it is, and when it is asked again. */
  const unanswered = new Map<string, number>();

  async function node({ id, state }: TenantRecord): Promise<string | null> {
    const there = ['active', 'suspended', 'deleting'].includes(state);
    if (!there || kernel.clock.now() < (unanswered.get(id) ?? 0)) return null;
    unanswered.delete(id);
    const found = await within(nodeWaitMs, tenants.node(id)).catch(() => late);
    if (typeof found !== 'symbol') return found;
    unanswered.set(id, kernel.clock.now() + nodePauseMs);
    return null;
  }

  async function moved(record: TenantRecord, wanted: string, actor: Actor): Promise<string> {
    const entry = { action: 'company.node_moved', actor, target: record.id };
    try {
      const to = await tenants.moveToNode(record.id, wanted);
      await kernel.audit.noteFleet({ ...entry, outcome: 'success', details: { node: to } });
      return to;
    } catch (error) {
      if (isStrongroomError(error, 'conflict') || isStrongroomError(error, 'invalid')) throw error;
      kernel.log.warn({ err: error, company: record.id }, 'a company was not moved to another node');
      await kernel.audit.noteFleet({ ...entry, outcome: 'failed' });
      throw error;
    }
  }

  return {
    get,
    node,
    async moveNode(id, wanted, actor) {
      const record = requireLiving(await get(id));
      const to = await within(moveWaitMs, moved(record, wanted, actor));
      return { record, node: to === late ? null : to };
    },
    async find(idOrSlug) {
      const record = await tenants.find(idOrSlug);
      if (record === undefined || record.state === 'deleted') throw notFound(`There is no company "${idOrSlug}".`);
      return record;
    },
    async create(input, actor) {
      const planned = plan(input);
      let begun: { record: TenantRecord; operationId: string } | undefined;
      try {
        const made = await tenants.create(planned.tenant, actor, (operationId, record) => {
          begun = { operationId, record };
        });
        return created(planned, made);
      } catch (error) {
        // The first attempt failed, and the journal goes on: saying so keeps the only copy of the invitation's token.
        if (begun === undefined || !isStrongroomError(error, 'unavailable')) throw error;
        kernel.log.warn({ err: error, company: begun.record.id }, 'a creation goes on in the background');
        return created(planned, begun);
      }
    },
    async begin(input, actor) {
      const planned = plan(input);
      const started = Promise.withResolvers<{ record: TenantRecord; operationId: string }>();
      tenants
        .create(planned.tenant, actor, (operationId, record) => started.resolve({ operationId, record }))
        .then(started.resolve, (error: unknown) => {
          if (!isStrongroomError(error) || error.kind === 'unavailable') {
            kernel.log.warn({ err: error }, 'a creation in the background failed; the journal goes on with it');
          }
          started.reject(error);
        });
      return created(planned, await started.promise);
    },
    open,
    async list({ limit, filter, sort, after, total }) {
      const page = await tenants.list({ limit, filter, sort, ...(after === undefined ? {} : { after }) });
      return { ...page, total: total ? await tenants.count(filter) : undefined };
    },
    async update(id, change, actor) {
      const record = await get(id);
      if (record.state === 'deleting' || record.state === 'purging') requireLiving(record);
      const { quota_bytes: quotaBytes, ...rest } = change;
      const named = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
      return tenants.update(record.id, { ...named, ...(quotaBytes === undefined ? {} : { quotaBytes }) }, actor);
    },
    async stats(id) {
      const record = await get(id);
      // In the grace of a deletion the database is there; before and after that it is half made, or half gone.
      if (record.state !== 'deleting') requireLiving(record);
      const tenant = tenants.openAny(record, { kind: 'system' });
      const [activity, documents, databaseBytes] = await Promise.all([
        parts.accounts.activity(tenant),
        parts.stats?.(tenant),
        tenants.databaseBytes(record.id),
      ]);
      const times = [activity.lastActivityAt, documents?.lastActivityAt ?? null].filter((time) => time !== null);
      return {
        users: activity.users,
        documents: documents?.documents ?? 0,
        files: documents?.files ?? 0,
        bytes: documents?.bytes ?? 0,
        database_bytes: databaseBytes,
        last_activity_at: times.sort().at(-1) ?? null,
      };
    },
    async figures(id, days) {
      const { id: tenantId } = await get(id);
      const since = dayOf(isoTime(kernel.clock.now() - (days - 1) * day));
      const found = await kernel.figures.ofTenant(tenantId, since);
      return { days: found.map(({ databaseBytes, ...figures }) => ({ ...figures, database_bytes: databaseBytes })) };
    },
    async operations(id) {
      const record = await get(id);
      const operations = await tenants.operations(record.id);
      return [...operations].sort((a, b) => (a.id < b.id ? 1 : -1));
    },
    async suspend(id, actor) {
      const record = requireLiving(await get(id));
      return record.state === 'suspended' ? record : tenants.suspend(record.id, actor);
    },
    async resume(id, actor) {
      const record = requireLiving(await get(id));
      return record.state === 'active' ? record : tenants.resume(record.id, actor);
    },
    async inviteAdmin(id, person, actor) {
      return parts.accounts.inviteAdmin(await open(await get(id), actor), person, actor);
    },
    delete: remove,
    async restore(id, actor) {
      const record = await get(id);
      if (record.state !== 'deleting') {
        throw conflict('company_not_deleting', 'Only a company that is being deleted can be restored.');
      }
      return tenants.restore(record.id, actor);
    },
  };
}
