/**
 * Appends bytes to an upload in parts: whole parts go to the multipart upload, what is left becomes the tail of the next
 * state. Parts always cover the same bytes, whoever writes them. In a long append the state is made durable from time to
 * time, so that a process that dies has not lost everything; a refusal goes back to where the append began.
 */
import { CreateMultipartUploadCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { conflict } from '../errors.ts';
import { storageFailed } from './s3-errors.ts';
import { offsetOf, readState, removeStates, type State, writeState } from './s3-partial-state.ts';
import { abortMultipart, at, md5, objectName, type Place } from './s3-place.ts';

/** Parts on their way at once; each is held in memory. */
const partsAtOnce = 2;
/** A state is written after so many parts. */
const partsPerState = 8;

export interface PartWriter {
  write(chunks: readonly Uint8Array[], bytes: number): Promise<void>;
  /** Makes everything durable. @throws conflict `offset_mismatch` where another process has been faster */
  end(): Promise<State>;
  /** Goes back to where this writer began. */
  undo(): Promise<void>;
}

export function mismatch(here: number, asked: number): Error {
  return conflict('offset_mismatch', `The upload has ${here} bytes; it cannot go on at ${asked}.`, { offset: here });
}

export function createPartWriter(place: Place, id: string, key: string, before: State | undefined): PartWriter {
  const partBytes = before?.partBytes ?? place.partBytes;
  const target = at(place, objectName(key));
  const parts: string[] = [...(before?.parts ?? [])];
  const onTheWay = new Set<Promise<void>>();
  let multipart = before?.multipart ?? null;
  let state = before;
  let tail: Uint8Array[] | undefined;
  let firstTail: Uint8Array = new Uint8Array();
  let gathered = 0;
  let begun = parts.length;
  let failure: { readonly error: unknown } | undefined;

  /** The bytes behind the last part, those of earlier appends first. */
  async function ownTail(): Promise<Uint8Array[]> {
    if (tail !== undefined) return tail;
    tail = [];
    if (before !== undefined && before.tailBytes > 0) {
      const found = await readState(place, id, before.number);
      if (found === undefined) throw mismatch(offsetOf(before), offsetOf(before));
      firstTail = found.tail;
      tail = [firstTail];
      gathered = found.tail.length;
    }
    return tail;
  }

  async function send(bytes: Buffer): Promise<void> {
    if (multipart === null) {
      const { UploadId } = await place.client.send(new CreateMultipartUploadCommand(target));
      if (UploadId === undefined) throw storageFailed(new Error('a multipart upload has no id'));
      multipart = UploadId;
    }
    const index = begun;
    begun += 1;
    const work = sendPart(place, target, multipart, index + 1, bytes)
      .then((etag) => {
        parts[index] = etag;
      })
      .catch((error: unknown) => {
        failure ??= { error };
      })
      .finally(() => onTheWay.delete(work));
    onTheWay.add(work);
    if (onTheWay.size >= partsAtOnce) await Promise.race(onTheWay);
    if (failure !== undefined) throw failure.error;
  }

  async function settle(): Promise<void> {
    await Promise.all(onTheWay);
    if (failure !== undefined) throw failure.error;
  }

  async function commit(): Promise<State> {
    await settle();
    const next = await writeState(place, id, state, { multipart, partBytes, parts }, Buffer.concat(tail ?? []));
    if (next === undefined) throw conflict('offset_mismatch', 'The upload goes on elsewhere. Ask for its offset.');
    state = next;
    return next;
  }

  return {
    async write(chunks, bytes) {
      const own = await ownTail();
      own.push(...chunks);
      gathered += bytes;
      if (gathered < partBytes) return;
      const all = Buffer.concat(own);
      let start = 0;
      for (; all.length - start >= partBytes; start += partBytes) await send(all.subarray(start, start + partBytes));
      tail = [all.subarray(start)];
      gathered = all.length - start;
      if (begun - (state?.parts.length ?? 0) >= partsPerState) await commit();
    },
    async end() {
      await ownTail();
      return commit();
    },
    async undo() {
      await Promise.all(onTheWay);
      const opened = multipart !== null && before?.multipart !== multipart;
      if (state !== before) await goBack();
      if (opened) await abortMultipart(place, { Key: target.Key, UploadId: multipart! });
    },
  };

  /** What an earlier state of this append made durable is taken back by a later one that says what the first said. */
  async function goBack(): Promise<void> {
    if (before === undefined) return removeStates(place, id);
    await writeState(place, id, state, before, firstTail);
  }
}

export async function sendPart(
  place: Place,
  target: { Bucket: string; Key: string },
  UploadId: string,
  PartNumber: number,
  bytes: Buffer,
): Promise<string> {
  const { ETag } = await place.client.send(
    new UploadPartCommand({
      ...target,
      UploadId,
      PartNumber,
      Body: bytes,
      ContentLength: bytes.length,
      ContentMD5: md5(bytes).toString('base64'),
    }),
  );
  if (ETag === undefined) throw storageFailed(new Error('a part has no ETag'));
  return ETag;
}
