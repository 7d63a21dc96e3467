/**
 * Files on S3: one small upload against the bare call of the SDK with the same bytes, on Ceph's gateway where it is
 * installed, else on the server in memory of the tests (whose calls cost next to nothing, so that the product's own work
 * weighs most).
 */
import { randomBytes } from 'node:crypto';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { startFaultServer } from '../../test/s3/fault-server.ts';
import { gatewayInstalled, startGateway } from '../../test/s3/gateway.ts';
import { load } from '../load.ts';
import { alternate, atLeast, type Row, timed } from '../measure.ts';
import { newCompany, setUpOperator } from '../people.ts';
import { benchFolder, removeFolder, startProduct } from '../server.ts';
import { smallUpload } from './uploads.ts';

export async function run(quick: boolean): Promise<Row[]> {
  const { endpoint, keys, stop, name } = await startStore();
  const folder = benchFolder('s3');
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: keys });
  const product = await startProduct(folder, {
    STRONGROOM_FILE_STORE: 's3',
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_S3_BUCKET_PREFIX: 'bench',
  });
  try {
    await client.send(new CreateBucketCommand({ Bucket: 'bench-bare' }));
    const operator = await setUpOperator(product);
    const member = await newCompany(product, operator);
    const seconds = quick ? 3 : 6;
    const rows: Row[] = [];
    for (const connections of [1, 8]) {
      const rates = await alternate(
        3,
        () => putRate(client, connections, seconds),
        async () => {
          const url = `${product.url}/api/documents/upload`;
          return (await load({ ...smallUpload, url, connections, seconds, tokens: [member.token] })).rate;
        },
      );
      const what = `upload of 1 KB to S3 (${name}), ${connections} at once`;
      const row = atLeast(what, rates, 0.5, 'the bare SDK call');
      // The aim is for one upload; what several at once cost is told beside it.
      rows.push(connections === 1 ? row : { ...row, aim: 'none', met: null });
    }
    return rows;
  } finally {
    await product.stop();
    client.destroy();
    await stop();
    removeFolder(folder);
  }
}

async function startStore() {
  if (gatewayInstalled()) {
    const gateway = await startGateway();
    const keys = await gateway.user('bench');
    return { endpoint: gateway.endpoint, keys, stop: gateway.stop, name: 'Ceph' };
  }
  const server = await startFaultServer();
  const keys = { accessKeyId: 'bench', secretAccessKey: randomBytes(12).toString('hex') };
  return { endpoint: server.endpoint, keys, stop: server.stop, name: 'in memory' };
}

async function putRate(client: S3Client, connections: number, seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1_000;
  let puts = 0;
  const one = async () => {
    while (performance.now() < end) {
      const Body = randomBytes(1_000);
      await client.send(new PutObjectCommand({ Bucket: 'bench-bare', Key: `objects/${puts}-${Math.random()}`, Body }));
      puts += 1;
    }
  };
  const ms = await timed(() => Promise.all(Array.from({ length: connections }, one)));
  return puts / (ms / 1_000);
}
