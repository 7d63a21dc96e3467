/** Tables of the job queue (in each tenant's database) and of the work index (in the control database). */

export interface JobTable {
  id: string;
  type: string;
  /** At most one waiting job has this key; null where none was given. */
  dedupe_key: string | null;
  /** JSON, or sealed JSON where `sealed` is 1. */
  payload: string;
  sealed: number;
  due_at: string;
  /** Tries begun so far. */
  attempts: number;
  /** Who runs it, and until when nobody else may; both null while it waits. */
  owner: string | null;
  locked_until: string | null;
  /** Safe text about the last failure. */
  last_error: string | null;
  /** Set once it was given up. */
  failed_at: string | null;
  created_at: string;
}

export interface TenantWorkTable {
  tenant_id: string;
  due_at: string;
  generation: number;
  /** The four below are used where several processes share the control database. Whose visit runs, and until when. */
  owner: string | null;
  lease_until: string | null;
  /** Until this time a transaction that marked the tenant may be on its way to its commit. */
  open_until: string | null;
  /** Until this time whoever announced work for the tenant says that it lives; then the tenant is due. */
  announced_until: string | null;
}

declare module '../database/tables.ts' {
  interface TenantTables {
    jobs: JobTable;
  }
  interface ControlTables {
    tenant_work: TenantWorkTable;
  }
}
