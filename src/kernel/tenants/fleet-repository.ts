/** Every SQL statement about fleet migrations: runs and their results per company. Decides nothing. */
import type { ControlReader, ControlTx } from '../database/database.ts';
import type { TenantId } from '../ids.ts';
import type { PlacementKind } from '../placements/placement.ts';
import type { Lease } from './journal.ts';
import './tables.ts';
import { slicesOf } from '../slices.ts';
import type { MigrationRunTable } from './tables.ts';
import type { MigrationRun } from './tenants.ts';

export interface ResultRow {
  readonly position: number;
  readonly tenantId: TenantId;
  readonly slug: string;
  /** Null where the company is gone. */
  readonly placement: PlacementKind | null;
  status: MigrationRun['items'][number]['status'];
  reason: string | null;
  readonly from: number;
}

export interface RunRow {
  readonly id: string;
  readonly head: number;
  readonly concurrency: number;
  readonly canary: number;
  readonly maxFailures: number;
  readonly actor: string;
}

/** Rows of one INSERT: eight columns each, below the smallest limit of variables (32,766 on SQLite). */
const chunk = 1_000;

export async function insertRun(
  tx: ControlTx,
  run: RunRow & { startedAt: string; status: MigrationRun['status']; lease: Lease },
  results: readonly ResultRow[],
): Promise<void> {
  await tx
    .insertInto('migration_runs')
    .values({
      id: run.id,
      status: run.status,
      actor: run.actor,
      started_at: run.startedAt,
      finished_at: run.status === 'running' ? null : run.startedAt,
      head: run.head,
      total: results.length,
      concurrency: run.concurrency,
      canary: run.canary,
      max_failures: run.maxFailures,
      stop_requested: 0,
      reason: null,
      lease_owner: run.lease.owner,
      lease_until: run.lease.until,
    })
    .execute();
  for (const some of slicesOf(results, chunk)) {
    await tx
      .insertInto('migration_results')
      .values(
        some.map((row) => ({
          run_id: run.id,
          position: row.position,
          tenant_id: row.tenantId,
          slug: row.slug,
          status: row.status,
          reason: row.reason,
          from_version: row.from,
          finished_at: null,
        })),
      )
      .execute();
  }
}

/** Of companies that came to the same: at most as many as a statement takes values. */
export async function writeResults(
  tx: ControlTx,
  runId: string,
  positions: readonly number[],
  came: Pick<ResultRow, 'status' | 'reason'> & { readonly at: string | null },
): Promise<void> {
  await tx
    .updateTable('migration_results')
    .set({ status: came.status, reason: came.reason, finished_at: came.at })
    .where('run_id', '=', runId)
    .where('position', 'in', positions)
    .execute();
}

/** Ends a run; what was not begun is skipped. */
export async function endRun(
  tx: ControlTx,
  runId: string,
  end: { status: MigrationRun['status']; at: string; reason: string | null },
): Promise<void> {
  await tx
    .updateTable('migration_runs')
    .set({ status: end.status, finished_at: end.at, reason: end.reason, lease_owner: null, lease_until: null })
    .where('id', '=', runId)
    .execute();
  await tx
    .updateTable('migration_results')
    .set({ status: 'skipped', reason: end.reason })
    .where('run_id', '=', runId)
    .where('status', 'in', ['waiting', 'running'])
    .execute();
}

export async function requestStop(tx: ControlTx, runId: string): Promise<void> {
  await tx
    .updateTable('migration_runs')
    .set({ stop_requested: 1 })
    .where('id', '=', runId)
    .where('status', '=', 'running')
    .execute();
}

export async function selectRunningRun(reader: ControlReader | ControlTx): Promise<MigrationRunTable | undefined> {
  return reader.selectFrom('migration_runs').selectAll().where('status', '=', 'running').executeTakeFirst();
}

export async function takeRun(
  tx: ControlTx,
  run: MigrationRunTable,
  take: { lease: Lease; now: string; exclusive: boolean },
): Promise<boolean> {
  const held = run.lease_owner !== null && run.lease_owner !== take.lease.owner && (run.lease_until ?? '') > take.now;
  if (held && !take.exclusive) return false;
  const updated = await tx
    .updateTable('migration_runs')
    .set({ lease_owner: take.lease.owner, lease_until: take.lease.until })
    .where('id', '=', run.id)
    .where('status', '=', 'running')
    .executeTakeFirst();
  return Number(updated.numUpdatedRows) === 1;
}

/** False where the run is over, or another process has taken it. */
export async function renewRun(tx: ControlTx, runId: string, lease: Lease): Promise<boolean> {
  const updated = await tx
    .updateTable('migration_runs')
    .set({ lease_until: lease.until })
    .where('id', '=', runId)
    .where('status', '=', 'running')
    .where('lease_owner', '=', lease.owner)
    .executeTakeFirst();
  return Number(updated.numUpdatedRows) === 1;
}

/** Whether the run goes on and this process has it. */
export async function holdsRun(tx: ControlTx, runId: string, owner: string): Promise<boolean> {
  const row = await tx
    .selectFrom('migration_runs')
    .select('id')
    .where('id', '=', runId)
    .where('status', '=', 'running')
    .where('lease_owner', '=', owner)
    .executeTakeFirst();
  return row !== undefined;
}

/** Whether an operator has asked for its end. */
export async function isStopRequested(reader: ControlReader, runId: string): Promise<boolean> {
  const row = await reader
    .selectFrom('migration_runs')
    .select('stop_requested')
    .where('id', '=', runId)
    .executeTakeFirst();
  return row?.stop_requested === 1;
}

/** Companies of which the newest run that got to them says that they failed. */
export async function selectFailedLast(reader: ControlReader): Promise<ReadonlySet<TenantId>> {
  const rows = await reader
    .selectFrom('migration_results')
    .innerJoin('migration_runs', 'migration_runs.id', 'migration_results.run_id')
    .select(['migration_results.tenant_id as id', 'migration_results.status as status'])
    .where('migration_results.status', 'in', ['done', 'failed'])
    .orderBy('migration_runs.started_at')
    .orderBy('migration_runs.id')
    .execute();
  const failed = new Set<TenantId>();
  for (const { id, status } of rows) {
    if (status === 'failed') failed.add(id as TenantId);
    else failed.delete(id as TenantId);
  }
  return failed;
}

export async function selectResults(reader: ControlReader | ControlTx, runId: string): Promise<ResultRow[]> {
  const rows = await reader
    .selectFrom('migration_results')
    .leftJoin('tenants', 'tenants.id', 'migration_results.tenant_id')
    .selectAll('migration_results')
    .select('tenants.placement as placement')
    .where('run_id', '=', runId)
    .orderBy('position')
    .execute();
  return rows.map((row) => ({
    position: row.position,
    tenantId: row.tenant_id as TenantId,
    slug: row.slug,
    placement: row.placement,
    status: row.status,
    reason: row.reason,
    from: row.from_version,
  }));
}

export async function releaseRun(tx: ControlTx, runId: string): Promise<void> {
  await tx
    .updateTable('migration_runs')
    .set({ lease_owner: null, lease_until: null })
    .where('id', '=', runId)
    .execute();
}

export async function selectRun(reader: ControlReader, id: string): Promise<MigrationRun | undefined> {
  const run = await reader.selectFrom('migration_runs').selectAll().where('id', '=', id).executeTakeFirst();
  if (run === undefined) return undefined;
  const results = await selectResults(reader, id);
  return withResults(toRun(run), results);
}

/** What a run says of its companies: counts, and each. */
export function withResults(run: MigrationRun, results: readonly ResultRow[]): MigrationRun {
  const count = (status: ResultRow['status']) => results.filter((result) => result.status === status).length;
  const items = results.map(({ tenantId, slug, placement, status, reason, from }) => {
    return { tenantId, slug, placement, status, reason, from };
  });
  return { ...run, done: count('done'), failed: count('failed'), skipped: count('skipped'), items };
}

/** Newest first, with counts; the companies of each are left out. */
export async function selectRunList(reader: ControlReader, limit: number): Promise<readonly MigrationRun[]> {
  const runs = await reader
    .selectFrom('migration_runs')
    .selectAll()
    .orderBy('started_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();
  if (runs.length === 0) return [];
  const counts = await reader
    .selectFrom('migration_results')
    .select(({ fn }) => ['run_id', 'status', fn.countAll<number | string>().as('count')])
    .where(
      'run_id',
      'in',
      runs.map((run) => run.id),
    )
    .groupBy(['run_id', 'status'])
    .execute();
  const count = (id: string, status: ResultRow['status']) =>
    Number(counts.find((row) => row.run_id === id && row.status === status)?.count ?? 0);
  return runs.map((run) => ({
    ...toRun(run),
    done: count(run.id, 'done'),
    failed: count(run.id, 'failed'),
    skipped: count(run.id, 'skipped'),
  }));
}

function toRun(run: MigrationRunTable): MigrationRun {
  return {
    id: run.id,
    status: run.status,
    startedAt: run.started_at,
    finishedAt: run.finished_at,
    head: run.head,
    total: run.total,
    done: 0,
    failed: 0,
    skipped: 0,
    reason: run.reason,
    items: [],
  };
}

/** Companies that are behind `head` and whose newest result is a failure. */
export async function countFailedBehind(reader: ControlReader, head: number): Promise<number> {
  const row = await reader
    .selectFrom('tenants')
    .innerJoin('migration_results', 'migration_results.tenant_id', 'tenants.id')
    .select(({ fn }) => fn.count<number | string>('tenants.id').distinct().as('count'))
    .where('tenants.state', 'in', ['active', 'suspended'])
    .where('tenants.schema_version', '<', head)
    .where('migration_results.status', '=', 'failed')
    .executeTakeFirstOrThrow();
  return Number(row.count);
}
