/**
 * The heads of all trails' chains, in the control database: how far each was sealed, and with which seal.
 *
 * - A head is opened with its company, in the same transaction: it says 0. Where it is missing later, it was removed.
 * - It moves only from a seal that it knows to one that follows it.
 * - Heads that move while others are being written share the next commit: after a hundred companies were created
 *   together their trails cost a few commits of the control database, not a hundred.
 */
import type { ControlDb, ControlTx, Transaction } from '../database/database.ts';
import { groupCommit } from '../database/group-commit.ts';
import type { ControlTables } from '../database/tables.ts';
import type { Seal } from './seals.ts';
import type { AuditHeadTable } from './tables.ts';

export interface Heads {
  read(trail: string): Promise<AuditHeadTable | undefined>;
  open(trail: string): Promise<void>;
  /** Compare-and-set: only from the head that is known. @returns whether it moved; durable on return */
  advance(trail: string, from: string, seal: Seal): Promise<boolean>;
}

interface Move {
  readonly trail: string;
  readonly from: string;
  readonly seal: Seal;
}

export function createHeads(control: ControlDb): Heads {
  const moves = groupCommit(
    (together: readonly Move[]) => control.transaction((tx) => Promise.all(together.map((move) => moveHead(tx, move)))),
    { order: (one, other) => (one.trail < other.trail ? -1 : 1) },
  );
  return {
    read: (trail) => readHead(control, trail),
    open: (trail) => control.transaction((tx) => openHead(tx, trail)),
    advance: (trail, from, seal) => moves.add({ trail, from, seal }),
  };
}

export async function readHead(control: Pick<ControlDb, 'read'>, trail: string): Promise<AuditHeadTable | undefined> {
  return control.read.selectFrom('audit_heads').selectAll().where('trail', '=', trail).executeTakeFirst();
}

/** The head of a trail without seals; nothing where there is one already. */
export async function openHead(tx: ControlTx, trail: string): Promise<void> {
  await tx
    .insertInto('audit_heads')
    .values({ trail, number: 0, to_seq: 0, hmac: '' })
    .onConflict((conflict) => conflict.column('trail').doNothing())
    .execute();
}

async function moveHead(tx: ControlTx, { trail, from, seal }: Move): Promise<boolean> {
  const result = await tx
    .updateTable('audit_heads')
    .set({ number: seal.number, to_seq: seal.to_seq, hmac: seal.hmac })
    .where('trail', '=', trail)
    .where('hmac', '=', from)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** What the control database keeps of a trail goes with its company. */
export async function forgetHead(tx: ControlTx | Transaction<ControlTables>, trail: string): Promise<void> {
  await tx.deleteFrom('audit_heads').where('trail', '=', trail).execute();
}
