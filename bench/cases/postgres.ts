/**
 * PostgreSQL: making a company on each placement against the same DDL without the product (and the same calls of Neon's
 * API, to its stand-in), with ten schemas and with a thousand, and the signed-in list against Fastify with the same driver. The server commits durably (fsync on).
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/kernel/clock.ts';
import { testConfig } from '../../src/kernel/config.ts';
import { openPostgresSession, type PostgresSession } from '../../src/kernel/database/postgres-session.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { allTenantMigrations } from '../../src/kernel/migrations.ts';
import { openKernel } from '../../src/kernel/open.ts';
import type { PlacementKind } from '../../src/kernel/placements/placement.ts';
import { quoted } from '../../src/kernel/placements/postgres-names.ts';
import { createRolesText, grantsText } from '../../src/kernel/placements/postgres-roles.ts';
import { fillSchema, type Replay } from '../../src/kernel/placements/postgres-schema.ts';
import { createModules, moduleMigrations } from '../../src/modules/index.ts';
import { startStandIn } from '../../test/neon/stand-in.ts';
import { type PostgresServer, startPostgres } from '../../test/support/postgres.ts';
import { bareAtNeon, neonSettings } from '../bare-neon.ts';
import { load } from '../load.ts';
import { alternate, atLeast, median, type Row, timed } from '../measure.ts';
import { newCompany, setUpOperator, upload } from '../people.ts';
import { benchFolder, removeFolder, startBarePostgres, startProduct } from '../server.ts';

export async function run(quick: boolean): Promise<Row[]> {
  const server = await startPostgres({ durable: true });
  try {
    return [...(await creations(server, quick)), ...(await lists(server, quick))];
  } finally {
    await server.stop();
  }
}

/** Roles, rights and structure as the product makes them, sent by one connection that is open already. */
interface BareUnits {
  readonly replay: Replay;
  schema(): Promise<void>;
  database(template: string): Promise<void>;
}

async function bareUnits(server: PostgresServer): Promise<BareUnits> {
  const url = await server.newDatabase('bench_bare');
  const name = new URL(url).pathname.slice(1);
  const session = await openPostgresSession({ connectionString: url });
  const replay = await recordReplay(session);
  let serial = 0;
  const roles = async () => {
    serial += 1;
    const unit = `bare_${serial}`;
    const names = { owner: `${unit}_o`, migrate: `${unit}_m`, request: unit };
    const login = { login: unit, database: name, password: `bench ${serial}` };
    const text = await createRolesText(
      names,
      { request: login, migrate: login },
      {
        schema: unit,
        mark: 'bench',
        limits: { statementSeconds: 30, connections: 4 },
        traits: { version: 18, superuser: true, login: 'postgres', checksClients: true },
      },
    );
    return { unit, names, text };
  };
  return {
    replay,
    async schema() {
      const { unit, names, text } = await roles();
      await session.script(
        `BEGIN; ${text}; GRANT CONNECT ON DATABASE ${quoted(name)} TO ${quoted(names.migrate)}, ${quoted(names.request)};
         CREATE SCHEMA ${quoted(unit)} AUTHORIZATION ${quoted(names.owner)};
         SET LOCAL ROLE ${quoted(names.owner)}; SET LOCAL search_path = ${quoted(unit)};
         ${replay.text};
         ${grantsText(unit, names, replay.tables)};
         INSERT INTO identity (singleton, tenant_id, generation, fingerprint) VALUES (1, '${unit}', 1, 'bench');
         RESET ROLE; COMMIT`,
      );
    },
    async database(template) {
      const { unit, names, text } = await roles();
      await session.script(`BEGIN; ${text}; COMMIT`);
      await session.script(`CREATE DATABASE ${quoted(unit)} TEMPLATE ${quoted(template)}`);
      await session.script(
        `REVOKE ALL ON DATABASE ${quoted(unit)} FROM PUBLIC;
         GRANT CONNECT ON DATABASE ${quoted(unit)} TO ${quoted(names.migrate)}, ${quoted(names.request)}`,
      );
      const inside = await openPostgresSession({ connectionString: url.replace(name, unit) });
      await inside.script(
        `BEGIN; ${grantsText('strongroom', names, replay.tables)};
         INSERT INTO strongroom.identity (singleton, tenant_id, generation, fingerprint) VALUES (1, '${unit}', 1, 'b');
         COMMIT`,
      );
      await inside.close();
    },
  };
}

async function recordReplay(session: PostgresSession): Promise<Replay> {
  const replays = new Map<string, Replay>();
  const migrations = allTenantMigrations(moduleMigrations);
  await session.begin();
  await session.script('CREATE SCHEMA recorded; SET LOCAL search_path = recorded');
  const replay = await fillSchema({ migrations, clock: systemClock, replays }, session, 'recorded');
  await session.commit();
  return replay;
}

async function creations(server: PostgresServer, quick: boolean): Promise<Row[]> {
  const standIn = await startStandIn(server);
  standIn.looks = 1;
  const { kernel, remove } = await install({ postgresUrl: server.url, ...neonSettings(standIn) });
  try {
    const bare = await bareUnits(server);
    const times = quick ? 12 : 40;
    const create = (placement: PlacementKind) => () => createOne(kernel, placement);
    // The first of each makes template, shared database and statements.
    for (const placement of ['schema', 'database', 'neon'] as const) await createOne(kernel, placement);
    const template = (
      await server.ask<{ datname: string }>(`SELECT datname FROM pg_database WHERE datname ~ '^strongroom_template_'`)
    )[0]!.datname;
    const few = await alternate(
      times,
      () => timed(bare.schema),
      () => timed(create('schema')),
    );
    const database = await alternate(
      times,
      () => timed(() => bare.database(template)),
      () => timed(create('database')),
    );
    const atNeon = bareAtNeon(standIn, bare.replay);
    const neon = await alternate(
      times,
      () => timed(atNeon),
      () => timed(create('neon')),
    );
    const many = quick ? 150 : 1_000;
    for (let made = few.ours.length; made < many; made += 1) await createOne(kernel, 'schema');
    return [
      within('create a company, schema', few, 1.5),
      within('create a company, database', database, 1.5),
      within('create a company, neon (stand-in of its API)', neon, 1.5),
      await amongMany(kernel, many, times),
    ];
  } finally {
    await remove();
    await standIn.stop();
  }
}

/** An installation without a worker. */
async function install(settings: Parameters<typeof testConfig>[0]) {
  const dataDir = mkdtempSync(join(tmpdir(), 'strongroom-bench-'));
  const kernel = await openKernel(testConfig({ dataDir, ...settings }));
  kernel.register(createModules(kernel).all);
  await kernel.start({ worker: false, migrateFleet: false });
  const remove = async () => {
    await kernel.close();
    removeFolder(dataDir);
  };
  return { kernel, remove };
}

/** Beside an installation with few companies on a server of its own, in turns: the machine's pace is the same for both. */
async function amongMany(kernel: Kernel, many: number, times: number): Promise<Row> {
  const server = await startPostgres({ durable: true });
  const small = await install({ postgresUrl: server.url });
  try {
    for (let made = 0; made < 10; made += 1) await createOne(small.kernel, 'schema');
    const { bare, ours } = await alternate(
      times,
      () => timed(() => createOne(small.kernel, 'schema')),
      () => timed(() => createOne(kernel, 'schema')),
    );
    return {
      what: `create a company, schema, at ${many} schemas against at 10`,
      bare: median(bare),
      ours: median(ours),
      unit: 'ms',
      aim: 'within 1.2x',
      met: median(ours) <= 1.2 * median(bare),
      note: 'in turns, on two servers',
    };
  } finally {
    await small.remove();
    await server.stop();
  }
}

let serial = 0;
async function createOne(kernel: Kernel, placement: PlacementKind): Promise<void> {
  serial += 1;
  await kernel.tenants.create({ name: `Bench ${serial}`, email: 'office@example.com', placement }, { kind: 'host' });
}

function within(what: string, { bare, ours }: { bare: number[]; ours: number[] }, factor: number): Row {
  const [b, o] = [median(bare), median(ours)];
  return { what, bare: b, ours: o, unit: 'ms', aim: `within ${factor}x of bare`, met: o <= factor * b };
}

async function lists(server: PostgresServer, quick: boolean): Promise<Row[]> {
  const folder = benchFolder('postgres');
  const url = await server.newDatabase('bench_list');
  await fillBareList(url);
  const bare = await startBarePostgres(url);
  const product = await startProduct(folder, { STRONGROOM_POSTGRES_URL: server.url });
  const seconds = quick ? 2 : 4;
  try {
    const operator = await setUpOperator(product);
    const rows: Row[] = [];
    for (const placement of ['schema', 'database'] as const) {
      const member = await newCompany(product, operator, { placement });
      for (let index = 0; index < 100; index += 1) {
        await upload(product.url, member.token, `file-${index}.txt`, Buffer.from(`content ${index}`));
      }
      const rates = await alternate(
        quick ? 3 : 5,
        async () => (await load({ url: `${bare.url}/list`, connections: 32, seconds })).rate,
        async () => {
          const tokens = [member.token];
          return (await load({ url: `${product.url}/api/documents?limit=50`, connections: 32, seconds, tokens })).rate;
        },
      );
      rows.push(atLeast(`list of 50 on ${placement}, 32 connections`, rates, 0.5));
    }
    return rows;
  } finally {
    await product.stop();
    await bare.stop();
    removeFolder(folder);
  }
}

async function fillBareList(url: string): Promise<void> {
  const session = await openPostgresSession({ connectionString: url });
  await session.script(
    `CREATE TABLE documents (id text primary key, filename text, mime_type text, size_bytes integer, sha256 text,
       version integer, basket_id text, owner_id text, owner_name text, metadata text, created_at text, updated_at text);
     CREATE INDEX by_created ON documents (created_at, id);
     INSERT INTO documents SELECT 'doc_' || md5(n::text), 'file-' || n || '.txt', 'text/plain', 64,
       encode(sha256(n::text::bytea), 'hex'), 1, null, 'user_1', 'A user', '{}',
       to_char(now() - n * interval '1 second', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), '2026-01-01T00:00:00.000Z'
       FROM generate_series(1, 500) AS n;
     ANALYZE documents`,
  );
  await session.close();
}
