/**
 * Statements on files (objects and their references) and on the one row of usage. Every change of references and of
 * logical bytes happens here, in the transaction of the version or rendition that causes it, so that both are exact at
 * any time.
 */
import { type RawBuilder, sql } from 'kysely';
import type { TenantReader, TenantTx } from '../../../kernel/database/database.ts';
import { prepare } from '../../../kernel/database/prepared.ts';

interface NewFile {
  readonly key: string;
  readonly sha256: string;
  readonly size: number;
}

/**
 * The file of these bytes with one reference more: the one given, or the one that was there before. In one statement,
 * so that of any number at once exactly one is kept, and a sweep comes either before it or not at all.
 */
const reference = prepare<TenantTx, NewFile, { key: string }>((tx, slot) =>
  tx
    .insertInto('files')
    .values({ key: slot('key'), sha256: slot('sha256'), size: slot('size'), refs: 1, unreferenced_since: null })
    .onConflict((conflict) =>
      conflict.columns(['sha256', 'size']).doUpdateSet((eb) => ({
        refs: eb('files.refs', '+', 1),
        unreferenced_since: null,
      })),
    )
    .returning('key')
    .compile(),
);
export async function referenceFile(tx: TenantTx, file: NewFile): Promise<string> {
  return (await reference(tx, file)).rows[0]!.key;
}

/** One reference more on a file that a version already uses. */
export async function referenceAgain(tx: TenantTx, key: string): Promise<void> {
  await tx
    .updateTable('files')
    .set((eb) => ({ refs: eb('refs', '+', 1), unreferenced_since: null }))
    .where('key', '=', key)
    .execute();
}

/** Gives back what all versions of a document, and what was made of them, refer to, and the versions' bytes. */
export async function releaseDocument(tx: TenantTx, id: string, now: string): Promise<void> {
  const used = sql`((select count(*) from versions v where v.document_id = ${id} and v.file_key = files.key)
    + (select count(*) from rendition_parts p where p.document_id = ${id} and p.file_key = files.key))`;
  await sql`update files set refs = refs - ${used},
      unreferenced_since = case when refs = ${used} then ${now} else unreferenced_since end
    where key in (select file_key from versions where document_id = ${id}
      union select file_key from rendition_parts where document_id = ${id} and file_key is not null)`.execute(tx);
  await sql`update document_usage
    set bytes = bytes - (select coalesce(sum(size_bytes), 0) from versions where document_id = ${id})
    where id = 1`.execute(tx);
}

interface Take {
  readonly size: number;
  /** Bytes of the reservation that this settles. */
  readonly reserved: number;
  /** -1 for none. */
  readonly quota: number;
}

const take = prepare<TenantTx, Take, { denied_types: string }>((tx, slot) =>
  tx
    .updateTable('document_usage')
    .set((eb) => ({
      bytes: eb('bytes', '+', slot('size')),
      reserved: eb('reserved', '-', slot('reserved')),
    }))
    .where('id', '=', 1)
    .where(
      // The casts say to PostgreSQL that these may be larger than its integer.
      sql<boolean>`(cast(${slot('quota')} as bigint) < 0
        or bytes + reserved - ${slot('reserved')} + ${slot('size')} <= cast(${slot('quota')} as bigint))`,
    )
    .returning('denied_types')
    .compile(),
);

/**
 * Counts bytes that a new version takes, out of a reservation where there was one. Undefined, and nothing counted,
 * where the quota does not allow them; else what the company refuses to keep.
 */
export async function takeBytes(
  tx: TenantTx,
  size: number,
  quota: number | null,
  reserved = 0,
): Promise<readonly string[] | undefined> {
  const { rows } = await take(tx, { size, reserved, quota: quota ?? -1 });
  return rows[0] === undefined ? undefined : (JSON.parse(rows[0].denied_types) as string[]);
}

/** Promises bytes to an upload that begins. False where the quota does not allow them. */
export async function reserveBytes(tx: TenantTx, size: number, quota: number | null): Promise<boolean> {
  let query = tx
    .updateTable('document_usage')
    .set((eb) => ({ reserved: eb('reserved', '+', size) }))
    .where('id', '=', 1);
  if (quota !== null) query = query.where(sql<boolean>`bytes + reserved + ${size} <= ${quota}`);
  return (await query.executeTakeFirst()).numUpdatedRows > 0n;
}

export async function releaseReserved(tx: TenantTx, size: number): Promise<void> {
  await tx
    .updateTable('document_usage')
    .set((eb) => ({ reserved: eb('reserved', '-', size) }))
    .where('id', '=', 1)
    .execute();
}

export interface UsageRow {
  readonly bytes: number;
  readonly reserved: number;
  readonly deniedTypes: readonly string[];
}

export async function readUsage(source: TenantReader): Promise<UsageRow> {
  const row = await source.selectFrom('document_usage').selectAll().where('id', '=', 1).executeTakeFirstOrThrow();
  return {
    bytes: Number(row.bytes),
    reserved: Number(row.reserved),
    deniedTypes: JSON.parse(row.denied_types) as string[],
  };
}

export async function writeDeniedTypes(tx: TenantTx, types: readonly string[]): Promise<void> {
  await tx
    .updateTable('document_usage')
    .set({ denied_types: JSON.stringify(types) })
    .where('id', '=', 1)
    .execute();
}

/** Removes rows of files that nothing has used since before this time, and gives the keys of their objects. */
export async function removeUnreferenced(tx: TenantTx, before: string, limit: number): Promise<string[]> {
  const due = tx
    .selectFrom('files')
    .select('key')
    .where('unreferenced_since', '<=', before)
    .where('refs', '=', 0)
    .orderBy('unreferenced_since')
    .limit(limit);
  const rows = await tx
    .deleteFrom('files')
    .where('key', 'in', due)
    // Once more on the row itself: on PostgreSQL it may have gained a reference since it was chosen.
    .where('refs', '=', 0)
    .returning('key')
    .execute();
  return rows.map((row) => row.key);
}

/** Removes the row of a lost object that nothing refers to. */
export async function removeUnused(tx: TenantTx, key: string): Promise<void> {
  await tx.deleteFrom('files').where('key', '=', key).where('refs', '=', 0).execute();
}

/** Those of these keys that have a row. */
export async function knownKeys(source: TenantReader, keys: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await source.selectFrom('files').select('key').where('key', 'in', keys).execute();
  return new Set(rows.map((row) => row.key));
}

/** How many versions and parts of renditions use the file in `key`. */
const uses = (key: RawBuilder<unknown>) => sql<number>`((select count(*) from versions where file_key = ${key})
  + (select count(*) from rendition_parts where file_key = ${key}))`;

/** Files by key, from behind `after`, each with the number of references that there really are. */
export async function pageOfFiles(source: TenantReader, after: string, limit: number) {
  return source
    .selectFrom('files as f')
    .select(['f.key', 'f.size', 'f.refs', 'f.sha256'])
    .select(uses(sql.ref('f.key')).as('used'))
    .select(sql<number>`(select count(*) from versions where file_key = f.key)`.as('versions'))
    .where('f.key', '>', after)
    .orderBy('f.key')
    .limit(limit)
    .execute();
}

/** Sets the references of a file to the number that there really are. */
export async function recountReferences(tx: TenantTx, key: string, now: string): Promise<void> {
  const used = uses(sql`${key}`);
  await sql`update files set refs = ${used},
      unreferenced_since = case when ${used} = 0 then coalesce(unreferenced_since, ${now}) else null end
    where key = ${key}`.execute(tx);
}

const allBytes = sql<number>`(select coalesce(sum(size_bytes), 0) from versions)`;
const allReserved = sql<number>`(select coalesce(sum(length), 0) from uploads where state = 'open')`;

/** What usage should say. */
export async function trueUsage(source: TenantReader): Promise<{ bytes: number; reserved: number }> {
  const row = await source.selectNoFrom([allBytes.as('bytes'), allReserved.as('reserved')]).executeTakeFirstOrThrow();
  return { bytes: Number(row.bytes), reserved: Number(row.reserved) };
}

/** Keeps everybody else from changing usage until the transaction ends. */
export async function holdUsage(tx: TenantTx): Promise<void> {
  await tx
    .updateTable('document_usage')
    .set((eb) => ({ bytes: eb.ref('bytes') }))
    .where('id', '=', 1)
    .execute();
}

export async function recountUsage(tx: TenantTx): Promise<void> {
  await tx.updateTable('document_usage').set({ bytes: allBytes, reserved: allReserved }).where('id', '=', 1).execute();
}
