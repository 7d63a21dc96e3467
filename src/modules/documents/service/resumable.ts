/**
 * Resumable uploads (tus 1.0.0). The state is a row in the tenant's database, the bytes are a partial upload of the file
 * store: both outlive the process, and what an answer has acknowledged is durable.
 *
 * - Quota is reserved when an upload begins, turned into use in the transaction that makes the document, and given back
 *   when the upload is terminated, refused at its end, or expires.
 * - The last bytes and the document are two steps. Whoever asks in between, after a crash or a lost answer, makes the
 *   second happen; it happens once.
 * - An upload is its owner's alone: for everybody else it does not exist.
 */
import { Readable } from 'node:stream';
import { day, hour, isoTime, second } from '../../../kernel/clock.ts';
import type { TenantTx } from '../../../kernel/database/database.ts';
import { conflict, isStrongroomError, notFound, StrongroomError } from '../../../kernel/errors.ts';
import type { Tenant } from '../../../kernel/handles.ts';
import { isId, newId } from '../../../kernel/ids.ts';
import type { RequestInfo } from '../../../kernel/module.ts';
import { isDenied } from '../media-type.ts';
import { loadBasket } from '../repository/baskets.ts';
import { findByName } from '../repository/documents.ts';
import { readUsage, releaseReserved, reserveBytes } from '../repository/files.ts';
import {
  endUpload,
  findNameHolder,
  findUpload,
  insertUpload,
  postponeUpload,
  removeUpload,
} from '../repository/uploads.ts';
import type { UploadTable } from '../tables.ts';
import {
  bodyLength,
  isOffsetStream,
  requireOffset,
  requireOffsetStream,
  requireTus,
  uploadFacts,
  uploadLength,
} from '../tus-headers.ts';
import { tusVersion } from '../upload-contract.ts';
import { type Acting, type Parts, requireUploader } from './acting.ts';
import { type Content, discardUnlessKept, filenameTaken, quotaExceeded, typeDenied } from './content.ts';
import type { InHand } from './in-hand.ts';

type Headers = Record<string, string>;
type Body = Pick<RequestInfo, 'header' | 'raw' | 'signal' | 'confirm'>;

export interface Resumables {
  begin(acting: Acting, request: Body): Promise<Headers>;
  look(acting: Acting, id: string, request: Pick<Body, 'header'>): Promise<Headers>;
  append(acting: Acting, id: string, request: Body): Promise<Headers>;
  terminate(acting: Acting, id: string, request: Pick<Body, 'header'>): Promise<Headers>;
}

/**
 * A name is held by the upload that began with it, until it ends or expires; whoever wants to begin anew terminates that
 * one first. An upload by another way may still take the name: that is found at the end.
 */
async function requireFreeName(tx: TenantTx, upload: UploadTable): Promise<void> {
  if (upload.on_conflict !== 'error') return;
  const { owner_id: ownerId, basket_id: basketId, filename, created_at: now } = upload;
  const holder = await findNameHolder(tx, { ownerId, basketId, filename, now });
  if (holder === undefined) return;
  throw conflict('filename_taken', 'An upload of this name is under way: go on with it, or terminate it.', {
    upload_id: holder,
  });
}

/** How long the row of an ended upload stays, so that who asks again hears what became of it. */
const remembered = day;

export function createResumables(parts: Parts, content: Content, inHand: InHand): Resumables {
  const { maxUploadBytes, uploadDays } = parts.config;
  /** Ends that are under way in this process, by tenant and upload: who asks meanwhile gets the same outcome. */
  const finishing = new Map<string, Promise<string>>();

  function finish(acting: Acting, upload: UploadTable): Promise<string> {
    const key = `${acting.tenant.id}/${upload.id}`;
    let outcome = finishing.get(key);
    if (outcome === undefined) {
      outcome = finishNow(parts, content, inHand, acting, upload).finally(() => finishing.delete(key));
      finishing.set(key, outcome);
    }
    return outcome;
  }

  async function begin(acting: Acting, request: Body): Promise<Headers> {
    requireTus(request.header);
    const length = uploadLength(request.header);
    if (length > maxUploadBytes) throw tooLarge(maxUploadBytes);
    const facts = uploadFacts(request.header);
    const { tenant, viewer } = acting;
    const now = tenant.clock.now();
    const upload: UploadTable = {
      id: newId('upload', now),
      owner_id: viewer.id,
      length,
      filename: facts.filename,
      declared_type: facts.declaredType,
      basket_id: facts.basketId,
      on_conflict: facts.onConflict,
      state: 'open',
      document_id: null,
      raw_metadata: facts.raw,
      created_at: isoTime(now),
      expires_at: isoTime(now + uploadDays * day),
    };
    await tenant.db.transaction(async (tx) => {
      if (facts.basketId === '') requireUploader(viewer);
      else await loadBasket(tx, viewer, facts.basketId, 'write');
      const taken = await findByName(tx, viewer.id, facts.basketId, facts.filename);
      if (taken !== undefined && facts.onConflict === 'error') throw filenameTaken(taken);
      await requireFreeName(tx, upload);
      if (isDenied((await readUsage(tx)).deniedTypes, facts.filename, '')) throw typeDenied();
      if (!(await reserveBytes(tx, length, tenant.quotaBytes))) throw quotaExceeded();
      await insertUpload(tx, upload);
      tx.dueAt(now + uploadDays * day);
    });
    const sent = isOffsetStream(request.header) ? await receive(acting, upload, 0, request) : { offset: 0 };
    const document = sent.offset === length ? await finish(acting, upload) : undefined;
    return {
      location: `/api/uploads/${upload.id}`,
      'upload-offset': String(sent.offset),
      ...expiry(upload),
      ...tusHeaders(document),
    };
  }

  /** The bytes of one request, from `at`. Gives the offset that is durable then. */
  async function receive(acting: Acting, upload: UploadTable, at: number, request: Body): Promise<{ offset: number }> {
    const { tenant } = acting;
    const left = upload.length - at;
    const announced = bodyLength(request.header);
    if (announced !== undefined && announced > left) throw tooLarge(left);
    const partial = await tenant.files.partial(upload.id);
    // One request may take longer than an upload may rest.
    const alive = setInterval(() => {
      postpone(tenant, upload.id).catch((error: unknown) =>
        tenant.log.warn({ err: error }, 'an upload was not postponed'),
      );
    }, hour);
    try {
      const offset = await partial.append(at, request.raw, { maxBytes: left, signal: request.signal });
      if (offset === upload.length) await request.confirm();
      return { offset };
    } finally {
      clearInterval(alive);
    }
  }

  async function postpone(tenant: Tenant, id: string): Promise<string> {
    const expiresAt = isoTime(tenant.clock.now() + uploadDays * day);
    await tenant.db.transaction((tx) => postponeUpload(tx, id, expiresAt));
    return expiresAt;
  }

  async function append(acting: Acting, id: string, request: Body): Promise<Headers> {
    requireTus(request.header);
    requireOffsetStream(request.header);
    const { tenant } = acting;
    const upload = await load(acting, id);
    if (upload.state === 'done') {
      requireOffset(request.header, upload.length);
      return { 'upload-offset': String(upload.length), ...tusHeaders(upload.document_id ?? undefined) };
    }
    const partial = await tenant.files.partial(upload.id);
    const before = await partial.offset();
    requireOffset(request.header, before);
    const { offset } = before === upload.length ? { offset: before } : await receive(acting, upload, before, request);
    if (offset === upload.length) {
      const document = await finish(acting, upload);
      return { 'upload-offset': String(offset), ...tusHeaders(document) };
    }
    const expires_at = await postpone(tenant, upload.id);
    return { 'upload-offset': String(offset), ...expiry({ expires_at }), ...tusHeaders() };
  }

  async function look(acting: Acting, id: string, request: Pick<Body, 'header'>): Promise<Headers> {
    requireTus(request.header);
    const upload = await load(acting, id);
    const known = {
      'upload-length': String(upload.length),
      'cache-control': 'no-store',
      ...(upload.raw_metadata === '' ? {} : { 'upload-metadata': upload.raw_metadata }),
    };
    if (upload.state === 'done') {
      return { ...known, 'upload-offset': String(upload.length), ...tusHeaders(upload.document_id ?? undefined) };
    }
    const offset = await (await acting.tenant.files.partial(upload.id)).offset();
    const document = offset === upload.length ? await finish(acting, upload) : undefined;
    return { ...known, 'upload-offset': String(offset), ...expiry(upload), ...tusHeaders(document) };
  }

  async function terminate(acting: Acting, id: string, request: Pick<Body, 'header'>): Promise<Headers> {
    requireTus(request.header);
    const upload = await load(acting, id);
    if (upload.state === 'done') throw gone('The upload is finished; delete the document instead.');
    await giveUp(parts, acting.tenant, inHand, upload, 'removed');
    return tusHeaders();
  }

  return { begin, look, append, terminate };
}

/** An upload of the caller's own. @throws not_found, gone `upload_expired` */
async function load({ tenant, viewer }: Acting, id: string): Promise<UploadTable> {
  const upload = isId('upload', id) ? await findUpload(tenant.db.read, id) : undefined;
  if (upload === undefined || upload.owner_id !== viewer.id) throw notFound();
  if (upload.state === 'failed') throw gone('The upload was refused at its end. Begin it again.');
  const over = upload.expires_at <= tenant.clock.iso();
  if (upload.state === 'expired' || over) {
    if (upload.state === 'done') throw notFound();
    throw gone('The upload has expired. Begin it again.');
  }
  return upload;
}

function gone(message: string): StrongroomError {
  return new StrongroomError('gone', 'upload_expired', message);
}

function tooLarge(maxBytes: number): StrongroomError {
  return new StrongroomError('too_large', 'file_too_large', `At most ${maxBytes} bytes may come here.`);
}

/** Makes the document. A refusal ends the upload: its bytes and its reservation go. */
async function finishNow(
  parts: Parts,
  content: Content,
  inHand: InHand,
  acting: Acting,
  upload: UploadTable,
): Promise<string> {
  const { tenant } = acting;
  const partial = await tenant.files.partial(upload.id);
  // Of an empty file nothing has ever been appended.
  if (upload.length === 0) await partial.append(0, Readable.from([]));
  const stored = await partial.finish();
  const expires_at = isoTime(tenant.clock.now() + remembered);
  try {
    const kept = await content.create(acting, stored, {
      filename: upload.filename,
      declaredType: upload.declared_type,
      basketId: upload.basket_id,
      onConflict: upload.on_conflict as 'error' | 'version' | 'rename',
      keepOnFailure: true,
      settle: {
        reserved: upload.length,
        async within(tx, documentId) {
          const ended = await endUpload(tx, upload.id, { state: 'done', document_id: documentId, expires_at });
          if (!ended) throw gone('The upload has ended meanwhile.');
          tx.dueAt(Date.parse(expires_at));
        },
      },
    });
    return kept.document.id;
  } catch (error) {
    const now = await findUpload(tenant.db.read, upload.id);
    if (now?.state === 'done' && now.document_id !== null) return now.document_id;
    // What failed for a reason that may pass is tried again by the next request.
    const passing = !isStrongroomError(error) || ['unavailable', 'no_space', 'internal'].includes(error.kind);
    if (!passing) await giveUp(parts, tenant, inHand, upload, 'failed', stored.key);
    throw error;
  }
}

/**
 * Ends an open upload without a document, and gives back what it held. Does nothing to one that has ended.
 * @param stored key of the object, where its bytes have become one
 */
export async function giveUp(
  parts: Pick<Parts, 'config'>,
  tenant: Tenant,
  inHand: InHand,
  upload: UploadTable,
  how: 'removed' | 'failed' | 'expired',
  stored?: string,
): Promise<void> {
  const ended = await tenant.db.transaction(async (tx) => {
    const until = tenant.clock.now() + remembered;
    const state = how === 'failed' ? 'failed' : 'expired';
    if (!(await endUpload(tx, upload.id, { state, document_id: null, expires_at: isoTime(until) }))) return false;
    await releaseReserved(tx, upload.length);
    if (how === 'removed') await removeUpload(tx, upload.id);
    // Where the process dies before the bytes are gone, the next one looks for them.
    tx.dueAt(Math.min(until, tenant.clock.now() + parts.config.objectGraceSeconds * second));
    return true;
  });
  if (!ended) return;
  await discard(tenant, inHand, upload, stored);
}

/** Removes the bytes, whether they are still a part or have become an object. */
async function discard(tenant: Tenant, inHand: InHand, upload: UploadTable, stored: string | undefined): Promise<void> {
  const partial = await tenant.files.partial(upload.id);
  const finished = stored !== undefined || (upload.length > 0 && (await partial.offset()) === upload.length);
  if (!finished) return partial.discard();
  await discardUnlessKept(tenant, inHand, stored ?? (await partial.finish()).key);
}

function expiry(upload: Pick<UploadTable, 'expires_at'>): Headers {
  return { 'upload-expires': new Date(upload.expires_at).toUTCString() };
}

function tusHeaders(documentId?: string): Headers {
  return {
    'tus-resumable': tusVersion,
    ...(documentId === undefined ? {} : { 'strongroom-document': documentId }),
  };
}
