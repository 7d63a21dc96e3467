/**
 * A process of its own that works on a disk store, to be traced or to be given a broken disk.
 *
 * Arguments: data folder, bucket, and work as JSON: a list of groups; what stands in one group is done at once. Writes
 * lines of JSON to standard output: `{ "put": key }` right when a put has resolved, and `{ "done": group, "results": … }`
 * when a group has settled.
 */
import { writeSync } from 'node:fs';
import { Readable } from 'node:stream';
import { systemClock } from '../../src/kernel/clock.ts';
import { testConfig } from '../../src/kernel/config.ts';
import { isStrongroomError } from '../../src/kernel/errors.ts';
import { createDiskStores } from '../../src/kernel/files/disk.ts';
import { createLogger } from '../../src/kernel/log.ts';

export type ChildWork =
  /** `times` one after the other; once by default. */
  | { readonly do: 'put'; readonly bytes: number; readonly times?: number }
  | { readonly do: 'append'; readonly id: string; readonly at: number; readonly bytes: number }
  | { readonly do: 'finish' | 'offset'; readonly id: string }
  | { readonly do: 'delete'; readonly keys: readonly string[] };

export type ChildResult =
  | { readonly ok: unknown }
  | { readonly kind: string; readonly code: string; readonly message: string };

const [dataDir = '', bucket = '', work = '[]'] = process.argv.slice(2);
const log = createLogger({ level: 'silent', format: 'json' });
const stores = createDiskStores({ config: testConfig({ dataDir }), clock: systemClock, log });
const store = stores.open(bucket);

function body(bytes: number): Readable {
  const chunk = Buffer.alloc(65_536, 'x');
  return Readable.from(
    (function* () {
      for (let left = bytes; left > 0; left -= chunk.length) yield chunk.subarray(0, Math.min(left, chunk.length));
    })(),
    { objectMode: false },
  );
}

/** The key of the last one. */
async function put(bytes: number, times: number): Promise<string> {
  const { key } = await store.put(body(bytes));
  writeSync(1, `${JSON.stringify({ put: key })}\n`);
  return times === 1 ? key : put(bytes, times - 1);
}

async function run(item: ChildWork): Promise<unknown> {
  if (item.do === 'put') return put(item.bytes, item.times ?? 1);
  if (item.do === 'delete') return store.delete(item.keys);
  const upload = await store.partial(item.id);
  if (item.do === 'append') return upload.append(item.at, body(item.bytes));
  return item.do === 'offset' ? upload.offset() : (await upload.finish()).key;
}

async function attempt(item: ChildWork): Promise<ChildResult> {
  try {
    return { ok: (await run(item)) ?? null };
  } catch (error) {
    if (!isStrongroomError(error)) throw error;
    return { kind: error.kind, code: error.code, message: error.message };
  }
}

await stores.createBucket(bucket);
writeSync(1, `${JSON.stringify({ done: -1, results: [] })}\n`);
for (const [group, items] of (JSON.parse(work) as ChildWork[][]).entries()) {
  const results = await Promise.all(items.map(attempt));
  writeSync(1, `${JSON.stringify({ done: group, results })}\n`);
}
