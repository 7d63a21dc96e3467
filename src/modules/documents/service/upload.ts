/**
 * Uploads by multipart: exactly one file, and fields before or after it. What can be refused is refused before the
 * bytes move; whatever breaks off or breaks a rule later leaves nothing behind.
 */
import { second } from '../../../kernel/clock.ts';
import { invalid, invalidField, isStrongroomError, StrongroomError } from '../../../kernel/errors.ts';
import type { PutOptions, StoredObject } from '../../../kernel/files/file-store.ts';
import type { MultipartPart, RequestInfo } from '../../../kernel/module.ts';
import { requireMatch } from '../content-headers.ts';
import { Filename, Metadata, metadataLimits, OnConflict } from '../contract.ts';
import { isDenied } from '../media-type.ts';
import { loadBasket } from '../repository/baskets.ts';
import { findByName, loadDocument } from '../repository/documents.ts';
import { readUsage } from '../repository/files.ts';
import { type Acting, type Parts, requireUploader } from './acting.ts';
import { type Content, discardUnlessKept, filenameTaken, type Kept, quotaExceeded, typeDenied } from './content.ts';
import type { InHand } from './in-hand.ts';

type FilePart = MultipartPart & { readonly kind: 'file' };
type Body = Pick<RequestInfo, 'parts' | 'header' | 'signal' | 'confirm'>;

/** Smaller bodies are not worth a look before: the transaction refuses them as well. */
const worthLooking = 64 * 1024;
/** What boundaries and fields may take of a body beside the file. */
const overhead = 256 * 1024;

interface Fields {
  basketId?: string;
  metadata?: Record<string, unknown>;
  onConflict?: 'error' | 'version' | 'rename';
}

export interface Uploads {
  upload(acting: Acting, body: Body): Promise<Kept>;
  uploadVersion(acting: Acting, documentId: string, body: Body): Promise<Kept>;
}

export function createUploads(parts: Parts, content: Content, inHand: InHand): Uploads {
  const { maxUploadBytes } = parts.config;
  const receiving: Receiving = { parts, inHand };

  async function upload(acting: Acting, body: Body): Promise<Kept> {
    const fields: Fields = {};
    const reading: Reading = {
      field: (name, value) => readField(fields, name, value),
      before: async (part, length) => {
        const filename = parseFilename(part.filename);
        if (fields.basketId !== undefined)
          await loadBasket(acting.tenant.db.read, acting.viewer, fields.basketId, 'write');
        if (length <= worthLooking) return maxUploadBytes;
        if (fields.basketId !== undefined && fields.onConflict === 'error') {
          const taken = await findByName(acting.tenant.db.read, acting.viewer.id, fields.basketId, filename);
          if (taken !== undefined) throw filenameTaken(taken);
        }
        return room(acting, filename, length, maxUploadBytes);
      },
      // Rights that are known to be missing before the fields behind the file are read.
      after: () => {
        if (fields.basketId === undefined) requireUploader(acting.viewer);
      },
    };
    return receive(receiving, acting, body, reading, (received) =>
      content.create(acting, received.stored, {
        filename: parseFilename(received.filename),
        declaredType: received.declaredType,
        basketId: fields.basketId ?? '',
        onConflict: fields.onConflict ?? 'error',
        metadata: fields.metadata,
      }),
    );
  }

  async function uploadVersion(acting: Acting, documentId: string, body: Body): Promise<Kept> {
    const { tenant, viewer } = acting;
    const ifMatch = body.header('if-match');
    const document = await loadDocument(tenant.db.read, viewer, documentId, { level: 'write' });
    requireMatch(ifMatch, document.version_id);
    const reading: Reading = {
      field: (name) => refuseField(name),
      before: (_part, length) =>
        length <= worthLooking ? maxUploadBytes : room(acting, document.filename, length, maxUploadBytes),
      after: () => undefined,
    };
    return receive(receiving, acting, body, reading, ({ stored, declaredType }) =>
      content.addVersion(acting, stored, { documentId, declaredType, ifMatch }),
    );
  }

  return { upload, uploadVersion };
}

/** How many bytes may come. @throws what the company has no room for, or does not keep */
async function room(acting: Acting, filename: string, length: number, most: number): Promise<number> {
  const { tenant } = acting;
  const usage = await readUsage(tenant.db.read);
  if (isDenied(usage.deniedTypes, filename, '')) throw typeDenied();
  if (tenant.quotaBytes === null) return most;
  const left = Math.max(0, tenant.quotaBytes - usage.bytes - usage.reserved);
  if (Number.isFinite(length) && length - overhead > left) throw quotaExceeded();
  return Math.min(most, left);
}

interface Reading {
  field(name: string, value: string): void;
  /** Before the bytes move; gives how many may come. */
  before(part: FilePart, length: number): Promise<number> | number;
  /** When everything has come. */
  after(): void;
}

interface Received {
  readonly stored: StoredObject;
  readonly filename: string;
  readonly declaredType: string;
}

interface Receiving {
  readonly parts: Parts;
  readonly inHand: InHand;
}

interface Storing {
  /** Before a first byte is kept. */
  bytesMove(): Promise<void>;
  onKey(key: string): void;
}

/** Reads the body, then gives what came to `keep`. */
async function receive(
  { parts, inHand }: Receiving,
  acting: Acting,
  body: Body,
  reading: Reading,
  keep: (received: Received) => Promise<Kept>,
): Promise<Kept> {
  const { tenant } = acting;
  let received: Received | undefined;
  const keys: string[] = [];
  let over: ((needed?: number) => void) | undefined;
  const storing: Storing = {
    // What a crash leaves of them is looked for at the next start.
    bytesMove: async () => {
      over ??= await parts.jobs.announce(tenant);
    },
    onKey: (key) => {
      keys.push(key);
      inHand.add(tenant.id, key);
    },
  };
  try {
    try {
      for await (const part of body.parts()) {
        if (part.kind === 'field') reading.field(part.name, part.value);
        else received = await receiveFile(acting, body, reading, part, received, storing);
      }
      if (received === undefined) throw invalidField('file', 'is missing: send the file in a part of this name');
      reading.after();
      await body.confirm();
    } catch (error) {
      if (received !== undefined) await discardUnlessKept(tenant, inHand, received.stored.key);
      throw error;
    }
    return await keep(received);
  } finally {
    for (const key of keys) inHand.remove(tenant.id, key);
    const since = keys.map((key) => inHand.doubts(tenant.id).get(key)).find((time) => time !== undefined);
    over?.(since === undefined ? undefined : since + parts.config.objectGraceSeconds * second);
  }
}

async function receiveFile(
  acting: Acting,
  body: Body,
  reading: Reading,
  part: FilePart,
  before: Received | undefined,
  { bytesMove, onKey }: Storing,
): Promise<Received> {
  if (part.name !== 'file') throw refusedField(part.name);
  if (before !== undefined) throw invalidField('file', 'exactly one file is due');
  const maxBytes = await reading.before(part, Number(body.header('content-length') ?? Number.POSITIVE_INFINITY));
  await bytesMove();
  const stored = await store(acting, part, { maxBytes, signal: body.signal, onKey });
  return { stored, filename: part.filename, declaredType: part.mimeType };
}

async function store(
  acting: Acting,
  part: FilePart,
  options: PutOptions & { readonly maxBytes: number },
): Promise<StoredObject> {
  try {
    return await acting.tenant.files.put(part.stream, options);
  } catch (error) {
    throw await whyNotStored(acting, error, options.maxBytes);
  }
}

async function whyNotStored(acting: Acting, error: unknown, maxBytes: number): Promise<unknown> {
  if (!isStrongroomError(error)) return error;
  if (error.kind === 'too_large' && acting.tenant.quotaBytes !== null) {
    const usage = await readUsage(acting.tenant.db.read);
    const byQuota = acting.tenant.quotaBytes - usage.bytes - usage.reserved <= maxBytes;
    return byQuota ? quotaExceeded() : error;
  }
  if (error.code !== 'upload_incomplete') return error;
  // The layer that reads the body has refused it for a reason of its own: that is the answer.
  const { cause } = error;
  if (cause instanceof Error && 'status' in cause && 'code' in cause) return cause;
  return new StrongroomError('invalid', 'malformed_upload', 'The body broke off before its end; nothing was kept.', {
    cause,
  });
}

/** @throws invalid */
export function parseFilename(value: string): string {
  const result = Filename.safeParse(value);
  if (result.success) return result.data;
  throw invalidField('file', `the filename ${result.error.issues[0]!.message}`, 'filename_invalid');
}

function refusedField(name: string): StrongroomError {
  return invalidField(name.slice(0, 100), 'there is no such part here');
}
function refuseField(name: string): never {
  throw refusedField(name);
}

function readField(fields: Fields, name: string, value: string): void {
  const twice = () => invalidField(name, 'is given twice');
  switch (name) {
    case 'basket_id':
      if (fields.basketId !== undefined) throw twice();
      if (value !== '') fields.basketId = value;
      return;
    case 'metadata':
      if (fields.metadata !== undefined) throw twice();
      fields.metadata = parseMetadata(value);
      return;
    case 'on_conflict': {
      if (fields.onConflict !== undefined) throw twice();
      const parsed = OnConflict.safeParse(value);
      if (!parsed.success) throw invalidField(name, 'error, version or rename');
      fields.onConflict = parsed.data;
      return;
    }
    default:
      throw refusedField(name);
  }
}

/** @throws invalid where it is not JSON, not an object, says a key twice, or breaks the rules of metadata */
export function parseMetadata(text: string): Record<string, unknown> {
  if (text.length > 2 * metadataLimits.bytes)
    throw invalidField('metadata', `at most ${metadataLimits.bytes} bytes of JSON`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalidField('metadata', 'is not valid JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalidField('metadata', 'must be a JSON object');
  const parsed = Metadata.safeParse(value);
  if (!parsed.success) {
    const messages = parsed.error.issues.map((issue) => ({ path: 'metadata', message: issue.message }));
    throw invalid('The metadata breaks a rule.', messages);
  }
  if (Object.hasOwn(value, '__proto__')) throw invalidField('metadata', 'the key "__proto__" is reserved');
  // Only now, when it is known not to be deep.
  if (hasDuplicateKeys(text, value)) throw invalidField('metadata', 'says a key twice');
  return parsed.data;
}

/** In valid JSON each member has one colon outside of texts: fewer members than colons means that some were the same. */
function hasDuplicateKeys(text: string, value: unknown): boolean {
  const colons = text.replace(/"(?:[^"\\]|\\.)*"/g, '').split(':').length - 1;
  return colons !== countMembers(value);
}

function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const nested = Object.values(value).reduce((sum: number, one) => sum + countMembers(one), 0);
  return nested + (Array.isArray(value) ? 0 : Object.keys(value).length);
}
