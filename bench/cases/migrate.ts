/**
 * A release with one small ALTER more, over files and over schemas, beside a loop of the same statement on one
 * connection; and verifying that so many companies' own ledgers are where the control database says.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import { testConfig } from '../../src/kernel/config.ts';
import { tenantMigration } from '../../src/kernel/database/migration.ts';
import { idPart } from '../../src/kernel/ids.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { bind, type Module } from '../../src/kernel/module.ts';
import { openKernel } from '../../src/kernel/open.ts';
import type { PlacementKind } from '../../src/kernel/placements/placement.ts';
import type { TenantRecord } from '../../src/kernel/tenants/tenants.ts';
import { createModules } from '../../src/modules/index.ts';
import { startPostgres } from '../../test/support/postgres.ts';
import { alternate, median, type Row, timed } from '../measure.ts';
import { benchFolder, removeFolder } from '../server.ts';

/** A release after this one: one column more. */
const release = (number: number): Module => ({
  name: `next${number}`,
  routes: bind({}, {}),
  controlMigrations: [],
  tenantMigrations: [
    tenantMigration('0001-column', async (schema) => {
      await schema.alterTable('documents').addColumn(`bench_ours_${number}`, 'text').execute();
    }),
  ],
});

/** The same statement, and what takes it back before the next release comes. */
const statement = (table: string) => `ALTER TABLE ${table} ADD COLUMN bench_bare text`;
const undoing = (table: string) => `ALTER TABLE ${table} DROP COLUMN bench_bare`;
const system = { kind: 'system' } as const;

interface Place {
  readonly dataDir: string;
  readonly postgresUrl: string;
  readonly count: number;
}

async function opened(place: Place, more: readonly Module[]): Promise<Kernel> {
  const { dataDir, postgresUrl, count } = place;
  const kernel = await openKernel(testConfig({ dataDir, postgresUrl, schemaTenants: count, drainSeconds: 2 }));
  kernel.register([...createModules(kernel).all, ...more]);
  await kernel.start({ worker: false, migrateFleet: false });
  return kernel;
}

/** Companies of the release before. */
async function makeFleet(place: Place, placement: PlacementKind): Promise<TenantRecord[]> {
  const kernel = await opened(place, []);
  const records: TenantRecord[] = [];
  const one = async (index: number) => {
    const input = { name: `Company ${index}`, email: `office-${index}@example.com`, placement };
    records.push((await kernel.tenants.create(input, system)).record);
  };
  for (let from = 0; from < place.count; from += 4) {
    await Promise.all([0, 1, 2, 3].filter((lane) => from + lane < place.count).map((lane) => one(from + lane)));
  }
  await kernel.close();
  return records;
}

type BareLoop = (place: Place, records: readonly TenantRecord[], statement: (table: string) => string) => Promise<void>;

/** The loop: one connection, or where companies have files one file after the other; as durable as the product. */
const bareFiles: BareLoop = async (place, records, statementOn) => {
  for (const record of records) {
    const db = new DatabaseSync(join(place.dataDir, 'tenants', idPart(record.id), 'tenant.db'));
    db.exec('PRAGMA synchronous=FULL');
    db.exec(statementOn('documents'));
    db.close();
  }
};

const bareSchemas: BareLoop = async (place, records, statementOn) => {
  const address = new URL(place.postgresUrl);
  address.pathname = '/strongroom_shared_1';
  const client = new pg.Client({ connectionString: address.href });
  await client.connect();
  for (const record of records)
    await client.query(statementOn(`${pg.escapeIdentifier(record.placement.unit)}.documents`));
  await client.end();
};

/** Milliseconds that a run to the newest of so many releases takes. */
async function migrated(place: Place, releases: readonly Module[]): Promise<number> {
  const kernel = await opened(place, releases);
  try {
    return await timed(async () => {
      const { run } = await kernel.fleet.start({}, system);
      const ended = await kernel.fleet.wait(run.id);
      if (ended.done !== place.count) throw new Error(`${ended.done} of ${place.count} were migrated`);
    });
  } finally {
    await kernel.close();
  }
}

async function verified(place: Place, releases: readonly Module[]): Promise<number> {
  const kernel = await opened(place, releases);
  try {
    const page = await kernel.tenants.list({ limit: Math.min(300, place.count) });
    const ids = page.items.map(({ id }) => id);
    return await timed(async () => {
      const found = await kernel.fleet.visit(ids, async ({ id }) => (await kernel.tenants.inspect(id)).applied.length);
      if (found.some(({ value }) => value !== kernel.fleet.head)) throw new Error('a ledger is not at the head');
    });
  } finally {
    await kernel.close();
  }
}

export async function run(quick: boolean): Promise<Row[]> {
  const rows: Row[] = [];
  const count = quick ? 100 : 1_000;
  const server = await startPostgres({ durable: true });
  try {
    for (const [placement, bareLoop] of [
      ['sqlite', bareFiles],
      ['schema', bareSchemas],
    ] as const) {
      const place: Place = { dataDir: benchFolder('migrate'), postgresUrl: server.url, count };
      try {
        const records = await makeFleet(place, placement);
        const releases: Module[] = [];
        // In turns: the machine's pace changes within a run.
        const times = await alternate(
          3,
          async () => {
            const took = await timed(() => bareLoop(place, records, statement));
            await bareLoop(place, records, undoing);
            return took;
          },
          () => {
            releases.push(release(releases.length + 1));
            return migrated(place, releases);
          },
        );
        const [bare, ours] = [median(times.bare), median(times.ours)];
        const verify = await verified(place, releases);
        rows.push(
          {
            what: `migrate ${count} companies, ${placement}, one small ALTER`,
            bare,
            ours,
            unit: 'ms',
            aim: 'within 2x of a loop of the statement on one connection',
            met: ours <= 2 * bare,
          },
          {
            what: `read the ledgers of ${Math.min(300, count)} companies, ${placement}`,
            bare: null,
            ours: verify,
            unit: 'ms',
            aim: '<= 1,000 ms',
            met: verify <= 1_000,
          },
        );
      } finally {
        removeFolder(place.dataDir);
      }
    }
  } finally {
    await server.stop();
  }
  return rows;
}
