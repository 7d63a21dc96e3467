/**
 * Companies at Neon over HTTP, from creation to nothing, in both modes; and what the doctor says of a project that belongs
 * to nobody.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { idPart, newId, type TenantId } from '../../src/kernel/ids.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { startTestProgram, type TestCompany, type TestProgram } from '../support/program.ts';
import { uploadFile } from '../support/story.ts';
import { type StandIn, standInKey, startStandIn } from './stand-in.ts';

let server: PostgresServer;
let standIn: StandIn;

beforeAll(async () => {
  server = await startPostgres();
  standIn = await startStandIn(server);
  standIn.looks = 1;
}, 60_000);
afterAll(async () => {
  await standIn?.stop();
  await server?.stop();
});

describe.each(['project', 'database'] as const)('a company with a %s of its own', (neonMode) => {
  let program: TestProgram;
  let company: TestCompany;
  let id: TenantId;

  beforeAll(async () => {
    program = await startTestProgram({
      placement: 'neon',
      neonApiKey: standInKey,
      neonApiUrl: standIn.url,
      neonCallsPerSecond: 500,
      neonPooled: neonMode === 'database',
      neonMode,
    });
  }, 60_000);
  afterAll(() => program?.stop());

  test('is made, listed and used', async () => {
    const { client } = await program.operator();
    company = await program.company(`Works ${neonMode}`);
    id = company.id as TenantId;
    const { items } = await client.fleet.listCompanies({ query: { placement: 'neon' } });
    expect(items.map((item) => item.id)).toEqual([id]);
    expect(await client.fleet.testCompanyDatabase({ params: { id } })).toMatchObject({ ok: true, identity: 'match' });
    const employee = await program.person(company.admin, 'employee');
    const made = await uploadFile(program.url, employee.token, 'one.txt', 'content of one');
    const listed = await employee.client.documents.listDocuments({ query: {} });
    expect(listed.items.map((item) => item.id)).toEqual([made.id]);
    const stats = await client.fleet.getCompanyStats({ params: { id } });
    expect(stats).toMatchObject({ users: 2, documents: 1 });
    expect(stats.database_bytes).toBeGreaterThan(50_000);
  });

  test('is examined and found right, and a project or database that belongs to nobody is found and removed', async () => {
    const { kernel } = program.program;
    expect(await kernel.doctor.examine({ repair: false })).toEqual([]);
    const old = newId('company', Date.now() - 7_200_000);
    const unit = `tenant_${idPart(old)}`;
    if (neonMode === 'project') {
      const name = standIn.projects.all()[0]!.name.replace(/tenant_.*/, unit);
      await standIn.projects.create({ name, branch: { role_name: `${unit}_a`, database_name: unit } });
    } else {
      const [project] = standIn.projects.all();
      const [operation] = await standIn.projects.createDatabase(project!, unit);
      await standIn.projects.look(project!, operation!);
    }
    const expected = { subject: unit, problem: expect.stringContaining('belongs to no company') };
    expect(await kernel.doctor.examine({ repair: false })).toMatchObject([{ ...expected, repaired: false }]);
    expect(await kernel.doctor.examine({ repair: true })).toMatchObject([{ ...expected, repaired: true }]);
    expect(await server.named(idPart(old))).toEqual([]);
    expect(await kernel.doctor.examine({ repair: false })).toEqual([]);
  });

  test('is deleted, and nothing is left', async () => {
    const { client } = await program.operator();
    const query = { confirm: company.slug, purge: 'now' } as const;
    const answer = await client.open('deleteCompany', { params: { id }, query });
    expect(answer.status).toBe(204);
    expect(await server.named(idPart(id))).toEqual([]);
    const { kernel } = program.program;
    const records = await kernel.control.read.selectFrom('neon_units').select('owner').execute();
    expect(records.map(({ owner }) => owner)).not.toContain(id);
    expect(standIn.projects.all()).toHaveLength(neonMode === 'project' ? 0 : 1);
    expect(await kernel.doctor.examine({ repair: false })).toEqual([]);
    await standIn.clear();
  });
});
