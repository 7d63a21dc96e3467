/** Uploads: 1 KB eight at once, and 1 GB by multipart and by tus, against the same body kept as durably by the bare server. */
import { request } from 'node:http';
import { load } from '../load.ts';
import { alternate, median, processFigures, type Row, resetPeak, timed } from '../measure.ts';
import { newCompany, setUpOperator, upload } from '../people.ts';
import { benchFolder, removeFolder, startBare, startProduct } from '../server.ts';

const boundary = 'bench-boundary-bench-boundary';
const small = [
  `--${boundary}`,
  'Content-Disposition: form-data; name="file"; filename="file-%N%.txt"',
  'Content-Type: text/plain',
  '',
  `%N% ${'x'.repeat(980)}`,
  `--${boundary}--`,
  '',
].join('\r\n');

/** A load of multipart uploads of 1 KB, each with a name and bytes of its own. */
export const smallUpload = {
  method: 'POST',
  body: small,
  numbered: true,
  contentType: `multipart/form-data; boundary=${boundary}`,
} as const;

export async function run(quick: boolean): Promise<Row[]> {
  const bareFolder = benchFolder('bare');
  const folder = benchFolder('uploads');
  const bare = await startBare(bareFolder);
  const product = await startProduct(folder);
  const rows: Row[] = [];
  try {
    const operator = await setUpOperator(product);
    const member = await newCompany(product, operator);
    const shared = { ...smallUpload, connections: 8, seconds: quick ? 2 : 4 };
    const results = await alternate(
      quick ? 3 : 5,
      () => load({ ...shared, url: `${bare.url}/upload` }),
      () => load({ ...shared, url: `${product.url}/api/documents/upload`, tokens: [member.token] }),
    );
    const bareRate = median(results.bare.map((one) => one.rate));
    const rate = median(results.ours.map((one) => one.rate));
    rows.push({
      what: 'upload of 1 KB, durable, 8 at once',
      bare: bareRate,
      ours: rate,
      unit: '/s',
      aim: '>= 0.45 of bare',
      met: rate >= 0.45 * bareRate,
    });
    rows.push(...(await large(product, bare.url, member.token, quick)));
    rows.push(await hangUps(product, member.token));
  } finally {
    await product.stop();
    await bare.stop();
    removeFolder(folder);
    removeFolder(bareFolder);
  }
  return rows;
}

const MiB = 1_024 * 1_024;

/** Sends `bytes` of changing content; `head` and `tail` wrap it. Gives status and headers of the answer. */
function send(
  url: string,
  method: string,
  headers: Record<string, string | number>,
  bytes: number,
  wrap?: { head: string; tail: string },
) {
  const block = Buffer.alloc(MiB);
  for (let index = 0; index < MiB; index += 4) block.writeUInt32LE((index * 2_654_435_761) >>> 0, index);
  const length = bytes + (wrap ? Buffer.byteLength(wrap.head) + Buffer.byteLength(wrap.tail) : 0);
  return new Promise<{ status: number; headers: Record<string, unknown> }>((resolve, reject) => {
    const sent = request(url, { method, headers: { ...headers, 'content-length': length } }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers }));
    });
    sent.on('error', reject);
    let left = bytes;
    if (wrap) sent.write(wrap.head);
    const more = () => {
      while (left > 0) {
        const part = Buffer.from(block.subarray(0, Math.min(left, MiB)));
        part.writeDoubleLE(left + Math.random(), 0);
        left -= part.length;
        if (!sent.write(part)) {
          sent.once('drain', more);
          return;
        }
      }
      sent.end(wrap?.tail);
    };
    more();
  });
}

async function large(
  product: { url: string; pid: number },
  bareUrl: string,
  token: string,
  quick: boolean,
): Promise<Row[]> {
  const bytes = (quick ? 256 : 1_024) * MiB;
  const bearer = { authorization: `Bearer ${token}` };
  let serial = 0;
  const expect = (status: number, wanted: number) => {
    if (status !== wanted) throw new Error(`a large upload got ${status}`);
  };
  const byMultipart = (base: string, headers: Record<string, string>) => {
    serial += 1;
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="large-${serial}.bin"\r\nContent-Type: application/octet-stream\r\n\r\n`;
    return timed(async () => {
      const answer = await send(
        base,
        'POST',
        { ...headers, 'content-type': `multipart/form-data; boundary=${boundary}` },
        bytes,
        { head, tail: `\r\n--${boundary}--\r\n` },
      );
      expect(answer.status, 201);
    });
  };
  const byTus = () => {
    serial += 1;
    const tus = { ...bearer, 'tus-resumable': '1.0.0' };
    return timed(async () => {
      const filename = Buffer.from(`large-${serial}.bin`).toString('base64');
      const made = await fetch(`${product.url}/api/uploads`, {
        method: 'POST',
        headers: { ...tus, 'upload-length': String(bytes), 'upload-metadata': `filename ${filename}` },
      });
      expect(made.status, 201);
      const address = new URL(made.headers.get('location')!, product.url).href;
      const answer = await send(
        address,
        'PATCH',
        { ...tus, 'upload-offset': 0, 'content-type': 'application/offset+octet-stream' },
        bytes,
      );
      expect(answer.status, 204);
    });
  };
  const before = processFigures(product.pid).rssMb;
  resetPeak(product.pid);
  const pairs = quick ? 1 : 3;
  const multipart = await alternate(
    pairs,
    () => byMultipart(`${bareUrl}/upload`, {}),
    () => byMultipart(`${product.url}/api/documents/upload`, bearer),
  );
  const tus = await alternate(
    pairs,
    () =>
      timed(async () =>
        expect(
          (await send(`${bareUrl}/raw`, 'PUT', { 'content-type': 'application/octet-stream' }, bytes)).status,
          201,
        ),
      ),
    byTus,
  );
  const grown = processFigures(product.pid).peakMb - before;
  const rate = (ms: number) => bytes / MiB / (ms / 1_000);
  const row = (what: string, bareMs: number, oursMs: number): Row => ({
    what,
    bare: rate(bareMs),
    ours: rate(oursMs),
    unit: 'MB/s',
    aim: '>= 0.8 of bare',
    met: rate(oursMs) >= 0.8 * rate(bareMs),
  });
  return [
    row(`upload of ${bytes / MiB} MB by multipart`, median(multipart.bare), median(multipart.ours)),
    row(`upload of ${bytes / MiB} MB by tus`, median(tus.bare), median(tus.ours)),
    {
      what: 'memory grown during the large uploads',
      bare: null,
      ours: grown,
      unit: 'MB',
      aim: '<= 80 MB',
      met: grown <= 80,
    },
  ];
}

/** A thousand clients that hang up in the middle; then an upload must still work. */
async function hangUps(product: { url: string; pid: number }, token: string): Promise<Row> {
  const one = () =>
    new Promise<void>((resolve) => {
      const sent = request(`${product.url}/api/documents/upload`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': `multipart/form-data; boundary=${boundary}`,
          'content-length': 100_000,
        },
      });
      sent.on('error', () => resolve());
      sent.on('close', () => resolve());
      sent.write(
        `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="gone.bin"\r\n\r\n${'y'.repeat(5_000)}`,
      );
      setTimeout(() => sent.destroy(), 5);
    });
  const ms = await timed(async () => {
    for (let index = 0; index < 20; index += 1) await Promise.all(Array.from({ length: 50 }, one));
  });
  await upload(product.url, token, `after-${Date.now()}.txt`, Buffer.from('still here'));
  const { openFiles } = processFigures(product.pid);
  return {
    what: '1,000 clients that hang up in an upload',
    bare: null,
    ours: ms / 1_000,
    unit: 's',
    aim: 'the server lives',
    met: true,
    note: `open files afterwards: ${openFiles}`,
  };
}
