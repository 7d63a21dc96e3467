/** Every SQL statement about the journal: operations with their steps. Decides nothing. */
import type { ControlReader, ControlTx } from '../database/database.ts';
import { unavailable } from '../errors.ts';
import type { TenantId } from '../ids.ts';
import './tables.ts';
import type { OperationStepTable, OperationTable } from './tables.ts';
import type { Operation, OperationStatus, Verb } from './tenants.ts';

/** A step as the journal has it; kept in memory while its operation runs. */
export interface StepRow {
  readonly name: string;
  status: OperationStepTable['status'];
  startedAt: string | null;
  finishedAt: string | null;
  reason: string | null;
}

/** An operation that may be gone on with. */
export interface OpenOperation {
  readonly id: string;
  readonly tenantId: TenantId;
  readonly verb: Verb;
  readonly attempts: number;
  readonly undoing: boolean;
  readonly payload: string | null;
  readonly retryAt: string | null;
  /** Who holds it, and until when; of operations that were read. */
  readonly lease?: Lease | null;
}

export function pendingStep(name: string): StepRow {
  return { name, status: 'pending', startedAt: null, finishedAt: null, reason: null };
}

/** Which process works on an operation, and until when (ISO) nobody else may. */
export interface Lease {
  readonly owner: string;
  readonly until: string;
}

/** An operation as it is written down first, with its steps. */
export interface NewOperation {
  readonly id: string;
  readonly tenantId: TenantId;
  readonly verb: Verb;
  readonly status: OperationStatus;
  readonly actor: string;
  readonly startedAt: string;
  /** Of one that is over already. Default: at once. */
  readonly finishedAt?: string;
  readonly payload?: string | null;
  readonly lease?: Lease;
  readonly reason?: string | null;
  readonly steps: readonly StepRow[];
}

/** Up to some hundred, in two statements. */
export async function insertOperations(tx: ControlTx, operations: readonly NewOperation[]): Promise<void> {
  if (operations.length === 0) return;
  const rows = tx
    .insertInto('operations')
    .values(
      operations.map((operation) => ({
        id: operation.id,
        tenant_id: operation.tenantId,
        verb: operation.verb,
        status: operation.status,
        attempts: 1,
        actor: operation.actor,
        started_at: operation.startedAt,
        finished_at: operation.status === 'running' ? null : (operation.finishedAt ?? operation.startedAt),
        reason: operation.reason ?? null,
        payload: operation.payload ?? null,
        undoing: 0,
        lease_owner: operation.lease?.owner ?? null,
        lease_until: operation.lease?.until ?? null,
        retry_at: null,
      })),
    )
    .execute();
  // Sent together: they travel in one message and run in this order.
  await Promise.all([rows, writeStepsOf(tx, operations)]);
}

/** All steps of an operation as they are now, in one statement. */
export function writeSteps(tx: ControlTx, id: string, steps: readonly StepRow[]): Promise<void> {
  return writeStepsOf(tx, [{ id, steps }]);
}

async function writeStepsOf(tx: ControlTx, operations: readonly Pick<NewOperation, 'id' | 'steps'>[]): Promise<void> {
  const rows = operations.flatMap(({ id, steps }) =>
    steps.map((step, position) => ({
      operation_id: id,
      position,
      name: step.name,
      status: step.status,
      started_at: step.startedAt,
      finished_at: step.finishedAt,
      reason: step.reason,
    })),
  );
  if (rows.length === 0) return;
  await tx
    .insertInto('operation_steps')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['operation_id', 'position']).doUpdateSet((row) => ({
        status: row.ref('excluded.status'),
        started_at: row.ref('excluded.started_at'),
        finished_at: row.ref('excluded.finished_at'),
        reason: row.ref('excluded.reason'),
      })),
    )
    .execute();
}

/** The operation is over: lease and payload go with it. */
export async function finishOperation(
  tx: ControlTx,
  id: string,
  end: { status: OperationStatus; at: string; reason?: string | null },
): Promise<void> {
  await tx
    .updateTable('operations')
    .set({
      status: end.status,
      finished_at: end.at,
      payload: null,
      lease_owner: null,
      lease_until: null,
      retry_at: null,
      ...(end.reason === undefined ? {} : { reason: end.reason }),
    })
    .where('id', '=', id)
    .execute();
}

/** The attempt failed; another may begin at `retryAt`. */
export async function releaseOperation(
  tx: ControlTx,
  id: string,
  failure: { reason: string; retryAt: string; undoing: boolean },
): Promise<void> {
  await tx
    .updateTable('operations')
    .set({
      reason: failure.reason,
      retry_at: failure.retryAt,
      undoing: failure.undoing ? 1 : 0,
      lease_owner: null,
      lease_until: null,
    })
    .where('id', '=', id)
    .execute();
}

/** From here on the operation only goes backwards. Its input is not needed for that. */
export async function turnBack(tx: ControlTx, id: string, reason: string): Promise<void> {
  await tx.updateTable('operations').set({ undoing: 1, payload: null, reason }).where('id', '=', id).execute();
}

/**
 * Takes the lease for another attempt. Undefined where the operation is over, or another process holds it.
 * `exclusive`: this process alone owns the control database, so whoever held a lease before is gone.
 */
export async function takeOperation(
  tx: ControlTx,
  id: string,
  take: { lease: Lease; now: string; exclusive: boolean },
): Promise<OpenOperation | undefined> {
  const row = await tx.selectFrom('operations').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined || row.status !== 'running') return undefined;
  const held = row.lease_owner !== null && row.lease_owner !== take.lease.owner && (row.lease_until ?? '') > take.now;
  if (held && !take.exclusive) return undefined;
  const updated = await tx
    .updateTable('operations')
    .set({ attempts: row.attempts + 1, lease_owner: take.lease.owner, lease_until: take.lease.until, retry_at: null })
    .where('id', '=', id)
    .where('status', '=', 'running')
    .where('attempts', '=', row.attempts)
    .executeTakeFirst();
  if (Number(updated.numUpdatedRows) !== 1) return undefined;
  return { ...toOpen(row), attempts: row.attempts + 1 };
}

export async function renewLeases(tx: ControlTx, ids: readonly string[], lease: Lease): Promise<void> {
  await tx
    .updateTable('operations')
    .set({ lease_until: lease.until })
    .where('id', 'in', [...ids])
    .where('lease_owner', '=', lease.owner)
    .execute();
}

function toOpen(row: OperationTable): OpenOperation {
  return {
    id: row.id,
    tenantId: row.tenant_id as TenantId,
    verb: row.verb,
    attempts: row.attempts,
    undoing: row.undoing === 1,
    payload: row.payload,
    retryAt: row.retry_at,
    lease: row.lease_owner === null ? null : { owner: row.lease_owner, until: row.lease_until ?? '' },
  };
}

export async function isRunning(tx: ControlTx, id: string): Promise<boolean> {
  const row = await tx.selectFrom('operations').select('status').where('id', '=', id).executeTakeFirst();
  return row?.status === 'running';
}

/**
 * That this process still holds the operation. Asked in every commit of an attempt where several processes share the
 * control database: who was held up for longer than its lease must not go on beside its successor.
 * @throws unavailable `lease_lost`
 */
export async function requireLease(tx: ControlTx, id: string, owner: string): Promise<void> {
  const row = await tx.selectFrom('operations').select('lease_owner').where('id', '=', id).executeTakeFirst();
  if (row?.lease_owner === owner) return;
  throw unavailable('lease_lost', 'Another process goes on with this operation.');
}

/** Everything that is not over, oldest first: the partial index over running operations holds little else. */
export async function selectOpenOperations(reader: ControlReader): Promise<readonly OpenOperation[]> {
  const rows = await reader
    .selectFrom('operations')
    .selectAll()
    .where('status', '=', 'running')
    .orderBy('id')
    .execute();
  return rows.map(toOpen);
}

export async function selectOpenOperation(
  reader: ControlReader | ControlTx,
  tenantId: TenantId,
): Promise<OpenOperation | undefined> {
  const row = await reader
    .selectFrom('operations')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('status', '=', 'running')
    .executeTakeFirst();
  return row === undefined ? undefined : toOpen(row);
}

/** The id of the newest operation of this verb. */
export async function newestOperation(
  reader: ControlReader | ControlTx,
  tenantId: TenantId,
  verb: Verb,
): Promise<string | undefined> {
  const row = await reader
    .selectFrom('operations')
    .select('id')
    .where('tenant_id', '=', tenantId)
    .where('verb', '=', verb)
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.id;
}

export async function selectOperations(
  reader: ControlReader,
  by: { tenantId: TenantId } | { id: string },
): Promise<readonly Operation[]> {
  const base = reader.selectFrom('operations').selectAll();
  const rows = await ('id' in by ? base.where('id', '=', by.id) : base.where('tenant_id', '=', by.tenantId))
    .orderBy('id')
    .execute();
  if (rows.length === 0) return [];
  const steps = await reader
    .selectFrom('operation_steps')
    .selectAll()
    .where(
      'operation_id',
      'in',
      rows.map((row) => row.id),
    )
    .orderBy('operation_id')
    .orderBy('position')
    .execute();
  return rows.map((row) =>
    toOperation(
      row,
      steps.filter((step) => step.operation_id === row.id),
    ),
  );
}

function toOperation(row: OperationTable, steps: readonly OperationStepTable[]): Operation {
  return {
    id: row.id,
    tenantId: row.tenant_id as TenantId,
    verb: row.verb,
    status: row.status,
    attempts: row.attempts,
    actor: row.actor,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    reason: row.reason,
    steps: steps.map((step) => ({
      name: step.name,
      status: step.status,
      startedAt: step.started_at,
      finishedAt: step.finished_at,
      reason: step.reason,
    })),
  };
}
