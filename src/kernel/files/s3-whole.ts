/**
 * Stores bytes that are in memory under a name that nothing has yet, in one request.
 *
 * The server is given the MD5 to check what came, and told to refuse where something is there. After a lost answer the
 * same request finds its own object in the way: the digest stored beside it tells, and it counts as stored. An answer
 * that names another digest than the bytes have is not believed before the object was read back.
 */
import { createHash } from 'node:crypto';
import { GetObjectCommand, PutObjectCommand, type PutObjectCommandOutput } from '@aws-sdk/client-s3';
import { isUnknown, statusOf, storageFailed } from './s3-errors.ts';
import { at, look, md5, type Place } from './s3-place.ts';

export interface Whole {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** In lower-case hex. */
  readonly sha256: string;
  /** Others may write under the same name: a server without conditional puts is asked before. Not for random keys. */
  readonly contested?: boolean;
}

const attempts = 5;
/** Servers that know no conditional put, by client; asked once each. */
const unconditional = new WeakSet<object>();

/**
 * @returns `stored`, or `taken` where other bytes lie under the name, which then stay as they are
 * @throws whatever the server says
 */
export async function storeWhole(place: Place, whole: Whole): Promise<'stored' | 'taken'> {
  const digest = md5(whole.bytes);
  for (let attempt = 1; ; attempt += 1) {
    try {
      if (whole.contested === true && unconditional.has(place.client)) {
        const found = await look(place, whole.name);
        if (found !== undefined) return isSame(found, whole) ? 'stored' : 'taken';
      }
      const answer = await place.client.send(
        new PutObjectCommand({
          ...at(place, whole.name),
          Body: whole.bytes,
          ContentLength: whole.bytes.length,
          ContentMD5: digest.toString('base64'),
          Metadata: { sha256: whole.sha256 },
          ...(unconditional.has(place.client) ? {} : { IfNoneMatch: '*' }),
        }),
      );
      await requireDigest(place, whole, answer, digest.toString('hex'));
      return 'stored';
    } catch (error) {
      if (statusOf(error) === 412) return (await isOurs(place, whole)) ? 'stored' : 'taken';
      if (isUnknown(error) && !unconditional.has(place.client)) unconditional.add(place.client);
      // Somebody, perhaps an earlier attempt of this call, writes under this name right now.
      else if (statusOf(error) !== 409 || attempt === attempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20 * 2 ** attempt));
    }
  }
}

async function isOurs(place: Place, whole: Whole): Promise<boolean> {
  const found = await look(place, whole.name);
  return found !== undefined && isSame(found, whole);
}

function isSame(found: { size: number; sha256: string | undefined }, { bytes, sha256 }: Whole): boolean {
  return found.size === bytes.length && found.sha256 === sha256;
}

/** An ETag is the MD5 on most servers, but need not be, so a difference only arouses suspicion. */
async function requireDigest(
  place: Place,
  { name, sha256 }: Whole,
  answer: PutObjectCommandOutput,
  digest: string,
): Promise<void> {
  const etag = answer.ETag?.replaceAll('"', '');
  if (etag === digest || etag === undefined || !/^[0-9a-f]{32}$/.test(etag)) return;
  const { Body } = await place.client.send(new GetObjectCommand(at(place, name)));
  const hash = createHash('sha256');
  for await (const chunk of Body as AsyncIterable<Uint8Array>) hash.update(chunk);
  if (hash.digest('hex') !== sha256) throw storageFailed(new Error('the server keeps other bytes than it was given'));
}
