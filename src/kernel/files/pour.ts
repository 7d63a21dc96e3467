/**
 * Pours a stream into a file: hashing while it comes, writing in large pieces, never holding more than two pieces.
 *
 * While one piece is being written the next is received and hashed. A body is never destroyed by a refusal, because
 * over HTTP that would cut the connection before the answer; the caller drains or ends it.
 */
import type { Hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { StrongroomError } from '../errors.ts';
import { chunkPassed } from './chunk-memory.ts';
import { tooLarge } from './io.ts';

/** Enough for the kernel to write at full speed; a slow upload of many small chunks holds no more than this twice. */
const pieceBytes = 256 * 1024;
/** Chunks of one piece, so that a body of single bytes does not become a list of a million. */
const pieceChunks = 256;
export const headBytes = 4_100;

export interface PourOptions {
  /** Undefined where nobody wants the digest. */
  readonly hash: Hash | undefined;
  /** Writes one piece; called again only when the piece before is written. */
  readonly write: (chunks: readonly Uint8Array[], bytes: number) => Promise<void>;
  readonly maxBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

export interface Poured {
  readonly bytes: number;
  readonly head: Uint8Array;
  /** Why the body broke off; then what came before was hashed and written. Undefined for a body that ended. */
  readonly broken: unknown;
}

/**
 * Reads `body` to its end, or to where it breaks off.
 * @throws too_large `file_too_large`, and whatever `write` throws
 */
export async function pour(body: Readable, options: PourOptions): Promise<Poured> {
  const { hash, signal, onProgress, maxBytes = Number.POSITIVE_INFINITY } = options;
  const pieces = createPieces(options.write);
  const head: Uint8Array[] = [];
  let headSize = 0;
  let bytes = 0;
  let broken: unknown;

  // A body may fail after a refusal, when nobody reads it any more; without a listener that would end the process.
  body.on('error', () => undefined);
  const stop = () => body.destroy(new Error('The upload was given up.', { cause: signal?.reason }));
  if (signal?.aborted === true) stop();
  signal?.addEventListener('abort', stop, { once: true });
  const chunks = body.iterator({ destroyOnReturn: false });
  try {
    while (true) {
      const next = await read(chunks);
      if ('broken' in next) broken = next.broken;
      if (next.chunk === undefined) break;
      bytes += next.chunk.length;
      if (bytes > maxBytes) throw tooLarge(maxBytes);
      hash?.update(next.chunk);
      if (headSize < headBytes) {
        head.push(next.chunk.subarray(0, headBytes - headSize));
        headSize += head.at(-1)!.length;
      }
      await pieces.add(next.chunk);
      chunkPassed(next.chunk.length);
      onProgress?.(bytes);
    }
    await pieces.end();
  } catch (error) {
    await pieces.giveUp();
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
    await chunks.return?.();
  }
  return { bytes, head: Buffer.concat(head), broken };
}

/** The next chunk; an error of the body is a value, so that it cannot be taken for one of the disk. */
async function read(
  chunks: AsyncIterator<unknown>,
): Promise<{ chunk: Uint8Array | undefined } | { chunk: undefined; broken: unknown }> {
  try {
    const { done, value } = await chunks.next();
    if (done === true) return { chunk: undefined };
    return { chunk: typeof value === 'string' ? Buffer.from(value) : (value as Uint8Array) };
  } catch (error) {
    return { chunk: undefined, broken: error ?? new Error('The body broke off.') };
  }
}

/** Gathers chunks to pieces and writes them one after the other, one ahead of what is being received. */
function createPieces(write: PourOptions['write']) {
  let chunks: Uint8Array[] = [];
  let bytes = 0;
  let writing: Promise<void> = Promise.resolve();

  async function flush(): Promise<void> {
    const [piece, size] = [chunks, bytes];
    chunks = [];
    bytes = 0;
    await writing;
    writing = write(piece, size);
    // Awaited by the next flush or the end; until then a failure must not count as unhandled.
    writing.catch(() => undefined);
  }

  return {
    async add(chunk: Uint8Array): Promise<void> {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= pieceBytes) await flush();
      else if (chunks.length >= pieceChunks) chunks = [Buffer.concat(chunks)];
    },
    async end(): Promise<void> {
      if (bytes > 0) await flush();
      await writing;
    },
    /** Waits until nothing is being written any more, so that the file can be closed. */
    async giveUp(): Promise<void> {
      await writing.catch(() => undefined);
    },
  };
}

/** What a body that broke off is to a caller: the server's own refusal where it made one, else a broken upload. */
export function brokenOff(cause: unknown): StrongroomError {
  if (cause instanceof StrongroomError) return cause;
  return new StrongroomError('invalid', 'upload_incomplete', 'The upload broke off before its end; nothing was kept.', {
    cause,
  });
}
