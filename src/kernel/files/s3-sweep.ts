/**
 * Removes what uploads have left behind that nobody touched for long: states of uploads in parts with their multipart
 * uploads, and multipart uploads of processes that died. What this process works on is left alone, and so is what
 * another still writes: the youngest part counts, not the beginning.
 */
import { ListPartsCommand, type MultipartUpload } from '@aws-sdk/client-s3';
import type { TemporarySweep } from './file-store.ts';
import { statusOf } from './s3-errors.ts';
import { partKey, type S3Partials } from './s3-partial.ts';
import { abortMultipart, list, objectName, openMultiparts, type Place } from './s3-place.ts';

/**
 * @param olderThan milliseconds since 1970
 * @param keep whether an upload in parts, by its id, is to be left as it is
 */
export async function sweepTemporary(
  place: Place,
  partials: S3Partials,
  olderThan: number,
  keep?: (uploadId: string) => Promise<boolean>,
): Promise<TemporarySweep> {
  let removed = 0;
  let oldestLeft: number | null = null;
  const tooYoung = (modified: number) => {
    oldestLeft = Math.min(oldestLeft ?? Number.POSITIVE_INFINITY, modified);
  };
  const touched = new Map<string, number>();
  for await (const { name, modified } of list(place, 'tmp/')) {
    const id = name.split('/')[1] ?? '';
    touched.set(id, Math.max(modified, touched.get(id) ?? 0));
  }
  /** Names of objects that living uploads will become. */
  const living = new Set(place.busy);
  for (const [id, modified] of touched) {
    const left = partials.busy(id) || (await keep?.(id)) === true;
    if (left || modified >= olderThan) {
      living.add(objectName(partKey(place.name, id)));
      if (!left) tooYoung(modified);
      continue;
    }
    await partials.open(id).discard();
    partials.forget(id);
    removed += 1;
  }
  for await (const multipart of openMultiparts(place, objectName(''))) {
    const name = (multipart.Key ?? '').slice(place.prefix.length);
    if (living.has(name) || place.busy.has(name)) continue;
    const modified = await lastTouched(place, multipart);
    if (modified >= olderThan) {
      tooYoung(modified);
      continue;
    }
    await abortMultipart(place, multipart);
    removed += 1;
  }
  return { removed, oldestLeft };
}

/** When the multipart upload was begun, or its last part came. */
async function lastTouched(place: Place, { Key, UploadId, Initiated }: MultipartUpload): Promise<number> {
  let latest = Initiated?.getTime() ?? Date.now();
  let PartNumberMarker: string | undefined;
  do {
    const from = PartNumberMarker === undefined ? {} : { PartNumberMarker };
    const page = await place.client
      .send(new ListPartsCommand({ Bucket: place.bucket, Key, UploadId, ...from }))
      .catch((error: unknown) => {
        // Ended since it was listed.
        if (statusOf(error) === 404) return undefined;
        throw error;
      });
    for (const { LastModified } of page?.Parts ?? []) latest = Math.max(latest, LastModified?.getTime() ?? 0);
    PartNumberMarker = page?.IsTruncated === true ? page.NextPartNumberMarker : undefined;
  } while (PartNumberMarker !== undefined);
  return latest;
}
