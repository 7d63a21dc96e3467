/**
 * The file store on S3 or anything compatible: a bucket for each company, named `<prefix>-<id>`, or a prefix of one
 * shared bucket where the provider gives few.
 *
 * An upload is durable when the server has said so, and only then does `put` return. Keys are random and an object is
 * stored by a put that refuses to replace; every answer that is lost, cut, or says success over an error is found out.
 * Nothing is kept in memory that another process would need.
 */
import { GetObjectCommand, HeadBucketCommand, ListBucketsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { Clock } from '../clock.ts';
import { StrongroomError } from '../errors.ts';
import { idPart } from '../ids.ts';
import type { Logger } from '../log.ts';
import type { DownloadAddress, FileStore, FileStores } from './file-store.ts';
import { bucketIsThere, makeBucket, removeBucket } from './s3-buckets.ts';
import { createS3Client, type S3Keys, type S3Settings } from './s3-client.ts';
import { bucketMissing, createGuard, type Guard, hasName, statusOf } from './s3-errors.ts';
import { getObject } from './s3-get.ts';
import type { CompanyKeys } from './s3-keys.ts';
import { whenKeysAreKnown } from './s3-late.ts';
import { createOwnKeys, type OwnPlace, type Reached } from './s3-own-keys.ts';
import { createS3Partials } from './s3-partial.ts';
import { at, isKey, list, look, objectName, type Place, removeMany } from './s3-place.ts';
import { createProtection } from './s3-protection.ts';
import { putObject } from './s3-put.ts';
import { sweepTemporary } from './s3-sweep.ts';

export interface S3Options {
  readonly config: S3Settings;
  readonly clock: Clock;
  readonly log: Logger;
  /** Keys that reach one company's bucket alone, where the provider can give them. Undefined: those of the product. */
  readonly keysFor?: (bucket: string) => S3Keys | undefined;
  /** Those that are kept in the control database, given and taken back with the bucket. */
  readonly companyKeys?: CompanyKeys;
}

const bucketPattern = /^[a-z0-9][a-z0-9-]{0,62}$/;
/** Buckets whose state is kept in memory; it can be made again at any time. */
const rememberedBuckets = 1_000;
const MiB = 1024 * 1024;
/** The least that the protocol takes; every upload holds a few of them in memory. */
const leastPartBytes = 5 * MiB;
/** A multipart upload takes 10,000 parts. */
const mostParts = 9_999;

interface Opened extends Reached {
  readonly store: FileStore;
}

export function createS3Stores({ config, log, keysFor, companyKeys }: S3Options): FileStores {
  const client = createS3Client(config);
  const guard = createGuard(log);
  const own = createOwnKeys({ config, client, guard, companyKeys });
  const protection = createProtection(client, log, config.s3Endpoint === null);
  const known = new Map<string, Opened>();
  const traffic = { large: 0 };
  const partBytes = Math.max(leastPartBytes, Math.ceil(config.maxUploadBytes / mostParts / MiB) * MiB);
  const named = new RegExp(`^${config.bucketPrefix}-[0-7][0-9a-hjkmnp-tv-z]{25}$`);

  function placeOf(bucket: string): OwnPlace {
    if (!bucketPattern.test(bucket)) {
      throw new StrongroomError('internal', 'bucket_name_invalid', 'A bucket has a name that no bucket can have.');
    }
    const shared = config.s3SharedBucket;
    return {
      name: bucket,
      bucket: shared ?? bucket,
      prefix: shared === null ? '' : `${bucket}/`,
      shared: shared !== null,
      client: own.clientWith(keysFor?.(bucket)),
      busy: new Set(),
      traffic,
      partBytes,
    };
  }

  function remember(bucket: string): Opened {
    let opened = known.get(bucket);
    if (opened === undefined) {
      const place = placeOf(bucket);
      const store = openPlace(place, guard, log, config);
      const late = own.late(place);
      opened = { place, store: late === undefined ? store : whenKeysAreKnown(store, late), late };
    }
    known.delete(bucket);
    known.set(bucket, opened);
    if (known.size > rememberedBuckets) known.delete(known.keys().next().value!);
    return opened;
  }

  /** Buckets are made and removed with the product's own keys. */
  const asOwner = (bucket: string): Place => ({ ...remember(bucket).place, client });
  const region = config.s3Endpoint === null ? config.s3Region : undefined;

  return {
    kind: 's3',
    bucketName: (tenantId) => `${config.bucketPrefix}-${idPart(tenantId)}`,
    open: (bucket) => remember(bucket).store,
    async createBucket(bucket) {
      const place = asOwner(bucket);
      await guard(bucket, () => makeBucket(place, { region, protection }));
      await own.give(remember(bucket));
    },
    async bucketExists(bucket) {
      const place = asOwner(bucket);
      return guard(bucket, () => bucketIsThere(place));
    },
    async deleteBucket(bucket) {
      const place = asOwner(bucket);
      known.delete(bucket);
      await guard(bucket, () => removeBucket(place));
      await own.end(place);
    },
    async *listBuckets() {
      let from: string | undefined;
      do {
        const page = await guard('', () => bucketPage(config, client, from));
        for (const name of page.names) if (named.test(name)) yield name;
        from = page.next;
      } while (from !== undefined);
    },
    async examine(bucket, other) {
      const foreign = other === undefined ? undefined : placeOf(other);
      return guard(bucket, () => own.examine(remember(bucket), foreign));
    },
    async check() {
      try {
        await guard('', () => checkServer(config, client));
        return { ok: true };
      } catch (error) {
        return { ok: false, reason: (error as StrongroomError).message };
      }
    },
    async close() {
      known.clear();
      client.destroy();
    },
  };
}

type Client = ReturnType<typeof createS3Client>;

async function bucketPage(config: S3Settings, client: Client, from: string | undefined) {
  const token = from === undefined ? {} : { ContinuationToken: from };
  const Prefix = `${config.bucketPrefix}-`;
  if (config.s3SharedBucket === null) {
    const { Buckets = [], ContinuationToken: next } = await client.send(
      new ListBucketsCommand({ Prefix, ...(config.s3Endpoint === null ? { MaxBuckets: 1_000 } : {}), ...token }),
    );
    return { names: Buckets.map(({ Name = '' }) => Name), next };
  }
  const { CommonPrefixes = [], NextContinuationToken: next } = await client.send(
    new ListObjectsV2Command({ Bucket: config.s3SharedBucket, Prefix, Delimiter: '/', ...token }),
  );
  return { names: CommonPrefixes.map(({ Prefix: below = '' }) => below.slice(0, -1)), next };
}

async function checkServer(config: S3Settings, client: Client): Promise<void> {
  if (config.s3SharedBucket === null) {
    const name = `${config.bucketPrefix}-check`;
    // Any answer about a bucket that is not there says that the server works and knows the keys.
    await client.send(new HeadBucketCommand({ Bucket: name })).catch((error: unknown) => {
      if (statusOf(error) !== 404) throw error;
    });
    return;
  }
  await client.send(new HeadBucketCommand({ Bucket: config.s3SharedBucket })).catch((error: unknown) => {
    throw statusOf(error) === 404 ? bucketMissing(error) : error;
  });
}

function openPlace(place: Place, guard: Guard, log: Logger, config: S3Settings): FileStore {
  const partials = createS3Partials(place, guard);
  const guarded = <T>(work: () => Promise<T>) => guard(place.name, work);
  return {
    bucket: place.name,
    put: (body, options = {}) => guarded(() => putObject(place, log, body, options)),
    get: (key, range) => guarded(() => getObject(place, key, range)),
    size: async (key) => (isKey(key) ? guarded(async () => (await look(place, objectName(key)))?.size) : undefined),
    madeAt: async (key) => (isKey(key) ? guarded(() => madeAt(place, key)) : undefined),
    delete: (keys) => guarded(() => removeMany(place, keys.filter(isKey).map(objectName))),
    keys: () => listKeys(place, guarded),
    partial: async (id) => partials.open(id),
    sweepTemporary: (olderThan, keep) => guarded(() => sweepTemporary(place, partials, olderThan, keep)),
    ...(config.s3PresignedSeconds === 0
      ? {}
      : { downloadAddress: (key, as) => guarded(() => downloadAddress(place, key, as, config.s3PresignedSeconds)) }),
  };
}

/**
 * What was stored in parts counts as made now: servers give the time at which its upload began, and its row may be
 * about to be committed by another process however long ago that was.
 */
async function madeAt(place: Place, key: string): Promise<number | undefined> {
  const found = await look(place, objectName(key));
  if (found === undefined) return undefined;
  return found.inParts || found.modified === undefined ? Date.now() : found.modified;
}

async function* listKeys(place: Place, guarded: <T>(work: () => Promise<T>) => Promise<T>): AsyncIterable<string> {
  const below = objectName('');
  const names = list(place, below)[Symbol.asyncIterator]();
  while (true) {
    const next = await guarded(() => names.next()).catch((error: unknown) => {
      if (hasName((error as Error).cause, 'NoSuchBucket')) return { done: true, value: undefined } as const;
      throw error;
    });
    if (next.done === true) return;
    const key = next.value.name.slice(below.length);
    if (isKey(key)) yield key;
  }
}

/** Signed with the keys of the place; nothing is asked of the server. */
async function downloadAddress(
  place: Place,
  key: string,
  as: DownloadAddress,
  expiresIn: number,
): Promise<string | undefined> {
  if (!isKey(key)) return undefined;
  const command = new GetObjectCommand({
    ...at(place, objectName(key)),
    ResponseContentDisposition: as.disposition,
    ResponseContentType: as.mediaType,
    ResponseCacheControl: 'private, no-store',
  });
  return getSignedUrl(place.client, command, { expiresIn });
}
