/** The S3 store on a server in memory: the suite of all stores, with a bucket for each company and with one for all. */
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { createS3Client } from '../../src/kernel/files/s3-client.ts';
import { startFaultServer } from '../s3/fault-server.ts';
import { anyKeys, s3Config, s3UnderTest } from './s3-under-test.ts';
import { fileStoreSuite } from './suite.ts';

fileStoreSuite('S3 in memory, a bucket for each company', async () => {
  const server = await startFaultServer();
  return s3UnderTest(server, s3Config(server.endpoint, anyKeys()), server.stop);
});

fileStoreSuite('S3 in memory, one bucket for all', async () => {
  const server = await startFaultServer();
  const config = s3Config(server.endpoint, anyKeys(), { s3SharedBucket: 'shared' });
  const client = createS3Client(config);
  await client.send(new CreateBucketCommand({ Bucket: 'shared' }));
  client.destroy();
  return s3UnderTest(server, config, server.stop);
});
