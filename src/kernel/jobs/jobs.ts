/**
 * Jobs: work done later, with its tenant attached. Queued in the tenant's own database, in the transaction that
 * wants it; found through a control-side index of tenants with work, so idle tenants are never visited.
 */
import type { TenantTx } from '../database/database.ts';
import type { Tenant } from '../handles.ts';

/** Every kind of job and its payload, by declaration merging. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by declaration merging
export interface JobPayloads {}
export type JobType = keyof JobPayloads & string;

export interface EnqueueOptions {
  /** Not before this time (ms). Default: now. */
  readonly dueAt?: number;
  /** At most one waiting job has this key; a second enqueue keeps the earlier due time. */
  readonly key?: string;
  /** Seals the payload under the tenant's key (mail with links). */
  readonly sealed?: boolean;
}

export interface Jobs {
  enqueue<T extends JobType>(
    tx: TenantTx,
    tenant: Pick<Tenant, 'clock' | 'secrets'>,
    type: T,
    payload: JobPayloads[T],
    options?: EnqueueOptions,
  ): Promise<void>;
  /**
   * Before work outside of the database that a crash would leave half done (bytes that move before their row): durable
   * on return, so that a process that dies leaves a tenant that the next one visits first. Nearly free while the tenant
   * is busy anyway. What it resolves to must be called when the work is over, in whatever way: with a time (ms) where
   * something was left that a visit has to look at.
   * @throws unavailable where the control database is down
   */
  announce(tenant: Pick<Tenant, 'id' | 'clock'>): Promise<(needed?: number) => void>;
}

export interface JobContext {
  readonly attempt: number;
  readonly signal: AbortSignal;
}

export interface JobDefinition<T extends JobType> {
  /** Tries before the job is given up as failed. Default 8, with growing delay. */
  readonly attempts?: number;
  /** Milliseconds after which the signal aborts and the try counts as failed. Default 60,000. */
  readonly timeout?: number;
  /** Throwing retries; resolving completes. Must be idempotent. */
  run(tenant: Tenant, payload: JobPayloads[T], context: JobContext): Promise<void>;
}

export type JobDefinitions = { readonly [T in JobType]?: JobDefinition<T> };

/**
 * Work that comes by itself in each tenant (trash expiry, sweeps): `nextDue` is asked after every visit and the
 * earliest answer becomes the tenant's due time; null when there is nothing to come.
 */
export interface Schedule {
  readonly name: string;
  nextDue(tenant: Tenant): Promise<number | null>;
  run(tenant: Tenant): Promise<void>;
}
