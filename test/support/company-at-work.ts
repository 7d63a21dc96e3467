/** What a company that was just made can do, wherever it lies. */
import { expect } from 'vitest';
import type { TenantId } from '../../src/kernel/ids.ts';
import type { PlacementKind } from '../../src/kernel/placements/placement.ts';
import type { TestCompany, TestProgram } from './program.ts';
import { uploadFile } from './story.ts';

/** It is listed under its placement, its database is its own, and somebody works in it; then it holds one document. */
export async function expectAtWork(
  program: TestProgram,
  company: TestCompany,
  placement: PlacementKind,
): Promise<void> {
  const { client } = await program.operator();
  const id = company.id as TenantId;
  const { items } = await client.fleet.listCompanies({ query: { placement } });
  expect(items.map((item) => item.id)).toEqual([id]);
  expect(await client.fleet.testCompanyDatabase({ params: { id } })).toMatchObject({
    ok: true,
    identity: 'match',
    placement,
  });
  const employee = await program.person(company.admin, 'employee');
  const made = await uploadFile(program.url, employee.token, 'one.txt', 'content of one');
  const listed = await employee.client.documents.listDocuments({ query: {} });
  expect(listed.items.map((item) => item.id)).toEqual([made.id]);
  const stats = await client.fleet.getCompanyStats({ params: { id } });
  expect(stats).toMatchObject({ users: 2, documents: 1 });
  expect(stats.database_bytes).toBeGreaterThan(50_000);
}
