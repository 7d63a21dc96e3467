/**
 * The directory: which companies may know a sign-in name. The control database keeps a keyed digest of the name and
 * nothing that a person could be recognised by.
 *
 * Control and company have no common commit. A row is written `pending` before the company's transaction and
 * `confirmed` after it; so a row is only a hint, checked in the company at every use, and a pending one that leads
 * nowhere is removed by whoever finds it.
 */

import type { Clock } from '../../kernel/clock.ts';
import { isoTime, minute } from '../../kernel/clock.ts';
import type { ControlDb } from '../../kernel/database/database.ts';
import type { TenantId } from '../../kernel/ids.ts';
import type { Secrets } from '../../kernel/secrets.ts';
import type { DirectoryTable } from './tables.ts';

/** A pending row younger than this may belong to a transaction that still runs. */
const patienceMs = 10 * minute;
/** Memberships looked at for one name; the one accepted first comes first. */
const most = 50;

export type DirectoryRow = Pick<DirectoryTable, 'user_id' | 'state' | 'accepted_at'> & { readonly tenant_id: TenantId };

export interface Directory {
  digest(name: string): string;
  /** Active memberships first, then by time of acceptance. */
  find(name: string): Promise<readonly DirectoryRow[]>;
  reserve(tenantId: TenantId, userId: string, names: readonly string[]): Promise<void>;
  confirm(tenantId: TenantId, userId: string): Promise<void>;
  /** Takes back what was reserved for a person who did not come to be. */
  release(tenantId: TenantId, userId: string): Promise<void>;
  setActive(tenantId: TenantId, userId: string, active: boolean): Promise<void>;
  /** A row was found: true to its company, or leading nowhere. Never fails. */
  settle(name: string, row: DirectoryRow, found: boolean): Promise<void>;
  removeTenant(tenantId: TenantId): Promise<void>;
}

export function createDirectory(parts: {
  readonly control: ControlDb;
  readonly secrets: Pick<Secrets, 'digest'>;
  readonly clock: Clock;
}): Directory {
  const { control, clock } = parts;
  const digest = (name: string) => parts.secrets.digest('accounts:directory', name.toLowerCase());

  async function setState(tenantId: TenantId, userId: string, state: DirectoryTable['state']): Promise<void> {
    await control.transaction(async (tx) => {
      await tx
        .updateTable('directory')
        .set({ state })
        .where('tenant_id', '=', tenantId)
        .where('user_id', '=', userId)
        .execute();
    });
  }

  return {
    digest,
    async find(name) {
      const rows = await control.read
        .selectFrom('directory')
        .select(['tenant_id', 'user_id', 'state', 'accepted_at'])
        .where('digest', '=', digest(name))
        .orderBy('accepted_at')
        .orderBy('user_id')
        .limit(most)
        .execute();
      const inactive = (row: { state: string }) => Number(row.state === 'inactive');
      return (rows as DirectoryRow[]).sort((a, b) => inactive(a) - inactive(b));
    },
    async reserve(tenantId, userId, names) {
      const row = { tenant_id: tenantId, user_id: userId, state: 'pending' as const, accepted_at: clock.iso() };
      await control.transaction(async (tx) => {
        await tx
          .insertInto('directory')
          .values(names.map((name) => ({ ...row, digest: digest(name) })))
          .onConflict((conflict) => conflict.columns(['digest', 'tenant_id', 'user_id']).doNothing())
          .execute();
      });
    },
    confirm: (tenantId, userId) => setState(tenantId, userId, 'confirmed'),
    async release(tenantId, userId) {
      await control.transaction(async (tx) => {
        await tx
          .deleteFrom('directory')
          .where('tenant_id', '=', tenantId)
          .where('user_id', '=', userId)
          .where('state', '=', 'pending')
          .execute();
      });
    },
    setActive: (tenantId, userId, active) => setState(tenantId, userId, active ? 'confirmed' : 'inactive'),
    async settle(name, row, found) {
      if (row.state !== 'pending') return;
      try {
        if (found) await setState(row.tenant_id, row.user_id, 'confirmed');
        else if (row.accepted_at < isoTime(clock.now() - patienceMs)) {
          await control.transaction(async (tx) => {
            await tx
              .deleteFrom('directory')
              .where('digest', '=', digest(name))
              .where('tenant_id', '=', row.tenant_id)
              .where('user_id', '=', row.user_id)
              .where('state', '=', 'pending')
              .execute();
          });
        }
      } catch {
        // The next visit tries again.
      }
    },
    async removeTenant(tenantId) {
      await control.transaction(async (tx) => {
        await tx.deleteFrom('directory').where('tenant_id', '=', tenantId).execute();
        await tx.deleteFrom('person_links').where('tenant_id', '=', tenantId).execute();
      });
    },
  };
}
