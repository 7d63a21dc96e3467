/**
 * Every statement of background work on a real PostgreSQL server, where writers of one tenant run side by side: the
 * trail stays one chain without a gap, events keep the order of commits, keys of requests have one effect.
 */
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { day, shiftedClock, systemClock } from '../../src/kernel/clock.ts';
import { createDatabase } from '../../src/kernel/database/create-database.ts';
import type { ControlDb, TenantDb } from '../../src/kernel/database/database.ts';
import type { Lease } from '../../src/kernel/database/lease-set.ts';
import type { Migration } from '../../src/kernel/database/migration.ts';
import { applyMigrations } from '../../src/kernel/database/migrator.ts';
import { postgresDialect } from '../../src/kernel/database/postgres-dialect.ts';
import { openPostgresSession } from '../../src/kernel/database/postgres-session.ts';
import type { SqlSession } from '../../src/kernel/database/session.ts';
import type { Tenant } from '../../src/kernel/handles.ts';
import { bodyDigest } from '../../src/kernel/idempotency/idempotency.ts';
import { newId } from '../../src/kernel/ids.ts';
import {
  type Background,
  createBackground,
  workControlMigrations,
  workTenantMigrations,
} from '../../src/kernel/jobs/background.ts';
import type { Module } from '../../src/kernel/module.ts';
import { secretsFromRing } from '../../src/kernel/secrets-ring.ts';
import type { TenantRecord } from '../../src/kernel/tenants/tenants.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';

const log = pino({ level: 'silent' });
let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());

/** A database of its own with a few connections that are lent in turn. */
async function openDatabase(
  kind: 'tenant' | 'control',
  migrations: readonly Migration<never>[],
  markWork?: (dueAt: number) => Promise<() => void>,
) {
  const address = await server.newDatabase(`work_${kind}`);
  const sessions: SqlSession[] = [];
  for (let count = 0; count < 6; count += 1) sessions.push(await openPostgresSession({ connectionString: address }));
  const list = [{ module: 'work', migrations: migrations as unknown as readonly Migration<unknown>[] }];
  await applyMigrations({ session: sessions[0]!, grammar: postgresDialect, list, clock: systemClock });
  const free = [...sessions];
  const waiting: ((lease: Lease) => void)[] = [];
  const lend = (session: SqlSession): Lease => ({
    session,
    release() {
      const next = waiting.shift();
      if (next === undefined) free.push(session);
      else next(lend(session));
    },
  });
  const source = {
    tryLease: () => (free.length === 0 ? undefined : lend(free.pop()!)),
    lease: () =>
      free.length === 0 ? new Promise<Lease>((resolve) => waiting.push(resolve)) : Promise.resolve(lend(free.pop()!)),
  };
  const db = createDatabase({
    kind,
    dialect: 'postgres',
    grammar: postgresDialect,
    source,
    log,
    ...(markWork === undefined ? {} : { markWork }),
  });
  return { db, close: async () => void (await Promise.all(sessions.map((session) => session.close()))) };
}

it('background work behaves on PostgreSQL as on SQLite', { timeout: 120_000 }, async () => {
  const time = { offset: 0 };
  const clock = shiftedClock(() => time.offset);
  const secrets = secretsFromRing([{ id: 'test', bytes: Buffer.alloc(32, 7) }]);
  const id = newId('company');
  const controlDatabase = await openDatabase('control', workControlMigrations);
  const control = controlDatabase.db as unknown as ControlDb;
  const background: Background = createBackground({ control, secrets, clock, log });
  const tenantDatabase = await openDatabase('tenant', workTenantMigrations, (dueAt) =>
    background.index.begin(id, dueAt),
  );
  const tenant = {
    id,
    db: tenantDatabase.db as unknown as TenantDb,
    secrets: secrets.forTenant(id, secrets.newTenantKey(id)),
    actor: { kind: 'host' },
    clock,
    log,
  } as unknown as Tenant;

  const heard: string[] = [];
  const ran: unknown[] = [];
  const module = {
    name: 'test',
    listeners: { 'test.happened': async (_: Tenant, event: { id: string }) => void heard.push(event.id) },
    jobs: {
      'test.work': {
        attempts: 2,
        run: async (_: Tenant, payload: { n: number }) => {
          ran.push(payload.n);
          if (payload.n === 13) throw new Error('always');
        },
      },
    },
  } as unknown as Module;
  background.register([module]);
  const record = { id, state: 'active' } as TenantRecord;
  const worker = background.worker({
    tenants: { get: async () => record, open: async () => tenant },
    exclusive: false,
  });
  const { audit, events, jobs, idempotency } = background;
  const entry = { action: 'test.done', actor: { kind: 'host' }, outcome: 'success' } as const;

  // Writers side by side: a slow commit must not be overtaken by a higher number.
  await Promise.all(
    Array.from({ length: 60 }, (_, n) =>
      tenant.db.transaction(async (tx) => {
        await audit.record(tx, tenant, entry);
        await events.record(tx, tenant, 'test.happened' as never, { n } as never);
        const key = n % 3 === 0 ? { key: 'same' } : {};
        await jobs.enqueue(tx, tenant, 'test.work' as never, { n } as never, { ...key, sealed: n % 2 === 0 });
        await new Promise((resolve) => setTimeout(resolve, n % 5));
        if (n % 10 === 9) throw new Error('rolled back');
      }),
    ).map((work) => work.catch(() => {})),
  );
  await Promise.all(Array.from({ length: 5 }, () => audit.seal(tenant, { force: true })));
  expect(await audit.verify(tenant)).toMatchObject({ ok: true, rows: 54, sealed: 54, unsealed: 0 });

  await worker.settle();
  const recorded = await tenant.db.read.selectFrom('events').select(['id', 'seq']).orderBy('seq').execute();
  expect(recorded.map((row) => row.seq)).toEqual(Array.from({ length: 54 }, (_, n) => n + 1));
  expect(heard).toEqual(recorded.map((row) => row.id));
  // 18 of the committed jobs share one key.
  expect(ran).toHaveLength(54 - 18 + 1);
  expect(await tenant.db.read.selectFrom('jobs').select('attempts').execute()).toEqual([{ attempts: 1 }]);
  time.offset += 5_000;
  await worker.settle();
  const failed = await tenant.db.read.selectFrom('jobs').select(['attempts', 'failed_at']).execute();
  expect(failed).toEqual([{ attempts: 2, failed_at: expect.any(String) }]);

  const request = { caller: 'user', route: 'create', key: 'key', bodyDigest: bodyDigest('a'), sealed: true };
  for (const where of [tenant, null]) {
    for (const round of ['new', 'left by a dead request']) {
      const results = await Promise.allSettled(Array.from({ length: 30 }, () => idempotency.begin(where, request)));
      const fresh = results.flatMap((one) => (one.status === 'fulfilled' && one.value.fresh ? [one.value] : []));
      expect(fresh, round).toHaveLength(1);
      if (round === 'new') time.offset += 60_000;
      else await fresh[0]!.complete({ status: 201, headers: {}, body: 'secret' });
    }
    expect(await idempotency.begin(where, request)).toMatchObject({ replay: { body: 'secret' } });
  }

  await Promise.all(Array.from({ length: 20 }, () => audit.noteFleet(entry)));
  await worker.settle();
  expect(await audit.verifyFleet()).toMatchObject({ ok: true, rows: 20, sealed: 20 });
  await tenant.db.transaction(async (tx) => {
    await tx.updateTable('audit_log').set({ action: 'test.undone' }).where('seq', '=', 30).execute();
  });
  expect((await audit.verify(tenant)).firstBad).toEqual({ seq: 30, reason: 'the row was changed or moved' });
  expect((await audit.list(tenant, { limit: 3, before: 30 })).items.map((row) => row.seq)).toEqual([29, 28, 27]);

  time.offset += 100 * day;
  await worker.settle();
  expect(await tenant.db.read.selectFrom('events').select('seq').execute()).toEqual([{ seq: 54 }]);
  expect(await tenant.db.read.selectFrom('idempotency').select('id').execute()).toEqual([]);
  expect(await tenant.db.read.selectFrom('jobs').select('id').execute()).toEqual([]);
  expect(await control.read.selectFrom('idempotency').select('id').execute()).toEqual([]);
  await worker.close();
  await background.close();
  await tenantDatabase.close();
  await controlDatabase.close();
});
