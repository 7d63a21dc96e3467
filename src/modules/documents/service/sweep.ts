/**
 * What comes due by itself in a company: the trash empties, uploads expire, objects without a reference go.
 *
 * The row of a file goes before its object, in a transaction that looks at the references once more: an upload of equal
 * bytes comes either before it and keeps the row, or after it and brings an object of its own. Never are bytes lost
 * that something refers to; what a crash in between leaves is removed by `leftovers.ts`.
 */
import { day, isoTime, second } from '../../../kernel/clock.ts';
import type { TenantTx } from '../../../kernel/database/database.ts';
import type { Tenant } from '../../../kernel/handles.ts';
import type { Schedule } from '../../../kernel/jobs/jobs.ts';
import { findExpired, holdTrashed } from '../repository/documents.ts';
import { removeUnreferenced } from '../repository/files.ts';
import { findExpiredUploads, oldestWaiting, removeUpload } from '../repository/uploads.ts';
import type { Parts } from './acting.ts';
import { purgeInside } from './changes.ts';
import type { InHand } from './in-hand.ts';
import { createLeftovers } from './leftovers.ts';
import { giveUp } from './resumable.ts';

/** Documents purged, or files removed, in one transaction. */
const batch = 50;

export function documentSchedules(parts: Parts, inHand: InHand): Schedule[] {
  const { trashDays, objectGraceSeconds } = parts.config;
  const after = (time: unknown, wait: number) => (time === null ? [] : [Date.parse(String(time)) + wait]);
  return [
    {
      name: 'documents-sweep',
      async nextDue(tenant) {
        const oldest = await oldestWaiting(tenant.db.read);
        const due = [
          ...after(oldest.trashed, trashDays * day),
          ...after(oldest.unreferenced, objectGraceSeconds * second),
          ...after(oldest.upload, 0),
        ];
        return due.length === 0 ? null : Math.min(...due);
      },
      run: (tenant) => sweep(parts, tenant, inHand),
    },
    createLeftovers(parts, inHand),
  ];
}

/** Does everything that is due now. */
export async function sweep(parts: Parts, tenant: Tenant, inHand: InHand): Promise<void> {
  await emptyTrash(parts, tenant);
  await expireUploads(parts, tenant, inHand);
  await removeFiles(parts, tenant);
}

async function emptyTrash(parts: Parts, tenant: Tenant): Promise<void> {
  const before = isoTime(tenant.clock.now() - parts.config.trashDays * day);
  for (let full = true; full; ) {
    const ids = await findExpired(tenant.db.read, before, batch);
    full = ids.length === batch;
    if (ids.length === 0) return;
    await tenant.db.transaction(async (tx) => {
      for (const id of ids) {
        if (await holdTrashed(tx, id, before)) await purgeInside(parts, tx, { tenant, source: {} }, id);
      }
    });
  }
}

async function expireUploads(parts: Parts, tenant: Tenant, inHand: InHand): Promise<void> {
  for (let full = true; full; ) {
    const uploads = await findExpiredUploads(tenant.db.read, tenant.clock.iso(), batch);
    full = uploads.length === batch;
    for (const upload of uploads) {
      if (upload.state === 'open') await giveUp(parts, tenant, inHand, upload, 'expired');
      else await tenant.db.transaction((tx: TenantTx) => removeUpload(tx, upload.id));
    }
  }
}

async function removeFiles(parts: Parts, tenant: Tenant): Promise<void> {
  const before = isoTime(tenant.clock.now() - parts.config.objectGraceSeconds * second);
  for (let full = true; full; ) {
    const keys = await tenant.db.transaction((tx) => removeUnreferenced(tx, before, batch));
    full = keys.length === batch;
    if (keys.length > 0) await tenant.files.delete(keys);
  }
}
