/**
 * Hostile SQL through the request login of a company at Neon, in the project that companies share: the same list as on a
 * server of one's own, but for what only a superuser can close, which nobody is there.
 */
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TenantId } from '../../src/kernel/ids.ts';
import { allTenantMigrations } from '../../src/kernel/migrations.ts';
import { createNeonPlacement } from '../../src/kernel/placements/neon.ts';
import type { PlacedConnection, Placement, PlacementRef } from '../../src/kernel/placements/placement.ts';
import { createPostgresCredentials } from '../../src/kernel/placements/postgres-credentials.ts';
import { moduleMigrations } from '../../src/modules/index.ts';
import { harmless, refused } from '../placements/hostile-list.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { startTestProgram, type TestProgram } from '../support/program.ts';
import { type StandIn, standInKey, startStandIn } from './stand-in.ts';

let server: PostgresServer;
let standIn: StandIn;
let program: TestProgram;
let placement: Placement;
let own: PlacementRef;
let other: PlacementRef;

beforeAll(async () => {
  server = await startPostgres();
  standIn = await startStandIn(server);
  standIn.looks = 1;
  program = await startTestProgram({
    placement: 'neon',
    neonApiKey: standInKey,
    neonApiUrl: standIn.url,
    neonCallsPerSecond: 500,
    neonMode: 'database',
  });
  const { kernel } = program.program;
  const { config, control, secrets, clock, log } = kernel;
  const refs: PlacementRef[] = [];
  for (const name of ['Hostile', 'Other']) {
    const company = await program.company(name);
    refs.push((await kernel.tenants.get(company.id as TenantId))!.placement);
  }
  [own, other] = refs as [PlacementRef, PlacementRef];
  await kernel.settle();
  await kernel.connections.closeAll();
  placement = createNeonPlacement({
    apiKey: '',
    apiUrl: config.neonApiUrl,
    organisation: null,
    region: null,
    callsPerSecond: 10,
    mode: 'database',
    pooled: false,
    schemaTemplate: config.schemaTemplate,
    migrations: allTenantMigrations(moduleMigrations),
    control,
    secrets,
    clock,
    log,
    alarm: () => {},
    statementSeconds: config.statementSeconds,
    tenantConnections: config.tenantConnections,
    roleConnections: config.postgresRoleConnections,
    prepared: true,
  });
}, 120_000);
afterAll(async () => {
  await program?.stop();
  await standIn?.stop();
  await server?.stop();
});

/** Views of statistics, locks that a session holds, large objects, and the databases that every server has: Neon's own. */
const closedBySuperuserAlone =
  /pg_stat|pg_locks|advisory_lock|\blo_(create|creat|from_bytea)\b|pg_database_size\('(postgres|template1)'/;

const raw = (sql: string) =>
  ({ sql, parameters: [] }) as unknown as Parameters<PlacedConnection['session']['execute']>[0];
const filled = (statement: string, backend: number) =>
  statement
    .replaceAll('{own}', own.unit)
    .replaceAll('{other}', other.unit)
    .replaceAll('{database}', other.unit)
    .replaceAll('{schema}', 'strongroom')
    .replaceAll('{backend}', String(backend));

/** Roles, databases and the rows of the other company. */
async function world(): Promise<string> {
  const parts = [
    await server.ask('SELECT * FROM pg_authid ORDER BY oid'),
    await server.ask('SELECT * FROM pg_auth_members ORDER BY oid'),
    await server.ask('SELECT oid, datname, datdba, datacl FROM pg_database ORDER BY oid'),
  ];
  const tables = await server.ask<{ relname: string; relacl: string }>(
    `SELECT relname, relacl::text FROM pg_class WHERE relnamespace = 'strongroom'::regnamespace AND relkind = 'r' ORDER BY 1`,
    other.unit,
  );
  for (const { relname } of tables) {
    parts.push(await server.ask(`SELECT t::text FROM strongroom."${relname}" t ORDER BY 1`, other.unit));
  }
  return JSON.stringify([parts, tables]);
}

test('what the login may not do is refused, and the other company is as it was', async () => {
  const before = await world();
  const victim = await placement.open(other, 'write');
  const { rows } = await victim.session.execute<{ pid: number }>(raw('SELECT pg_backend_pid() AS pid'));
  const attacker = await placement.open(own, 'write');
  const through: string[] = [];
  for (const statement of refused) {
    await attacker.session.execute(raw(filled(statement, rows[0]!.pid))).then(
      () => through.push(statement),
      () => {},
    );
    await attacker.session.execute(raw('SELECT 1'));
  }
  expect(through.filter((statement) => !closedBySuperuserAlone.test(statement))).toEqual([]);
  for (const statement of harmless) await attacker.session.execute(raw(filled(statement, 0))).catch(() => {});
  await attacker.close();
  expect((await victim.session.execute(raw('SELECT 1'))).rows).toHaveLength(1);
  await victim.close();
  expect(await world()).toBe(before);
});

test('the login reaches no database of the other company and none of the project', async () => {
  const { control, secrets } = program.program.kernel;
  const { request } = (await createPostgresCredentials({ control, secrets }).find(own.tenantId))!;
  const names = await server.ask<{ datname: string }>('SELECT datname FROM pg_database');
  const open: string[] = [];
  for (const { datname } of names) {
    const address = new URL(server.url);
    Object.assign(address, { username: request.login, password: request.password, pathname: `/${datname}` });
    const client = new pg.Client({ connectionString: address.href });
    await client.connect().then(
      () => open.push(datname),
      () => {},
    );
    await client.end().catch(() => {});
  }
  expect(open).toContain(own.unit);
  // Those that a superuser would have to close are empty.
  expect(open.filter((name) => !['postgres', 'template1'].includes(name))).toEqual([own.unit]);
});

test('the roles of a company are members of nothing that reads everything', async () => {
  const groups = await server.ask<{ role: string; member: string }>(
    `SELECT roleid::regrole::text AS role, member::regrole::text AS member FROM pg_auth_members
      WHERE member::regrole::text LIKE '${own.unit}%' ORDER BY 1, 2`,
  );
  expect(groups).toEqual([{ role: `${own.unit}_o`, member: `${own.unit}_m` }]);
});
