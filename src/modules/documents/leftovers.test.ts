import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { hour, minute } from '../../kernel/clock.ts';
import type { Tenant } from '../../kernel/handles.ts';
import { referenceFile } from './repository/files.ts';
import { createInHand } from './service/in-hand.ts';
import { createLeftovers, withoutOwner } from './service/leftovers.ts';
import { download, filePart, openWorld, outcome, request, upload } from './test-support.ts';

const nobodys = (tenant: Tenant) => tenant.files.put(Readable.from([Buffer.from('nobody')]));

describe('objects without a row', () => {
  it('go after the grace, and what has a row or is in hand stays', async () => {
    const world = await openWorld({ objectGraceSeconds: 3_600 });
    const company = await world.company();
    const { tenant } = company;
    const { document } = await upload(world, await company.person('employee'), 'a.txt', 'kept');
    const orphan = await nobodys(tenant);
    const held = await nobodys(tenant);
    const inHand = createInHand();
    inHand.add(tenant.id, held.key);
    const schedule = createLeftovers(world.kernel, inHand);
    await schedule.run(tenant);
    expect(company.objects()).toHaveLength(3);
    const due = await schedule.nextDue(tenant);
    expect(Math.abs(due! - tenant.clock.now() - hour)).toBeLessThan(minute);
    world.travel(hour + minute);
    await schedule.run(tenant);
    expect(company.objects()).not.toContain(orphan.key);
    expect(company.objects()).toContain(held.key);
    expect(company.objects()).toHaveLength(2);
    expect(await schedule.nextDue(tenant)).toBeNull();
    expect((await download(world, await company.person('hr_admin'), document.id)).text).toBe('kept');
  });

  it('are looked for once, and that costs nothing afterwards', async () => {
    const world = await openWorld();
    const { tenant } = await world.company();
    const schedule = createLeftovers(world.kernel, createInHand());
    expect(await schedule.nextDue(tenant)).not.toBeNull();
    await schedule.run(tenant);
    expect(await schedule.nextDue(tenant)).toBeNull();
    let listings = 0;
    const keys = () => {
      listings += 1;
      return tenant.files.keys();
    };
    const counted = { ...tenant, files: { ...tenant.files, keys } };
    for (let n = 0; n < 3; n += 1) await schedule.run(counted);
    expect(listings).toBe(0);
  });

  it('of an upload whose end could not be undone go in the same process', async () => {
    const world = await openWorld({ objectGraceSeconds: 3_600 });
    const company = await world.company();
    const person = await company.person('employee');
    await world.kernel.settle();
    await upload(world, person, 'a.txt', 'first');
    // The second is refused for its name, and the store does not remove it at that moment.
    const files = {
      ...person.tenant.files,
      delete: async () => {
        throw new Error('the disk is away');
      },
    };
    const broken = { ...person, tenant: { ...person.tenant, files } };
    const again = world.documents.uploads.upload(broken, request({ parts: [filePart('a.txt', 'second')] }));
    expect(await outcome(again)).toBe('filename_taken');
    expect(company.objects()).toHaveLength(2);
    await world.kernel.settle();
    expect(company.objects()).toHaveLength(2);
    world.travel(hour + minute);
    await world.kernel.settle();
    expect(company.objects()).toHaveLength(1);
  });

  it('are not those whose row comes between two looks', async () => {
    const world = await openWorld();
    const { tenant, person } = await world.company();
    const stored = await nobodys(tenant);
    const headers = { 'tus-resumable': '1.0.0', 'upload-length': '5', 'upload-metadata': `filename ${btoa('a.txt')}` };
    await world.documents.resumables.begin(await person('employee'), request({ headers }));
    const commit = () => tenant.db.transaction((tx) => referenceFile(tx, stored));
    const partial = async (id: string) => {
      await commit();
      return tenant.files.partial(id);
    };
    const racing = { ...tenant, files: { ...tenant.files, partial } };
    expect(await withoutOwner(tenant, createInHand(), [stored.key])).toEqual([stored.key]);
    expect(await withoutOwner(racing, createInHand(), [stored.key])).toEqual([]);
  });

  it('are never those of an upload that ends while they are looked at', async () => {
    const world = await openWorld({ objectGraceSeconds: 0 });
    const company = await world.company();
    const person = await company.person('employee');
    let over = false;
    const looking = (async () => {
      while (!over) {
        // As a process does that has just begun: everything is looked at.
        const { module } = world.documents;
        expect(await module.examine!(company.tenant, { repair: true, deep: false })).toEqual([]);
      }
    })();
    const kept = await Promise.all(
      Array.from({ length: 60 }, (_, n) => upload(world, person, `${n}.txt`, `body ${n}`)),
    );
    over = true;
    await looking;
    for (const [n, { document }] of kept.entries()) {
      expect((await download(world, person, document.id)).text).toBe(`body ${n}`);
    }
  });
});
