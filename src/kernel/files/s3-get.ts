/**
 * Reads an object as a stream. A connection that breaks off is made again from where it broke, so that a long download
 * does not depend on one connection; a stream that ends too early is never taken for the whole.
 *
 * Nothing is asked for while the reader does not read: one that pauses for an hour costs nothing but its buffer.
 */
import { Readable } from 'node:stream';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { StrongroomError } from '../errors.ts';
import type { ByteRange } from './file-store.ts';
import { hasName, objectMissing, s3Error, statusOf } from './s3-errors.ts';
import { at, isKey, objectName, type Place } from './s3-place.ts';

/** Failures in a row, with not one byte between them. */
const attempts = 3;

interface Opened {
  readonly stream: Readable;
  /** Bytes that must come. */
  readonly length: number;
}

/** @throws unavailable `object_missing`, range `range_not_satisfiable` */
export async function getObject(place: Place, key: string, range?: ByteRange): Promise<Readable> {
  if (!isKey(key)) throw objectMissing();
  if (range !== undefined && !(range.start >= 0 && range.start <= range.end)) throw notInside();
  const first = await openAt(place, objectName(key), range);
  const begin = range?.start ?? 0;
  const end = begin + first.length - 1;
  const reopen = async (position: number) => {
    const opened = await openAt(place, objectName(key), { start: begin + position, end });
    return opened.stream;
  };
  return joined(first, reopen);
}

function notInside(): StrongroomError {
  return new StrongroomError('range', 'range_not_satisfiable', 'The range is outside of the object.');
}

async function openAt(place: Place, name: string, range?: ByteRange): Promise<Opened> {
  const asked = range === undefined ? undefined : `bytes=${range.start}-${range.end}`;
  try {
    const answer = await place.client.send(
      new GetObjectCommand({ ...at(place, name), ...(asked === undefined ? {} : { Range: asked }) }),
    );
    const stream = answer.Body as Readable;
    // The server cuts a range to what there is, and may ignore it.
    if (range !== undefined && !answer.ContentRange?.startsWith(`bytes ${range.start}-${range.end}/`)) {
      stream.on('error', () => undefined).destroy();
      throw notInside();
    }
    return { stream, length: answer.ContentLength ?? 0 };
  } catch (error) {
    if (statusOf(error) === 416) throw notInside();
    if (hasName(error, 'NoSuchKey', 'NoSuchBucket')) throw objectMissing(error);
    throw error;
  }
}

/** One stream over as many connections as it takes. */
function joined(first: Opened, reopen: (position: number) => Promise<Readable>): Readable {
  let source: Readable | undefined;
  let position = 0;
  let failures = 0;
  let opening = false;

  const out = new Readable({
    highWaterMark: 256 * 1024,
    read() {
      if (source !== undefined) source.resume();
      else if (!opening) open();
    },
    destroy(error, done) {
      source?.destroy();
      done(error);
    },
  });

  function open(): void {
    opening = true;
    reopen(position).then(follow, broke);
  }

  function broke(error: unknown): void {
    source = undefined;
    opening = false;
    if (out.destroyed) return;
    failures += 1;
    if (failures >= attempts) out.destroy(s3Error(error));
    else if (out.readableLength === 0) {
      opening = true;
      setTimeout(open, 50 * failures);
    }
    // With bytes waiting in the buffer the reader's next `read` opens again.
  }

  function follow(stream: Readable): void {
    if (out.destroyed) {
      stream.on('error', () => undefined).destroy();
      return;
    }
    source = stream;
    opening = false;
    let over = false;
    const end = (error?: Error) => {
      if (over) return;
      over = true;
      if (position === first.length) out.push(null);
      else broke(error ?? new Error('the content ended too early'));
    };
    stream.on('data', (chunk: Uint8Array) => {
      position += chunk.length;
      failures = 0;
      if (!out.push(chunk)) stream.pause();
    });
    stream.once('end', () => end());
    stream.on('error', end);
    stream.once('close', () => end());
  }

  follow(first.stream);
  first.stream.pause();
  return out;
}
