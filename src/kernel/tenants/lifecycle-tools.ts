/** What the verbs of the lifecycle share: their parts, their refusals, and what follows when one has ended. */
import type { AuditService } from '../audit/create-audit.ts';
import type { Clock } from '../clock.ts';
import type { ControlDb, ControlTx } from '../database/database.ts';
import { conflict, notFound, StrongroomError } from '../errors.ts';
import type { FileStores } from '../files/file-store.ts';
import type { Actor, TenantState } from '../handles.ts';
import type { TenantId } from '../ids.ts';
import type { WorkIndex } from '../jobs/work-index.ts';
import type { Logger } from '../log.ts';
import type { Placement, PlacementKind } from '../placements/placement.ts';
import type { Secrets } from '../secrets.ts';
import type { Config } from '../settings.ts';
import type { Locks } from './locks.ts';
import type { OpenTenant } from './open-tenant.ts';
import type { Registry } from './registry.ts';
import { selectById } from './repository.ts';
import type { Runner } from './runner.ts';
import type { StepParts } from './steps.ts';
import type { TenantRecord } from './tenants.ts';

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
  readonly audit: Pick<AuditService, 'recordFleet' | 'open' | 'forget'>;
  readonly work: Pick<WorkIndex, 'mark' | 'reserve' | 'forget'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** The lifecycle may have become due earlier. */
  readonly poke: () => void;
}

export interface LifecycleTools {
  /** A row in the fleet's trail, `company.<action>`. */
  audited(tx: ControlTx, action: string, actor: Actor, id: TenantId): Promise<void>;
  /** The record as this transaction sees it. @throws not_found */
  locked(tx: ControlTx, id: TenantId): Promise<TenantRecord>;
  /** The record of a company that must be there, tombstones included. */
  current(id: TenantId): Promise<TenantRecord>;
  /** The company may have work: the worker visits it, now or in so many ms. Never awaited, never fails. */
  wake(id: TenantId, delay?: number): void;
  /** A verb has ended: the work index learns whether there is a company to visit. */
  over(id: TenantId): Promise<void>;
  /** As soon as their leases end; not awaited. */
  closeConnections(id: TenantId): void;
}

export const system: Actor = { kind: 'system' };

export function createLifecycleTools(parts: LifecycleParts): LifecycleTools {
  const { control, registry, clock, log } = parts;

  function background(promise: Promise<unknown>, id: TenantId, text: string): void {
    promise.catch((error) => log.warn({ err: error, company: id }, text));
  }

  function wake(id: TenantId, delay = 0): void {
    background(parts.work.mark(id, clock.now() + delay), id, 'a company could not be marked as having work');
  }

  return {
    async audited(tx, action, actor, id) {
      await parts.audit.recordFleet(tx, { action: `company.${action}`, actor, target: id, outcome: 'success' });
    },
    async locked(tx, id) {
      const record = await selectById(tx, id);
      if (record === undefined || record.state === 'deleted') throw noCompany();
      return record;
    },
    async current(id) {
      const record = await selectById(control.read, id);
      if (record === undefined) {
        throw new StrongroomError('internal', 'journal_broken', 'An operation has no company.');
      }
      return record;
    },
    wake,
    async over(id) {
      const record = await registry.get(id);
      if (record?.state === 'active') wake(id);
      else if (record?.state === 'deleted') await parts.work.forget(id);
    },
    closeConnections(id) {
      background(parts.connections.closeTenant(id), id, 'the connections of a company could not be closed');
    },
  };
}

export function noCompany(): StrongroomError {
  return notFound('There is no such company.');
}

export function beingDeleted(): StrongroomError {
  return conflict('company_deleting', 'This company is being deleted. Restore it first.');
}

export function isBeingDeleted(record: TenantRecord): boolean {
  return record.state === 'deleting' || record.state === 'purging';
}

const unmade: readonly TenantState[] = ['creating', 'failed'];

/** @throws conflict `company_not_ready` while the company is being made */
export function requireMade(record: TenantRecord): void {
  if (!unmade.includes(record.state)) return;
  throw conflict('company_not_ready', 'This company is not ready yet. See its operations.');
}

/** @throws conflict `company_not_ready` | `company_deleting` */
export function requireLiving(record: TenantRecord): void {
  requireMade(record);
  if (isBeingDeleted(record)) throw beingDeleted();
}

/** What the caller is told about an attempt that failed: a refusal as it is, anything else as "it goes on". */
export function attemptError(error: unknown, id: TenantId): StrongroomError {
  if (error instanceof StrongroomError && error.kind !== 'unavailable' && error.kind !== 'internal') return error;
  const text = 'The operation was interrupted. It goes on in the background; see the operations of the company.';
  const options = { retryAfter: 5, cause: error, extra: { company_id: id } };
  return new StrongroomError('unavailable', 'operation_interrupted', text, options);
}
