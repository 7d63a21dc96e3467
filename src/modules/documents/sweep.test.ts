import { describe, expect, it } from 'vitest';
import { day, hour } from '../../kernel/clock.ts';
import { removeUnreferenced } from './repository/files.ts';
import { createInHand } from './service/in-hand.ts';
import { sweep } from './service/sweep.ts';
import { download, filePart, listed, openWorld, outcome, request, sha256, upload } from './test-support.ts';

describe('references', () => {
  it('are those of the versions, and bytes go only with the last', async () => {
    const world = await openWorld();
    const company = await world.company();
    const person = await company.person('employee');
    const { documents, uploads } = world.documents;
    const refs = async () =>
      (await company.tenant.db.read.selectFrom('files').select('refs').execute()).map((row) => row.refs);
    const one = await upload(world, person, 'one.txt', 'same');
    const two = await upload(world, person, 'two.txt', 'same');
    await uploads.uploadVersion(person, two.document.id, request({ parts: [filePart('v', 'same')] }));
    await documents.restoreVersion(person, two.document.id, '1');
    expect(await refs()).toEqual([4]);
    expect(await world.documents.usage(company.tenant)).toMatchObject({ bytes: 16 });
    await documents.purge(person, two.document.id);
    expect(await refs()).toEqual([1]);
    expect(await world.documents.usage(company.tenant)).toMatchObject({ bytes: 4 });
    world.travel(2 * day);
    await sweep(world.kernel, company.tenant, createInHand());
    expect((await download(world, person, one.document.id)).text).toBe('same');
    await documents.trash(person, one.document.id);
    await documents.purge(person, one.document.id);
    expect(await refs()).toEqual([0]);
    await sweep(world.kernel, company.tenant, createInHand());
    expect(company.objects()).toHaveLength(1);
    world.travel(2 * hour);
    await world.kernel.settle();
    expect(company.objects()).toEqual([]);
    expect(await refs()).toEqual([]);
    expect(await world.documents.module.examine!(company.tenant, { repair: false, deep: true })).toEqual([]);
  });

  it('survive uploads of equal bytes racing with the sweep', async () => {
    const world = await openWorld({ objectGraceSeconds: 0 });
    const company = await world.company();
    const person = await company.person('employee');
    for (let round = 0; round < 15; round += 1) {
      const { document } = await upload(world, person, `first-${round}`, 'contested');
      const [again] = await Promise.all([
        upload(world, person, `second-${round}`, 'contested'),
        world.documents.documents.purge(person, document.id),
        sweep(world.kernel, company.tenant, createInHand()),
        sweep(world.kernel, company.tenant, createInHand()),
      ]);
      await sweep(world.kernel, company.tenant, createInHand());
      expect((await download(world, person, again.document.id)).text).toBe('contested');
      await Promise.all([
        world.documents.documents.purge(person, again.document.id),
        sweep(world.kernel, company.tenant, createInHand()),
      ]);
    }
    await sweep(world.kernel, company.tenant, createInHand());
    expect(company.objects()).toEqual([]);
    expect(await world.documents.usage(company.tenant)).toMatchObject({ bytes: 0 });
  });

  it('taken up again are out of reach of the sweep that chose them', async () => {
    const world = await openWorld({ objectGraceSeconds: 0 });
    const company = await world.company();
    const person = await company.person('employee');
    const { document } = await upload(world, person, 'a', 'bytes');
    await world.documents.documents.purge(person, document.id);
    const again = await upload(world, person, 'b', 'bytes');
    const later = new Date(Date.now() + day).toISOString();
    expect(await company.tenant.db.transaction((tx) => removeUnreferenced(tx, later, 10))).toEqual([]);
    expect((await download(world, person, again.document.id)).text).toBe('bytes');
  });
});

describe('the trash', () => {
  it('empties by itself after its time, and not before', async () => {
    const world = await openWorld({ trashDays: 30 });
    const company = await world.company();
    const person = await company.person('employee');
    const { document } = await upload(world, person, 'a.txt', 'x');
    await upload(world, person, 'kept.txt', 'y');
    await world.documents.documents.trash(person, document.id);
    world.travel(29 * day);
    await world.kernel.settle();
    expect(await listed(world, person, { trashed: true })).toEqual(['a.txt']);
    world.travel(day + hour);
    await world.kernel.settle();
    expect(await listed(world, person, { trashed: true })).toEqual([]);
    world.travel(2 * hour);
    await world.kernel.settle();
    expect(await listed(world, person)).toEqual(['kept.txt']);
    expect(company.objects()).toHaveLength(1);
    const { items } = await world.kernel.audit.list(company.tenant, { limit: 50 });
    expect(items.find((row) => row.action === 'document.purged')).toMatchObject({
      actor: 'system',
      target: document.id,
    });
  });
});

describe('doctor', () => {
  it('finds what does not add up, mends it, and leaves what is in use', async () => {
    const world = await openWorld();
    const company = await world.company();
    const person = await company.person('employee');
    const { tenant } = company;
    const { document } = await upload(world, person, 'a.txt', 'kept');
    const { Readable } = await import('node:stream');
    const orphan = await tenant.files.put(Readable.from([Buffer.from('nobody')]));
    await tenant.db.transaction(async (tx) => {
      await tx.updateTable('files').set({ refs: 7 }).execute();
      await tx.updateTable('document_usage').set({ bytes: 1, reserved: 9 }).execute();
    });
    const { examine } = world.documents.module;
    const found = await examine!(tenant, { repair: false, deep: true });
    expect(found.map(({ repaired }) => repaired)).toEqual([false, false, false]);
    expect(company.objects()).toContain(orphan.key);
    const mended = await examine!(tenant, { repair: true, deep: true });
    expect(mended.map(({ repaired }) => repaired)).toEqual([true, true, true]);
    expect(await examine!(tenant, { repair: false, deep: true })).toEqual([]);
    expect((await download(world, person, document.id)).text).toBe('kept');
    expect(company.objects()).toHaveLength(1);
    await tenant.files.delete(company.objects());
    expect(await examine!(tenant, { repair: true, deep: true })).toMatchObject([{ repaired: false }]);
    expect(await outcome(download(world, person, document.id))).toBe('object_damaged');
  });

  it('does not take an upload that is under way for an orphan', async () => {
    const world = await openWorld();
    const company = await world.company();
    const person = await company.person('employee');
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const body = request({ parts: [filePart('a.txt', 'slow')] });
    const parts = async function* () {
      yield* body.parts();
      await held;
    };
    const uploading = world.documents.uploads.upload(person, { ...body, parts });
    while (company.objects().length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(await world.documents.module.examine!(company.tenant, { repair: true, deep: false })).toEqual([]);
    release();
    const { document } = await uploading;
    expect((await download(world, person, document.id)).text).toBe('slow');
    expect(document.sha256).toBe(sha256('slow'));
  });
});
