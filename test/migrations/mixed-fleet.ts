/** Companies of one release on every placement, and the release after it: what tests of fleet migrations share. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { testConfig } from '../../src/kernel/config.ts';
import { tenantMigration } from '../../src/kernel/database/migration.ts';
import { idPart, type TenantId } from '../../src/kernel/ids.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { bind, type Module } from '../../src/kernel/module.ts';
import { type OpenOptions, openKernel } from '../../src/kernel/open.ts';
import type { PlacementKind } from '../../src/kernel/placements/placement.ts';
import type { Config } from '../../src/kernel/settings.ts';
import type { MigrationRun, TenantRecord } from '../../src/kernel/tenants/tenants.ts';
import { createModules } from '../../src/modules/index.ts';
import { testOperatorActor } from '../support/actors.ts';
import type { PostgresServer } from '../support/postgres.ts';

declare module '../../src/kernel/database/tables.ts' {
  interface TenantTables {
    next_marks: { mark: string };
  }
}

/** The release after this one: a column more in a table of documents, and a table in which every application leaves a row. */
export const nextRelease: Module = {
  name: 'next',
  routes: bind({}, {}),
  controlMigrations: [],
  tenantMigrations: [
    tenantMigration('0001-column', async (schema) => {
      await schema.alterTable('documents').addColumn('next_column', 'text').execute();
      await schema
        .createTable('next_marks')
        .addColumn('mark', 'text', (c) => c.notNull())
        .execute();
    }),
    tenantMigration('0002-mark', async (schema) => {
      await schema.rows.insertInto('next_marks').values({ mark: 'applied' }).execute();
    }),
  ],
};

/** A release that works nowhere. */
export const brokenRelease: Module = {
  ...nextRelease,
  name: 'broken',
  tenantMigrations: [
    tenantMigration('0001-broken', async (schema) => {
      await schema.alterTable('next_marks').addColumn('never', 'text').execute();
    }),
  ],
};

export interface MixedFleet {
  readonly config: Partial<Config> & { readonly dataDir: string };
  /** In the order in which they were made, which is that of a run. */
  readonly records: readonly TenantRecord[];
  /** The folder opened by a release that has these modules more; closed by `remove`. */
  open(more?: readonly Module[], options?: OpenOptions): Promise<Kernel>;
  /** A statement that an administrator of the database runs past the product; `%` stands before names of tables. */
  byHand(record: TenantRecord, statement: string): Promise<readonly object[]>;
  /** Applied of the next release, and how often it left its mark; what the company's own database says. */
  marks(record: TenantRecord): Promise<{ readonly ledger: number; readonly marks: number }>;
  remove(): Promise<void>;
}

export async function openRelease(
  config: MixedFleet['config'],
  more: readonly Module[],
  options: OpenOptions = {},
): Promise<Kernel> {
  const kernel = await openKernel(testConfig({ drainSeconds: 1, ...config }), options);
  try {
    kernel.register([...createModules(kernel).all, ...more]);
    await kernel.start({ worker: false, migrateFleet: false });
    return kernel;
  } catch (error) {
    await kernel.close();
    throw error;
  }
}

/** So many companies of each placement, made by this release. The placements take turns. */
export async function makeMixedFleet(
  server: PostgresServer,
  counts: Partial<Record<PlacementKind, number>>,
  more: Partial<Config> = {},
): Promise<MixedFleet> {
  const dataDir = mkdtempSync(join(tmpdir(), 'strongroom-fleet-'));
  const config = { dataDir, postgresUrl: server.url, ...more };
  const opened: Kernel[] = [];
  const kernel = await openRelease(config, []);
  const most = Math.max(...Object.values(counts));
  const records: TenantRecord[] = [];
  for (let round = 0; round < most; round += 1) {
    const kinds = (Object.entries(counts) as [PlacementKind, number][]).filter(([, count]) => round < count);
    const made = kinds.map(async ([placement]) => {
      const input = { name: `${placement} ${round}`, email: 'office@example.com', placement };
      return (await kernel.tenants.create(input, testOperatorActor)).record;
    });
    records.push(...(await Promise.all(made)));
  }
  await kernel.close();
  records.sort((a, b) => (a.id < b.id ? -1 : 1));

  async function byHand({ id, placement }: TenantRecord, statement: string): Promise<readonly object[]> {
    if (placement.kind === 'sqlite') {
      const db = new DatabaseSync(join(dataDir, 'tenants', idPart(id), 'tenant.db'));
      try {
        return db.prepare(statement.replaceAll('%', '')).all();
      } finally {
        db.close();
      }
    }
    if (placement.kind !== 'schema') return server.ask(statement.replaceAll('%', 'strongroom.'), placement.unit);
    const [database] = await server.ask<{ name: string }>(
      `SELECT split_part(shobj_description(oid, 'pg_authid'), ' ', 4) AS name FROM pg_roles WHERE rolname = '${placement.unit}_o'`,
    );
    return server.ask(statement.replaceAll('%', `${placement.unit}.`), database!.name);
  }

  return {
    config,
    records,
    async open(modules = [], options = {}) {
      const made = await openRelease(config, modules, options);
      opened.push(made);
      return made;
    },
    byHand,
    async marks(record) {
      const [ledger] = await byHand(record, `SELECT count(*) AS n FROM %migrations WHERE module = 'next'`);
      const { n } = ledger as { n: number | string };
      if (Number(n) === 0) return { ledger: 0, marks: 0 };
      const [marks] = await byHand(record, 'SELECT count(*) AS n FROM %next_marks');
      return { ledger: Number(n), marks: Number((marks as { n: number | string }).n) };
    },
    async remove() {
      for (const made of opened) await made.close();
      if (process.env.TEST_POSTGRES_URL) {
        // A server of somebody's own; ours goes as a whole.
        const last = await openRelease(config, []);
        for (const { id } of records) await last.tenants.purge(id, testOperatorActor).catch(() => {});
        await last.close();
      }
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export const applied = { ledger: 2, marks: 1 };
export const untouched = { ledger: 0, marks: 0 };

export const statusOf = (run: MigrationRun, id: TenantId) => run.items.find((item) => item.tenantId === id)?.status;

/** Verbs of the journal of one company that migrated it. */
export async function migrateVerbs(kernel: Kernel, id: TenantId): Promise<string[]> {
  return (await kernel.tenants.operations(id)).filter(({ verb }) => verb === 'migrate').map(({ status }) => status);
}
