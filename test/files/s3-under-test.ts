/** The S3 store as the suite of all stores wants it, over a server that is reached through the fault server. */
import { randomBytes } from 'node:crypto';
import { ListMultipartUploadsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { systemClock } from '../../src/kernel/clock.ts';
import { testConfig } from '../../src/kernel/config.ts';
import type { FileStores } from '../../src/kernel/files/file-store.ts';
import { createS3Stores, type S3Options } from '../../src/kernel/files/s3.ts';
import { createS3Client } from '../../src/kernel/files/s3-client.ts';
import { createLogger } from '../../src/kernel/log.ts';
import type { Config } from '../../src/kernel/settings.ts';
import type { FaultServer } from '../s3/fault-server.ts';
import type { Keys } from '../s3/gateway.ts';
import type { StoreUnderTest } from './suite.ts';

const log = createLogger({ level: 'silent', format: 'json' });

/** Where nobody checks signatures. */
export const anyKeys = (): Keys => ({ accessKeyId: 'nobody', secretAccessKey: randomBytes(8).toString('hex') });

export function s3Config(endpoint: string, keys: Keys, overrides: Partial<Config> = {}): Config {
  return testConfig({
    fileStore: 's3',
    s3Endpoint: endpoint,
    s3AccessKeyId: keys.accessKeyId,
    s3SecretAccessKey: keys.secretAccessKey,
    ...overrides,
  });
}

export function openS3(config: Config, options: Partial<S3Options> = {}): FileStores {
  return createS3Stores({ config, clock: systemClock, log, ...options });
}

/** @param remove ends the server */
export function s3UnderTest(server: FaultServer, config: Config, remove: () => Promise<void>): StoreUnderTest {
  const opened: FileStores[] = [];
  const open = () => {
    const stores = openS3(config);
    opened.push(stores);
    return stores;
  };
  const client = createS3Client(config);
  return {
    stores: open(),
    restarted: open,
    visibleAfter: 18_000_000,
    async leftovers(bucket) {
      const [Bucket, below] = config.s3SharedBucket === null ? [bucket, ''] : [config.s3SharedBucket, `${bucket}/`];
      const objects = await client.send(new ListObjectsV2Command({ Bucket, Prefix: `${below}tmp/` }));
      const open = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: below }));
      return [
        ...(objects.Contents ?? []).map(({ Key }) => Key ?? ''),
        ...(open.Uploads ?? []).map(({ Key, UploadId }) => `${Key}?uploadId=${UploadId}`),
      ];
    },
    async age(bucket, ms) {
      server.age(config.s3SharedBucket ?? bucket, ms);
    },
    async remove() {
      for (const stores of opened) await stores.close();
      client.destroy();
      await remove();
    },
  };
}
