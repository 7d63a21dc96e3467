/**
 * Where one company's objects lie: a bucket of its own, or a prefix of a shared one.
 *
 * Below it stand `o/<key>` for objects and `tmp/<upload>/…` for uploads in parts. A shared bucket has the marker
 * `<name>/.bucket` for each company, which stands in for the bucket: what is written is looked at once more when it is
 * done, and taken back where the marker has gone meanwhile, so that a removal beside running uploads leaves nothing.
 */
import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  type MultipartUpload,
  type ObjectIdentifier,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';
import { slicesOf } from '../slices.ts';
import { bucketMissing, hasName, statusOf, storageFailed } from './s3-errors.ts';

export interface Place {
  /** The name that the product knows it by. */
  readonly name: string;
  /** The bucket on the server. */
  readonly bucket: string;
  /** What stands before every name: empty in a bucket of its own. */
  readonly prefix: string;
  readonly shared: boolean;
  readonly client: S3Client;
  /** Names in use by this process, which the sweep leaves alone: objects being written, uploads being appended to. */
  readonly busy: Set<string>;
  /** Large uploads that run in this process, of all companies. */
  readonly traffic: { large: number };
  /** Bytes of a part of a large object. */
  readonly partBytes: number;
}

export interface Listed {
  /** Without the prefix of the place. */
  readonly name: string;
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

const keyPattern = /^[0-9a-f]{32}$/;
/** Most deletions that one request takes. */
const batch = 1_000;

export function isKey(key: string): boolean {
  return keyPattern.test(key);
}

export const objectName = (key: string) => `o/${key}`;
export const at = (place: Place, name: string) => ({ Bucket: place.bucket, Key: place.prefix + name });
export const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest();

/** The name of the marker in a shared bucket. */
export const marker = '.bucket';

export interface Found {
  readonly size: number;
  /** The digest it was stored with, where it has one. */
  readonly sha256: string | undefined;
  /** Milliseconds since 1970, in whole seconds. Of what was stored in parts it may be when that began. */
  readonly modified: number | undefined;
  readonly inParts: boolean;
}

/** What lies under a name; undefined where nothing lies. */
export async function look(place: Place, name: string): Promise<Found | undefined> {
  try {
    const {
      ContentLength = 0,
      Metadata,
      LastModified,
      ETag = '',
    } = await place.client.send(new HeadObjectCommand(at(place, name)));
    return {
      size: ContentLength,
      sha256: Metadata?.sha256,
      modified: LastModified?.getTime(),
      inParts: /-\d+"?$/.test(ETag),
    };
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/** @throws unavailable `bucket_missing` where a shared bucket does not have this company (any more) */
export async function requirePlace(place: Place): Promise<void> {
  if (place.shared && (await look(place, marker)) === undefined) throw bucketMissing();
}

export async function* list(place: Place, below: string): AsyncIterable<Listed> {
  const pages = paginateListObjectsV2({ client: place.client }, { Bucket: place.bucket, Prefix: place.prefix + below });
  for await (const page of pages) {
    for (const { Key = '', Size = 0, LastModified } of page.Contents ?? []) {
      yield { name: Key.slice(place.prefix.length), size: Size, modified: LastModified?.getTime() ?? Date.now() };
    }
  }
}

export async function removeOne(place: Place, name: string, abortSignal?: AbortSignal): Promise<void> {
  const options = abortSignal === undefined ? {} : { abortSignal };
  try {
    await place.client.send(new DeleteObjectCommand(at(place, name)), options);
  } catch (error) {
    if (!hasName(error, 'NoSuchKey', 'NoSuchBucket')) throw error;
  }
}

/** Deletes whatever lies under these names; names are without the prefix. */
export async function removeMany(place: Place, names: readonly string[]): Promise<void> {
  if (names.length === 1) return removeOne(place, names[0]!);
  await removeVersions(
    place,
    names.map((name) => ({ Key: place.prefix + name })),
  );
}

/** Deletes by full key and, where it is given, version. What one answer says was not deleted is tried once more. */
export async function removeVersions(place: Place, all: readonly ObjectIdentifier[]): Promise<void> {
  for (const some of slicesOf(all, batch)) {
    let left = some;
    for (let attempt = 0; left.length > 0; attempt += 1) {
      const failed = await removeBatch(place, left);
      if (failed === undefined) return;
      if (failed.length > 0 && attempt === 2) throw storageFailed(new Error(`not deleted: ${failed[0]!.Code}`));
      const again = new Set(failed.map(({ Key, VersionId }) => `${Key} ${VersionId ?? ''}`));
      left = left.filter(({ Key, VersionId }) => again.has(`${Key} ${VersionId ?? ''}`));
    }
  }
}

/** What was not deleted; undefined where there is no bucket. */
async function removeBatch(place: Place, objects: ObjectIdentifier[]) {
  try {
    const deletion = new DeleteObjectsCommand({ Bucket: place.bucket, Delete: { Objects: objects, Quiet: true } });
    const { Errors = [] } = await place.client.send(deletion);
    return Errors.filter(({ Code }) => Code !== 'NoSuchKey' && Code !== 'NoSuchVersion');
  } catch (error) {
    if (hasName(error, 'NoSuchBucket')) return undefined;
    throw error;
  }
}

/** Every multipart upload that is open below a name. */
export async function* openMultiparts(place: Place, below: string): AsyncIterable<MultipartUpload> {
  let from: { KeyMarker?: string; UploadIdMarker?: string } = {};
  while (true) {
    const page = await place.client.send(
      new ListMultipartUploadsCommand({ Bucket: place.bucket, Prefix: place.prefix + below, ...from }),
    );
    yield* page.Uploads ?? [];
    if (page.IsTruncated !== true || page.NextKeyMarker === undefined) return;
    const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page;
    from = { KeyMarker, ...(UploadIdMarker === undefined ? {} : { UploadIdMarker }) };
  }
}

/** Gives up a multipart upload; the server removes its parts. Fine where it is not there. */
export async function abortMultipart(
  place: Place,
  { Key, UploadId }: MultipartUpload,
  abortSignal?: AbortSignal,
): Promise<void> {
  const options = abortSignal === undefined ? {} : { abortSignal };
  try {
    await place.client.send(new AbortMultipartUploadCommand({ Bucket: place.bucket, Key, UploadId }), options);
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
  }
}
