/** 2,500 companies on one PostgreSQL server and 60 connections. The same in the small: `test/connections`. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TenantId } from '../../src/kernel/ids.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { createCompanies, keptLog, runLoad } from '../support/budget-load.ts';
import { openTestKernel } from '../support/kernel.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';

const { log, lines } = keptLog();
const budget = 60;
let server: PostgresServer;
let kernel: Kernel;
let ids: TenantId[];
beforeAll(async () => {
  server = await startPostgres();
  kernel = await openTestKernel(
    { postgresUrl: server.url, postgresConnections: budget, connectionWaitSeconds: 60 },
    { log },
  );
  ids = await createCompanies(kernel, { schema: 2_000, database: 500 });
});
afterAll(async () => {
  await kernel?.close();
  await server?.stop();
});

test('500 databases and 2,000 schemas under a skewed load never hold more connections than the budget', async () => {
  const result = await runLoad(kernel, server, ids, { lanes: 100, seconds: 120 });
  console.log(JSON.stringify(result));
  expect(result.errors).toEqual({});
  expect(result.most).toBeLessThanOrEqual(budget);
  expect(result.most).toBeGreaterThanOrEqual(budget - 5);
  expect(result.companies).toBeGreaterThan(ids.length * 0.8);
  expect(result.heap.late).toBeLessThan(result.heap.early * 1.2 + 8 * 1024 * 1024);
  expect(lines.filter((line) => /pool|closed/i.test(line))).toEqual([]);
});
