/**
 * Verification of a trail: reads the head, every seal and every row, and names the first row that does not fit.
 *
 * Found: a row that was edited, moved, removed or put in; a seal that was edited, moved or removed; a tail cut off with
 * or without its seals; a chain begun anew. Rows after the last seal are counted and reported, since nothing proves them.
 */
import type { ControlDb } from '../database/database.ts';
import type { AuditVerdict } from './audit.ts';
import { readHead } from './heads.ts';
import { digestLength, rowDigest, type Seal, type SealedRow, sameText, sealHmac } from './seals.ts';
import { sealRows, type Trail } from './trail.ts';

interface Bad {
  readonly seq: number;
  readonly reason: string;
}

export async function verifyTrail(trail: Trail, control: ControlDb): Promise<AuditVerdict> {
  // The head first: it is written last, so that what it names must be there.
  const head = await readHead(control, trail.name);
  const headNumber = Number(head?.number ?? 0);
  let bad: Bad | undefined;
  let rows = 0;
  let sealed = 0;
  let before: Seal | undefined;
  const strays = await straysBefore(trail);
  if (strays !== undefined) bad = { seq: strays, reason: 'the row stands before the beginning of the trail' };
  for (;;) {
    const seal = await nextSeal(trail, Number(before?.number ?? 0));
    if (seal === undefined) break;
    const range = await rowsBetween(trail, Number(before?.to_seq ?? 0), Number(seal.to_seq));
    rows += range.length;
    bad ??= badSeal(trail, before, seal) ?? badRow(trail, seal, range);
    if (bad === undefined && Number(seal.number) === headNumber && seal.hmac !== head!.hmac) {
      bad = { seq: Number(seal.from_seq), reason: 'the chain is not the one whose head was kept' };
    }
    if (bad === undefined) sealed += range.length;
    before = seal;
  }
  const last = Number(before?.to_seq ?? 0);
  const { count: unsealed, highest } = await tailAfter(trail, last);
  if (bad === undefined && head === undefined && before !== undefined) {
    bad = { seq: Number(before.to_seq), reason: 'the head of the chain was removed' };
  }
  if (bad === undefined && headNumber > Number(before?.number ?? 0)) {
    const what = unsealed > 0 ? 'the seal of this row was removed' : 'this row and all after it were cut off';
    bad = { seq: last + 1, reason: what };
  }
  if (bad === undefined && unsealed > 0 && highest !== last + unsealed) {
    bad = { seq: last + 1, reason: 'of the rows that are not sealed yet some were removed or put in' };
  }
  rows += unsealed;
  const counts = { rows, sealed, unsealed };
  return bad === undefined ? { ok: true, ...counts } : { ok: false, ...counts, firstBad: bad };
}

function badSeal(trail: Trail, before: Seal | undefined, seal: Seal): Bad | undefined {
  const expected = Number(before?.to_seq ?? 0) + 1;
  if (Number(seal.number) !== Number(before?.number ?? 0) + 1) {
    return { seq: expected, reason: 'the seal of this row was removed' };
  }
  const authentic = sameText(seal.hmac, sealHmac(trail.key, seal));
  if (!authentic) return { seq: expected, reason: 'the seal of this row was changed' };
  const follows = seal.previous === (before?.hmac ?? '') && Number(seal.from_seq) === expected;
  return follows ? undefined : { seq: expected, reason: 'the seal of this row does not follow the one before it' };
}

function badRow(trail: Trail, seal: Seal, range: readonly SealedRow[]): Bad | undefined {
  for (let index = 0; index < Number(seal.rows); index += 1) {
    const seq = Number(seal.from_seq) + index;
    const row = range[index];
    if (row === undefined || Number(row.seq) > seq) return { seq, reason: 'the row was removed' };
    if (Number(row.seq) < seq) return { seq: Number(row.seq), reason: 'the row was put in' };
    const digest = seal.digests.slice(index * digestLength, (index + 1) * digestLength);
    if (!sameText(digest, rowDigest(trail.key, row))) return { seq, reason: 'the row was changed or moved' };
  }
  const more = range[Number(seal.rows)];
  return more === undefined ? undefined : { seq: Number(more.seq), reason: 'the row was put in' };
}

async function nextSeal(trail: Trail, after: number): Promise<Seal | undefined> {
  return trail.db.read
    .selectFrom('audit_seals')
    .selectAll()
    .where('number', '>', after)
    .orderBy('number')
    .limit(1)
    .executeTakeFirst();
}

async function rowsBetween(trail: Trail, after: number, to: number): Promise<SealedRow[]> {
  return (
    trail.db.read
      .selectFrom('audit_log')
      .selectAll()
      .where('seq', '>', after)
      .where('seq', '<=', to)
      .orderBy('seq')
      // A forged range cannot make this answer large.
      .limit(sealRows + 1)
      .execute()
  );
}

async function straysBefore(trail: Trail): Promise<number | undefined> {
  const row = await trail.db.read
    .selectFrom('audit_log')
    .select('seq')
    .where('seq', '<', 1)
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? undefined : Number(row.seq);
}

async function tailAfter(trail: Trail, seq: number): Promise<{ count: number; highest: number }> {
  const row = await trail.db.read
    .selectFrom('audit_log')
    .select((eb) => [eb.fn.countAll().as('count'), eb.fn.max('seq').as('highest')])
    .where('seq', '>', seq)
    .executeTakeFirstOrThrow();
  return { count: Number(row.count), highest: Number(row.highest ?? seq) };
}
