/**
 * What failures of an S3 server mean to a caller. Names of buckets, hosts and the server's own words travel as `cause`,
 * for the log alone.
 */
import { isStrongroomError, StrongroomError, unavailable } from '../errors.ts';
import type { Logger } from '../log.ts';
import { diskFull } from './io.ts';

interface Failure {
  readonly name?: string;
  readonly Code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

/** The keys are wrong, revoked, expired, or reach less than they must. */
const denied = new Set([
  'AccessDenied',
  'AccountProblem',
  'AllAccessDisabled',
  'AuthorizationHeaderMalformed',
  'CredentialsProviderError',
  'ExpiredToken',
  'InvalidAccessKeyId',
  'InvalidSecurity',
  'InvalidToken',
  'RequestTimeTooSkewed',
  'SignatureDoesNotMatch',
  'UserSuspended',
]);

/** The words of several servers for a full disk or a quota that is used up. Some say it with status 403. */
const full = new Set(['InsufficientStorage', 'QuotaExceeded', 'StorageFull', 'XMinioStorageFull']);

/** What the server knows nothing of. */
const unknown = new Set(['MethodNotAllowed', 'NotImplemented', 'UnsupportedOperation', 'XNotImplemented']);

export function nameOf(error: unknown): string {
  const failure = error as Failure | undefined;
  return failure?.name ?? failure?.Code ?? '';
}

/** The HTTP status of an answer, or undefined where none came. */
export function statusOf(error: unknown): number | undefined {
  return (error as Failure | undefined)?.$metadata?.httpStatusCode;
}

export function hasName(error: unknown, ...names: readonly string[]): boolean {
  return names.includes(nameOf(error));
}

/** Whether the server has said that it does not know this request. */
export function isUnknown(error: unknown): boolean {
  return unknown.has(nameOf(error)) || statusOf(error) === 501 || statusOf(error) === 405;
}

/** Whether the request may have had its effect although no answer, or a bad one, came. */
export function mayHaveHappened(error: unknown): boolean {
  const status = statusOf(error);
  return status === undefined || status < 300 || status >= 500;
}

/** Whether the server refuses the keys. */
export function isDenied(error: unknown): boolean {
  return denied.has(nameOf(error)) || [401, 403].includes(statusOf(error) ?? 0);
}

/** The seconds that the server itself asked for, or `otherwise`. */
function retryAfter(error: unknown, otherwise: number): number {
  const seconds = Number((error as Failure | undefined)?.$response?.headers?.['retry-after']);
  return Number.isInteger(seconds) && seconds > 0 && seconds <= 600 ? seconds : otherwise;
}

export function objectMissing(cause?: unknown): StrongroomError {
  return unavailable('object_missing', 'The content of this file is not where it should be.', 60, cause);
}

export function bucketMissing(cause?: unknown): StrongroomError {
  return unavailable('bucket_missing', 'The place where files are kept is not there.', 30, cause);
}

export function storageFailed(cause: unknown, seconds = 10): StrongroomError {
  return unavailable('storage_failed', 'The place where files are kept does not work at the moment.', seconds, cause);
}

/** What a failure is to a caller. Errors of the product's own pass as they are. */
export function s3Error(error: unknown): StrongroomError {
  if (isStrongroomError(error)) return error;
  if (full.has(nameOf(error)) || statusOf(error) === 507) return diskFull(error);
  if (hasName(error, 'NoSuchBucket')) return bucketMissing(error);
  if (hasName(error, 'NoSuchKey', 'NotFound')) return objectMissing(error);
  if (hasName(error, 'EntityTooLarge')) {
    return new StrongroomError('too_large', 'file_too_large', 'The file is larger than the store takes.', {
      cause: error,
    });
  }
  if (isDenied(error)) return storageFailed(error, 60);
  const busy = statusOf(error) === 503 || statusOf(error) === 429;
  return storageFailed(error, retryAfter(error, busy ? 5 : 10));
}

/** Runs work on a bucket, gives its failures the form that callers know, and raises an alarm where access is denied. */
export type Guard = <T>(bucket: string, work: () => Promise<T>) => Promise<T>;

export function createGuard(log: Logger): Guard {
  return async (bucket, work) => {
    try {
      return await work();
    } catch (error) {
      const known = s3Error(error);
      if (known !== error && isDenied(error) && known.kind === 'unavailable') {
        log.error({ alarm: 'storage_access_denied', bucket, err: error }, 'the S3 server refuses the keys in use');
      }
      throw known;
    }
  };
}
