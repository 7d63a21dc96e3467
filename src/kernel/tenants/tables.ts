/** Tables of the registry, the journal and fleet migrations. All of them stand in the control database. */
import type { TenantState } from '../handles.ts';
import type { PlacementKind } from '../placements/placement.ts';
import type { Preset } from '../roles.ts';
import type { MigrationRun, OperationStatus, Verb } from './tenants.ts';

/** One company. A tombstone (`deleted`) keeps id and state; everything else of it is null or zero. */
export interface TenantTable {
  id: string;
  state: TenantState;
  /** Names and addresses are not unique; the slug is, among everything that is not a tombstone (null is distinct). */
  name: string | null;
  slug: string | null;
  email: string | null;
  /** Name in lower case: what lists sort by. */
  sort_name: string | null;
  /** Name, slug and address in lower case, a line each: what `q` looks in. */
  search: string | null;
  preset: Preset | null;
  region: string | null;
  quota_bytes: number | string | null;
  registration: 'open' | 'closed' | null;
  placement: PlacementKind | null;
  unit: string | null;
  server: string | null;
  generation: number;
  bucket: string | null;
  /** The data key, wrapped; null once it is destroyed. */
  wrapped_key: string | null;
  schema_version: number;
  fingerprint: string | null;
  created_at: string | null;
  deleted_at: string | null;
  purge_after: string | null;
  /** What a restore goes back to; null while it is not being deleted. */
  restore_state: TenantState | null;
}

/** The journal: one verb on one company. */
export interface OperationTable {
  id: string;
  tenant_id: string;
  verb: Verb;
  status: OperationStatus;
  attempts: number;
  /** As the audit trail writes actors: `operator:oper_…`, `host`, `system`. */
  actor: string;
  started_at: string;
  finished_at: string | null;
  reason: string | null;
  /** Input of the verb, sealed under the company's key; wiped at the end. */
  payload: string | null;
  /** Once set, the operation goes backwards: what it made is removed. */
  undoing: number;
  /** Who runs it (process and a random part) and until when nobody else may. */
  lease_owner: string | null;
  lease_until: string | null;
  /** Not before this time again, after a failure. */
  retry_at: string | null;
}

export interface OperationStepTable {
  operation_id: string;
  position: number;
  name: string;
  status: 'pending' | 'running' | 'done' | 'failed' | 'undone';
  started_at: string | null;
  finished_at: string | null;
  reason: string | null;
}

/** One run of the fleet migration. */
export interface MigrationRunTable {
  id: string;
  status: MigrationRun['status'];
  actor: string;
  started_at: string;
  finished_at: string | null;
  head: number;
  total: number;
  concurrency: number;
  canary: number;
  max_failures: number;
  stop_requested: number;
  /** Why it ended early; safe to show. */
  reason: string | null;
  lease_owner: string | null;
  lease_until: string | null;
}

export interface MigrationResultTable {
  run_id: string;
  position: number;
  tenant_id: string;
  slug: string;
  status: MigrationRun['items'][number]['status'];
  reason: string | null;
  from_version: number;
  finished_at: string | null;
}

/** Which company changed last, by a number that rises with every commit; written on PostgreSQL alone. */
export interface TenantChangeTable {
  tenant_id: string;
  seq: number;
}

/** What is said once of the whole installation. */
export interface InstallationTable {
  key: 'key_check' | 'sqlite_folder';
  value: string;
}

/** What was counted in a company when its documents last changed. Bytes are logical, as the quota counts them. */
export interface TenantFiguresTable {
  tenant_id: string;
  documents: number | string;
  bytes: number | string;
  database_bytes: number | string;
  counted_at: string;
}

/** The same by day (UTC), as it stood at the last count of that day. */
export interface TenantDayTable {
  tenant_id: string;
  /** `2026-11-21`. */
  day: string;
  /** Documents made on that day. */
  added: number | string;
  /** Null on a day that was only counted afterwards. */
  documents: number | string | null;
  bytes: number | string | null;
  database_bytes: number | string | null;
}

declare module '../database/tables.ts' {
  interface ControlTables {
    tenant_figures: TenantFiguresTable;
    tenant_days: TenantDayTable;
    tenant_changes: TenantChangeTable;
    installation: InstallationTable;
    tenants: TenantTable;
    operations: OperationTable;
    operation_steps: OperationStepTable;
    migration_runs: MigrationRunTable;
    migration_results: MigrationResultTable;
  }
}
