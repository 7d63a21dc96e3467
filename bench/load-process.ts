/** The load generator's process: keep-alive connections that each send the next request when the answer is there. */
import { Agent, request } from 'node:http';
import type { Load, LoadResult } from './load.ts';
import { quantile } from './measure.ts';

let text = '';
for await (const chunk of process.stdin as AsyncIterable<Buffer>) text += chunk.toString();
const options = JSON.parse(text) as Load;
const agent = new Agent({ keepAlive: true, maxSockets: options.connections });
const url = new URL(options.url);
const times: number[] = [];
let errors = 0;
let serial = 0;
const run = `${process.pid}-${Date.now()}`;
const measureFrom = performance.now() + Math.min(1_000, options.seconds * 200);
const end = measureFrom + options.seconds * 1_000;

function once(connection: number): Promise<number> {
  serial += 1;
  const body = options.numbered ? options.body?.replaceAll('%N%', `${run}-${serial}`) : options.body;
  const token = options.tokens?.[connection % options.tokens.length];
  return new Promise((resolve) => {
    const sent = request(
      {
        agent,
        host: url.hostname,
        port: url.port,
        path: url.pathname + url.search,
        method: options.method ?? 'GET',
        headers: {
          ...(token ? { authorization: `Bearer ${token}` } : {}),
          ...(body === undefined
            ? {}
            : { 'content-type': options.contentType!, 'content-length': Buffer.byteLength(body) }),
        },
      },
      (answer) => {
        answer.resume();
        answer.on('end', () => resolve(answer.statusCode ?? 0));
        answer.on('error', () => resolve(0));
      },
    );
    sent.on('error', () => resolve(0));
    sent.end(body);
  });
}

async function connection(index: number): Promise<void> {
  while (performance.now() < end) {
    const start = performance.now();
    const status = await once(index);
    if (start < measureFrom) continue;
    times.push(performance.now() - start);
    if (status < 200 || status > 299) errors += 1;
  }
}

await Promise.all(Array.from({ length: options.connections }, (_, index) => connection(index)));
const seconds = (performance.now() - measureFrom) / 1_000;
const result: LoadResult = {
  rate: times.length / seconds,
  p50: quantile(times, 0.5),
  p99: quantile(times, 0.99),
  errors,
};
console.log(JSON.stringify(result));
agent.destroy();
