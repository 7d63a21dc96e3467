/**
 * Uploads in parts on S3. All state is on the server (`s3-partial-state.ts`), so any process can carry an upload on.
 *
 * - The offset is that of the highest state; an append has made the next one durable before it returns.
 * - The object's key is derived from the upload's id, so that a second `finish` after a crash finds the same object.
 * - The hash is carried along while one process appends; after a gap the finished object is read once.
 */
import { createHash, type Hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { CompleteMultipartUploadCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { conflict, StrongroomError } from '../errors.ts';
import type { PartialUpload, StoredObject } from './file-store.ts';
import { headBytes, pour } from './pour.ts';
import type { Guard } from './s3-errors.ts';
import { hasName, statusOf, storageFailed } from './s3-errors.ts';
import { getObject } from './s3-get.ts';
import { createPartWriter, mismatch, sendPart } from './s3-part-writer.ts';
import { offsetOf, readState, removeStates, type State, stateNumbers } from './s3-partial-state.ts';
import { abortMultipart, at, look, md5, objectName, type Place, removeOne, requirePlace } from './s3-place.ts';
import { createTurns, type Turn } from './s3-turns.ts';

/** Uploads whose hash and state are kept in memory; for the others they are read again. */
const remembered = 1_024;

export interface S3Partials {
  open(id: string): PartialUpload;
  busy(id: string): boolean;
  forget(id: string): void;
}

/** What this process knows of one upload. */
interface Known {
  /** The state that was read or written last. States never change, so it is right as long as its number is the highest. */
  state: State | undefined;
  /** The hash of everything up to `state`. */
  hash: Hash | undefined;
}

interface Part {
  readonly place: Place;
  readonly id: string;
  /** The key of the object it becomes. */
  readonly key: string;
}

export function createS3Partials(place: Place, guard: Guard): S3Partials {
  const turns = createTurns<Known>(() => ({ state: undefined, hash: undefined }), remembered);
  return {
    open(id) {
      if (!/^[a-z0-9_-]{1,100}$/i.test(id)) {
        throw new StrongroomError('not_found', 'not_found', 'There is no such upload.');
      }
      const part: Part = { place, id, key: partKey(place.name, id) };
      const alone = <T>(work: (known: Known, turn: Turn) => Promise<T>) =>
        turns.alone(id, (known, turn) => guard(place.name, () => work(known, turn)));
      return {
        id,
        key: part.key,
        offset: () => alone(async (known) => (await current(part, known)).offset),
        append: (offset, body, options = {}) =>
          alone((known, turn) => append(part, known, turn, offset, body, options)),
        finish: () => alone((known) => finish(part, known)),
        discard: () => alone((known) => discard(part, known)),
      };
    },
    busy: turns.busy,
    forget: turns.forget,
  };
}

/** As opaque as a random key, and the same each time. */
export function partKey(bucket: string, id: string): string {
  return createHash('sha256').update(`part ${bucket} ${id}`).digest('hex').slice(0, 32);
}

/** The state that counts and its offset; the size of the object where it was finished; 0 before it has begun. */
async function current(part: Part, known: Known): Promise<{ state: State | undefined; offset: number }> {
  const { place, id, key } = part;
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const number = (await stateNumbers(place, id)).at(-1);
    if (number === undefined) {
      known.state = undefined;
      known.hash = undefined;
      return { state: undefined, offset: (await look(place, objectName(key)))?.size ?? 0 };
    }
    if (known.state?.number !== number) {
      known.hash = undefined;
      known.state = (await readState(place, id, number))?.state;
    }
    if (known.state !== undefined) return { state: known.state, offset: offsetOf(known.state) };
  }
  throw storageFailed(new Error('an upload changes all the time'), 1);
}

async function append(
  part: Part,
  known: Known,
  turn: Turn,
  offset: number,
  body: Readable,
  options: { maxBytes?: number; signal?: AbortSignal },
): Promise<number> {
  const { place, id, key } = part;
  const { state: before, offset: here } = await current(part, known);
  if (offset !== here) throw mismatch(here, offset);
  if (before === undefined && here > 0) {
    throw conflict('upload_finished', 'The upload is finished; nothing can be added.');
  }
  const stopping = new AbortController();
  turn.stop = () => stopping.abort();
  // Somebody asked again while this call was still waiting: it keeps what has come, and lets the newer one go on.
  if (turn.callers > 1) stopping.abort();
  const signal = options.signal === undefined ? stopping.signal : AbortSignal.any([stopping.signal, options.signal]);
  const hash = here === 0 ? createHash('sha256') : known.hash;
  known.hash = undefined;
  const writer = createPartWriter(place, id, key, before);
  try {
    const poured = await pour(body, { hash, write: writer.write, maxBytes: options.maxBytes, signal });
    if (poured.bytes > 0 || before === undefined) known.state = await writer.end();
    await requirePlace(place);
    known.hash = hash;
    return here + poured.bytes;
  } catch (error) {
    known.state = undefined;
    await writer.undo().catch(() => undefined);
    throw error;
  }
}

async function finish(part: Part, known: Known): Promise<StoredObject> {
  const { place, id, key } = part;
  const { state } = await current(part, known);
  const sha256 = state === undefined ? undefined : known.hash?.copy().digest('hex');
  if (state === undefined) {
    if ((await look(place, objectName(key))) === undefined) throw gone();
    return describe(part, undefined);
  }
  await complete(part, state);
  await requirePlace(place).catch(async (error: unknown) => {
    await removeOne(place, objectName(key));
    throw error;
  });
  const object = await describe(part, sha256);
  if (object.size !== offsetOf(state)) throw storageFailed(new Error('the object has another size than its parts'));
  await removeStates(place, id);
  known.state = undefined;
  known.hash = undefined;
  return object;
}

function gone(cause?: unknown): StrongroomError {
  const options = cause === undefined ? {} : { cause };
  return new StrongroomError('gone', 'upload_gone', 'The upload is not there any more. Begin it again.', options);
}

/** Makes the object of the parts and the tail. Can be done again after a lost answer. */
async function complete({ place, id, key }: Part, state: State): Promise<void> {
  const read = state.tailBytes === 0 ? undefined : await readState(place, id, state.number);
  const tail = Buffer.from(read?.tail ?? []);
  if (tail.length !== state.tailBytes) throw gone();
  const target = at(place, objectName(key));
  if (state.multipart === null) {
    const digest = { ContentLength: tail.length, ContentMD5: md5(tail).toString('base64') };
    await place.client.send(new PutObjectCommand({ ...target, Body: tail, ...digest }));
    return;
  }
  try {
    const parts = [...state.parts];
    if (tail.length > 0) parts.push(await sendPart(place, target, state.multipart, parts.length + 1, tail));
    const Parts = parts.map((ETag, index) => ({ PartNumber: index + 1, ETag }));
    await place.client.send(
      new CompleteMultipartUploadCommand({ ...target, UploadId: state.multipart, MultipartUpload: { Parts } }),
    );
  } catch (error) {
    // The answer to an earlier completion was lost.
    const found = await look(place, objectName(key));
    if (found?.size === offsetOf(state)) return;
    throw hasName(error, 'NoSuchUpload', 'InvalidPart') ? gone(error) : error;
  }
}

/** Size, first bytes and digest of the finished object; the digest is computed where it is not known. */
async function describe({ place, key }: Part, sha256: string | undefined): Promise<StoredObject> {
  const head: Uint8Array[] = [];
  let size = 0;
  const hash = createHash('sha256');
  if (sha256 !== undefined) {
    const found = await look(place, objectName(key));
    size = found?.size ?? 0;
    if (size > 0) head.push(await firstBytes(place, key));
    return { key, size, sha256, head: Buffer.concat(head) };
  }
  let wanted = headBytes;
  for await (const chunk of (await getObject(place, key)) as AsyncIterable<Uint8Array>) {
    if (wanted > 0) head.push(Uint8Array.from(chunk.subarray(0, wanted)));
    wanted -= chunk.length;
    size += chunk.length;
    hash.update(chunk);
  }
  return { key, size, sha256: hash.digest('hex'), head: Buffer.concat(head) };
}

async function firstBytes(place: Place, key: string): Promise<Uint8Array> {
  const Range = `bytes=0-${headBytes - 1}`;
  const { Body } = await place.client.send(new GetObjectCommand({ ...at(place, objectName(key)), Range }));
  return (await Body?.transformToByteArray()) ?? new Uint8Array();
}

async function discard(part: Part, known: Known): Promise<void> {
  const { place, id, key } = part;
  try {
    const { state } = await current(part, known);
    known.hash = undefined;
    known.state = undefined;
    // The states last: as long as they are there, a removal that broke off can be carried on.
    if (state !== undefined && state.multipart !== null) {
      await abortMultipart(place, { Key: at(place, objectName(key)).Key, UploadId: state.multipart });
    }
    await removeStates(place, id);
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
  }
}
