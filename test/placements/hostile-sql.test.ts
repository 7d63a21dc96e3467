/**
 * Hostile SQL through a company's own request connection: refused, or without effect on anything but that connection.
 * The list is that of known attempts on PostgreSQL, with what tenants of one server share. Afterwards the other
 * company, the control database, the server's roles and databases, and the file system are as they were.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TenantId } from '../../src/kernel/ids.ts';
import { allTenantMigrations } from '../../src/kernel/migrations.ts';
import type { PlacedConnection, Placement, PlacementRef } from '../../src/kernel/placements/placement.ts';
import { createPostgresPlacements } from '../../src/kernel/placements/postgres.ts';
import { createPostgresCredentials } from '../../src/kernel/placements/postgres-credentials.ts';
import { moduleMigrations } from '../../src/modules/index.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { startTestProgram, type TestProgram } from '../support/program.ts';
import { uploadFile } from '../support/story.ts';
import { harmless, refused } from './hostile-list.ts';

let server: PostgresServer;
let program: TestProgram;

beforeAll(async () => {
  server = await startPostgres();
  program = await startTestProgram({ postgresUrl: server.url });
}, 120_000);
afterAll(async () => {
  await program?.stop();
  await server?.stop();
});

/** The placements themselves, past pools and handles, with the logins that the program made. */
function placements() {
  const { config, control, secrets, clock, log } = program.program.kernel;
  return createPostgresPlacements({
    url: server.url,
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
    schemaTenants: config.schemaTenants,
    prepared: true,
  });
}

async function asSuperuser<T extends object>(statement: string, database?: string): Promise<T[]> {
  const address = new URL(server.url);
  if (database !== undefined) address.pathname = `/${database}`;
  const client = new pg.Client({ connectionString: address.href });
  await client.connect();
  try {
    return (await client.query(statement)).rows as T[];
  } finally {
    await client.end();
  }
}

/** Roles with their settings and memberships, databases with their rights, and what a schema holds. */
async function world(ref: PlacementRef, database: string): Promise<string> {
  const schema = ref.kind === 'schema' ? ref.unit : 'strongroom';
  const lines: unknown[] = [
    await asSuperuser(`SELECT * FROM pg_authid ORDER BY oid`),
    await asSuperuser(`SELECT * FROM pg_db_role_setting WHERE setrole <> 0 ORDER BY 1, 2`),
    await asSuperuser(`SELECT * FROM pg_auth_members ORDER BY oid`),
    await asSuperuser(`SELECT oid, datname, datdba, datacl, datistemplate, datallowconn FROM pg_database ORDER BY oid`),
    await asSuperuser(
      `SELECT extname FROM pg_extension UNION SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_'
      UNION SELECT evtname FROM pg_event_trigger UNION SELECT pubname FROM pg_publication ORDER BY 1`,
      database,
    ),
    await asSuperuser(
      `SELECT relname, relacl, relowner FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
      WHERE nspname = '${schema}' ORDER BY 1`,
      database,
    ),
  ];
  const tables = await asSuperuser<{ relname: string }>(
    `SELECT relname FROM pg_class WHERE relnamespace = '${schema}'::regnamespace AND relkind = 'r' ORDER BY 1`,
    database,
  );
  for (const { relname } of tables) {
    const rows = await asSuperuser(`SELECT t::text FROM "${schema}"."${relname}" t ORDER BY 1`, database);
    lines.push(relname, rows);
  }
  return createHash('sha256').update(JSON.stringify(lines)).digest('hex');
}

interface Two {
  readonly own: PlacementRef;
  readonly other: PlacementRef;
  readonly database: string;
  readonly placement: Placement;
}

describe.each(['schema', 'database'] as const)('a company in a %s', (kind) => {
  let two: Two;
  let before: string;

  beforeAll(async () => {
    const { kernel } = program.program;
    const refs: PlacementRef[] = [];
    for (const name of ['Hostile', 'Other']) {
      const company = await program.company(`${name} ${kind}`, { placement: kind });
      await uploadFile(program.url, company.admin.token, 'one.txt', `content of ${name}`);
      refs.push((await kernel.tenants.get(company.id as TenantId))!.placement);
    }
    await kernel.settle();
    // Idle from here on: what the attempts change can only come from them.
    await kernel.connections.closeAll();
    const [own, other] = refs as [PlacementRef, PlacementRef];
    const login = await kernel.control.read
      .selectFrom('placement_credentials')
      .selectAll()
      .where('tenant_id', '=', other.tenantId)
      .where('role', '=', 'request')
      .executeTakeFirstOrThrow();
    two = { own, other, database: login.database_name, placement: placements()[kind] };
    before = await world(two.other, two.database);
  });

  function filled(statement: string, backend: number): string {
    return statement
      .replaceAll('{own}', two.own.unit)
      .replaceAll('{other}', two.other.unit)
      .replaceAll('{database}', two.database)
      .replaceAll('{schema}', kind === 'schema' ? two.own.unit : 'strongroom')
      .replaceAll('{backend}', String(backend));
  }

  async function backendOf(connection: PlacedConnection): Promise<number> {
    const result = await connection.session.execute<{ pid: number }>(raw('SELECT pg_backend_pid() AS pid'));
    return result.rows[0]!.pid;
  }

  const raw = (sql: string) =>
    ({ sql, parameters: [] }) as unknown as Parameters<PlacedConnection['session']['execute']>[0];

  test('is refused every statement of the list', async () => {
    const victim = await two.placement.open(two.other, 'write');
    const backend = await backendOf(victim);
    const attacker = await two.placement.open(two.own, 'write');
    const through: string[] = [];
    for (const statement of refused) {
      const outcome = await attacker.session.execute(raw(filled(statement, backend))).then(
        () => 'allowed',
        () => 'refused',
      );
      if (outcome === 'allowed') through.push(statement);
      // The product lends such a session no more; here it goes on, so that what one leaves behind helps the next.
      const answers = await attacker.session.execute(raw('SELECT 1')).then(
        () => true,
        () => false,
      );
      if (!answers) through.push(`${statement}: it broke the connection`);
    }
    await attacker.session.begin();
    await attacker.session.execute(raw(`UPDATE users SET full_name = full_name`));
    await expect(attacker.session.execute(raw(`PREPARE TRANSACTION 'planted'`))).rejects.toThrow();
    await attacker.session.rollback();
    await attacker.close();
    expect((await victim.session.execute(raw('SELECT 1'))).rows).toHaveLength(1);
    await victim.close();
    expect(through).toEqual([]);
    expect(existsSync('/tmp/strongroom-planted')).toBe(false);
  });

  test('changes nothing for others with what everybody may do', async () => {
    const attacker = await two.placement.open(two.own, 'write');
    for (const statement of harmless) await attacker.session.execute(raw(filled(statement, 0))).catch(() => {});
    // Whatever the session says of itself, it reads nothing of the other company.
    await expect(attacker.session.execute(raw(`SELECT * FROM "${two.other.unit}".users`))).rejects.toThrow();
    await attacker.close();
    const other = await two.placement.open(two.other, 'write');
    const settings = await other.session.execute<{ path: string; timeout: string }>(
      raw(`SELECT current_setting('search_path') AS path, current_setting('statement_timeout') AS timeout`),
    );
    expect(settings.rows[0]).toEqual({ path: kind === 'schema' ? two.other.unit : 'strongroom', timeout: '15s' });
    await other.close();
  });

  test('reaches no other database with its own login', async () => {
    const { control, secrets } = program.program.kernel;
    const logins = await createPostgresCredentials({ control, secrets }).find(two.own.tenantId);
    const attacker = logins!.request;
    const names = await asSuperuser<{ datname: string }>('SELECT datname FROM pg_database');
    const open: string[] = [];
    for (const { datname } of names) {
      const address = new URL(server.url);
      Object.assign(address, { username: attacker.login, password: attacker.password, pathname: `/${datname}` });
      const client = new pg.Client({ connectionString: address.href });
      await client.connect().then(
        () => open.push(datname),
        () => {},
      );
      await client.end().catch(() => {});
    }
    expect(open).toEqual([attacker.database]);
  });

  test('a reader writes nothing', async () => {
    const reader = await two.placement.open(two.own, 'read');
    for (const statement of [
      `DELETE FROM users`,
      `UPDATE users SET full_name = 'x'`,
      `INSERT INTO users SELECT * FROM users`,
    ]) {
      await expect(reader.session.execute(raw(statement))).rejects.toMatchObject({ code: 'statement_refused' });
    }
    await reader.close();
  });

  test('the other company, and everything of the server, is as it was', async () => {
    expect(await world(two.other, two.database)).toBe(before);
    expect(await program.program.kernel.doctor.examine({ repair: false })).toEqual([]);
  });
});
