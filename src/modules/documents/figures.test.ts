import { describe, expect, it } from 'vitest';
import { day, minute, second } from '../../kernel/clock.ts';
import type { Tenant } from '../../kernel/handles.ts';
import { type Company, openWorld, upload, type World } from './test-support.ts';

const dayOf = (tenant: Tenant) => tenant.clock.iso().slice(0, 10);
const ofCompany = (world: World, { tenant }: Company, since = '2000-01-01') =>
  world.kernel.figures.ofTenant(tenant.id, since);
const jobsOf = ({ tenant }: Company) => tenant.db.read.selectFrom('jobs').select(['type', 'due_at']).execute();

describe('figures of a company', () => {
  it('are counted shortly after its documents changed, and again a minute later at most', async () => {
    const world = await openWorld();
    const company = await world.company();
    const person = await company.person('employee');
    await upload(world, person, 'one.bin', 'x'.repeat(100));
    await upload(world, person, 'two.bin', 'y'.repeat(50));
    await world.kernel.settle();
    expect(await ofCompany(world, company), 'not in the request, nor in the same visit').toEqual([]);
    // However much is uploaded, one job waits.
    expect(await jobsOf(company)).toMatchObject([{ type: 'documents.count' }]);
    world.travel(2 * second);
    await world.kernel.settle();
    const today = dayOf(company.tenant);
    const figures = { day: today, added: 2, documents: 2, bytes: 150 };
    expect(await ofCompany(world, company)).toMatchObject([figures]);
    expect((await ofCompany(world, company))[0]!.databaseBytes).toBeGreaterThan(10_000);
    expect(await jobsOf(company)).toEqual([]);

    await upload(world, person, 'three.bin', 'z'.repeat(10));
    await world.kernel.settle();
    world.travel(30 * second);
    await world.kernel.settle();
    expect(await ofCompany(world, company), 'within the minute').toMatchObject([figures]);
    world.travel(minute);
    await world.kernel.settle();
    expect(await ofCompany(world, company)).toMatchObject([{ ...figures, added: 3, documents: 3, bytes: 160 }]);
  });

  it('tell what went to the trash and what was purged, and keep the days before', async () => {
    const world = await openWorld();
    const company = await world.company();
    const person = await company.person('hr_admin');
    const { document } = await upload(world, person, 'one.bin', 'x'.repeat(100));
    await upload(world, person, 'two.bin', 'y'.repeat(50));
    await world.kernel.settle();
    world.travel(2 * second);
    await world.kernel.settle();
    const first = dayOf(company.tenant);
    world.travel(2 * day);
    await upload(world, person, 'three.bin', 'z'.repeat(10));
    await world.documents.documents.trash(person, document.id);
    await world.kernel.settle();
    world.travel(2 * second);
    await world.kernel.settle();
    const later = dayOf(company.tenant);
    expect(await ofCompany(world, company)).toMatchObject([
      { day: first, added: 2, documents: 2, bytes: 150 },
      { day: later, added: 1, documents: 2, bytes: 160 },
    ]);
    expect(await ofCompany(world, company, later)).toHaveLength(1);
    world.travel(2 * minute);
    await world.documents.documents.purge(person, document.id);
    await world.kernel.settle();
    world.travel(2 * second);
    await world.kernel.settle();
    expect((await ofCompany(world, company)).at(-1)).toMatchObject({ documents: 2, bytes: 60 });
    const fleet = await world.kernel.figures.ofFleet(first, 10);
    expect(fleet).toMatchObject({ companies: 1, documents: 2, bytes: 60 });
    expect(fleet.days.map(({ added }) => added).reduce((sum, count) => sum + count, 0)).toBe(3);
  });

  it('of a company that never was counted reach back to its first documents', async () => {
    const world = await openWorld();
    const company = await world.company();
    const person = await company.person('employee');
    await upload(world, person, 'one.bin', 'x');
    // As if that had been before there were figures.
    await company.tenant.db.transaction((tx) => tx.deleteFrom('jobs').execute());
    await world.kernel.settle();
    await company.tenant.db.transaction((tx) => tx.deleteFrom('jobs').execute());
    const first = dayOf(company.tenant);
    world.travel(3 * day);
    await upload(world, person, 'two.bin', 'y');
    await world.kernel.settle();
    world.travel(2 * second);
    await world.kernel.settle();
    expect(await ofCompany(world, company)).toMatchObject([
      { day: first, added: 1, documents: null, bytes: null },
      { day: dayOf(company.tenant), added: 1, documents: 2, bytes: 2 },
    ]);
  });
});
