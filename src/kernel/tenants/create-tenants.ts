/** `Tenants` as one object: the registry's questions, handles, and the verbs of the lifecycle. */
import type { ControlDb } from '../database/database.ts';
import { notFound, StrongroomError, unauthenticated, unavailable } from '../errors.ts';
import type { Actor, Tenant } from '../handles.ts';
import type { TenantId } from '../ids.ts';
import { type Placement, type PlacementKind, placementKinds } from '../placements/placement.ts';
import { notOnCitus } from '../placements/postgres-citus.ts';
import { selectOperations } from './journal.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { OpenTenant } from './open-tenant.ts';
import type { Registry } from './registry.ts';
import { countByState, countTenants, selectPage } from './repository.ts';
import type { TenantRecord, Tenants } from './tenants.ts';

export interface TenantsParts {
  readonly control: ControlDb;
  readonly registry: Registry;
  readonly lifecycle: Lifecycle;
  readonly openTenant: OpenTenant;
  readonly placementOf: (record: TenantRecord) => Placement;
  readonly placements: Partial<Record<PlacementKind, Placement>>;
  /** Whether this process can make companies of this kind now. */
  readonly serves: (kind: PlacementKind) => boolean;
  /** Tenants with fewer migrations than this are not served. */
  readonly oldestServed: () => number;
}

export function createTenants(parts: TenantsParts): Tenants {
  const { control, registry, lifecycle, openTenant, placementOf } = parts;

  function requireServed(record: TenantRecord | undefined): TenantRecord {
    if (record === undefined) throw notFound('There is no such company.');
    switch (record.state) {
      case 'active':
        break;
      case 'creating':
      case 'failed':
        throw unavailable('company_unavailable', 'This company is not ready yet. Try again in a moment.');
      default:
        throw unauthenticated('This company is suspended or gone.', 'company_suspended');
    }
    if (record.schemaVersion < parts.oldestServed()) {
      throw unavailable('company_unavailable', 'This company is being upgraded. Try again in a moment.');
    }
    return record;
  }

  async function open(id: TenantId, actor: Actor): Promise<Tenant> {
    return openTenant(requireServed(registry.cached(id) ?? (await registry.get(id))), actor);
  }

  async function placed(id: TenantId): Promise<TenantRecord> {
    const record = await registry.get(id);
    if (record === undefined || record.state === 'deleted') throw notFound('There is no such company.');
    return record;
  }

  return {
    get: registry.get,
    find: registry.find,
    list: (page) =>
      selectPage(control.read, {
        limit: page.limit,
        filter: page.filter ?? {},
        sort: page.sort ?? 'created_at',
        ...(page.after === undefined ? {} : { after: page.after }),
      }),
    count: (filter = {}) => countTenants(control.read, filter),
    countByState: () => countByState(control.read),
    update: lifecycle.update,
    open,
    openAny: openTenant,
    create: lifecycle.create,
    suspend: lifecycle.suspend,
    resume: lifecycle.resume,
    delete: lifecycle.delete,
    restore: lifecycle.restore,
    purge: lifecycle.purge,
    abandon: lifecycle.abandon,
    operations: (id) => selectOperations(control.read, { tenantId: id }),
    operation: async (id) => (await selectOperations(control.read, { id }))[0],
    offered: () =>
      placementKinds.flatMap((kind) => {
        const placement = parts.placements[kind];
        return placement !== undefined && parts.serves(kind) ? [{ kind, regions: placement.regions ?? [] }] : [];
      }),
    async databaseBytes(id) {
      const record = await placed(id);
      return guarded(() => placementOf(record).size(record.placement));
    },
    async node(id) {
      const record = await placed(id);
      return guarded(async () => (await placementOf(record).node?.(record.placement)) ?? null);
    },
    async moveToNode(id, node) {
      const record = await placed(id);
      const placement = placementOf(record);
      if (placement.moveToNode === undefined) throw notOnCitus();
      return guarded(() => placement.moveToNode!(record.placement, node));
    },
    async inspect(id) {
      const record = await placed(id);
      return guarded(() => placementOf(record).inspect(record.placement));
    },
  };
}

/** What a database throws of its own becomes "does not answer"; the cause is for the log. */
async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StrongroomError) throw error;
    throw unavailable('company_unavailable', 'The database of this company does not answer.', 5, error);
  }
}
