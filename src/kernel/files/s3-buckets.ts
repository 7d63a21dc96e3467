/**
 * Makes and removes what stands for one company on the server: a bucket with public access blocked and encryption on,
 * or a prefix of a shared bucket. Everything here can be done again, also after it broke off in the middle.
 */
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  HeadBucketCommand,
  ListObjectVersionsCommand,
  type ObjectIdentifier,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { hasName, isUnknown, statusOf, storageFailed } from './s3-errors.ts';
import {
  abortMultipart,
  at,
  list,
  look,
  marker,
  openMultiparts,
  type Place,
  removeOne,
  removeVersions,
} from './s3-place.ts';
import type { Protection } from './s3-protection.ts';

/** Rounds of emptying; uploads that still run put things into a bucket while it is emptied. */
const rounds = 20;

export interface MakeOptions {
  /** Set where the server places buckets by region: on Amazon's own. */
  readonly region: string | undefined;
  readonly protection: Protection;
}

export async function makeBucket(place: Place, options: MakeOptions): Promise<void> {
  if (place.shared) {
    await place.client.send(new PutObjectCommand({ ...at(place, marker), Body: new Uint8Array(), ContentLength: 0 }));
    return;
  }
  const Bucket = place.bucket;
  const elsewhere = options.region !== undefined && options.region !== 'us-east-1';
  const region = { CreateBucketConfiguration: { LocationConstraint: options.region as 'eu-central-1' } };
  try {
    await place.client.send(new CreateBucketCommand({ Bucket, ...(elsewhere ? region : {}) }));
  } catch (error) {
    // A bucket of this name that belongs to somebody else is an error; it must never take a company's files.
    if (!hasName(error, 'BucketAlreadyOwnedByYou')) throw error;
  }
  await options.protection.protect(Bucket);
}

export async function bucketIsThere(place: Place): Promise<boolean> {
  if (place.shared) return (await look(place, marker)) !== undefined;
  try {
    await place.client.send(new HeadBucketCommand({ Bucket: place.bucket }));
    return true;
  } catch (error) {
    if (statusOf(error) === 404) return false;
    throw error;
  }
}

/** Removes objects in all versions, open multipart uploads, and then the bucket itself. */
export async function removeBucket(place: Place): Promise<void> {
  // In a shared bucket the marker goes first: who has written beside this finds it gone and takes back what it wrote.
  if (place.shared) await removeOne(place, marker);
  for (let round = 0; round < rounds; round += 1) {
    try {
      await empty(place);
      if (place.shared) return;
      await place.client.send(new DeleteBucketCommand({ Bucket: place.bucket }));
      return;
    } catch (error) {
      if (hasName(error, 'NoSuchBucket')) return;
      if (!hasName(error, 'BucketNotEmpty')) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20 * round));
    }
  }
  throw storageFailed(new Error('the bucket fills up as fast as it is emptied'));
}

async function empty(place: Place): Promise<void> {
  for await (const open of openMultiparts(place, '')) await abortMultipart(place, open);
  try {
    await removeAllVersions(place);
  } catch (error) {
    if (!isUnknown(error)) throw error;
  }
  let page: ObjectIdentifier[] = [];
  for await (const { name } of list(place, '')) {
    page.push({ Key: place.prefix + name });
    if (page.length < 1_000) continue;
    await removeVersions(place, page);
    page = [];
  }
  if (page.length > 0) await removeVersions(place, page);
}

async function removeAllVersions(place: Place): Promise<void> {
  let from: { KeyMarker?: string; VersionIdMarker?: string } = {};
  while (true) {
    const page = await place.client.send(
      new ListObjectVersionsCommand({ Bucket: place.bucket, Prefix: place.prefix, ...from }),
    );
    const found = [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])];
    await removeVersions(
      place,
      found.map(({ Key, VersionId }) => ({ Key, ...(VersionId === undefined ? {} : { VersionId }) })),
    );
    if (page.IsTruncated !== true || page.NextKeyMarker === undefined) return;
    const { NextKeyMarker: KeyMarker, NextVersionIdMarker: VersionIdMarker } = page;
    from = { KeyMarker, ...(VersionIdMarker === undefined ? {} : { VersionIdMarker }) };
  }
}
