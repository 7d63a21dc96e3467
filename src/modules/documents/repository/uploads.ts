/** Statements on resumable uploads, and on what comes due in a tenant by itself. */
import type { TenantReader, TenantTx } from '../../../kernel/database/database.ts';
import type { UploadState, UploadTable } from '../tables.ts';

export async function insertUpload(tx: TenantTx, row: UploadTable): Promise<void> {
  await tx.insertInto('uploads').values(row).execute();
}

/** In a write transaction the row is locked. */
export async function findUpload(source: TenantReader | TenantTx, id: string): Promise<UploadTable | undefined> {
  let query = source.selectFrom('uploads').selectAll().where('id', '=', id);
  if ('dialect' in source && source.dialect === 'postgres') query = query.forUpdate();
  const row = await query.executeTakeFirst();
  return row === undefined ? undefined : { ...row, length: Number(row.length) };
}

/** An open upload that holds this name until `now` has passed its expiry. */
export async function findNameHolder(
  tx: TenantTx,
  name: { readonly ownerId: string; readonly basketId: string; readonly filename: string; readonly now: string },
): Promise<string | undefined> {
  const row = await tx
    .selectFrom('uploads')
    .select('id')
    .where('owner_id', '=', name.ownerId)
    .where('basket_id', '=', name.basketId)
    .where('filename', '=', name.filename)
    .where('state', '=', 'open')
    .where('on_conflict', '=', 'error')
    .where('expires_at', '>', name.now)
    .executeTakeFirst();
  return row?.id;
}

export async function postponeUpload(tx: TenantTx, id: string, expiresAt: string): Promise<void> {
  await tx
    .updateTable('uploads')
    .set({ expires_at: expiresAt })
    .where('id', '=', id)
    .where('state', '=', 'open')
    .execute();
}

/** Ends an open upload; false where it was ended before. Its row stays until `expiresAt`, to answer who asks again. */
export async function endUpload(
  tx: TenantTx,
  id: string,
  end: {
    readonly state: Exclude<UploadState, 'open'>;
    readonly document_id: string | null;
    readonly expires_at: string;
  },
): Promise<boolean> {
  const result = await tx
    .updateTable('uploads')
    .set(end)
    .where('id', '=', id)
    .where('state', '=', 'open')
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

export async function removeUpload(tx: TenantTx, id: string): Promise<void> {
  await tx.deleteFrom('uploads').where('id', '=', id).execute();
}

export async function findExpiredUploads(source: TenantReader, now: string, limit: number): Promise<UploadTable[]> {
  const rows = await source
    .selectFrom('uploads')
    .selectAll()
    .where('expires_at', '<=', now)
    .orderBy('expires_at')
    .limit(limit)
    .execute();
  return rows.map((row) => ({ ...row, length: Number(row.length) }));
}

/** The oldest of what waits for its time: in the trash, without a reference, as an upload. */
export async function oldestWaiting(source: TenantReader) {
  return source
    .selectNoFrom((eb) => [
      eb
        .selectFrom('documents')
        .select((inner) => inner.fn.min('trashed_at').as('at'))
        .where('trashed_at', 'is not', null)
        .as('trashed'),
      eb
        .selectFrom('files')
        .select((inner) => inner.fn.min('unreferenced_since').as('at'))
        .where('unreferenced_since', 'is not', null)
        .as('unreferenced'),
      eb
        .selectFrom('uploads')
        .select((inner) => inner.fn.min('expires_at').as('at'))
        .as('upload'),
    ])
    .executeTakeFirstOrThrow();
}

/** Uploads that have not ended. */
export async function openUploads(source: TenantReader): Promise<readonly { readonly id: string }[]> {
  return source.selectFrom('uploads').select('id').where('state', '=', 'open').execute();
}

export async function isOpenUpload(source: TenantReader, id: string): Promise<boolean> {
  const query = source.selectFrom('uploads').select('id').where('id', '=', id).where('state', '=', 'open');
  return (await query.executeTakeFirst()) !== undefined;
}
