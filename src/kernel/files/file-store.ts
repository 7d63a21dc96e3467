/**
 * The contract of file stores. One bucket per tenant; keys are random, opaque and never reused, so an object is
 * written once, read, and deleted. A store knows nothing of documents, names or owners.
 *
 * Durable order (the whole product relies on it): `put` has hashed, written, fsynced, renamed and fsynced the folder
 * (or has the S3 success) before it returns; only then does the caller commit the row, and only then answer.
 */
import type { Readable } from 'node:stream';

/** What is known of an object once it is durable. */
export interface StoredObject {
  readonly key: string;
  readonly size: number;
  /** SHA-256 in lower-case hex. */
  readonly sha256: string;
  /** The first bytes (up to 4,100), to tell the type by. */
  readonly head: Uint8Array;
}

export interface PutOptions {
  /** Refuse with `too_large` as soon as more bytes than this arrive. */
  readonly maxBytes?: number;
  /** Called with the total of bytes so far. */
  readonly onProgress?: (bytes: number) => void;
  /** Called with the object's key before the object can be seen. */
  readonly onKey?: (key: string) => void;
  readonly signal?: AbortSignal;
}

/** Inclusive byte range. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * An upload in parts (tus), resumable by another process as long as its id is known. One call at a time works on it:
 * an append that still runs when another call comes is stopped, keeps what it got, and the other call goes on.
 */
export interface PartialUpload {
  readonly id: string;
  /** The key of the object that `finish` makes. */
  readonly key: string;
  /** Bytes that are durable so far; 0 before the first append, the whole size after `finish`. */
  offset(): Promise<number>;
  /**
   * Appends at `offset`, fsyncs, and returns the new offset. What arrived before the body broke off is kept and
   * counted, and no error. More than `maxBytes` in this body, or a full disk, is refused and nothing of it is kept.
   * @throws conflict `offset_mismatch` (`extra.offset` is the right one) | `upload_finished`
   * @throws too_large `file_too_large`, no_space `disk_full`
   */
  append(offset: number, body: Readable, options?: { maxBytes?: number; signal?: AbortSignal }): Promise<number>;
  /**
   * Turns the bytes into an object. Idempotent: a second call after a lost answer gives the same object, as long as
   * that was not deleted. An upload of no bytes needs one append of an empty body before.
   * @throws gone `upload_gone` where there was no append, or it was discarded or swept
   */
  finish(): Promise<StoredObject>;
  discard(): Promise<void>;
}

/** How an object is served to somebody who comes with its address. */
export interface DownloadAddress {
  /** The header Content-Disposition. */
  readonly disposition: string;
  /** The header Content-Type. */
  readonly mediaType: string;
}

/** The bucket of one tenant. */
export interface FileStore {
  /** The physical name: folder or bucket. */
  readonly bucket: string;
  /**
   * Streams the bytes in. On any error (client gone, too large, disk full) nothing is left. A refusal leaves the body
   * unread and whole, so that an answer can still be sent; the caller drains or ends it.
   * @throws too_large `file_too_large`, no_space `disk_full`, invalid `upload_incomplete` (the body broke off; a
   * `StrongroomError` with which it was destroyed is thrown as it is), unavailable `storage_failed` | `bucket_missing`
   */
  put(body: Readable, options?: PutOptions): Promise<StoredObject>;
  /**
   * A stream of the bytes, to be read to its end or destroyed.
   * @throws unavailable `object_missing` where a row promises an object that is not there
   * @throws range `range_not_satisfiable` for a range that is not inside of the object
   */
  get(key: string, range?: ByteRange): Promise<Readable>;
  /** Size of an object, or undefined where there is none. */
  size(key: string): Promise<number | undefined>;
  /** When an object was made (ms), or undefined where there is none. */
  madeAt(key: string): Promise<number | undefined>;
  /** Idempotent: deleting what is not there is fine. */
  delete(keys: readonly string[]): Promise<void>;
  /** Every key, for sweeps and verification. */
  keys(): AsyncIterable<string>;
  /** Starts, or resumes, an upload in parts. */
  partial(id: string): Promise<PartialUpload>;
  /**
   * Removes temporary objects and parts that nobody touched since `olderThan` (ms), but for what this process writes
   * and the parts of uploads that `keep` says to leave.
   */
  sweepTemporary(olderThan: number, keep?: (uploadId: string) => Promise<boolean>): Promise<TemporarySweep>;
  /**
   * An address at which the storage itself serves the object for a short time, to anybody who has it. Only where the
   * operator has chosen that and the storage can.
   */
  downloadAddress?(key: string, as: DownloadAddress): Promise<string | undefined>;
}

export interface TemporarySweep {
  readonly removed: number;
  /** When the oldest that is too young yet was last touched (ms); null where none is left to be removed. */
  readonly oldestLeft: number | null;
}

/** What is wrong with how a bucket is reached. */
export interface StorageFinding {
  readonly problem: string;
  /** What would mend it; null where a person has to look. */
  readonly repair: string | null;
  readonly mend?: () => Promise<void>;
}

/** A file store as a whole: makes and removes buckets. One per process. */
export interface FileStores {
  readonly kind: 'disk' | 's3';
  /** The name of a tenant's bucket, from its id alone. */
  bucketName(tenantId: string): string;
  /** Idempotent and durable. */
  createBucket(bucket: string): Promise<void>;
  bucketExists(bucket: string): Promise<boolean>;
  /** Removes the bucket with all it holds. Idempotent, resumable. */
  deleteBucket(bucket: string): Promise<void>;
  /** Every bucket that carries the product's naming, for finding orphans. */
  listBuckets(): AsyncIterable<string>;
  open(bucket: string): FileStore;
  /** For doctor: what is wrong with the keys to a bucket that is there; `other` is one that they must not reach. */
  examine?(bucket: string, other: string | undefined): Promise<readonly StorageFinding[]>;
  /** Whether the store answers now; a reason otherwise, without paths or hosts. */
  check(): Promise<{ ok: true } | { ok: false; reason: string }>;
  close(): Promise<void>;
}
