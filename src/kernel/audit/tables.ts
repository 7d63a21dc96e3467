/** Tables of the audit trail: `audit_log` and `audit_seals` in both kinds of database, `audit_heads` in the control one. */

export interface AuditLogTable {
  /** Counts from 1 without a gap, in the order of commits. */
  seq: number;
  id: string;
  at: string;
  /** `user:user_…`, `operator:oper_…`, `host`, `system`, `anonymous`. */
  actor: string;
  action: string;
  target: string | null;
  outcome: string;
  /** JSON object. */
  details: string;
  ip: string | null;
  request_id: string | null;
}

/** One link of the chain: a complete range of rows. */
export interface AuditSealTable {
  /** Counts from 1 without a gap. */
  number: number;
  from_seq: number;
  to_seq: number;
  rows: number;
  /** One keyed digest for each row of the range, in order, 22 letters of base64url each. */
  digests: string;
  /** `hmac` of the seal before; empty for the first. */
  previous: string;
  at: string;
  /** HMAC-SHA-256 over all of the above, base64url. */
  hmac: string;
}

/** The newest seal of each trail, kept apart from it, so that a trail cut together with its seals is found out. */
export interface AuditHeadTable {
  /** Tenant id, or `fleet`. */
  trail: string;
  /** 0 before the first seal. */
  number: number;
  to_seq: number;
  hmac: string;
}

/** What both kinds of database have. */
export interface AuditTables {
  audit_log: AuditLogTable;
  audit_seals: AuditSealTable;
}

declare module '../database/tables.ts' {
  interface TenantTables extends AuditTables {}
  interface ControlTables extends AuditTables {
    audit_heads: AuditHeadTable;
  }
}
