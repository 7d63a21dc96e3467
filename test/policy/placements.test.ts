/** Every cell of the table of rights once more where companies lie on a real PostgreSQL, at Neon (a stand-in of its API), and on S3. */
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
import { setUpOperator } from '../support/story.ts';
import { columns, companyOf, policyEnvironment, wrongCells } from './suite.ts';

const folder = mkdtempSync(join(tmpdir(), 'strongroom-policy-'));
/** Both presets on one of them are enough: rights are looked up in no database. */
const companies = [
  { placement: 'schema', preset: 'company' },
  { placement: 'database', preset: 'company' },
  { placement: 'database', preset: 'workspace' },
  { placement: 'neon', preset: 'company' },
] as const;
const tokens = new Map<string, string>();
let postgres: PostgresServer;
let standIn: StandIn;
let storage: FaultServer;
let server: RunningProcess;

beforeAll(async () => {
  postgres = await startPostgres();
  standIn = await startStandIn(postgres);
  standIn.looks = 1;
  storage = await startFaultServer();
  const keys = anyKeys();
  const env = {
    ...policyEnvironment,
    MANAGEMENT_DATABASE_URL: await postgres.newDatabase('policy'),
    STRONGROOM_POSTGRES_URL: postgres.url,
    ...neonEnvironment(standIn, 'project'),
    STRONGROOM_FILE_STORE: 's3',
    AWS_ENDPOINT_URL_S3: storage.endpoint,
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
  };
  server = await startProcess(folder, { env });
  const operator = (await setUpOperator(server.url, server.setupToken!)).access_token;
  for (const { placement, preset } of companies) {
    for (const [role, token] of await companyOf(server.url, operator, preset, placement)) {
      tokens.set(`${placement} ${preset} ${role}`, token);
    }
  }
}, 120_000);

afterAll(async () => {
  await server?.stop();
  await storage?.stop();
  await standIn?.stop();
  await postgres?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const cases = companies.flatMap(({ placement, preset }) =>
  columns.filter((column) => column.preset === preset).map((column) => ({ ...column, placement, column })),
);

test.each(cases)('$caller of a company on $placement gets what the table says', async (each) => {
  const token = tokens.get(`${each.placement} ${each.preset} ${each.caller}`)!;
  expect(await wrongCells(server.url, token, each.column)).toEqual([]);
});
