/** The budget of connections to one PostgreSQL server, in the small: `test/stress` has 2,500 companies. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TenantId } from '../../src/kernel/ids.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { createCompanies, keptLog, runLoad } from '../support/budget-load.ts';
import { openTestKernel } from '../support/kernel.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';

const { log, lines } = keptLog();
const budget = 12;
let server: PostgresServer;
let kernel: Kernel;
let ids: TenantId[];
beforeAll(async () => {
  server = await startPostgres();
  kernel = await openTestKernel({ postgresUrl: server.url, postgresConnections: budget }, { log });
  ids = await createCompanies(kernel, { schema: 60, database: 20 });
}, 120_000);
afterAll(async () => {
  await kernel?.close();
  await server?.stop();
});

test('80 companies on both placements never hold more connections than the budget', async () => {
  const result = await runLoad(kernel, server, ids, { lanes: 40, seconds: 8 });
  expect(result.errors).toEqual({});
  expect(result.most).toBeLessThanOrEqual(budget);
  // It was needed, it was looked at, and everybody came to their turn.
  expect(result.most).toBeGreaterThanOrEqual(budget - 2);
  expect(result.looks).toBeGreaterThan(50);
  expect(result.companies).toBe(ids.length);
  expect(result.heap.late).toBeLessThan(result.heap.early * 1.2 + 4 * 1024 * 1024);
  expect(lines.filter((line) => /pool|closed/i.test(line))).toEqual([]);
  expect(kernel.connections.budget).toBe(budget);
});

test('idle connections are closed after their time', { timeout: 20_000 }, async () => {
  const own = await openTestKernel({ postgresUrl: server.url, connectionIdleSeconds: 1 });
  const [id] = await createCompanies(own, { schema: 1, database: 0 });
  const { db } = await own.tenants.open(id!, { kind: 'system' });
  await db.read.selectFrom('identity').selectAll().execute();
  const held = () => server.ask(`SELECT 1 FROM pg_stat_activity WHERE usename LIKE 'tenant_${id!.slice(5)}'`);
  expect(await held()).toHaveLength(1);
  await expect.poll(held).toHaveLength(0);
});
