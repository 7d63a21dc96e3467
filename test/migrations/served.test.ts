/**
 * Over HTTP and from the command line: companies at the old and at the new version are served while a run goes on; two
 * `migrate` at once have one run; what was changed by hand is in the report, and doctor says so.
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tenantMigration } from '../../src/kernel/database/migration.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import type { Module } from '../../src/kernel/module.ts';
import { armFailpoints, disarmFailpoints } from '../../src/kernel/tenants/failpoints.ts';
import { tenantHead } from '../../src/modules/heads.ts';
import { strongroom } from '../cli/support.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { startTestProgram, type TestCompany, type TestProgram } from '../support/program.ts';
import { call, uploadFile } from '../support/story.ts';
import { nextRelease } from './mixed-fleet.ts';

let server: PostgresServer;
let program: TestProgram;
let operator: string;
const companies: TestCompany[] = [];
const dataDir = mkdtempSync(join(tmpdir(), 'strongroom-served-'));
const config = () => ({ dataDir, postgresUrl: server.url, migrateOnStart: false, maxConnections: 40 });

/** And the release after that. */
const releaseAfter: Module = {
  ...nextRelease,
  name: 'after',
  tenantMigrations: [
    tenantMigration('0001-after', async (schema) => {
      await schema.alterTable('documents').addColumn('after_column', 'text').execute();
    }),
  ],
};

beforeAll(async () => {
  server = await startPostgres();
  program = await startTestProgram(config());
  for (const placement of ['sqlite', 'schema', 'database', 'sqlite', 'schema', 'database'] as const) {
    const company = await program.company(`Served ${companies.length}`, { placement });
    await uploadFile(program.url, company.admin.token, 'before.txt', 'before');
    companies.push(company);
  }
  operator = (await program.operator()).token;
}, 120_000);
afterAll(async () => {
  disarmFailpoints();
  await program?.stop();
  await server?.stop();
});

async function restart(modules: readonly Module[]): Promise<void> {
  await program.program.close();
  program = await startTestProgram(config(), { modules: () => modules });
}

const versions = async () => {
  const records = companies.map(({ id }) => program.program.kernel.tenants.get(id as TenantId));
  return (await Promise.all(records)).map((record) => record!.schemaVersion);
};

test('companies at the old and at the new version are served during a run', async () => {
  await restart([nextRelease]);
  const head = program.program.kernel.fleet.head;
  armFailpoints('fleet.company.before=delay:150');
  const started = await call<{ id: string }>(program.url, 'POST', '/api/system/migrations', {
    token: operator,
    body: { concurrency: 1 },
  });
  expect(started.status).toBe(202);
  let status = 'running';
  let mixed = 0;
  for (let turn = 0; status === 'running'; turn += 1) {
    const before = await versions();
    if (before.includes(tenantHead) && before.includes(head)) mixed += 1;
    for (const { admin } of companies) {
      const listed = await call<{ items: unknown[] }>(program.url, 'GET', '/api/documents', { token: admin.token });
      expect(listed.status, listed.text).toBe(200);
      await uploadFile(program.url, admin.token, `during-${turn}.txt`, 'during');
    }
    const path = `/api/system/migrations/${started.body.id}`;
    status = (await call<{ status: string }>(program.url, 'GET', path, { token: operator })).body.status;
  }
  expect(status).toBe('succeeded');
  expect(mixed).toBeGreaterThan(0);
  expect(await versions()).toEqual(companies.map(() => head));
}, 60_000);

test('two `migrate` at once have one run; one that was changed by hand is reported, by doctor too', async () => {
  await restart([nextRelease, releaseAfter]);
  const changed = companies[1]!;
  const record = (await program.program.kernel.tenants.get(changed.id as TenantId))!;
  const [database] = await server.ask<{ name: string }>(
    `SELECT datname AS name FROM pg_database WHERE datname ~ '^strongroom_shared_'`,
  );
  await server.ask(`CREATE INDEX planted_by_hand ON ${record.placement.unit}.documents (filename)`, database!.name);
  armFailpoints('fleet.company.before=delay:300');
  const command = () => strongroom(dataDir, ['migrate', '--concurrency', '1']);
  const [first, second] = await Promise.all([command(), command()]);
  for (const { code, out, err } of [first, second]) {
    expect(code, err).toBe(10);
    expect(out).toMatch(/5 of 6 companies are at \d+, 1 failed; it took \d+\.\d s\./);
    expect(out).toMatch(/PLACEMENT +DONE +FAILED +NOT BEGUN/);
    expect(out).toMatch(new RegExp(`${changed.slug} +schema +The structure of the database is not`));
    expect(err).toContain('migrating: ');
  }
  expect([first, second].filter(({ err }) => err.includes('under way already'))).toHaveLength(1);
  expect(await program.program.kernel.fleet.list(10)).toHaveLength(2);
  disarmFailpoints();
  const doctor = await strongroom(dataDir, ['doctor', '--json']);
  expect(doctor.code).toBe(1);
  expect(JSON.parse(doctor.out)).toMatchObject([
    { subject: changed.id, problem: expect.stringContaining('structure'), repaired: false },
  ]);
  for (const { admin } of companies) {
    expect((await call(program.url, 'GET', '/api/documents', { token: admin.token })).status).toBe(200);
  }
}, 60_000);
