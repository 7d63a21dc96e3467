/**
 * One trail in one database: appending rows, reading pages, sealing, verifying. The same for a company's trail and for
 * the fleet's.
 *
 * Guarantees
 * - A seal covers a complete range of committed rows and follows the seal before it; two sealers at once cannot fork
 *   the chain, since the number of a seal is its primary key and its range is read in the same transaction.
 * - The head of the chain is also in the control database. It moves only from a seal that it knows to one that follows
 *   it, so that cutting off rows together with their seals is found out even after new seals were written.
 */
import type { KeyObject } from 'node:crypto';
import { type Clock, second } from '../clock.ts';
import type { ControlDb, Database, TenantDb, Transaction } from '../database/database.ts';
import { prepare } from '../database/prepared.ts';
import { holdSequence, lastNumber, nextNumber } from '../events-sequence.ts';
import type { Actor } from '../handles.ts';
import { newId } from '../ids.ts';
import type { Logger } from '../log.ts';
import { rowsAtOnce, slicesOf } from '../slices.ts';
import type { AskedPage, AuditEntry, AuditPage, AuditRow } from './audit.ts';
import type { Heads } from './heads.ts';
import { makeSeal, type Seal, type SealedRow } from './seals.ts';
import type { AuditLogTable, AuditTables } from './tables.ts';

export const fleetTrail = 'fleet';
/** Rows under one seal at most. */
export const sealRows = 1_000;

export type TrailDb = Database<AuditTables>;
export type TrailTx = Transaction<AuditTables>;

/** Both kinds of database hold a trail; here it does not matter which kind it is. */
export function trailDb(db: TenantDb | ControlDb): TrailDb {
  return db as unknown as TrailDb;
}

export interface Trail {
  /** Tenant id, or `fleet`. */
  readonly name: string;
  readonly db: TrailDb;
  readonly key: KeyObject;
}

/** An actor as rows hold it. */
export function actorText(actor: Actor): string {
  return actor.kind === 'user' || actor.kind === 'operator' ? `${actor.kind}:${actor.id}` : actor.kind;
}

export async function append(tx: TrailTx, clock: Clock, entry: AuditEntry): Promise<void> {
  await holdSequence(tx as Parameters<typeof holdSequence>[0], 'audit_log');
  await insertRow(tx, rowOf(clock, entry));
}

/** Many rows in few statements, in this order. */
export async function appendAll(tx: TrailTx, clock: Clock, entries: readonly AuditEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await holdSequence(tx as Parameters<typeof holdSequence>[0], 'audit_log');
  const last = await lastNumber(tx as Parameters<typeof lastNumber>[0], 'audit_log');
  const rows = entries.map((entry, index) => ({ seq: last + 1 + index, ...rowOf(clock, entry) }));
  for (const some of slicesOf(rows, rowsAtOnce)) await tx.insertInto('audit_log').values(some).execute();
}

function rowOf(clock: Clock, entry: AuditEntry): Omit<AuditLogTable, 'seq'> {
  const now = clock.now();
  return {
    id: newId('audit', now),
    at: new Date(now).toISOString(),
    actor: actorText(entry.actor),
    action: entry.action,
    target: clean(entry.target),
    outcome: entry.outcome,
    details: JSON.stringify(entry.details ?? {}),
    ip: clean(entry.source?.ip),
    request_id: clean(entry.source?.requestId),
  };
}

/** Every change writes a row, so the statement is compiled once. */
const insertRow = prepare<TrailTx, Omit<AuditLogTable, 'seq'>, unknown>((tx, slot) =>
  tx
    .insertInto('audit_log')
    .values({
      seq: nextNumber('audit_log'),
      id: slot('id'),
      at: slot('at'),
      actor: slot('actor'),
      action: slot('action'),
      target: slot('target'),
      outcome: slot('outcome'),
      details: slot('details'),
      ip: slot('ip'),
      request_id: slot('request_id'),
    })
    .compile(),
);

/** What a stranger sent may be anything: stored in a form that every database takes, and not at length. */
function clean(text: string | null | undefined): string | null {
  return text == null ? null : text.slice(0, 200).toWellFormed().replaceAll('\0', '\uFFFD');
}

/** Newest first. `nextCursor` is the `before` of the next page. */
export async function page(db: TrailDb, { limit, before, total }: AskedPage): Promise<AuditPage> {
  let query = db.read
    .selectFrom('audit_log')
    .selectAll()
    .orderBy('seq', 'desc')
    .limit(limit + 1);
  if (before !== undefined) query = query.where('seq', '<', before);
  const rows = await query.execute();
  const shown = rows.slice(0, limit);
  return {
    items: shown.map(toRow),
    nextCursor: rows.length > limit ? String(shown.at(-1)!.seq) : null,
    ...(total === true ? { total: await countRows(db) } : {}),
  };
}

async function countRows(db: TrailDb): Promise<number> {
  const row = await db.read
    .selectFrom('audit_log')
    .select((eb) => eb.fn.countAll().as('rows'))
    .executeTakeFirstOrThrow();
  return Number(row.rows);
}

function toRow(row: SealedRow): AuditRow {
  return {
    id: row.id,
    seq: Number(row.seq),
    at: row.at,
    actor: row.actor,
    action: row.action,
    target: row.target,
    outcome: row.outcome,
    details: JSON.parse(row.details) as Record<string, unknown>,
    ip: row.ip,
    requestId: row.request_id,
  };
}

/** When (ms) the oldest unsealed row wants to be sealed; null where all are. Never further off than a second. */
export async function sealDue(trail: Trail, clock: Clock): Promise<number | null> {
  const first = await trail.db.read
    .selectFrom('audit_log')
    .select('at')
    .where('seq', '>', (seals) =>
      seals.selectFrom('audit_seals').select((seal) => seal.fn.coalesce(seal.fn.max('to_seq'), seal.lit(0)).as('to')),
    )
    .orderBy('seq')
    .limit(1)
    .executeTakeFirst();
  return first === undefined ? null : Math.min(Date.parse(first.at), clock.now()) + second;
}

/** Seals up to `sealRows` rows. @returns whether there may be more */
export async function sealOnce(trail: Trail, heads: Heads, clock: Clock, log: Logger): Promise<boolean> {
  await openHead(trail, heads);
  const made = await trail.db.transaction(async (tx) => {
    await holdSequence(tx as Parameters<typeof holdSequence>[0], 'audit_seals');
    const before = await lastSeal(tx);
    const rows = await tx
      .selectFrom('audit_log')
      .selectAll()
      .where('seq', '>', Number(before?.to_seq ?? 0))
      .orderBy('seq')
      .limit(sealRows)
      .execute();
    if (rows.length === 0) return null;
    const seal = makeSeal(trail.key, before, rows, clock.iso());
    await tx.insertInto('audit_seals').values(seal).execute();
    return seal;
  });
  if (made === null) return false;
  await moveHead(trail, heads, made, log);
  return Number(made.rows) === sealRows;
}

async function lastSeal(reader: Pick<TrailTx, 'selectFrom'>): Promise<Seal | undefined> {
  return reader.selectFrom('audit_seals').selectAll().orderBy('number', 'desc').limit(1).executeTakeFirst();
}

/** Before the first seal there is a head that says 0: later a missing head means that somebody removed it. */
async function openHead(trail: Trail, heads: Heads): Promise<void> {
  const first = await trail.db.read.selectFrom('audit_seals').select('number').limit(1).executeTakeFirst();
  if (first === undefined && (await heads.read(trail.name)) === undefined) await heads.open(trail.name);
}

async function moveHead(trail: Trail, heads: Heads, seal: Seal, log: Logger): Promise<void> {
  if (await heads.advance(trail.name, seal.previous, seal)) return;
  // The head was left behind by a crash between the two commits, or the chain is not the one it knows.
  const head = await heads.read(trail.name);
  const known = head === undefined ? undefined : await sealNumbered(trail, Number(head.number));
  const follows =
    head !== undefined &&
    Number(head.number) < Number(seal.number) &&
    (Number(head.number) === 0 || known?.hmac === head.hmac);
  if (follows && (await heads.advance(trail.name, head.hmac, seal))) return;
  log.error({ alarm: 'audit_chain', trail: trail.name, seal: seal.number }, 'the audit trail does not fit its head');
}

async function sealNumbered(trail: Trail, number: number): Promise<Seal | undefined> {
  return trail.db.read.selectFrom('audit_seals').selectAll().where('number', '=', number).executeTakeFirst();
}
