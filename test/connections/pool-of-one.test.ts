/** One connection for all companies, left dirty by one of them in every way there is. */
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Tenant } from '../../src/kernel/handles.ts';
import { idPart } from '../../src/kernel/ids.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { createTestTenant, openTestKernel } from '../support/kernel.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());

/** What a session shows of those who used it before. `pid` names the backend. */
async function stateOf(tenant: Tenant) {
  const { rows } = await sql<Record<string, unknown>>`SELECT pg_backend_pid() AS pid,
      session_user = current_user AS "own role",
      current_setting('statement_timeout') AS timeout,
      current_setting('work_mem') AS memory,
      current_setting('TimeZone') AS zone,
      current_setting('default_transaction_isolation') AS isolation,
      current_setting('search_path') = current_schema() AS "own schema",
      coalesce(current_setting('dirty.mark', true), '') AS mark,
      pg_my_temp_schema()::int AS temporary,
      (SELECT count(*)::int FROM pg_prepared_statement() WHERE from_sql) AS prepared,
      (SELECT count(*)::int FROM pg_cursor() WHERE is_holdable) AS cursors,
      (SELECT count(*)::int FROM pg_listening_channels()) AS channels,
      (SELECT count(*)::int FROM pg_lock_status() WHERE locktype = 'advisory') AS locks`.execute(tenant.db.read);
  const { pid, ...state } = rows[0]!;
  return { pid: Number(pid), state };
}

/** Transactions that nobody ends, and locks. */
const leftOnServer = (tenant: Tenant) =>
  server.ask(
    `SELECT a.state, l.locktype FROM pg_stat_activity a LEFT JOIN pg_locks l ON l.pid = a.pid AND l.locktype = 'advisory'
      WHERE a.usename = 'tenant_${idPart(tenant.id)}' AND (a.state LIKE 'idle in transaction%' OR l.pid IS NOT NULL)`,
  );

/** Statements that leave something behind where the server allows them; here it does. */
const leavings: Readonly<Record<string, readonly string[]>> = {
  'an open transaction': ['BEGIN', 'SELECT count(*) FROM identity'],
  'a failed transaction': ['BEGIN', 'SELECT 1/0'],
  'an open transaction with a lock': ['START TRANSACTION', 'SELECT pg_advisory_xact_lock(7)'],
  'a setting': ["SET statement_timeout = '77s'"],
  'a setting by a function': ["SELECT set_config('dirty.mark', 'A', false)"],
  'a setting by a function in disguise': [`SELECT U&"set\\005fconfig"('dirty.mark', 'A', false)`],
  'a setting by text in a function': [
    `SELECT query_to_xml('SELECT set_config(''dirty.mark'',''A'',false)', true, true, '')`,
  ],
  'a setting by a block': [`DO $$ BEGIN PERFORM set_config('dirty.mark', 'A', false); END $$`],
  'another schema': ['SET search_path = pg_catalog'],
  'another time zone': ["SET TIME ZONE 'Asia/Kathmandu'"],
  'other transactions': ['SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE'],
  'another role': ['SET ROLE dirty_role'],
  'a temporary table': ['CREATE TEMP TABLE dirty AS SELECT 1 AS secret'],
  'a temporary table by a query': ['SELECT 1 AS secret INTO TEMP dirty'],
  'an advisory lock': ['SELECT pg_advisory_lock(42)'],
  'an advisory lock that was tried': ['SELECT pg_try_advisory_lock_shared(43)'],
  'a channel': ['LISTEN dirty'],
  'a prepared statement': ["PREPARE dirty AS SELECT 'secret'"],
  'a cursor': ['DECLARE dirty CURSOR WITH HOLD FOR SELECT tenant_id FROM identity'],
};

describe.each(['schema', 'database'] as const)('companies placed by %s', (placement) => {
  let kernel: Kernel;
  let first: Tenant;
  let second: Tenant;

  beforeAll(async () => {
    kernel = await openTestKernel({
      postgresUrl: server.url,
      placement,
      maxConnections: 1,
      tenantConnections: 1,
      connectionWaitSeconds: 5,
    });
    first = (await createTestTenant(kernel)).tenant;
    second = (await createTestTenant(kernel)).tenant;
    await allowAll(first);
  });
  afterAll(() => kernel?.close());

  /** The server of this test lets the first company do what ours never grants. */
  async function allowAll(tenant: Tenant): Promise<void> {
    const logins = kernel.control.read.selectFrom('placement_credentials').selectAll();
    const own = await logins.where('tenant_id', '=', tenant.id).where('role', '=', 'request').executeTakeFirstOrThrow();
    await server.ask(
      `DO $$ BEGIN CREATE ROLE dirty_role NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
       GRANT dirty_role TO "${own.login}"; GRANT TEMP ON DATABASE "${own.database_name}" TO "${own.login}";
       GRANT EXECUTE ON FUNCTION pg_advisory_lock(bigint), pg_try_advisory_lock_shared(bigint) TO PUBLIC`,
      own.database_name,
    );
  }

  async function run(tenant: Tenant, how: 'read' | 'transaction', statements: readonly string[]): Promise<void> {
    if (how === 'read') {
      for (const text of statements)
        await sql
          .raw(text)
          .execute(tenant.db.read)
          .catch(() => {});
      return;
    }
    const work = tenant.db.transaction(async (tx) => {
      for (const text of statements) await sql.raw(text).execute(tx);
    });
    await work.catch(() => {});
  }

  test.each(
    Object.entries(leavings).flatMap(([what, statements]) =>
      (['read', 'transaction'] as const).map((how) => [what, how, statements] as const),
    ),
  )('%s, left by a %s of the first, is met by nobody', async (_what, how, statements) => {
    const clean = (await stateOf(first)).state;
    expect(clean).toMatchObject({ 'own role': true, mark: '', locks: 0, channels: 0 });
    await run(first, how, statements);
    const ofSecond = await stateOf(second);
    const again = await stateOf(first);
    expect({ ...ofSecond.state, isolation: clean.isolation }).toEqual({
      ...clean,
      isolation: ofSecond.state.isolation,
    });
    expect(again.state).toEqual(clean);
    expect(kernel.connections.open).toBeLessThanOrEqual(1);
    await expect.poll(() => leftOnServer(first)).toEqual([]);
  });

  test('what is left is not met either by the one who left it,', async () => {
    for (const [what, statements] of Object.entries(leavings)) {
      const clean = await stateOf(first);
      await run(first, 'read', statements);
      const again = await stateOf(first);
      expect(again.state, what).toEqual(clean.state);
      await expect.poll(() => leftOnServer(first), { message: what }).toEqual([]);
    }
  });

  test('ordinary statements keep their connection', async () => {
    const { pid } = await stateOf(second);
    await sql`SELECT count(*) FROM audit_log`.execute(second.db.read);
    await second.db.read.selectFrom('identity').selectAll().execute();
    expect((await stateOf(second)).pid).toBe(pid);
  });
});
