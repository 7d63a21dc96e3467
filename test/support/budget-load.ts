/**
 * Many companies on one PostgreSQL server under a skewed load, and what the server itself counts meanwhile: the
 * connections of their request logins, read from pg_stat_activity.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { sql } from 'kysely';
import pg from 'pg';
import { expect } from 'vitest';
import { isStrongroomError } from '../../src/kernel/errors.ts';
import { idPart, type TenantId } from '../../src/kernel/ids.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { createLoggerTo, type Logger } from '../../src/kernel/log.ts';
import { testOperator } from './kernel.ts';
import type { PostgresServer } from './postgres.ts';

export interface LoadResult {
  /** Most connections of request logins at once, as the server counted them, and how often it was asked. */
  readonly most: number;
  readonly looks: number;
  readonly done: number;
  /** Companies that were used at least once. */
  readonly companies: number;
  /** Errors by code, or by message where they are not the product's. */
  readonly errors: Readonly<Record<string, number>>;
  /** Bytes of the heap after collecting, a quarter into the load and at its end. */
  readonly heap: { readonly early: number; readonly late: number };
}

/** A logger that keeps its lines. */
export function keptLog(): { readonly log: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  const log = createLoggerTo({ write: (line) => void lines.push(line) }, { level: 'warn', format: 'json' }, false);
  return { log, lines };
}

export async function createCompanies(
  kernel: Kernel,
  counts: { readonly schema: number; readonly database: number },
): Promise<TenantId[]> {
  const kinds = [
    ...Array.from({ length: counts.schema }, () => 'schema' as const),
    ...Array.from({ length: counts.database }, () => 'database' as const),
  ];
  const ids: TenantId[] = [];
  const lane = async () => {
    for (let placement = kinds.pop(); placement !== undefined; placement = kinds.pop()) {
      const input = { name: 'Load company', email: 'office@example.com', placement };
      ids.push((await kernel.tenants.create(input, testOperator)).record.id);
    }
  };
  await Promise.all(Array.from({ length: 4 }, lane));
  // Neither placement is the busy end of the skew.
  return ids.sort((one, other) => (one.slice(-6) < other.slice(-6) ? -1 : 1));
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const heapNow = () => {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
};
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks the server every 20 ms, until stopped, how many connections request logins hold. */
async function watch(server: PostgresServer, ids: readonly TenantId[]) {
  const logins = ids.map((id) => `tenant_${idPart(id)}`);
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  let most = 0;
  let looks = 0;
  let stopped = false;
  const watching = (async () => {
    while (!stopped) {
      const { rows } = await client.query<{ count: number }>(
        'SELECT count(*)::int AS count FROM pg_stat_activity WHERE usename = ANY($1)',
        [logins],
      );
      most = Math.max(most, rows[0]!.count);
      looks += 1;
      await pause(20);
    }
    await client.end();
  })();
  return async () => {
    stopped = true;
    await watching;
    return { most, looks };
  };
}

/** `lanes` at once for so long: mostly reads, some transactions; one company in five gets most of them. */
export async function runLoad(
  kernel: Kernel,
  server: PostgresServer,
  ids: readonly TenantId[],
  options: { readonly lanes: number; readonly seconds: number },
): Promise<LoadResult> {
  const used = new Set<TenantId>();
  const unseen = [...ids];
  const errors: Record<string, number> = {};
  let done = 0;
  const stop = await watch(server, ids);
  const end = performance.now() + options.seconds * 1_000;

  async function once(): Promise<void> {
    const skewed = ids[Math.floor(Math.random() ** 4 * ids.length)]!;
    const id = Math.random() < 0.8 ? skewed : (unseen.pop() ?? skewed);
    try {
      const { db } = await kernel.tenants.open(id, { kind: 'system' });
      if (Math.random() < 0.75) {
        const row = await db.read.selectFrom('identity').select('tenant_id').executeTakeFirstOrThrow();
        expect(row.tenant_id).toBe(id);
      } else {
        await db.transaction(async (tx) => {
          await sql`SELECT pg_sleep(0.003)`.execute(tx);
          await tx.deleteFrom('jobs').where('id', '=', 'none').execute();
        });
      }
      used.add(id);
      done += 1;
    } catch (error) {
      const name = isStrongroomError(error) ? error.code : String((error as Error).message);
      errors[name] = (errors[name] ?? 0) + 1;
    }
  }

  const lane = async () => {
    while (performance.now() < end) await once();
  };
  const early = pause(options.seconds * 250).then(heapNow);
  await Promise.all(Array.from({ length: options.lanes }, lane));
  const heap = { early: await early, late: heapNow() };
  return { ...(await stop()), done, companies: used.size, errors, heap };
}
