/**
 * Protects a new bucket: public access blocked, encryption on, where the server knows them.
 *
 * Some servers take a protection and then refuse every put because of it. So on a server other than Amazon's the first
 * bucket of a process is tried with one small object, and a protection that shuts everybody out is given up there; the
 * log says what buckets are used without.
 */
import {
  DeleteBucketEncryptionCommand,
  DeleteObjectCommand,
  PutBucketEncryptionCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { Logger } from '../log.ts';
import { isUnknown, statusOf } from './s3-errors.ts';

export interface Protection {
  /** @throws whatever the server says of a protection that it knows */
  protect(bucket: string): Promise<void>;
}

interface Supported {
  blockAcls: boolean;
  blockAccess: boolean;
  encryption: boolean;
}

const probeName = 'tmp/.probe';

/** @param exact every refusal counts: for Amazon's own servers, which know all of this */
export function createProtection(client: S3Client, log: Logger, exact: boolean): Protection {
  const supported: Supported = { blockAcls: true, blockAccess: true, encryption: true };
  let tried: Promise<void> | undefined;

  function without(what: string): void {
    log.warn(`the S3 server does not know ${what}; buckets are used without it`);
  }

  async function blockAccess(Bucket: string): Promise<void> {
    if (!supported.blockAccess) return;
    const PublicAccessBlockConfiguration = {
      BlockPublicAcls: supported.blockAcls,
      IgnorePublicAcls: true,
      BlockPublicPolicy: true,
      RestrictPublicBuckets: true,
    };
    try {
      await client.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration }));
    } catch (error) {
      if (exact || !isRefusal(error)) throw error;
      supported.blockAccess = false;
      without('blocking of public access');
    }
  }

  async function encrypt(Bucket: string): Promise<void> {
    if (!supported.encryption) return;
    const Rules = [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' as const } }];
    try {
      await client.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules } }));
    } catch (error) {
      if (exact || !isRefusal(error)) throw error;
      supported.encryption = false;
      without('encryption by default');
    }
  }

  /** Whether an object can be put. */
  async function works(Bucket: string): Promise<boolean> {
    try {
      await client.send(new PutObjectCommand({ Bucket, Key: probeName, Body: new Uint8Array(), ContentLength: 0 }));
      await client.send(new DeleteObjectCommand({ Bucket, Key: probeName }));
      return true;
    } catch (error) {
      if ((statusOf(error) ?? 500) >= 500 && !isUnknown(error)) throw error;
      return false;
    }
  }

  async function tryOut(Bucket: string): Promise<void> {
    if (await works(Bucket)) return;
    if (supported.blockAccess) {
      supported.blockAcls = false;
      await blockAccess(Bucket);
      if (await works(Bucket)) return without('refusing of public access lists, which are ignored instead');
    }
    if (supported.encryption) {
      supported.encryption = false;
      await client.send(new DeleteBucketEncryptionCommand({ Bucket }));
      if (await works(Bucket)) return without('encryption by default');
    }
    // Whatever it is, the first upload will say it.
  }

  return {
    async protect(bucket) {
      // What the first bucket teaches counts for those that come meanwhile.
      await tried?.catch(() => undefined);
      const first = tried === undefined && !exact;
      const work = Promise.all([blockAccess(bucket), encrypt(bucket)]).then(() => (first ? tryOut(bucket) : undefined));
      if (first) {
        tried = work;
        work.catch(() => {
          tried = undefined;
        });
      }
      await work;
    },
  };
}

/** A definite no that is not about the keys: the server does not take this. */
function isRefusal(error: unknown): boolean {
  const status = statusOf(error) ?? 500;
  return isUnknown(error) || (status >= 400 && status < 500 && ![401, 403, 404, 408, 409, 429].includes(status));
}
