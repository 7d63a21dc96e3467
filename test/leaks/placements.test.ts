/**
 * Companies on every placement, in one process: control database and companies on a real PostgreSQL (those at Neon through
 * a stand-in of its API), objects on S3, downloads served by S3 itself. The mix is tried in full; between the others, those try who may do the most.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { anyKeys } from '../files/s3-under-test.ts';
import { neonEnvironment } from '../neon/neon-server.ts';
import { type StandIn, startStandIn } from '../neon/stand-in.ts';
import { type FaultServer, startFaultServer } from '../s3/fault-server.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { type RunningProcess, startProcess } from '../support/process.ts';
import { setUpOperator, uploadFile } from '../support/story.ts';
import { openWorldReader, type WorldReader } from '../support/world.ts';
import { leakEnvironment, leakSuite, shortLeakSuite, type UnderTest } from './suite.ts';
import { makeWorld, type World } from './worlds.ts';

const companies = {
  'a file': 'sqlite',
  'a schema': 'schema',
  'another schema': 'schema',
  'a database': 'database',
  'another database': 'database',
  'at Neon': 'neon',
  'also at Neon': 'neon',
} as const;
type Name = keyof typeof companies;

const folder = mkdtempSync(join(tmpdir(), 'strongroom-leaks-'));
const worlds = {} as Record<Name, World>;
let postgres: PostgresServer;
let standIn: StandIn;
let storage: FaultServer;
let server: RunningProcess;
let reader: WorldReader;
let operator: string;

beforeAll(async () => {
  postgres = await startPostgres();
  standIn = await startStandIn(postgres);
  standIn.looks = 1;
  storage = await startFaultServer();
  const keys = anyKeys();
  const controlUrl = await postgres.newDatabase('leaks');
  const env = {
    ...leakEnvironment,
    MANAGEMENT_DATABASE_URL: controlUrl,
    STRONGROOM_POSTGRES_URL: postgres.url,
    ...neonEnvironment(standIn, 'database'),
    STRONGROOM_FILE_STORE: 's3',
    STRONGROOM_S3_PRESIGNED_SECONDS: '60',
    AWS_ENDPOINT_URL_S3: storage.endpoint,
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
  };
  server = await startProcess(folder, { env });
  const s3 = { endpoint: storage.endpoint, ...keys };
  reader = openWorldReader({ dataDir: folder, postgresUrl: postgres.url, controlUrl, s3 });
  operator = (await setUpOperator(server.url, server.setupToken!)).access_token;
  await Promise.all(
    (Object.keys(companies) as Name[]).map(async (name) => {
      worlds[name] = await makeWorld(server.url, operator, `Works in ${name}`, companies[name], name === 'a file');
    }),
  );
}, 300_000);

afterAll(async () => {
  await server?.stop();
  await reader?.close();
  await storage?.stop();
  await standIn?.stop();
  await postgres?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const between = (own: Name, other: Name) => (): UnderTest => ({
  url: server.url,
  reader,
  worlds: { operator, own: worlds[own], other: worlds[other] },
});

leakSuite('from a file to a schema', between('a file', 'a schema'));
shortLeakSuite('from a schema to a file', between('a schema', 'a file'));
shortLeakSuite('from a schema to a schema of the same database', between('a schema', 'another schema'));
shortLeakSuite('from a database to a database', between('a database', 'another database'));
shortLeakSuite('from a database at Neon to one of the same project', between('at Neon', 'also at Neon'));

/** The shared database that holds a schema. */
async function sharedDatabaseOf(schema: string): Promise<string> {
  const all = await postgres.ask<{ datname: string }>(
    `SELECT datname FROM pg_database WHERE datname ~ '^strongroom_shared_' AND datallowconn`,
  );
  for (const { datname } of all) {
    const found = await postgres.ask(`SELECT 1 FROM pg_namespace WHERE nspname = '${schema}'`, datname);
    if (found.length > 0) return datname;
  }
  throw new Error(`no shared database holds ${schema}`);
}

test('a change of any kind shows in the world that is compared', async () => {
  const { company, people, placement } = worlds['another schema'];
  const world = () => reader.world({ id: company.id, bucket: company.bucket, placement });
  const unit = `tenant_${company.id.slice(company.id.indexOf('_') + 1)}`;
  const database = await sharedDatabaseOf(unit);
  const seen = new Set([JSON.stringify(await world())]);
  const s3 = [...(await world())].filter((line) => line.startsWith('object '));
  const changes: (() => Promise<unknown>)[] = [
    () => postgres.ask(`UPDATE "${unit}".users SET full_name = 'x' WHERE id = '${people.customer.id}'`, database),
    () => postgres.ask(`GRANT SELECT ON "${unit}".users TO PUBLIC`, database),
    () => postgres.ask(`ALTER ROLE "${unit}" CONNECTION LIMIT 3`),
    () => postgres.ask(`ALTER ROLE "${unit}" SET work_mem = '1MB'`),
    () => postgres.ask(`GRANT "${unit}" TO CURRENT_USER`),
    () => uploadFile(server.url, people.employee.token, 'more.txt', 'more'),
  ];
  for (const [index, change] of changes.entries()) {
    await change();
    seen.add(JSON.stringify(await world()));
    expect(seen.size, `after change ${index + 1}`).toBe(index + 2);
  }
  expect((await world()).filter((line) => line.startsWith('object ')).length).toBe(s3.length + 1);
});
