/** Two workers on one control database and the same companies: each job runs once, one visit at a time. */
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/kernel/clock.ts';
import { openPostgresControl, type PostgresControl } from '../../src/kernel/database/control-postgres.ts';
import { createDatabase } from '../../src/kernel/database/create-database.ts';
import type { TenantDb } from '../../src/kernel/database/database.ts';
import { createLeaseSet } from '../../src/kernel/database/lease-set.ts';
import type { Migration } from '../../src/kernel/database/migration.ts';
import { applyMigrations } from '../../src/kernel/database/migrator.ts';
import { postgresDialect } from '../../src/kernel/database/postgres-dialect.ts';
import { openPostgresSession } from '../../src/kernel/database/postgres-session.ts';
import type { Tenant } from '../../src/kernel/handles.ts';
import { newId, type TenantId } from '../../src/kernel/ids.ts';
import { createBackground, workTenantMigrations } from '../../src/kernel/jobs/background.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { kernelControlMigrations } from '../../src/kernel/migrations.ts';
import type { Module } from '../../src/kernel/module.ts';
import { secretsFromRing } from '../../src/kernel/secrets-ring.ts';
import { createSharing } from '../../src/kernel/several-processes.ts';
import type { TenantRecord } from '../../src/kernel/tenants/tenants.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';

const log = createLogger({ level: 'silent', format: 'json' });
const secrets = secretsFromRing([{ id: 'test', bytes: Buffer.alloc(32, 7) }]);
let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Seen {
  readonly ran: string[];
  readonly inside: Map<TenantId, string>;
  readonly overlaps: string[];
  readonly byWorker: Map<string, number>;
}

/** What one process is, over addresses of databases: its own connections, its own index, its own worker. */
async function startWorker(name: string, controlUrl: string, tenantUrls: ReadonlyMap<TenantId, string>, seen: Seen) {
  const database: PostgresControl = await openPostgresControl({ url: controlUrl, log });
  const sharing = createSharing({ database, clock: systemClock, log, serves: () => null });
  const background = createBackground({ control: database.db, secrets, clock: systemClock, log, index: sharing.index });
  const leases = createLeaseSet({
    budget: 20,
    perKey: 4,
    waitMs: 10_000,
    idleMs: 60_000,
    open: (key) => openPostgresSession({ connectionString: tenantUrls.get(key as TenantId)! }, { mapErrors: true }),
    limit: () => 2,
    log,
  });
  const tenants = new Map<TenantId, Tenant>();
  for (const id of tenantUrls.keys()) {
    const db = createDatabase({
      kind: 'tenant',
      dialect: 'postgres',
      grammar: postgresDialect,
      source: {
        tryLease: (purpose) => leases.tryLease(id, purpose),
        lease: (purpose) => leases.lease(id, purpose),
      },
      log,
      markWork: (dueAt) => background.index.begin(id, dueAt),
    }) as unknown as TenantDb;
    const actor = { kind: 'system' };
    tenants.set(id, { id, db, secrets: secrets.control, actor, clock: systemClock, log } as unknown as Tenant);
  }
  const run = async (tenant: Tenant, payload: { n: number }) => {
    const inside = seen.inside.get(tenant.id);
    if (inside !== undefined) seen.overlaps.push(`${name} while ${inside}`);
    seen.inside.set(tenant.id, name);
    await pause(5);
    seen.inside.delete(tenant.id);
    seen.ran.push(`${tenant.id}:${payload.n}`);
    seen.byWorker.set(name, (seen.byWorker.get(name) ?? 0) + 1);
  };
  background.register([{ name: 'test', jobs: { 'test.work': { run } } } as unknown as Module]);
  const worker = background.worker({
    tenants: { get: async (id) => ({ id, state: 'active' }) as TenantRecord, open: async (id) => tenants.get(id)! },
    concurrency: 4,
    exclusive: false,
  });
  await sharing.start({ changed: () => {}, changedAll: () => {}, poke: () => {} });
  worker.start();
  onTestFinished(async () => {
    await worker.close({ drain: 2_000 });
    await background.close();
    await sharing.close();
    await leases.close();
    await database.close();
  });
  const enqueue = (id: TenantId, n: number) =>
    tenants.get(id)!.db.transaction(async (tx) => {
      await background.jobs.enqueue(tx, tenants.get(id)!, 'test.work' as never, { n } as never);
      // Time for a worker to look in vain, between the mark and the commit.
      if (n % 3 === 0) await pause(20);
    });
  return { enqueue };
}

test('two workers do each job once, and never visit one company at once', { timeout: 120_000 }, async () => {
  const controlUrl = await server.newDatabase('workers_control');
  const control = await openPostgresControl({ url: controlUrl, log });
  await control.migrate(kernelControlMigrations);
  onTestFinished(() => control.close());
  const tenantUrls = new Map<TenantId, string>();
  for (let count = 0; count < 6; count += 1) {
    const url = await server.newDatabase(`workers_${count}`);
    const session = await openPostgresSession({ connectionString: url });
    const list = [{ module: 'work', migrations: workTenantMigrations as unknown as readonly Migration<unknown>[] }];
    await applyMigrations({ session, grammar: postgresDialect, list, clock: systemClock });
    await session.close();
    tenantUrls.set(newId('company'), url);
  }
  const seen: Seen = { ran: [], inside: new Map(), overlaps: [], byWorker: new Map() };
  const workers = [
    await startWorker('a', controlUrl, tenantUrls, seen),
    await startWorker('b', controlUrl, tenantUrls, seen),
  ];
  const wanted: string[] = [];
  await Promise.all(
    [...tenantUrls.keys()].map(async (id, index) => {
      for (let n = 0; n < 40; n += 1) {
        wanted.push(`${id}:${n}`);
        await workers[(n + index) % 2]!.enqueue(id, n);
      }
    }),
  );
  await expect.poll(() => seen.ran.length, { timeout: 20_000, interval: 100 }).toBeGreaterThanOrEqual(wanted.length);
  await pause(300);
  expect(seen.ran.toSorted()).toEqual(wanted.toSorted());
  expect(seen.overlaps).toEqual([]);
  // Both had a part in it.
  expect([...seen.byWorker.keys()].toSorted()).toEqual(['a', 'b']);
});
