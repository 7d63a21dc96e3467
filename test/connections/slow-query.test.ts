/** Queries of one company share its readers: those behind a slow one are few, and all others go past it. */
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Tenant } from '../../src/kernel/handles.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { createTestTenant, openTestKernel } from '../support/kernel.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());

describe.each(['schema', 'database'] as const)('a company placed by %s', (placement) => {
  let kernel: Kernel;
  let tenant: Tenant;
  beforeAll(async () => {
    kernel = await openTestKernel({ postgresUrl: server.url });
    ({ tenant } = await createTestTenant(kernel, { placement }));
  });
  afterAll(() => kernel?.close());

  const backend = async () =>
    (await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(tenant.db.read)).rows[0]!.pid;

  test('quick queries at once travel on few connections', async () => {
    await backend();
    const pids = await Promise.all(Array.from({ length: 8 }, backend));
    expect(new Set(pids).size).toBe(1);
  });

  test('a slow query is passed by those that come after it', async () => {
    let over = false;
    const slow = sql`SELECT pg_sleep(2)`.execute(tenant.db.read).finally(() => {
      over = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (let round = 0; round < 5; round += 1) await Promise.all(Array.from({ length: 20 }, backend));
    expect(over).toBe(false);
    await slow;
  });

  test('one that fails takes none of those beside it along', async () => {
    const failing = sql`SELECT 1 / 0`.execute(tenant.db.read);
    const beside = Array.from({ length: 7 }, backend);
    await expect(failing).rejects.toThrow();
    expect(await Promise.all(beside)).toHaveLength(7);
  });
});
