/**
 * Hostile SQL through a company's own request connection, on every placement that stands on PostgreSQL: refused, or without
 * effect on anything but that connection. The list is that of known attempts, with what tenants of one server share.
 * Afterwards the other company, the control database, the server's roles and databases, and the file system are as they were.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TenantId } from '../../src/kernel/ids.ts';
import { allTenantMigrations } from '../../src/kernel/migrations.ts';
import type {
  PlacedConnection,
  Placement,
  PlacementKind,
  PlacementRef,
} from '../../src/kernel/placements/placement.ts';
import { createPostgresCredentials } from '../../src/kernel/placements/postgres-credentials.ts';
import type { PlacementOptions } from '../../src/kernel/placements/postgres-options.ts';
import { moduleMigrations } from '../../src/modules/index.ts';
import type { PostgresServer } from '../support/postgres.ts';
import type { TestProgram } from '../support/program.ts';
import { uploadFile } from '../support/story.ts';
import { harmless, refused } from './hostile-list.ts';

export interface HostileUnderTest {
  readonly server: PostgresServer;
  readonly program: TestProgram;
  /** The placement itself, past pools and handles, with the logins that the program made. */
  readonly placement: (options: PlacementOptions) => Placement;
}

export interface HostileLimits {
  /** Statements that only a superuser could refuse, where nobody is one. */
  readonly open?: RegExp;
  /** Databases of every server that only a superuser could close, and in which there is nothing. */
  readonly reached?: readonly string[];
}

interface Two {
  readonly own: PlacementRef;
  readonly other: PlacementRef;
  readonly database: string;
  readonly placement: Placement;
}

const raw = (sql: string) =>
  ({ sql, parameters: [] }) as unknown as Parameters<PlacedConnection['session']['execute']>[0];

const schemaOf = ({ kind, unit }: PlacementRef) => (kind === 'schema' ? unit : 'strongroom');

function optionsOf({ program }: TestProgram): PlacementOptions {
  const { config, control, secrets, clock, log } = program.kernel;
  return {
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
  };
}

/** Roles with their settings and memberships, databases with their rights, and what a schema holds. */
async function world({ ask }: PostgresServer, ref: PlacementRef, database: string): Promise<string> {
  const schema = schemaOf(ref);
  const lines: unknown[] = [
    await ask(`SELECT * FROM pg_authid ORDER BY oid`),
    await ask(`SELECT * FROM pg_db_role_setting WHERE setrole <> 0 ORDER BY 1, 2`),
    await ask(`SELECT * FROM pg_auth_members ORDER BY oid`),
    await ask(`SELECT oid, datname, datdba, datacl, datistemplate, datallowconn FROM pg_database ORDER BY oid`),
    await ask(
      `SELECT extname FROM pg_extension UNION SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_'
      UNION SELECT evtname FROM pg_event_trigger UNION SELECT pubname FROM pg_publication ORDER BY 1`,
      database,
    ),
    await ask(
      `SELECT relname, relacl, relowner FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
      WHERE nspname = '${schema}' ORDER BY 1`,
      database,
    ),
  ];
  const tables = await ask<{ relname: string }>(
    `SELECT relname FROM pg_class WHERE relnamespace = '${schema}'::regnamespace AND relkind = 'r' ORDER BY 1`,
    database,
  );
  for (const { relname } of tables) {
    const rows = await ask<{ t: string }>(`SELECT t::text FROM "${schema}"."${relname}" t ORDER BY 1`, database);
    // Its documents are counted by a job that comes up to a minute after the last change.
    lines.push(
      relname,
      rows.filter(({ t }) => relname !== 'jobs' || !t.includes('documents.count')),
    );
  }
  return createHash('sha256').update(JSON.stringify(lines)).digest('hex');
}

/** Two companies, idle from here on: what the attempts change can only come from them. */
async function makeTwo({ program, placement }: HostileUnderTest, kind: PlacementKind): Promise<Two> {
  const { kernel } = program.program;
  const refs: PlacementRef[] = [];
  for (const name of ['Hostile', 'Other']) {
    const company = await program.company(`${name} ${kind}`, { placement: kind });
    await uploadFile(program.url, company.admin.token, 'one.txt', `content of ${name}`);
    refs.push((await kernel.tenants.get(company.id as TenantId))!.placement);
  }
  await kernel.settle();
  await kernel.connections.closeAll();
  const [own, other] = refs as [PlacementRef, PlacementRef];
  const { database } = (await loginsOf(program, other)).request;
  return { own, other, database, placement: placement(optionsOf(program)) };
}

async function loginsOf({ program }: TestProgram, { tenantId }: PlacementRef) {
  const { control, secrets } = program.kernel;
  return (await createPostgresCredentials({ control, secrets }).find(tenantId))!;
}

const outcome = (work: Promise<unknown>) =>
  work.then(
    () => true,
    () => false,
  );

/** Every statement of the list by the attacker; those that were not refused, and those that broke the connection. */
async function attempted({ own, other, database }: Two, attacker: PlacedConnection, backend: number) {
  const through: string[] = [];
  for (const statement of refused) {
    const text = filled({ own, other, database }, statement, backend);
    if (await outcome(attacker.session.execute(raw(text)))) through.push(statement);
    // The product lends such a session no more; here it goes on, so that what one leaves behind helps the next.
    const answers = await outcome(attacker.session.execute(raw('SELECT 1')));
    if (!answers) through.push(`${statement}: it broke the connection`);
  }
  return through;
}

function filled({ own, other, database }: Omit<Two, 'placement'>, statement: string, backend: number): string {
  return statement
    .replaceAll('{own}', own.unit)
    .replaceAll('{other}', other.unit)
    .replaceAll('{database}', database)
    .replaceAll('{schema}', schemaOf(own))
    .replaceAll('{backend}', String(backend));
}

export function hostileSuite(
  name: string,
  kind: PlacementKind,
  start: () => HostileUnderTest,
  limits: HostileLimits = {},
): void {
  describe(name, () => {
    let under: HostileUnderTest;
    let two: Two;
    let before: string;

    beforeAll(async () => {
      under = start();
      two = await makeTwo(under, kind);
      before = await world(under.server, two.other, two.database);
    }, 120_000);
    afterAll(() => two?.placement.close());

    test('is refused every statement of the list', async () => {
      const victim = await two.placement.open(two.other, 'write');
      const { rows } = await victim.session.execute<{ pid: number }>(raw('SELECT pg_backend_pid() AS pid'));
      const attacker = await two.placement.open(two.own, 'write');
      const through = await attempted(two, attacker, rows[0]!.pid);
      await attacker.session.begin();
      await attacker.session.execute(raw(`UPDATE users SET full_name = full_name`));
      await expect(attacker.session.execute(raw(`PREPARE TRANSACTION 'planted'`))).rejects.toThrow();
      await attacker.session.rollback();
      await attacker.close();
      expect((await victim.session.execute(raw('SELECT 1'))).rows).toHaveLength(1);
      await victim.close();
      expect(through.filter((statement) => limits.open?.test(statement) !== true)).toEqual([]);
      expect(existsSync('/tmp/strongroom-planted')).toBe(false);
    });

    test('changes nothing for others with what everybody may do', async () => {
      const attacker = await two.placement.open(two.own, 'write');
      for (const statement of harmless) await outcome(attacker.session.execute(raw(filled(two, statement, 0))));
      // Whatever the session says of itself, it reads nothing of the other company.
      await expect(attacker.session.execute(raw(`SELECT * FROM "${two.other.unit}".users`))).rejects.toThrow();
      await attacker.close();
      const other = await two.placement.open(two.other, 'write');
      const settings = await other.session.execute<{ path: string; timeout: string }>(
        raw(`SELECT current_setting('search_path') AS path, current_setting('statement_timeout') AS timeout`),
      );
      expect(settings.rows[0]).toEqual({ path: schemaOf(two.other), timeout: '15s' });
      await other.close();
    });

    test('reaches no other database with its own login', async () => {
      const { login, password, database } = (await loginsOf(under.program, two.own)).request;
      const names = await under.server.ask<{ datname: string }>('SELECT datname FROM pg_database');
      const open: string[] = [];
      for (const { datname } of names) {
        const address = new URL(under.server.url);
        Object.assign(address, { username: login, password, pathname: `/${datname}` });
        const client = new pg.Client({ connectionString: address.href });
        if (await outcome(client.connect())) open.push(datname);
        await client.end().catch(() => {});
      }
      expect(open).toContain(database);
      expect(open.filter((each) => limits.reached?.includes(each) !== true)).toEqual([database]);
    });

    test('is a member of nothing that reads everything', async () => {
      const groups = await under.server.ask<{ role: string; member: string }>(
        `SELECT roleid::regrole::text AS role, member::regrole::text AS member FROM pg_auth_members
          WHERE member::regrole::text LIKE '${two.own.unit}%' ORDER BY 1, 2`,
      );
      expect(groups).toEqual([{ role: `${two.own.unit}_o`, member: `${two.own.unit}_m` }]);
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
      expect(await world(under.server, two.other, two.database)).toBe(before);
      expect(await under.program.program.kernel.doctor.examine({ repair: false })).toEqual([]);
    });
  });
}
