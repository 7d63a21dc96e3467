/** Memberships of one person in several companies, linked by having proven the password of both. */
import { randomBytes } from 'node:crypto';
import type { ControlDb, ControlTx } from '../../kernel/database/database.ts';
import type { TenantId } from '../../kernel/ids.ts';

export interface Membership {
  readonly tenantId: TenantId;
  readonly userId: string;
}

async function personOf(tx: ControlTx | ControlDb['read'], of: Membership): Promise<string | undefined> {
  const row = await tx
    .selectFrom('person_links')
    .select('person_id')
    .where('tenant_id', '=', of.tenantId)
    .where('user_id', '=', of.userId)
    .executeTakeFirst();
  return row?.person_id;
}

/** The other memberships linked with this one. */
export async function linkedWith(read: ControlDb['read'], of: Membership): Promise<readonly Membership[]> {
  const person = await personOf(read, of);
  if (person === undefined) return [];
  const rows = await read
    .selectFrom('person_links')
    .select(['tenant_id', 'user_id'])
    .where('person_id', '=', person)
    .orderBy('linked_at')
    .limit(200)
    .execute();
  return rows
    .filter((row) => row.tenant_id !== of.tenantId)
    .map((row) => ({ tenantId: row.tenant_id as TenantId, userId: row.user_id }));
}

/** Makes both one person's, with everybody either is linked with already. */
export async function link(tx: ControlTx, a: Membership, b: Membership, at: string): Promise<void> {
  const [personA, personB] = [await personOf(tx, a), await personOf(tx, b)];
  const person = personA ?? personB ?? randomBytes(16).toString('hex');
  if (personB !== undefined && personB !== person) {
    await tx.updateTable('person_links').set({ person_id: person }).where('person_id', '=', personB).execute();
  }
  for (const one of [a, b]) {
    await tx
      .insertInto('person_links')
      .values({ tenant_id: one.tenantId, user_id: one.userId, person_id: person, linked_at: at })
      .onConflict((conflict) => conflict.columns(['tenant_id', 'user_id']).doNothing())
      .execute();
  }
}

/**
 * Cuts this membership loose. Done before a password is set by a reset link: who holds the link may be the company's
 * administrator, and a company reaches nothing of the person's others.
 */
export async function unlink(control: ControlDb, of: Membership): Promise<void> {
  await control.transaction(async (tx) => {
    await tx.deleteFrom('person_links').where('tenant_id', '=', of.tenantId).where('user_id', '=', of.userId).execute();
  });
}
