/** How rows and verdicts of an audit trail look in answers: the same for companies and for the fleet. Pure. */
import type { z } from 'zod';
import type { AuditVerification, AuditRow as Shape } from '../contract.ts';
import type { AuditRow, AuditVerdict } from './audit.ts';

export function auditRowView(row: AuditRow): z.output<typeof Shape> {
  return {
    id: row.id,
    seq: row.seq,
    at: row.at,
    actor: row.actor,
    action: row.action,
    target: row.target,
    outcome: row.outcome,
    details: { ...row.details },
    ip: row.ip,
    request_id: row.requestId,
  };
}

export function verdictView(verdict: AuditVerdict): AuditVerification {
  return {
    ok: verdict.ok,
    rows: verdict.rows,
    sealed: verdict.sealed,
    unsealed: verdict.unsealed,
    ...(verdict.firstBad === undefined ? {} : { first_bad: { ...verdict.firstBad } }),
  };
}
