/**
 * What modules and the server see of the fleet of tenants: the registry, handles, and the verbs of the lifecycle.
 * Implemented by the files beside this one; everything durable about a verb is in the journal.
 */
import type { Actor, Tenant, TenantState } from '../handles.ts';
import type { TenantId } from '../ids.ts';
import type { PlacementKind, PlacementRef, PlacementState } from '../placements/placement.ts';
import type { Preset } from '../roles.ts';

/** A company as the control database knows it. */
export interface TenantRecord {
  readonly id: TenantId;
  readonly name: string;
  readonly slug: string;
  readonly email: string;
  readonly state: TenantState;
  readonly preset: Preset;
  readonly region: string | null;
  readonly quotaBytes: number | null;
  readonly registration: 'open' | 'closed';
  readonly placement: PlacementRef;
  readonly bucket: string;
  /** The data key, wrapped by the ring. */
  readonly wrappedKey: string;
  /** Number of tenant migrations applied, and the fingerprint they gave; 0 and null before the first. */
  readonly schemaVersion: number;
  readonly fingerprint: string | null;
  readonly createdAt: string;
  /** When deletion was asked for, and when the grace period ends; null while it is not being deleted. */
  readonly deletedAt: string | null;
  readonly purgeAfter: string | null;
}

export interface CreateTenant {
  readonly name: string;
  readonly email: string;
  /** Asked for by name: taken is a conflict. Left out: made from the name, with a suffix where taken. */
  readonly slug?: string;
  readonly placement?: PlacementKind;
  readonly region?: string;
  readonly quotaBytes?: number | null;
  readonly preset?: Preset;
  /** Input of the modules' provisioning steps by step name; kept sealed in the journal, wiped at the end. */
  readonly provisioning?: Readonly<Record<string, unknown>>;
}

export type Verb = 'create' | 'migrate' | 'suspend' | 'resume' | 'delete' | 'restore' | 'purge';
export type OperationStatus = 'running' | 'succeeded' | 'failed' | 'undone';

/** One row of the journal with its steps. */
export interface Operation {
  readonly id: string;
  readonly tenantId: TenantId;
  readonly verb: Verb;
  readonly status: OperationStatus;
  readonly attempts: number;
  readonly actor: string;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  /** Why the last attempt failed; safe to show to operators. */
  readonly reason: string | null;
  readonly steps: readonly {
    readonly name: string;
    readonly status: 'pending' | 'running' | 'done' | 'failed' | 'undone';
    readonly startedAt: string | null;
    readonly finishedAt: string | null;
    readonly reason: string | null;
  }[];
}

export interface TenantFilter {
  readonly q?: string;
  readonly state?: TenantState;
  readonly placement?: PlacementKind;
}

export interface Tenants {
  /** By id; cached, at most 5 s old where several processes share the control database, exact otherwise. */
  get(id: TenantId): Promise<TenantRecord | undefined>;
  /** By id or slug, whatever the state but `deleted`. */
  find(idOrSlug: string): Promise<TenantRecord | undefined>;
  /** Keyset page over `sort`, tombstones left out. */
  list(page: {
    limit: number;
    filter?: TenantFilter;
    sort?: 'created_at' | '-created_at' | 'name' | '-name';
    after?: readonly string[];
  }): Promise<{ items: readonly TenantRecord[]; next: readonly string[] | null }>;
  count(filter?: TenantFilter): Promise<number>;
  countByState(): Promise<Readonly<Record<string, number>>>;
  update(
    id: TenantId,
    change: { name?: string; email?: string; registration?: 'open' | 'closed'; quotaBytes?: number | null },
    actor: Actor,
  ): Promise<TenantRecord>;

  /**
   * A handle for an active tenant. Cheap, and holds no connection.
   * @throws not_found (no such tenant), unavailable `company_unavailable` (being made, below the served version)
   * @throws unauthenticated `company_suspended` (suspended, deleting or gone)
   */
  open(id: TenantId, actor: Actor): Promise<Tenant>;
  /** A handle whatever the state, for lifecycle, doctor and operators' statistics. Never for requests of members. */
  openAny(record: TenantRecord, actor: Actor): Tenant;

  /**
   * Runs the whole creation and answers when the company is active (or the attempt failed, which the journal goes on
   * with). `started` is called once the operation is durable, for callers who do not want to wait.
   */
  create(
    input: CreateTenant,
    actor: Actor,
    started?: (operationId: string, record: TenantRecord) => void,
  ): Promise<{ record: TenantRecord; operationId: string }>;
  suspend(id: TenantId, actor: Actor): Promise<TenantRecord>;
  resume(id: TenantId, actor: Actor): Promise<TenantRecord>;
  /** State `deleting` at once; again during the grace gives the same operation. */
  delete(id: TenantId, actor: Actor): Promise<{ operationId: string; record: TenantRecord }>;
  restore(id: TenantId, actor: Actor): Promise<TenantRecord>;
  /** Removes everything now, grace or not. Resolves when nothing is left but the tombstone. */
  purge(id: TenantId, actor: Actor): Promise<{ operationId: string }>;
  /** Gives a creation up and undoes what it made. */
  abandon(id: TenantId, actor: Actor): Promise<void>;
  operations(id: TenantId): Promise<readonly Operation[]>;
  /** Where this process can place a new company, with the regions among which its placement can choose. */
  offered(): readonly { readonly kind: PlacementKind; readonly regions: readonly string[] }[];
  /** Bytes that the tenant's database takes (`Placement.size`). @throws unavailable */
  databaseBytes(id: TenantId): Promise<number>;
  /** What is really there, read past every pool (`Placement.inspect`): for the operator's test of a database. */
  inspect(id: TenantId): Promise<PlacementState>;
  /** The machine that the database is on (`Placement.node`); null where there is but one. @throws unavailable */
  node(id: TenantId): Promise<string | null>;
  /** `Placement.moveToNode`; may take minutes. @returns the node's name @throws conflict `not_on_citus` */
  moveToNode(id: TenantId, node: string): Promise<string>;
  operation(operationId: string): Promise<Operation | undefined>;
}

/** Open connections to tenant databases. */
export interface Connections {
  list(): readonly {
    readonly tenantId: TenantId;
    readonly open: number;
    readonly leased: number;
    readonly idleSince: string | null;
  }[];
  readonly open: number;
  readonly budget: number;
  readonly waiting: number;
  /** Closes a tenant's connections as soon as their leases end. */
  closeTenant(id: TenantId): Promise<void>;
  closeAll(): Promise<void>;
}

export interface MigrationPlan {
  readonly head: number;
  readonly behind: number;
  readonly items: readonly {
    readonly tenantId: TenantId;
    readonly slug: string;
    readonly from: number;
    readonly to: number;
  }[];
}

export interface MigrationRun {
  readonly id: string;
  readonly status: 'running' | 'succeeded' | 'failed' | 'stopped';
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly head: number;
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  /** Not begun when the run ended, or not there any more. */
  readonly skipped: number;
  /** Why it ended before every company had its turn; safe to show. */
  readonly reason: string | null;
  readonly items: readonly {
    readonly tenantId: TenantId;
    readonly slug: string;
    /** Null where the company is gone. */
    readonly placement: PlacementKind | null;
    readonly status: 'waiting' | 'running' | 'done' | 'failed' | 'skipped';
    readonly reason: string | null;
    /** Number of migrations that it had before. */
    readonly from: number;
  }[];
}

export interface Fleet {
  /** Number of tenant migrations this release has. */
  readonly head: number;
  /** One control query; opens no tenant. */
  counts(): Promise<{ head: number; behind: number; failed: number }>;
  plan(only?: readonly TenantId[]): Promise<MigrationPlan>;
  /** Starts a run, or gives the one that is running (then `already` is true). */
  start(
    options: {
      only?: readonly TenantId[];
      concurrency?: number;
      /** So many first, spread over the placements; all of them must succeed before any other is touched. */
      canary?: number;
      /** More failures than this end the run. Default: 5, or a tenth of the companies where that is more. */
      maxFailures?: number;
      /** The same as a share of the companies of the run, 0 to 1. Where both are given the smaller one counts. */
      maxFailureShare?: number;
    },
    actor: Actor,
  ): Promise<{ run: MigrationRun; already: boolean }>;
  wait(id: string, progress?: (run: MigrationRun) => void): Promise<MigrationRun>;
  get(id: string): Promise<MigrationRun | undefined>;
  list(limit: number): Promise<readonly MigrationRun[]>;
  stop(id: string): Promise<void>;
  /** Visits tenants with bounded concurrency; one that fails does not stop the others. */
  visit<T>(
    ids: readonly TenantId[],
    work: (tenant: Tenant) => Promise<T>,
    options?: { concurrency?: number },
  ): Promise<readonly { readonly tenantId: TenantId; readonly value?: T; readonly error?: unknown }[]>;
}

export interface DoctorFinding {
  readonly subject: string;
  readonly problem: string;
  readonly repair: string | null;
  readonly repaired: boolean;
}

export interface Doctor {
  /** Settles what a crash left, finds orphans, drift, missing objects. With `repair` mends what is safe to mend. */
  examine(options: { repair: boolean; only?: readonly TenantId[]; deep?: boolean }): Promise<readonly DoctorFinding[]>;
}
