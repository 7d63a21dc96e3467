/**
 * Companies on PostgreSQL over HTTP, from creation to nothing: made, listed, used, tested, suspended, resumed, deleted.
 * Nothing of a removed one is on the server: no database, no schema, no role, no login in the control database.
 */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { idPart, type TenantId } from '../../src/kernel/ids.ts';
import { expectAtWork } from '../support/company-at-work.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { startTestProgram, type TestCompany, type TestProgram } from '../support/program.ts';
import { call } from '../support/story.ts';

let server: PostgresServer;
let program: TestProgram;

beforeAll(async () => {
  server = await startPostgres();
  program = await startTestProgram({ postgresUrl: server.url, maxConnections: 30, graceDays: 7 });
}, 120_000);
afterAll(async () => {
  await program?.stop();
  await server?.stop();
});

async function ask<T extends object>(statement: string, values: unknown[] = [], database?: string): Promise<T[]> {
  const address = new URL(server.url);
  if (database !== undefined) address.pathname = `/${database}`;
  const client = new pg.Client({ connectionString: address.href });
  await client.connect();
  try {
    return (await client.query(statement, values)).rows as T[];
  } finally {
    await client.end();
  }
}

/** Everything on the server whose name carries the company's id. */
async function traces(id: string): Promise<string[]> {
  const like = `%${idPart(id)}%`;
  const rows = await ask<{ what: string }>(
    `SELECT 'role ' || rolname AS what FROM pg_roles WHERE rolname LIKE $1
     UNION ALL SELECT 'database ' || datname FROM pg_database WHERE datname LIKE $1`,
    [like],
  );
  const shared = await ask<{ datname: string }>(
    `SELECT datname FROM pg_database WHERE datname ~ '^strongroom_shared_'`,
  );
  const schemas = await Promise.all(
    shared.map(({ datname }) =>
      ask<{ what: string }>(
        `SELECT 'schema ' || nspname AS what FROM pg_namespace WHERE nspname LIKE $1`,
        [like],
        datname,
      ),
    ),
  );
  return [...rows, ...schemas.flat()].map((row) => row.what).sort();
}

async function credentials(id: string): Promise<number> {
  const rows = await program.program.kernel.control.read
    .selectFrom('placement_credentials')
    .selectAll()
    .where('tenant_id', '=', id)
    .execute();
  return rows.length;
}

describe.each(['schema', 'database'] as const)('a company in a %s', (placement) => {
  let company: TestCompany;
  let id: TenantId;

  test('is made, listed and used', async () => {
    company = await program.company(`Works ${placement}`, { placement });
    id = company.id as TenantId;
    await expectAtWork(program, company, placement);
    expect(await traces(id)).toHaveLength(4);
    expect(await credentials(id)).toBe(2);
  });

  test('is examined and found right', async () => {
    const { kernel } = program.program;
    expect(await kernel.doctor.examine({ repair: false })).toEqual([]);
    expect(
      await kernel.audit.verify(kernel.tenants.openAny((await kernel.tenants.get(id))!, { kind: 'system' })),
    ).toMatchObject({
      ok: true,
    });
  });

  test('is suspended and resumed', async () => {
    const { client } = await program.operator();
    // The typed client would forget its tokens at the first refusal.
    const list = () => call(program.url, 'GET', '/api/documents', { token: company.admin.token });
    await client.fleet.suspendCompany({ params: { id } });
    expect((await list()).status).toBe(401);
    await client.fleet.resumeCompany({ params: { id } });
    expect((await list()).body.items).toHaveLength(1);
  });

  test('is deleted, and nothing is left', async () => {
    const { client } = await program.operator();
    const query = { confirm: company.slug, purge: 'now' } as const;
    const answer = await client.open('deleteCompany', { params: { id }, query });
    expect(answer.status).toBe(204);
    expect(await traces(id)).toEqual([]);
    expect(await credentials(id)).toBe(0);
    const { kernel } = program.program;
    expect(kernel.connections.list().filter((entry) => entry.tenantId === id)).toEqual([]);
    expect(await kernel.doctor.examine({ repair: false })).toEqual([]);
  });
});
