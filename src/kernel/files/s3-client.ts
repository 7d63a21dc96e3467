/**
 * The connection to an S3 server. Any compatible one: checksums only where the protocol demands them, path-style
 * addresses where an endpoint is given, a bound on every wait, and three attempts with growing pauses.
 */
import { createHash } from 'node:crypto';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { second } from '../clock.ts';
import type { Config } from '../settings.ts';

export type S3Settings = Pick<
  Config,
  | 'bucketPrefix'
  | 'maxUploadBytes'
  | 's3AccessKeyId'
  | 's3Endpoint'
  | 's3PresignedSeconds'
  | 's3Region'
  | 's3SecretAccessKey'
  | 's3SessionToken'
  | 's3SharedBucket'
  | 's3TimeoutSeconds'
>;

/** Keys of a company's own, where the provider can give them. */
export interface S3Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const attempts = 3;
const connectSeconds = 5;
const sockets = 256;

/**
 * Without keys in the settings the SDK looks for those of the machine (roles, profiles).
 * @param options.sharing a client whose connections it uses; it is never destroyed then, but with that one
 */
export function createS3Client(
  config: S3Settings,
  keys: S3Keys | undefined = keysOf(config),
  options: { readonly sharing?: S3Client } = {},
): S3Client {
  const timeout = config.s3TimeoutSeconds * second;
  const settings: S3ClientConfig = {
    region: config.s3Region,
    maxAttempts: attempts,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: options.sharing?.config.requestHandler ?? {
      connectionTimeout: Math.min(timeout, connectSeconds * second),
      requestTimeout: timeout,
      throwOnRequestTimeout: true,
      socketTimeout: timeout,
      // Downloads hold a socket each for as long as their reader takes.
      socketAcquisitionWarningTimeout: 24 * 60 * 60 * second,
      httpAgent: { keepAlive: true, maxSockets: sockets },
      httpsAgent: { keepAlive: true, maxSockets: sockets },
    },
    ...(config.s3Endpoint === null ? {} : { endpoint: config.s3Endpoint, forcePathStyle: true }),
    ...(keys === undefined ? {} : { credentials: keys }),
  };
  const client = new S3Client(settings);
  addDigest(client);
  return client;
}

function keysOf(config: S3Settings): S3Keys | undefined {
  const { s3AccessKeyId: accessKeyId, s3SecretAccessKey: secretAccessKey, s3SessionToken: sessionToken } = config;
  if (accessKeyId === null || secretAccessKey === null) return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken === null ? {} : { sessionToken }) };
}

/** Older servers demand the MD5 of a batch of deletions, which the SDK has given up to send. */
function addDigest(client: S3Client): void {
  client.middlewareStack.add(
    (next, context) => (args) => {
      const request = args.request as { body?: unknown; headers: Record<string, string> };
      if (context.commandName === 'DeleteObjectsCommand' && typeof request.body === 'string') {
        request.headers['content-md5'] = createHash('md5').update(request.body).digest('base64');
      }
      return next(args);
    },
    { step: 'build', name: 'strongroomDigestOfDeletions' },
  );
}
