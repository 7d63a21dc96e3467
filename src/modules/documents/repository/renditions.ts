/**
 * Statements on what is made of versions to be shown. References of its files change in the transaction of its rows.
 * On PostgreSQL the document's row is locked first, as by whoever purges it: a part comes before that, or not at all.
 */
import { sql } from 'kysely';
import type { TenantReader, TenantTx } from '../../../kernel/database/database.ts';
import type { RenditionPartTable, RenditionTable, VersionTable } from '../tables.ts';

/** A version with the name of its document. */
export type NamedVersion = VersionTable & { readonly filename: string };

export async function findNamedVersion(source: TenantReader, versionId: string): Promise<NamedVersion | undefined> {
  return source
    .selectFrom('versions as v')
    .innerJoin('documents as d', 'd.id', 'v.document_id')
    .selectAll('v')
    .select('d.filename')
    .where('v.id', '=', versionId)
    .executeTakeFirst();
}

export async function findRendition(source: TenantReader, versionId: string): Promise<RenditionTable | undefined> {
  return source.selectFrom('renditions').selectAll().where('version_id', '=', versionId).executeTakeFirst();
}

export async function findPart(
  source: TenantReader,
  part: Pick<RenditionPartTable, 'version_id' | 'role' | 'page'>,
): Promise<RenditionPartTable | undefined> {
  return source
    .selectFrom('rendition_parts')
    .selectAll()
    .where('version_id', '=', part.version_id)
    .where('role', '=', part.role)
    .where('page', '=', part.page)
    .executeTakeFirst();
}

/** How many pages can be shown. */
export async function countPages(source: TenantReader, versionId: string): Promise<number> {
  const row = await source
    .selectFrom('rendition_parts')
    .select((eb) => eb.fn.countAll().as('n'))
    .where('version_id', '=', versionId)
    .where('role', '=', 'preview')
    .executeTakeFirstOrThrow();
  return Number(row.n);
}

/** Whether the version is still there; on PostgreSQL it stays until the commit. */
export async function holdVersion(tx: TenantTx, documentId: string, versionId: string): Promise<boolean> {
  let document = tx.selectFrom('documents').select('id').where('id', '=', documentId);
  if (tx.dialect === 'postgres') document = document.forUpdate();
  if ((await document.executeTakeFirst()) === undefined) return false;
  const version = tx.selectFrom('versions').select('id').where('id', '=', versionId);
  return (await version.executeTakeFirst()) !== undefined;
}

/** Writes how far it is, over what was written before. */
export async function writeRendition(tx: TenantTx, row: RenditionTable): Promise<void> {
  const { version_id, document_id, ...changes } = row;
  await tx
    .insertInto('renditions')
    .values(row)
    .onConflict((conflict) => conflict.column('version_id').doUpdateSet(changes))
    .execute();
}

export async function insertParts(tx: TenantTx, parts: readonly RenditionPartTable[]): Promise<void> {
  if (parts.length > 0) await tx.insertInto('rendition_parts').values(parts).execute();
}

/** Takes back the parts of a version and their references. */
export async function removeParts(tx: TenantTx, versionId: string, now: string): Promise<void> {
  const used = sql`(select count(*) from rendition_parts p where p.version_id = ${versionId} and p.file_key = files.key)`;
  await sql`update files set refs = refs - ${used},
      unreferenced_since = case when refs = ${used} then ${now} else unreferenced_since end
    where key in (select file_key from rendition_parts where version_id = ${versionId} and file_key is not null)`.execute(
    tx,
  );
  await tx.deleteFrom('rendition_parts').where('version_id', '=', versionId).execute();
}

/** Versions whose parts use this file. */
export async function versionsShownBy(source: TenantReader, key: string) {
  return source
    .selectFrom('rendition_parts')
    .select(['version_id', 'document_id'])
    .distinct()
    .where('file_key', '=', key)
    .execute();
}
