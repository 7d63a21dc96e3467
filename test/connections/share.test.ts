/** Several server processes have one budget together; each takes its share, which changes with their number. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCompanies, runLoad } from '../support/budget-load.ts';
import { openTestKernel, testFolder } from '../support/kernel.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';

const keyRing = `k1:${randomBytes(32).toString('base64')}`;
const together = 12;
let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());

test('a process that comes or goes changes the share of the others', { timeout: 60_000 }, async () => {
  const controlUrl = await server.newDatabase('share');
  const open = () =>
    openTestKernel({
      controlUrl,
      keyRing,
      postgresUrl: server.url,
      postgresConnections: together,
      dataDir: testFolder(),
    });
  const first = await open();
  const ids = await createCompanies(first, { schema: 16, database: 4 });
  const load = (kernel: typeof first, seconds: number) => runLoad(kernel, server, ids, { lanes: 20, seconds });
  expect((await load(first, 1)).most).toBeLessThanOrEqual(together);
  expect(first.connections.budget).toBe(together);

  const second = await open();
  // Told by the one that came, not by the look every two seconds.
  await expect.poll(() => first.connections.budget, { timeout: 1_000 }).toBe(together / 2);
  await expect.poll(() => first.connections.open).toBeLessThanOrEqual(together / 2);
  const both = await Promise.all([load(first, 3), load(second, 3)]);
  expect(second.connections.budget).toBe(together / 2);
  for (const result of both) {
    expect(result.errors).toEqual({});
    expect(result.most).toBeLessThanOrEqual(together);
    expect(result.companies).toBeGreaterThan(ids.length / 2);
  }

  await second.close();
  await expect.poll(() => first.connections.budget, { timeout: 10_000 }).toBe(together);
});

test('a listener that is cut and comes back changes nobody’s share', { timeout: 30_000 }, async () => {
  const controlUrl = await server.newDatabase('cut');
  const open = () =>
    openTestKernel({ controlUrl, keyRing, postgresUrl: server.url, postgresConnections: 12, dataDir: testFolder() });
  const first = await open();
  const second = await open();
  const [id] = await createCompanies(first, { schema: 1, database: 0 });
  for (const kernel of [first, second]) {
    const { db } = await kernel.tenants.open(id!, { kind: 'system' });
    await db.read.selectFrom('identity').selectAll().execute();
  }
  await expect.poll(() => [first.connections.budget, second.connections.budget]).toEqual([6, 6]);
  await server.ask(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'strongroom control listener'",
  );
  const end = performance.now() + 5_000;
  while (performance.now() < end) {
    expect(first.connections.budget + second.connections.budget).toBe(12);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});
