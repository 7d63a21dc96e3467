/**
 * The cryptography of the audit trail: keyed digests of rows, and seals over ranges of them that form a chain.
 *
 * Every field takes part, in a form in which no two different rows look alike (a JSON array). The key is derived for
 * each trail, so that rows and seals of one company mean nothing in another's trail.
 */
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { AuditLogTable, AuditSealTable } from './tables.ts';

/** Letters of one row's digest: 128 bits of an HMAC, which nobody without the key can aim at. */
export const digestLength = 22;

export type Seal = AuditSealTable;
export type SealedRow = AuditLogTable;

/** The key of one trail, from the key of all trails. */
export function trailKey(root: KeyObject, trail: string): KeyObject {
  return createSecretKey(createHmac('sha256', root).update(`trail:${trail}`).digest());
}

export function rowDigest(key: KeyObject, row: SealedRow): string {
  const canonical = JSON.stringify([
    'row',
    Number(row.seq),
    row.id,
    row.at,
    row.actor,
    row.action,
    row.target,
    row.outcome,
    row.details,
    row.ip,
    row.request_id,
  ]);
  return createHmac('sha256', key).update(canonical).digest().subarray(0, 16).toString('base64url');
}

export function sealHmac(key: KeyObject, seal: Omit<Seal, 'hmac'>): string {
  const canonical = JSON.stringify([
    'seal',
    Number(seal.number),
    Number(seal.from_seq),
    Number(seal.to_seq),
    Number(seal.rows),
    seal.digests,
    seal.previous,
    seal.at,
  ]);
  return createHmac('sha256', key).update(canonical).digest('base64url');
}

/** The next link of the chain over these rows, which are complete and in order. */
export function makeSeal(key: KeyObject, before: Seal | undefined, rows: readonly SealedRow[], at: string): Seal {
  const seal = {
    number: Number(before?.number ?? 0) + 1,
    from_seq: Number(rows[0]!.seq),
    to_seq: Number(rows.at(-1)!.seq),
    rows: rows.length,
    digests: rows.map((row) => rowDigest(key, row)).join(''),
    previous: before?.hmac ?? '',
    at,
  };
  return { ...seal, hmac: sealHmac(key, seal) };
}

/** Compares without telling by its time how much is alike. */
export function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
