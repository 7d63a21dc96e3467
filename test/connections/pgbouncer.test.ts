/** A whole installation behind PgBouncer in transaction mode: requests go through it, everything else does not. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TenantId } from '../../src/kernel/ids.ts';
import { type PgBouncer, pgBouncerProgram, startPgBouncer } from '../support/pgbouncer.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { startTestProgram, type TestCompany, type TestProgram } from '../support/program.ts';
import { call, expectCall, uploadFile } from '../support/story.ts';

const installed = pgBouncerProgram() !== undefined;
if (!installed) console.warn('PgBouncer is not installed (apt-get install pgbouncer): its tests are skipped.');

describe.skipIf(!installed)('behind PgBouncer', () => {
  let server: PostgresServer;
  let pooler: PgBouncer;
  let program: TestProgram;
  const unitOf = async (company: TestCompany) =>
    (await program.program.kernel.tenants.get(company.id as TenantId))!.placement.unit;

  beforeAll(async () => {
    server = await startPostgres();
    pooler = await startPgBouncer(server.url);
    const control = await server.newDatabase('pooled');
    program = await startTestProgram({
      controlUrl: pooler.through(control),
      controlDirectUrl: control,
      keyRing: `k1:${randomBytes(32).toString('base64')}`,
      postgresUrl: server.url,
      postgresPooledUrl: pooler.through(server.url),
    });
  }, 120_000);
  afterAll(async () => {
    await program?.stop();
    await pooler?.stop();
    await server?.stop();
  });

  test.each(['schema', 'database'] as const)(
    'the whole story of a company in a %s',
    { timeout: 60_000 },
    async (placement) => {
      const { client } = await program.operator();
      const company = await program.company(`Pooled ${placement}`, { placement });
      const unit = await unitOf(company);
      const params = { id: company.id };
      const employee = await program.person(company.admin, 'employee');
      const document = await uploadFile(program.url, employee.token, 'one.txt', 'content of one');
      const read = (token: string) => call(program.url, 'GET', `/api/documents/${document.id}/download`, { token });
      expect((await read(employee.token)).text).toBe('content of one');

      // More at once than there are connections behind the pooler.
      const upload = (index: number) => uploadFile(program.url, employee.token, `${index}.txt`, `content ${index}`);
      const uploads = Array.from({ length: 12 }, (_, index) => upload(index));
      const lists = Array.from({ length: 60 }, () =>
        expectCall<{ items: unknown[] }>(200, program.url, 'GET', '/api/documents', { token: employee.token }),
      );
      await Promise.all([...uploads, ...lists]);
      expect((await client.fleet.getCompanyStats({ params })).documents).toBe(13);
      expect(await client.fleet.testCompanyDatabase({ params })).toMatchObject({ ok: true, identity: 'match' });

      // Requests went through the pooler; migrations, and whoever makes roles, never did.
      const users = (await pooler.pools()).map(({ user }) => user);
      expect(users).toContain(unit);
      expect(users.filter((user) => /_[mo]$/.test(user))).toEqual([]);

      await client.fleet.suspendCompany({ params });
      expect((await read(company.admin.token)).status).toBe(401);
      await client.fleet.resumeCompany({ params });
      expect((await read(company.admin.token)).status).toBe(200);
      const { kernel } = program.program;
      await kernel.settle();
      expect(
        await kernel.audit.verify(
          kernel.tenants.openAny((await kernel.tenants.get(company.id as TenantId))!, { kind: 'system' }),
        ),
      ).toMatchObject({ ok: true });
      const query = { confirm: company.slug, purge: 'now' } as const;
      expect((await client.open('deleteCompany', { params, query })).status).toBe(204);
      expect(await server.named(unit)).toEqual([]);
      expect(await kernel.doctor.examine({ repair: false })).toEqual([]);
    },
  );

  test('a database that was dropped is told from a pooler that does not answer', { timeout: 60_000 }, async () => {
    const company = await program.company('Dropped behind', { placement: 'database' });
    const unit = await unitOf(company);
    const list = () => call(program.url, 'GET', '/api/documents', { token: company.admin.token });
    expect((await list()).status).toBe(200);
    await server.ask(`DROP DATABASE "${unit}" WITH (FORCE)`);
    await expect.poll(async () => (await list()).body.code, { timeout: 30_000 }).toBe('database_missing');
    expect((await list()).status).toBe(503);
    expect(await server.named(unit)).not.toContain(`database ${unit}`);
  });
});
