/** Statements on documents and their versions, one document at a time. */
import { type CompiledQuery, sql } from 'kysely';
import type { TenantReader, TenantTx } from '../../../kernel/database/database.ts';
import { prepare } from '../../../kernel/database/prepared.ts';
import { notFound } from '../../../kernel/errors.ts';
import { isId } from '../../../kernel/ids.ts';
import type { DocumentTable, VersionTable } from '../tables.ts';
import { accessOf, type Bind, type Level, requireLevel, sharedLevel, type Viewer } from '../visibility.ts';

/** A document as it stands, with its owner's name and present role, and what the viewer may do with it. */
export interface LoadedDocument extends DocumentTable {
  readonly owner_name: string;
  readonly owner_role: string;
  readonly shared: number;
  readonly level: Level;
}

interface Asked {
  readonly id: string;
  readonly viewer: string;
  readonly role: string;
}

type Row = Omit<LoadedDocument, 'level'>;

const columns = (bind: Bind) =>
  sql`d.*, u.full_name as owner_name, u.role as owner_role, ${sharedLevel(bind)} as shared`;

const load = (lock: boolean) =>
  prepare<TenantReader, Asked, Row>((source, slot) => {
    const forUpdate = lock && isPostgres(source) ? sql`for update of d` : sql``;
    return sql`select ${columns(slot)}
      from documents d join users u on u.id = d.owner_id where d.id = ${slot('id')} ${forUpdate}`.compile(
      source,
    ) as CompiledQuery<Row>;
  });
const loadPlain = load(false);
const loadLocked = load(true);

/** SQLite has one writer; on PostgreSQL what was judged must not change before the commit. */
function isPostgres(source: TenantReader | TenantTx): boolean {
  return 'dialect' in source && source.dialect === 'postgres';
}

/** What is to be done with a document, and whether in the trash or out of it (the default). */
export interface Wanted {
  readonly level: Level;
  readonly trash?: 'no' | 'only' | 'either';
}

/** @throws not_found (no row, not visible, in or not in the trash), forbidden */
export function judgedDocument(viewer: Viewer, row: Row | undefined, wanted: Wanted): LoadedDocument {
  if (row === undefined) throw notFound();
  const where = wanted.trash ?? 'no';
  if (where !== 'either' && (row.trashed_at !== null) !== (where === 'only')) throw notFound();
  const level = accessOf(viewer, row);
  requireLevel(level, wanted.level);
  return { ...row, level };
}

/**
 * A document that the viewer may see, with at least the wanted level. In a write transaction the row is locked.
 * @throws not_found (unknown, malformed, not visible, in or not in the trash), forbidden
 */
export async function loadDocument(
  source: TenantReader | TenantTx,
  viewer: Viewer,
  id: string,
  wanted: Wanted,
): Promise<LoadedDocument> {
  if (!isId('document', id)) throw notFound();
  const run = 'dialect' in source ? loadLocked : loadPlain;
  const { rows } = await run(source, { id, viewer: viewer.id, role: viewer.role });
  return judgedDocument(viewer, rows[0], wanted);
}

/**
 * The rows of those of these ids that there are, by id and not yet judged, in one statement. In a write transaction they
 * are locked, in an order that is the same for everybody.
 */
export async function findDocuments(
  source: TenantReader | TenantTx,
  viewer: Viewer,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Row>> {
  const known = ids.filter((id) => isId('document', id));
  if (known.length === 0) return new Map();
  const bind: Bind = (slot) => (slot === 'viewer' ? viewer.id : viewer.role);
  const forUpdate = isPostgres(source) ? sql`for update of d` : sql``;
  const query = sql<Row>`select ${columns(bind)} from documents d join users u on u.id = d.owner_id
    where d.id in (${sql.join(known)}) order by d.id ${forUpdate}`;
  const { rows } = await source.executeQuery<Row>(query.compile(source));
  return new Map(rows.map((row) => [row.id, row]));
}

/** A new document. False where its name is taken. */
const insertOne = prepare<TenantTx, DocumentTable, { id: string }>((tx, slot) =>
  tx
    .insertInto('documents')
    .values({
      id: slot('id'),
      owner_id: slot('owner_id'),
      basket_id: slot('basket_id'),
      filename: slot('filename'),
      version: slot('version'),
      version_id: slot('version_id'),
      mime_type: slot('mime_type'),
      size_bytes: slot('size_bytes'),
      sha256: slot('sha256'),
      metadata: slot('metadata'),
      tags: slot('tags'),
      created_at: slot('created_at'),
      updated_at: slot('updated_at'),
      trashed_at: slot('trashed_at'),
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .compile(),
);
export async function insertDocument(tx: TenantTx, row: DocumentTable): Promise<boolean> {
  return (await insertOne(tx, row)).rows.length > 0;
}

type NewVersion = Omit<VersionTable, 'file_key'>;

/** Its file is found by its bytes, so that nobody waits for the file's key. */
const insertVersionOnce = prepare<TenantTx, NewVersion, unknown>((tx, slot) =>
  tx
    .insertInto('versions')
    .values({
      id: slot('id'),
      document_id: slot('document_id'),
      number: slot('number'),
      file_key: sql<string>`(select key from files where sha256 = ${slot('sha256')} and size = ${slot('size_bytes')})`,
      mime_type: slot('mime_type'),
      size_bytes: slot('size_bytes'),
      sha256: slot('sha256'),
      created_by: slot('created_by'),
      created_at: slot('created_at'),
      restored_from: slot('restored_from'),
    })
    .compile(),
);
/** A version whose file has its reference. */
export async function insertVersion(tx: TenantTx, row: NewVersion): Promise<void> {
  await insertVersionOnce(tx, row);
}

/** The document that has this name now, where there is one. */
export async function findByName(
  source: TenantReader,
  owner: string,
  basket: string,
  filename: string,
): Promise<string | undefined> {
  const row = await source
    .selectFrom('documents')
    .select('id')
    .where('owner_id', '=', owner)
    .where('basket_id', '=', basket)
    .where('filename', '=', filename)
    .where('trashed_at', 'is', null)
    .executeTakeFirst();
  return row?.id;
}

/** Those of these names that are taken. */
export async function takenNames(
  source: TenantReader,
  owner: string,
  basket: string,
  names: readonly string[],
): Promise<ReadonlySet<string>> {
  const rows = await source
    .selectFrom('documents')
    .select('filename')
    .where('owner_id', '=', owner)
    .where('basket_id', '=', basket)
    .where('filename', 'in', names)
    .where('trashed_at', 'is', null)
    .execute();
  return new Set(rows.map((row) => row.filename));
}

/** Makes this the current version. Gives its number. */
export async function advanceVersion(
  tx: TenantTx,
  id: string,
  content: Pick<DocumentTable, 'version_id' | 'mime_type' | 'size_bytes' | 'sha256' | 'updated_at'>,
): Promise<number> {
  const row = await tx
    .updateTable('documents')
    .set((eb) => ({ ...content, version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .where('trashed_at', 'is', null)
    .returning('version')
    .executeTakeFirst();
  if (row === undefined) throw notFound();
  return row.version;
}

type Changes = Partial<
  Pick<DocumentTable, 'filename' | 'basket_id' | 'metadata' | 'tags' | 'updated_at' | 'trashed_at'>
>;

/** Changes a document whose row the caller has loaded in this transaction. */
export async function changeDocument(tx: TenantTx, id: string, changes: Changes): Promise<void> {
  await tx.updateTable('documents').set(changes).where('id', '=', id).execute();
}

/** The facts that lists filter by, replaced as a whole. */
export async function writeMetadataFacts(
  tx: TenantTx,
  id: string,
  facts: readonly { readonly key: string; readonly value: string }[],
  isNew: boolean,
): Promise<void> {
  if (!isNew) await tx.deleteFrom('document_metadata').where('document_id', '=', id).execute();
  if (facts.length === 0) return;
  const rows = facts.map((fact) => ({ ...fact, document_id: id }));
  await tx.insertInto('document_metadata').values(rows).execute();
}

export async function writeTags(tx: TenantTx, id: string, tags: readonly string[]): Promise<void> {
  await tx.deleteFrom('document_tags').where('document_id', '=', id).execute();
  if (tags.length === 0) return;
  await tx
    .insertInto('document_tags')
    .values(tags.map((tag) => ({ document_id: id, tag })))
    .execute();
}

/** One version by its number; undefined where there is none. */
export async function findVersion(source: TenantReader, id: string, number: number): Promise<VersionTable | undefined> {
  return source
    .selectFrom('versions')
    .selectAll()
    .where('document_id', '=', id)
    .where('number', '=', number)
    .executeTakeFirst();
}

/** The current versions of these documents, by the documents' ids. */
export async function currentVersions(
  source: TenantReader,
  ids: readonly string[],
): Promise<ReadonlyMap<string, VersionTable>> {
  const rows = await source
    .selectFrom('versions as v')
    .innerJoin('documents as d', 'd.version_id', 'v.id')
    .selectAll('v')
    .where('d.id', 'in', ids)
    .execute();
  return new Map(rows.map((row) => [row.document_id, { ...row, size_bytes: Number(row.size_bytes) }]));
}

/** Newest first, from below `before`. */
export async function listVersions(source: TenantReader, id: string, limit: number, before: number | undefined) {
  let query = source
    .selectFrom('versions as v')
    .innerJoin('users as u', 'u.id', 'v.created_by')
    .selectAll('v')
    .select('u.full_name as created_by_name')
    .where('v.document_id', '=', id)
    .orderBy('v.number', 'desc')
    .limit(limit);
  if (before !== undefined) query = query.where('v.number', '<', before);
  return query.execute();
}

/** How many versions, or entries of its history, a document has. */
export async function countOf(source: TenantReader, of: 'versions' | 'document_history', id: string): Promise<number> {
  const row = await source
    .selectFrom(of)
    .select((eb) => eb.fn.countAll().as('rows'))
    .where('document_id', '=', id)
    .executeTakeFirstOrThrow();
  return Number(row.rows);
}

/** Ids of documents whose time in the trash is over. */
export async function findExpired(source: TenantReader, trashedBefore: string, limit: number): Promise<string[]> {
  const rows = await source
    .selectFrom('documents')
    .select('id')
    .where('trashed_at', '<=', trashedBefore)
    .orderBy('trashed_at')
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}

/** Whether the document is still due to be purged; on PostgreSQL it then stays so until the commit. */
export async function holdTrashed(tx: TenantTx, id: string, trashedBefore: string): Promise<boolean> {
  let query = tx.selectFrom('documents').select('id').where('id', '=', id).where('trashed_at', '<=', trashedBefore);
  if (tx.dialect === 'postgres') query = query.forUpdate();
  return (await query.executeTakeFirst()) !== undefined;
}

/** Removes the document with everything beside it; its versions' references are given back before (`files.ts`). */
export async function removeDocument(tx: TenantTx, id: string): Promise<void> {
  await tx.deleteFrom('document_metadata').where('document_id', '=', id).execute();
  await tx.deleteFrom('document_tags').where('document_id', '=', id).execute();
  await tx.deleteFrom('document_history').where('document_id', '=', id).execute();
  await tx.deleteFrom('shares').where('target_id', '=', id).execute();
  await tx.deleteFrom('rendition_parts').where('document_id', '=', id).execute();
  await tx.deleteFrom('renditions').where('document_id', '=', id).execute();
  await tx.deleteFrom('versions').where('document_id', '=', id).execute();
  await tx.deleteFrom('documents').where('id', '=', id).execute();
}
