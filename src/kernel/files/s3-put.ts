/**
 * An upload to S3 in one go. A small body is gathered and stored by one request; a large one streams into a multipart
 * upload, part by part, while it comes. On any error everything is taken back: the parts, and an object that may have
 * come to be although no answer said so.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { PassThrough, type Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { second } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { PutOptions, StoredObject } from './file-store.ts';
import { brokenOff, pour } from './pour.ts';
import { mayHaveHappened, storageFailed } from './s3-errors.ts';
import {
  abortMultipart,
  at,
  look,
  objectName,
  openMultiparts,
  type Place,
  removeOne,
  requirePlace,
} from './s3-place.ts';
import { storeWhole } from './s3-whole.ts';

/** Parts of one upload that are on their way at once. Each is held in memory, so with many uploads it is fewer. */
const partsAtOnce = (uploads: number) => (uploads <= 8 ? 3 : uploads <= 24 ? 2 : 1);
/** Longest time that a caller waits for what is taken back. */
const undoSeconds = 10;

export async function putObject(place: Place, log: Logger, body: Readable, options: PutOptions): Promise<StoredObject> {
  const key = randomBytes(16).toString('hex');
  const name = objectName(key);
  const hash = createHash('sha256');
  options.onKey?.(key);
  const sink = createSink(place, name);
  place.busy.add(name);
  try {
    const { maxBytes, signal, onProgress } = options;
    const poured = await pour(body, { hash, write: sink.write, maxBytes, signal, onProgress });
    if (poured.broken !== undefined) throw brokenOff(poured.broken);
    const sha256 = hash.digest('hex');
    await sink.finish(sha256);
    await requirePlace(place);
    return { key, size: poured.bytes, sha256, head: poured.head };
  } catch (error) {
    await sink.undo(error).catch((failure: unknown) => {
      log.warn({ err: failure, bucket: place.name, key }, 'an upload that failed could not be taken back now');
    });
    throw error;
  } finally {
    place.busy.delete(name);
  }
}

interface Sink {
  write(chunks: readonly Uint8Array[], bytes: number): Promise<void>;
  /** Returns when the object is durable. */
  finish(sha256: string): Promise<void>;
  undo(reason: unknown): Promise<void>;
}

/** Gathers up to a part; what is larger goes on as a multipart upload. */
function createSink(place: Place, name: string): Sink {
  let gathered: Uint8Array[] = [];
  let bytes = 0;
  let large: LargeUpload | undefined;
  let sent = false;

  return {
    async write(chunks, more) {
      bytes += more;
      if (large === undefined && bytes <= place.partBytes) {
        gathered.push(...chunks);
        return;
      }
      large ??= beginLarge(place, name);
      await large.write([...gathered, ...chunks]);
      gathered = [];
    },
    async finish(sha256) {
      sent = true;
      if (large !== undefined) return large.finish(bytes);
      const stored = await storeWhole(place, { name, bytes: Buffer.concat(gathered), sha256 });
      if (stored === 'stored') return;
      // A random key that is in use: what lies there is not this upload's to remove.
      sent = false;
      throw storageFailed(new Error('a new key is in use'));
    },
    async undo(reason) {
      gathered = [];
      const deadline = AbortSignal.timeout(undoSeconds * second);
      if (large !== undefined) {
        await large.giveUp();
        for await (const open of openMultiparts(place, name)) await abortMultipart(place, open, deadline);
      }
      if (sent && mayHaveHappened(reason)) await removeOne(place, name, deadline);
    },
  };
}

interface LargeUpload {
  write(chunks: readonly Uint8Array[]): Promise<void>;
  finish(bytes: number): Promise<void>;
  /** Ends what is on its way. */
  giveUp(): Promise<void>;
}

function beginLarge(place: Place, name: string): LargeUpload {
  const feed = new PassThrough({ highWaterMark: 1024 * 1024 });
  // A failure reaches the caller through `write` and `finish`.
  feed.on('error', () => undefined);
  let failure: { readonly error: unknown } | undefined;
  const fail = (error: unknown) => {
    failure ??= { error };
    feed.destroy(failure.error as Error);
  };
  const params = { ...at(place, name), Body: feed, IfNoneMatch: '*' };
  const client = watched(place.client, fail);
  place.traffic.large += 1;
  const queueSize = partsAtOnce(place.traffic.large);
  const done = new Upload({ client, params, queueSize, partSize: place.partBytes }).done().finally(() => {
    place.traffic.large -= 1;
  });
  done.catch(fail);

  return {
    async write(chunks) {
      for (const chunk of chunks) {
        if (failure !== undefined) throw failure.error;
        if (!feed.write(chunk)) await once(feed, 'drain').catch(() => undefined);
      }
      if (failure !== undefined) throw failure.error;
    },
    async finish(bytes) {
      feed.end();
      const error = await done.then(
        () => undefined,
        (cause: unknown) => failure?.error ?? cause,
      );
      // Asked in both cases: the answer to a completion may be lost, and a completion may have joined other parts.
      const found = await look(place, name);
      if (found?.size === bytes) return;
      throw error ?? storageFailed(new Error('the server keeps another size than it was given'));
    },
    async giveUp() {
      fail(new Error('The upload was given up.'));
      await done.catch(() => undefined);
    },
  };
}

/** The uploader goes on with the other parts when one has failed; this tells at once. */
function watched(client: S3Client, onFailure: (error: unknown) => void): S3Client {
  const send = async (...request: Parameters<S3Client['send']>): Promise<unknown> => {
    try {
      return await client.send(...request);
    } catch (error) {
      onFailure(error);
      throw error;
    }
  };
  return Object.create(client, { send: { value: send } }) as S3Client;
}
