/**
 * The audit trail: append-only rows, one trail per company in its own database, one for the fleet in the control
 * database. Rows are written in the acting transaction (a refusal: in its own) and sealed afterwards in a chain of
 * ranges (count, previous seal, HMAC); verification names the first bad row and reports the unsealed tail.
 */
import type { ControlTx, TenantTx } from '../database/database.ts';
import type { Actor, Tenant } from '../handles.ts';

export interface AuditEntry {
  /** `session.created`, `document.downloaded`, `isolation.foreign_id`: area, dot, past tense. */
  readonly action: string;
  readonly actor: Actor;
  /** What was acted on: an id, or null. */
  readonly target?: string | null;
  readonly outcome: 'success' | 'refused' | 'failed';
  /** Safe facts only: never secrets, never file content. */
  readonly details?: Readonly<Record<string, string | number | boolean | null>>;
  /** Where from: address and request id, when there is a request. */
  readonly source?: { readonly ip?: string; readonly requestId?: string };
}

export interface AuditRow {
  readonly id: string;
  readonly seq: number;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly target: string | null;
  readonly outcome: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly ip: string | null;
  readonly requestId: string | null;
}

export interface AskedPage {
  readonly limit: number;
  readonly before?: number;
  readonly total?: boolean | undefined;
}

export interface AuditPage {
  readonly items: readonly AuditRow[];
  readonly nextCursor: string | null;
  /** All rows of the trail, where asked for. */
  readonly total?: number;
}

export interface AuditVerdict {
  readonly ok: boolean;
  readonly rows: number;
  readonly sealed: number;
  /** Rows written since the last seal. */
  readonly unsealed: number;
  /** The first row that does not fit, with the reason. */
  readonly firstBad?: { readonly seq: number; readonly reason: string };
}

export interface Audit {
  /** In the acting transaction. */
  record(tx: TenantTx, tenant: Pick<Tenant, 'clock'>, entry: AuditEntry): Promise<void>;
  /** As many calls of `record` in this order, in few statements. */
  recordAll(tx: TenantTx, tenant: Pick<Tenant, 'clock'>, entries: readonly AuditEntry[]): Promise<void>;
  /** In a transaction of its own: refusals, and reads of content. */
  note(tenant: Tenant, entry: AuditEntry): Promise<void>;
  recordFleet(tx: ControlTx, entry: AuditEntry): Promise<void>;
  noteFleet(entry: AuditEntry): Promise<void>;
  /**
   * An attempt to reach something of another company, or an id never issued: the first of a caller, action and minute
   * is written at once; the rest of that minute is written as one row with its count. Never awaited by the answer.
   */
  attempt(tenant: Tenant | null, entry: AuditEntry): void;
  /** Writes the counts of attempts that are only in memory, before their minute is over. */
  flush(): Promise<void>;
  list(tenant: Tenant, page: AskedPage): Promise<AuditPage>;
  listFleet(page: AskedPage): Promise<AuditPage>;
  verify(tenant: Tenant): Promise<AuditVerdict>;
  verifyFleet(): Promise<AuditVerdict>;
}
