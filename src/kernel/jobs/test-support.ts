/** For the tests of background work: real SQLite databases in a temporary folder, tenants without a lifecycle. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import pino from 'pino';
import { type Clock, shiftedClock } from '../clock.ts';
import { openControlDatabase } from '../database/control-database.ts';
import type { ControlDb } from '../database/database.ts';
import { databaseControlMigrations, databaseTenantMigrations } from '../database/kernel-migrations.ts';
import { createSqliteHost } from '../database/sqlite-host.ts';
import { notFound, unauthenticated } from '../errors.ts';
import type { Actor, Tenant, TenantState } from '../handles.ts';
import { newId, type TenantId } from '../ids.ts';
import type { Module } from '../module.ts';
import type { PlacementRef } from '../placements/placement.ts';
import { createSqlitePlacement } from '../placements/sqlite.ts';
import { secretsFromRing } from '../secrets-ring.ts';
import { createConnections } from '../tenants/connections.ts';
import type { TenantRecord, Tenants } from '../tenants/tenants.ts';
import { type Background, createBackground, workControlMigrations, workTenantMigrations } from './background.ts';
import type { EnqueueOptions, JobContext, Schedule } from './jobs.ts';
import type { Chore, Worker } from './worker.ts';

export interface World {
  readonly clock: Clock;
  /** Moves the clock (ms). */
  advance(ms: number): void;
  readonly control: ControlDb;
  readonly background: Background;
  readonly worker: Worker;
  newTenant(): Promise<Tenant>;
  /** A handle in this world, after a crash. */
  tenant(id: TenantId): Tenant;
  setState(tenant: Tenant, state: TenantState): void;
  /** Visits of the worker so far, by tenant. */
  readonly visits: Map<string, number>;
  /** A connection behind the product's back, as somebody with the file has; triggers against changes are dropped. */
  tamper(tenant: Tenant | null, work: (db: DatabaseSync) => void): void;
  /** Ends this process's part without a word, and starts over on the same files. */
  crash(modules?: readonly Partial<Module>[]): Promise<World>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface WorldOptions {
  readonly modules?: readonly Partial<Module>[];
  readonly chores?: readonly Chore[];
  readonly concurrency?: number;
}

const connectionConfig = {
  maxConnections: 200,
  tenantConnections: 5,
  connectionIdleSeconds: 60,
  connectionWaitSeconds: 30,
};

export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const dataDir = await mkdtemp(join(tmpdir(), 'strongroom-work-'));
  return openAt(dataDir, options, new Map(), { offset: 0 });
}

async function openAt(
  dataDir: string,
  options: WorldOptions,
  states: Map<TenantId, { ref: PlacementRef; state: TenantState; key: string }>,
  time: { offset: number },
): Promise<World> {
  const clock = shiftedClock(() => time.offset);
  const log = pino({ level: process.env.TEST_LOG ?? 'silent' });
  const secrets = secretsFromRing([{ id: 'test', bytes: Buffer.alloc(32, 7) }]);
  const host = createSqliteHost({ workers: 2, statementSeconds: 15, log });
  const opened = await openControlDatabase({ host, path: join(dataDir, 'control.db'), log, clock });
  await opened.migrate([
    { module: 'database', migrations: databaseControlMigrations },
    { module: 'work', migrations: workControlMigrations },
  ]);
  const placement = createSqlitePlacement({
    dataDir,
    schemaTemplate: 'tenant_{id}',
    pathTemplate: 'tenants/{id}/tenant.db',
    host,
    migrations: [
      { module: 'database', migrations: databaseTenantMigrations },
      { module: 'work', migrations: workTenantMigrations },
    ],
    clock,
    alarm: () => {},
  });
  const background = createBackground({ control: opened.db, secrets, clock, log });
  const connections = createConnections({
    placements: { sqlite: placement },
    config: connectionConfig,
    clock,
    log,
    markWork: background.index.begin,
  });
  background.register((options.modules ?? []) as readonly Module[]);
  const visits = new Map<string, number>();

  function handle(id: TenantId, actor: Actor): Tenant {
    const { ref, state, key } = states.get(id)!;
    return {
      id,
      name: 'A company',
      slug: 'a-company',
      preset: 'company',
      quotaBytes: null,
      registration: 'closed',
      state,
      placement: ref,
      db: connections.database(ref),
      files: undefined as never,
      secrets: secrets.forTenant(id, key),
      actor,
      log,
      clock,
    };
  }

  const tenants: Pick<Tenants, 'get' | 'open'> = {
    get: async (id) => {
      const known = states.get(id);
      return known === undefined ? undefined : ({ id, state: known.state } as TenantRecord);
    },
    open: async (id, actor) => {
      const known = states.get(id);
      if (known === undefined) throw notFound();
      if (known.state !== 'active') throw unauthenticated('suspended', 'company_suspended');
      visits.set(id, (visits.get(id) ?? 0) + 1);
      return handle(id, actor);
    },
  };
  const worker = background.worker({
    tenants,
    chores: options.chores ?? [],
    ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
  });

  async function stop(): Promise<void> {
    await connections.close();
    await opened.close();
    await host.close();
  }

  return {
    clock,
    advance(ms) {
      time.offset += ms;
    },
    control: opened.db,
    background,
    worker,
    visits,
    async newTenant() {
      const id = newId('company');
      const ref: PlacementRef = {
        tenantId: id,
        kind: 'sqlite',
        unit: placement.unitName(id),
        server: null,
        generation: 1,
      };
      await placement.create(ref);
      await placement.stamp(ref);
      states.set(id, { ref, state: 'active', key: secrets.newTenantKey(id) });
      return handle(id, { kind: 'host' });
    },
    tenant: (id) => handle(id, { kind: 'host' }),
    setState(tenant, state) {
      const known = states.get(tenant.id)!;
      states.set(tenant.id, { ...known, state });
    },
    tamper(tenant, work) {
      const id = tenant?.id.slice('comp_'.length);
      const path = id === undefined ? join(dataDir, 'control.db') : join(dataDir, 'tenants', id, 'tenant.db');
      const db = new DatabaseSync(path);
      for (const table of ['audit_log', 'audit_seals']) {
        for (const change of ['update', 'delete']) db.exec(`drop trigger if exists ${table}_no_${change}`);
      }
      work(db);
      db.close();
    },
    async crash(modules) {
      await worker.close({ drain: 0 });
      await stop();
      return openAt(dataDir, { ...options, ...(modules === undefined ? {} : { modules }) }, states, time);
    },
    close,
    [Symbol.asyncDispose]: close,
  };

  async function close(): Promise<void> {
    await worker.close();
    await background.close();
    await stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

declare module './jobs.ts' {
  interface JobPayloads {
    'test.work': { readonly n: number };
    'test.other': { readonly n: number };
  }
}

export interface JobWorldOptions extends WorldOptions {
  readonly attempts?: number;
  readonly timeout?: number;
  readonly schedules?: readonly Schedule[];
}

/** What the jobs of `openJobWorld` are given; `ran` has them in the order in which they began. */
export interface JobWorld {
  readonly world: World;
  readonly ran: { tenantId: string; n: number }[];
}

/** A world with jobs `test.work` that note what they got. */
export async function openJobWorld(
  run: (tenant: Tenant, n: number, context: JobContext) => Promise<void> = async () => {},
  more: JobWorldOptions = {},
): Promise<JobWorld> {
  const ran: { tenantId: string; n: number }[] = [];
  const module: Partial<Module> = {
    name: 'test',
    jobs: {
      'test.work': {
        ...(more.attempts === undefined ? {} : { attempts: more.attempts }),
        ...(more.timeout === undefined ? {} : { timeout: more.timeout }),
        async run(tenant, payload, context) {
          ran.push({ tenantId: tenant.id, n: payload.n });
          await run(tenant, payload.n, context);
        },
      },
    },
    ...(more.schedules === undefined ? {} : { schedules: more.schedules }),
  };
  return { ran, world: await openWorld({ ...more, modules: [module] }) };
}

/** Enqueues a job `test.work` in a transaction of its own. */
export function enqueueWork(world: World, tenant: Tenant, n: number, options?: EnqueueOptions): Promise<void> {
  return tenant.db.transaction((tx) => world.background.jobs.enqueue(tx, tenant, 'test.work', { n }, options));
}

export const jobRows = (tenant: Tenant) => tenant.db.read.selectFrom('jobs').selectAll().execute();

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
