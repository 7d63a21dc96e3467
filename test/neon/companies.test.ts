/**
 * Companies at Neon over HTTP, from creation to nothing, in both modes; and what the doctor says of a project that belongs
 * to nobody.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { idPart, newId, type TenantId } from '../../src/kernel/ids.ts';
import { expectAtWork } from '../support/company-at-work.ts';
import { startTestProgram, type TestCompany, type TestProgram } from '../support/program.ts';
import { neonConfig, useNeon } from './neon-server.ts';

const neon = useNeon();

describe.each(['project', 'database'] as const)('a company with a %s of its own', (neonMode) => {
  let program: TestProgram;
  let company: TestCompany;
  let id: TenantId;

  beforeAll(async () => {
    const neonPooled = neonMode === 'database';
    program = await startTestProgram({ ...neonConfig(neon.standIn, neonMode), neonPooled });
  }, 60_000);
  afterAll(() => program?.stop());

  test('is made, listed and used', async () => {
    company = await program.company(`Works ${neonMode}`);
    id = company.id as TenantId;
    await expectAtWork(program, company, 'neon');
  });

  test('is examined and found right, and a project or database that belongs to nobody is found and removed', async () => {
    const { kernel } = program.program;
    expect(await kernel.doctor.examine({ repair: false })).toEqual([]);
    const old = newId('company', Date.now() - 7_200_000);
    const unit = `tenant_${idPart(old)}`;
    if (neonMode === 'project') {
      const name = neon.standIn.projects.all()[0]!.name.replace(/tenant_.*/, unit);
      await neon.standIn.projects.create({ name, branch: { role_name: `${unit}_a`, database_name: unit } });
    } else {
      const [project] = neon.standIn.projects.all();
      const [operation] = await neon.standIn.projects.createDatabase(project!, unit);
      await neon.standIn.projects.look(project!, operation!);
    }
    const expected = { subject: unit, problem: expect.stringContaining('belongs to no company') };
    expect(await kernel.doctor.examine({ repair: false })).toMatchObject([{ ...expected, repaired: false }]);
    expect(await kernel.doctor.examine({ repair: true })).toMatchObject([{ ...expected, repaired: true }]);
    expect(await neon.server.named(idPart(old))).toEqual([]);
    expect(await kernel.doctor.examine({ repair: false })).toEqual([]);
  });

  test('is deleted, and nothing is left', async () => {
    const { client } = await program.operator();
    const query = { confirm: company.slug, purge: 'now' } as const;
    const answer = await client.open('deleteCompany', { params: { id }, query });
    expect(answer.status).toBe(204);
    expect(await neon.server.named(idPart(id))).toEqual([]);
    const { kernel } = program.program;
    const records = await kernel.control.read.selectFrom('neon_units').select('owner').execute();
    expect(records.map(({ owner }) => owner)).not.toContain(id);
    expect(neon.standIn.projects.all()).toHaveLength(neonMode === 'project' ? 0 : 1);
    expect(await kernel.doctor.examine({ repair: false })).toEqual([]);
    await neon.standIn.clear();
  });
});
