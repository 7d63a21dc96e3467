/** How records of the kernel look in answers. Pure. */
import type { z } from 'zod';
import type {
  MigrationPlan as KernelPlan,
  MigrationRun as KernelRun,
  Operation,
  TenantRecord,
} from '../../kernel/tenants/tenants.ts';
import type { Company, CompanyOperation, DatabaseLogLine, MigrationPlan, MigrationRun } from './contract.ts';

type CompanyState = Company['status'];

export function companyView(record: TenantRecord): Company {
  return {
    id: record.id,
    name: record.name,
    slug: record.slug,
    email: record.email,
    // Tombstones are never listed or found.
    status: record.state as CompanyState,
    placement: record.placement.kind,
    database_name: record.placement.unit,
    bucket: record.bucket,
    roles: record.preset,
    region: record.region,
    quota_bytes: record.quotaBytes,
    registration: record.registration,
    schema_version: record.schemaVersion,
    created_at: record.createdAt,
    deleted_at: record.deletedAt,
    purge_after: record.purgeAfter,
  };
}

export function operationView(operation: Operation): z.output<typeof CompanyOperation> {
  return {
    id: operation.id,
    company_id: operation.tenantId,
    verb: operation.verb,
    status: operation.status,
    attempts: operation.attempts,
    actor: operation.actor,
    started_at: operation.startedAt,
    finished_at: operation.finishedAt,
    reason: operation.reason,
    steps: operation.steps.map((step) => ({
      name: step.name,
      status: step.status,
      started_at: step.startedAt,
      finished_at: step.finishedAt,
      reason: step.reason,
    })),
  };
}

/** The journal as lines: one for each step that began, newest first. */
export function logLines(operations: readonly Operation[]): z.output<typeof DatabaseLogLine>[] {
  const lines = operations.flatMap((operation) =>
    operation.steps.flatMap((step) => {
      if (step.startedAt === null) return [];
      const duration = step.finishedAt === null ? null : Date.parse(step.finishedAt) - Date.parse(step.startedAt);
      return [
        {
          at: step.startedAt,
          operation_id: operation.id,
          verb: operation.verb,
          step: step.name,
          status: step.status,
          duration_ms: duration,
          reason: step.reason,
        },
      ];
    }),
  );
  // Steps of one operation stand in order, often within one millisecond: reversing first keeps that order, newest first.
  return lines.reverse().sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0));
}

export function planView(plan: KernelPlan): MigrationPlan {
  return {
    head: plan.head,
    behind: plan.behind,
    items: plan.items.map((item) => ({
      company_id: item.tenantId,
      slug: item.slug,
      from: item.from,
      to: item.to,
    })),
  };
}

export function runView(run: KernelRun): MigrationRun {
  return {
    ...runSummary(run),
    items: run.items.map((item) => ({
      company_id: item.tenantId,
      slug: item.slug,
      placement: item.placement,
      from_version: item.from,
      status: item.status,
      reason: item.reason,
    })),
  };
}

export function runSummary(run: KernelRun): Omit<MigrationRun, 'items'> {
  return {
    id: run.id,
    status: run.status,
    started_at: run.startedAt,
    finished_at: run.finishedAt,
    head: run.head,
    total: run.total,
    done: run.done,
    failed: run.failed,
    skipped: run.skipped,
    reason: run.reason,
  };
}
