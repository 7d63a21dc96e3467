/** What lifecycle tests and the fault matrix share: a module with every hook, and a look at what is left on the disk. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { controlMigration, tenantMigration } from '../../src/kernel/database/migration.ts';
import { conflict } from '../../src/kernel/errors.ts';
import { idPart } from '../../src/kernel/ids.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { bind, type Module } from '../../src/kernel/module.ts';
import type { Scenario } from './lifecycle-scenarios.ts';

declare module '../../src/kernel/database/tables.ts' {
  interface TenantTables {
    probe_rows: { id: string; value: string };
  }
  interface ControlTables {
    probe_directory: { tenant_id: string; value: string };
  }
}

/** A module with a table, a seed, and a provisioning step that writes both databases, as invitations do. */
export function probeModule(kernel: Pick<Kernel, 'control'>, scenario: Scenario = 'create'): Module {
  return {
    name: 'probe',
    routes: bind({}, {}),
    controlMigrations: [
      controlMigration('0001-probe', async (schema) => {
        await schema
          .createTable('probe_directory')
          .addColumn('tenant_id', 'text', (c) => c.primaryKey())
          .addColumn('value', 'text', (c) => c.notNull())
          .execute();
      }),
    ],
    tenantMigrations: [
      tenantMigration('0001-probe', async (schema) => {
        await schema
          .createTable('probe_rows')
          .addColumn('id', 'text', (c) => c.primaryKey())
          .addColumn('value', 'text', (c) => c.notNull())
          .execute();
      }),
    ],
    async seed(tx, tenant) {
      await tx
        .insertInto('probe_rows')
        .values({ id: 'seed', value: tenant.id })
        .onConflict((row) => row.column('id').doNothing())
        .execute();
    },
    provisioning: [
      {
        name: 'probe-invitation',
        async run(tenant, input) {
          const value = JSON.stringify(input ?? null);
          await kernel.control.transaction(async (tx) => {
            await tx
              .insertInto('probe_directory')
              .values({ tenant_id: tenant.id, value })
              .onConflict((row) => row.column('tenant_id').doNothing())
              .execute();
          });
          await tenant.db.transaction(async (tx) => {
            await tx
              .insertInto('probe_rows')
              .values({ id: 'invitation', value })
              .onConflict((row) => row.column('id').doNothing())
              .execute();
          });
          if (scenario === 'undo') throw conflict('probe_refuses', 'The probe refuses.');
        },
        async undo(tenantId) {
          await kernel.control.transaction(async (tx) => {
            await tx.deleteFrom('probe_directory').where('tenant_id', '=', tenantId).execute();
          });
        },
      },
    ],
  };
}

export interface Remains {
  readonly files: readonly string[];
  readonly rows: readonly string[];
}

/** Everything outside of journal, audit trail and tombstone that carries the company's id. */
export async function remainsOf(kernel: Kernel, tenantId: string): Promise<Remains> {
  const part = idPart(tenantId);
  const { dataDir } = kernel.config;
  const found = existsSync(dataDir) ? readdirSync(dataDir, { recursive: true, encoding: 'utf8' }) : [];
  const files = found.filter((path) => path.includes(part)).map((path) => join(path));
  const rows: string[] = [];
  const directory = await kernel.control.read
    .selectFrom('probe_directory')
    .select('tenant_id')
    .where('tenant_id', '=', tenantId)
    .execute();
  if (directory.length > 0) rows.push('probe_directory');
  const work = await kernel.control.read
    .selectFrom('tenant_work')
    .select('tenant_id')
    .where('tenant_id', '=', tenantId)
    .execute();
  if (work.length > 0) rows.push('tenant_work');
  for (const table of ['tenant_figures', 'tenant_days'] as const) {
    const figures = kernel.control.read.selectFrom(table).select('tenant_id').where('tenant_id', '=', tenantId);
    if ((await figures.execute()).length > 0) rows.push(table);
  }
  const heads = await kernel.control.read
    .selectFrom('audit_heads')
    .select('trail')
    .where('trail', '=', tenantId)
    .execute();
  if (heads.length > 0) rows.push('audit_heads');
  const operations = await kernel.control.read
    .selectFrom('operations')
    .select(['id', 'payload', 'status'])
    .where('tenant_id', '=', tenantId)
    .execute();
  for (const row of operations) {
    if (row.payload !== null) rows.push(`payload of ${row.id}`);
    if (row.status === 'running') rows.push(`running ${row.id}`);
  }
  const tenant = await kernel.control.read
    .selectFrom('tenants')
    .selectAll()
    .where('id', '=', tenantId)
    .executeTakeFirst();
  for (const [column, value] of Object.entries(tenant ?? {})) {
    const kept = column === 'id' || column === 'state' || value === null || value === 0;
    if (!kept) rows.push(`tenants.${column}`);
  }
  return { files, rows };
}

/** The company works: opens, holds its seed and its invitation, has a bucket, and no verb is open. */
export async function workingProblem(kernel: Kernel, tenantId: string): Promise<string | undefined> {
  const tenant = await kernel.tenants.open(tenantId as never, { kind: 'system' });
  const rows = await tenant.db.read.selectFrom('probe_rows').select('id').orderBy('id').execute();
  const ids = rows.map((row) => row.id).join(',');
  if (ids !== 'invitation,seed') return `rows: ${ids}`;
  if (!(await kernel.files.bucketExists(tenant.files.bucket))) return 'no bucket';
  const directory = await kernel.control.read
    .selectFrom('probe_directory')
    .select('value')
    .where('tenant_id', '=', tenantId)
    .executeTakeFirst();
  if (directory === undefined) return 'no directory entry';
  const open = (await kernel.tenants.operations(tenantId as never)).filter((row) => row.status === 'running');
  if (open.length > 0) return 'an operation is open';
  const record = await kernel.tenants.get(tenantId as never);
  if (record?.schemaVersion !== kernel.fleet.head) return `schema ${record?.schemaVersion}`;
  if (record.fingerprint === null) return 'no fingerprint';
  return undefined;
}
