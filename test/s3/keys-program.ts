/**
 * What an operator's own program for STRONGROOM_S3_KEYS_COMMAND may look like, for Ceph's gateway: a user for each
 * company that may make no bucket, and a policy that opens that company's bucket to it.
 *
 *     node keys-program.ts <ceph.conf> grant|revoke
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { DeletePublicAccessBlockCommand, PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';

const [, , config = '', verb] = process.argv;
const input: Buffer[] = [];
for await (const chunk of process.stdin) input.push(chunk as Buffer);
const { bucket } = JSON.parse(Buffer.concat(input).toString()) as { bucket: string };
const user = `company-${bucket}`;

function admin(...words: string[]): void {
  execFileSync('radosgw-admin', ['-c', config, '-n', 'client.rgw.a', ...words], { stdio: 'ignore' });
}

/** Fine where there is none. */
function end(): void {
  try {
    admin('user', 'rm', '--uid', user);
  } catch (error) {
    if ((error as { status?: number }).status !== 2) throw error;
  }
}

end();
if (verb === 'grant') {
  const keys = { access_key_id: randomBytes(10).toString('hex'), secret_access_key: randomBytes(20).toString('hex') };
  const own = ['--access-key', keys.access_key_id, '--secret-key', keys.secret_access_key];
  admin('user', 'create', '--uid', user, '--display-name', user, ...own, '--max-buckets', '-1');
  const client = new S3Client({ endpoint: process.env.AWS_ENDPOINT_URL_S3!, forcePathStyle: true });
  // This version takes every policy for a public one.
  await client.send(new DeletePublicAccessBlockCommand({ Bucket: bucket }));
  const Resource = [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`];
  const Statement = [{ Effect: 'Allow', Principal: { AWS: [`arn:aws:iam:::user/${user}`] }, Action: 's3:*', Resource }];
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
  await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
  client.destroy();
  process.stdout.write(JSON.stringify(keys));
}
