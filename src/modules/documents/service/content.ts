/**
 * Content comes in: bytes that the file store has made durable become a document or a version of one, in one
 * transaction with references, quota, history, audit and event. The answer is given after its commit.
 *
 * - Refused or failed, nothing is left: the object goes, the rows were never there.
 * - Equal bytes are one object. Whoever sends them again learns nothing of it: the statements, and the answer, are the
 *   same; only afterwards the second object is removed.
 */
import type { TenantTx } from '../../../kernel/database/database.ts';
import { conflict, StrongroomError } from '../../../kernel/errors.ts';
import type { StoredObject } from '../../../kernel/files/file-store.ts';
import type { Tenant } from '../../../kernel/handles.ts';
import { newId } from '../../../kernel/ids.ts';
import { codePoints } from '../../../kernel/shapes.ts';
import { failpoint } from '../../../kernel/tenants/failpoints.ts';
import { requireMatch } from '../content-headers.ts';
import type { Document, onConflictChoices } from '../contract.ts';
import { isDenied, mediaType } from '../media-type.ts';
import { loadBasket } from '../repository/baskets.ts';
import {
  advanceVersion,
  changeDocument,
  findByName,
  insertDocument,
  insertVersion,
  loadDocument,
  takenNames,
  writeMetadataFacts,
} from '../repository/documents.ts';
import { knownKeys, referenceFile, takeBytes } from '../repository/files.ts';
import { together } from '../repository/together.ts';
import type { DocumentTable } from '../tables.ts';
import { type Acting, type Parts, requireUploader, writeDown } from './acting.ts';
import type { InHand } from './in-hand.ts';
import { documentView } from './views.ts';

export interface NewContent {
  readonly filename: string;
  readonly declaredType: string;
  /** Empty for none. */
  readonly basketId: string;
  readonly onConflict: (typeof onConflictChoices)[number];
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  /** Whoever calls removes the object after a failure: it may be wanted again. */
  readonly keepOnFailure?: boolean;
  /** The reservation that this settles, and what else belongs into the transaction. */
  readonly settle?: { readonly reserved: number; within(tx: TenantTx, documentId: string): Promise<void> };
}

export interface Kept {
  readonly document: Document;
  readonly versionId: string;
}

export function quotaExceeded(): StrongroomError {
  return new StrongroomError('too_large', 'quota_exceeded', 'The company has no room left for this file.');
}
export function typeDenied(): StrongroomError {
  return new StrongroomError('unsupported', 'type_denied', 'The company does not keep files of this kind.');
}
export function filenameTaken(documentId?: string): StrongroomError {
  const message = 'There is a document of this name already.';
  return conflict('filename_taken', message, documentId === undefined ? undefined : { document_id: documentId });
}

/** The texts, numbers and booleans at the top of the metadata, as lists filter by them. Long texts are left out. */
export function metadataFacts(metadata: Readonly<Record<string, unknown>>): { key: string; value: string }[] {
  return Object.entries(metadata)
    .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
    .map(([key, value]) => ({ key, value: String(value) }))
    .filter(({ value }) => value !== '' && value.length <= 200);
}

export interface Content {
  /** A new document, or what `onConflict` says where its name is taken. */
  create(acting: Acting, stored: StoredObject, input: NewContent): Promise<Kept>;
  /** A new version of a document that the caller may write to. */
  addVersion(
    acting: Acting,
    stored: StoredObject,
    input: { readonly documentId: string; readonly declaredType: string; readonly ifMatch?: string | undefined },
  ): Promise<Kept>;
}

export function createContent(parts: Parts, inHand: InHand): Content {
  return {
    create: (acting, stored, input) =>
      committed(acting.tenant, inHand, stored, input.keepOnFailure === true, async (transaction) => {
        const insertedBy = (insert: typeof insertNew) =>
          transaction(async (tx) => {
            if (input.basketId === '') requireUploader(acting.viewer);
            else await loadBasket(tx, acting.viewer, input.basketId, 'write');
            const kept = await insert(parts, tx, acting, inHand, stored, input);
            await input.settle?.within(tx, kept.document.id);
            return kept;
          });
        for (let insert = insertNew; ; insert = insertBesideOther) {
          try {
            return await insertedBy(insert);
          } catch (error) {
            if (!(error instanceof NameTaken)) throw error;
          }
        }
      }),
    addVersion: (acting, stored, input) =>
      committed(acting.tenant, inHand, stored, false, (transaction) =>
        transaction(async (tx) => {
          const before = await loadDocument(tx, acting.viewer, input.documentId, { level: 'write' });
          requireMatch(input.ifMatch, before.version_id);
          return nextVersion(parts, tx, acting, before, {
            reference: () => referenced(tx, acting.tenant, inHand, stored),
            mimeType: mediaType(stored.head, before.filename, input.declaredType),
            size: stored.size,
            sha256: stored.sha256,
            reserved: 0,
            restoredFrom: null,
          });
        }),
      ),
  };
}

/** Runs the transactions; where they are refused or fail, the object that nobody refers to is removed. */
async function committed(
  tenant: Tenant,
  inHand: InHand,
  stored: StoredObject,
  keepOnFailure: boolean,
  work: (transaction: Tenant['db']['transaction']) => Promise<Kept>,
): Promise<Kept> {
  try {
    await failpoint('upload.stored');
    return await work(tenant.db.transaction);
  } catch (error) {
    if (!keepOnFailure) await discardUnlessKept(tenant, inHand, stored.key);
    throw error;
  }
}

/** Removes an object after a failure, unless a commit whose answer was lost refers to it; in doubt it is looked at later. */
export async function discardUnlessKept(tenant: Tenant, inHand: InHand, key: string): Promise<void> {
  try {
    if ((await knownKeys(tenant.db.read, [key])).has(key)) return;
    await tenant.files.delete([key]);
  } catch (failure) {
    inHand.doubt(tenant.id, key, tenant.clock.now());
    tenant.log.warn({ err: failure }, 'an object without a row could not be removed; it will be after its grace');
  }
}

/** Refers to the bytes; an object that turns out to be a second one of them goes after the commit. */
async function referenced(tx: TenantTx, tenant: Tenant, inHand: InHand, stored: StoredObject): Promise<void> {
  const key = await referenceFile(tx, { key: stored.key, sha256: stored.sha256, size: stored.size });
  if (key !== stored.key) tx.afterCommit(() => discardUnlessKept(tenant, inHand, stored.key));
}

/** Ends a transaction that meant to insert a document under a name that turned out to be taken. */
class NameTaken extends Error {
  override readonly name = 'NameTaken';
}

/** The rarer way: the name is looked at before anything else is done. */
async function insertBesideOther(
  parts: Parts,
  tx: TenantTx,
  acting: Acting,
  inHand: InHand,
  stored: StoredObject,
  input: NewContent,
): Promise<Kept> {
  const owner = acting.viewer.id;
  const taken = await findByName(tx, owner, input.basketId, input.filename);
  if (taken === undefined) return insertNew(parts, tx, acting, inHand, stored, input);
  if (input.onConflict === 'error') throw filenameTaken(taken);
  if (input.onConflict === 'version') return versionInstead(parts, tx, acting, inHand, stored, input, taken);
  const filename = await freeName(tx, owner, input.basketId, input.filename);
  return insertNew(parts, tx, acting, inHand, stored, { ...input, filename });
}

/** Inserts the document with all that belongs to it in one go. @throws NameTaken, after which the transaction must end */
async function insertNew(
  parts: Parts,
  tx: TenantTx,
  acting: Acting,
  inHand: InHand,
  stored: StoredObject,
  input: NewContent,
): Promise<Kept> {
  const { tenant, viewer } = acting;
  const now = tenant.clock.now();
  const at = new Date(now).toISOString();
  const row: DocumentTable = {
    id: newId('document', now),
    owner_id: viewer.id,
    basket_id: input.basketId,
    filename: input.filename,
    version: 1,
    version_id: newId('version', now),
    mime_type: mediaType(stored.head, input.filename, input.declaredType),
    size_bytes: stored.size,
    sha256: stored.sha256,
    metadata: JSON.stringify(input.metadata ?? {}),
    tags: '[]',
    created_at: at,
    updated_at: at,
    trashed_at: null,
  };
  const { id, filename, version_id: versionId } = row;
  const version = {
    id: versionId,
    document_id: id,
    number: 1,
    created_by: viewer.id,
    created_at: at,
    restored_from: null,
  };
  const { mime_type, size_bytes, sha256 } = row;
  const [, , , denied] = await together(tx, [
    async () => {
      if (!(await insertDocument(tx, row))) throw new NameTaken();
    },
    () => referenced(tx, tenant, inHand, stored),
    () => insertVersion(tx, { ...version, mime_type, size_bytes, sha256 }),
    () => takeBytes(tx, stored.size, tenant.quotaBytes, input.settle?.reserved ?? 0),
    async () => input.metadata && writeMetadataFacts(tx, id, metadataFacts(input.metadata), true),
    () =>
      writeDown(parts, tx, acting, {
        action: 'document.created',
        documentId: id,
        payload: { document_id: id, version_id: versionId, version: 1 },
        details: { filename, size_bytes, version: 1 },
      }),
  ]);
  requireAllowed(denied, filename, mime_type);
  return { document: documentView({ ...row, owner_name: acting.fullName }), versionId };
}

async function versionInstead(
  parts: Parts,
  tx: TenantTx,
  acting: Acting,
  inHand: InHand,
  stored: StoredObject,
  input: NewContent,
  documentId: string,
): Promise<Kept> {
  const before = await loadDocument(tx, acting.viewer, documentId, { level: 'write' });
  const metadata = input.metadata === undefined ? before.metadata : JSON.stringify(input.metadata);
  if (input.metadata !== undefined) {
    await changeDocument(tx, documentId, { metadata });
    await writeMetadataFacts(tx, documentId, metadataFacts(input.metadata), false);
  }
  return nextVersion(
    parts,
    tx,
    acting,
    { ...before, metadata },
    {
      reference: () => referenced(tx, acting.tenant, inHand, stored),
      mimeType: mediaType(stored.head, before.filename, input.declaredType),
      size: stored.size,
      sha256: stored.sha256,
      reserved: input.settle?.reserved ?? 0,
      restoredFrom: null,
    },
  );
}

export interface VersionContent {
  /** Refers once more to the bytes. */
  reference(): Promise<void>;
  readonly mimeType: string;
  readonly size: number;
  readonly sha256: string;
  readonly reserved: number;
  readonly restoredFrom: number | null;
}

/** Appends a version to a document that was loaded in this transaction. */
export async function nextVersion(
  parts: Parts,
  tx: TenantTx,
  acting: Acting,
  before: DocumentTable & { readonly owner_name: string },
  content: VersionContent,
): Promise<Kept> {
  const { tenant, viewer } = acting;
  const now = tenant.clock.now();
  const changes = {
    version_id: newId('version', now),
    mime_type: content.mimeType,
    size_bytes: content.size,
    sha256: content.sha256,
    updated_at: new Date(now).toISOString(),
  };
  const number = await advanceVersion(tx, before.id, changes);
  const { version_id: id, updated_at: created_at, mime_type, size_bytes, sha256 } = changes;
  const version = {
    id,
    document_id: before.id,
    number,
    created_by: viewer.id,
    created_at,
    restored_from: content.restoredFrom,
  };
  const [, , denied] = await together(tx, [
    () => content.reference(),
    () => insertVersion(tx, { ...version, mime_type, size_bytes, sha256 }),
    () => takeBytes(tx, content.size, tenant.quotaBytes, content.reserved),
    () =>
      writeDown(parts, tx, acting, {
        action: 'document.version_added',
        documentId: before.id,
        payload: { document_id: before.id, version_id: id, version: number },
        details: { version: number, size_bytes, restored_from: content.restoredFrom },
      }),
  ]);
  requireAllowed(denied, before.filename, mime_type);
  return { document: documentView({ ...before, ...changes, version: number }), versionId: changes.version_id };
}

/** @throws too_large `quota_exceeded` where the bytes were not taken, unsupported `type_denied` */
function requireAllowed(denied: readonly string[] | undefined, filename: string, mimeType: string): void {
  if (denied === undefined) throw quotaExceeded();
  if (isDenied(denied, filename, mimeType)) throw typeDenied();
}

/** The first of `name (2).txt`, `name (3).txt`, … that is free, cut to the length that names may have. */
async function freeName(tx: TenantTx, owner: string, basket: string, filename: string): Promise<string> {
  const dot = filename.lastIndexOf('.');
  const ending = dot > 0 && filename.length - dot <= 20 ? filename.slice(dot) : '';
  const base = filename.slice(0, filename.length - ending.length);
  for (let first = 2; first < 10_000; first += 100) {
    const names = Array.from({ length: 100 }, (_, index) => numbered(base, first + index, ending));
    const taken = await takenNames(tx, owner, basket, names);
    const free = names.find((name) => !taken.has(name));
    if (free !== undefined) return free;
  }
  throw filenameTaken();
}

function numbered(base: string, number: number, ending: string): string {
  const tail = ` (${number})${ending}`;
  const room = 255 - codePoints(tail);
  const cut = codePoints(base) > room ? [...base].slice(0, room).join('') : base;
  return (cut + tail).normalize('NFC');
}
