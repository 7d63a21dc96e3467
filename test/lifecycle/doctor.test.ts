/** What doctor finds, and what it mends. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { hour, shiftedClock } from '../../src/kernel/clock.ts';
import { idPart, newId } from '../../src/kernel/ids.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import type { Module } from '../../src/kernel/module.ts';
import { armFailpoints, disarmFailpoints } from '../../src/kernel/tenants/failpoints.ts';
import type { TenantRecord } from '../../src/kernel/tenants/tenants.ts';
import { createTestTenant, openTestKernel, testOperator } from '../support/kernel.ts';
import { probeModule, remainsOf, workingProblem } from '../support/lifecycle.ts';

const probed = { modules: (kernel: Pick<Kernel, 'control'>) => [probeModule(kernel)] };
const databaseOf = (kernel: Kernel, record: TenantRecord) =>
  join(kernel.config.dataDir, 'tenants', idPart(record.id), 'tenant.db');

async function problems(kernel: Kernel, repair = false) {
  const findings = await kernel.doctor.examine({ repair });
  return findings.map((finding) => `${finding.subject}: ${finding.problem}${finding.repaired ? ' (repaired)' : ''}`);
}

it('finds a database that is missing, foreign or changed, and touches none of them', async () => {
  const kernel = await openTestKernel({}, probed);
  const [gone, swapped, other, changed, sound] = await Promise.all(
    Array.from({ length: 5 }, async () => (await createTestTenant(kernel)).record),
  );
  await kernel.connections.closeAll();
  rmSync(databaseOf(kernel, gone!));
  const bytes = (await import('node:fs')).readFileSync(databaseOf(kernel, other!));
  writeFileSync(databaseOf(kernel, swapped!), bytes);
  const handle = new DatabaseSync(databaseOf(kernel, changed!));
  handle.exec('create table planted (id text)');
  handle.close();
  const found = await problems(kernel, true);
  expect(found.filter((line) => line.startsWith(gone!.id))).toEqual([`${gone!.id}: the database is missing`]);
  expect(found.filter((line) => line.startsWith(swapped!.id))).toEqual([
    `${swapped!.id}: the database is not this company’s own, and is refused`,
  ]);
  expect(found.filter((line) => line.startsWith(changed!.id))).toEqual([
    `${changed!.id}: the structure of the database is not what the migrations make`,
  ]);
  expect(found).toHaveLength(3);
  expect(existsSync(databaseOf(kernel, gone!))).toBe(false);
  const swappedTenant = await kernel.tenants.open(swapped!.id, testOperator);
  await expect(swappedTenant.db.read.selectFrom('probe_rows').selectAll().execute()).rejects.toMatchObject({
    code: 'identity_mismatch',
  });
  expect(await workingProblem(kernel, sound!.id)).toBeUndefined();
});

it('removes what belongs to no company once it is old enough, and nothing else', async () => {
  let offset = 0;
  const kernel = await openTestKernel({}, { ...probed, clock: shiftedClock(() => offset) });
  const { record } = await createTestTenant(kernel);
  const { dataDir } = kernel.config;
  const stray = idPart(newId('company'));
  mkdirSync(join(dataDir, 'tenants', stray), { recursive: true });
  writeFileSync(join(dataDir, 'tenants', stray, 'tenant.db'), 'left over');
  mkdirSync(join(dataDir, 'buckets', `strongroom-${stray}`, 'tmp'), { recursive: true });
  mkdirSync(join(dataDir, 'tenants', 'of-somebody-else'));
  mkdirSync(join(dataDir, 'buckets', 'of-somebody-else'));
  expect(await problems(kernel, true)).toEqual([]);
  offset = 2 * hour;
  expect(await problems(kernel)).toHaveLength(2);
  expect(existsSync(join(dataDir, 'tenants', stray))).toBe(true);
  const repaired = await problems(kernel, true);
  expect(repaired.every((line) => line.endsWith('(repaired)'))).toBe(true);
  expect(existsSync(join(dataDir, 'tenants', stray))).toBe(false);
  expect(existsSync(join(dataDir, 'buckets', `strongroom-${stray}`))).toBe(false);
  expect(existsSync(join(dataDir, 'tenants', 'of-somebody-else'))).toBe(true);
  expect(existsSync(join(dataDir, 'buckets', 'of-somebody-else'))).toBe(true);
  expect(await workingProblem(kernel, record.id)).toBeUndefined();
  expect(await problems(kernel)).toEqual([]);
});

it('settles what a failure left open', async () => {
  const kernel = await openTestKernel({}, probed);
  armFailpoints('create.seed.before=throw');
  try {
    await expect(createTestTenant(kernel)).rejects.toMatchObject({ kind: 'unavailable' });
  } finally {
    disarmFailpoints();
  }
  const [record] = (await kernel.tenants.list({ limit: 1 })).items;
  expect(record?.state).toBe('failed');
  const reason = (await kernel.tenants.operations(record!.id))[0]?.steps.find((step) => step.status === 'failed');
  expect(reason?.name).toBe('seed');
  expect(await problems(kernel)).toEqual([`${record!.id}: create was interrupted (attempt 1)`]);
  expect(await problems(kernel, true)).toEqual([`${record!.id}: create was interrupted (attempt 1) (repaired)`]);
  expect(await workingProblem(kernel, record!.id)).toBeUndefined();
});

it('is asked by modules as well, and makes a bucket that is missing', async () => {
  const asked: string[] = [];
  const curious = (kernel: Pick<Kernel, 'control'>): Module => ({
    ...probeModule(kernel),
    examine: async (tenant, { deep }) => {
      asked.push(`${tenant.id} ${deep}`);
      return [{ subject: tenant.id, problem: 'an object is missing', repair: null, repaired: false }];
    },
  });
  const kernel = await openTestKernel({}, { modules: (made) => [curious(made)] });
  const { record } = await createTestTenant(kernel);
  await kernel.files.deleteBucket(record.bucket);
  const findings = await kernel.doctor.examine({ repair: true, deep: true, only: [record.id] });
  expect(asked).toEqual([`${record.id} true`]);
  expect(findings.map((finding) => finding.problem)).toEqual(['an object is missing', 'the bucket is missing']);
  expect(await kernel.files.bucketExists(record.bucket)).toBe(true);
});

it('gives a creation up when it is told to, or after five attempts', async () => {
  let offset = 0;
  const kernel = await openTestKernel({}, { ...probed, clock: shiftedClock(() => offset) });
  const fail = async () => {
    await expect(createTestTenant(kernel)).rejects.toMatchObject({ code: 'operation_interrupted' });
    return (await kernel.tenants.list({ limit: 1, sort: '-created_at' })).items[0]!;
  };
  armFailpoints('create.bucket.before=throw');
  try {
    const given = await fail();
    await kernel.tenants.abandon(given.id, testOperator);
    expect(await remainsOf(kernel, given.id)).toEqual({ files: [], rows: [] });
    expect((await kernel.tenants.operations(given.id))[0]).toMatchObject({ status: 'undone' });
    await expect(kernel.tenants.abandon(given.id, testOperator)).rejects.toMatchObject({ kind: 'not_found' });

    const tried = await fail();
    for (let attempt = 2; attempt <= 5; attempt += 1) {
      expect((await kernel.tenants.get(tried.id))?.state).toBe('failed');
      offset += hour;
      await kernel.settle();
    }
    expect((await kernel.tenants.get(tried.id))?.state).toBe('deleted');
    expect((await kernel.tenants.operations(tried.id))[0]).toMatchObject({ status: 'undone', attempts: 5 });
    expect(await remainsOf(kernel, tried.id)).toEqual({ files: [], rows: [] });
  } finally {
    disarmFailpoints();
  }
  const { record } = await createTestTenant(kernel);
  await expect(kernel.tenants.abandon(record.id, testOperator)).rejects.toMatchObject({ kind: 'conflict' });
});

it('does not go forward again with a creation that was given up, whatever came between', async () => {
  const kernel = await openTestKernel({}, probed);
  armFailpoints('create.bucket.before=throw,undo.bucket.before=throw');
  try {
    await expect(createTestTenant(kernel)).rejects.toMatchObject({ code: 'operation_interrupted' });
    const { id } = (await kernel.tenants.list({ limit: 1 })).items[0]!;
    await expect(kernel.tenants.abandon(id, testOperator)).rejects.toMatchObject({ code: 'operation_interrupted' });
    disarmFailpoints();
    await kernel.close();
    const reopened = await openTestKernel({ dataDir: kernel.config.dataDir }, probed);
    expect((await reopened.tenants.get(id))?.state).toBe('deleted');
    expect((await reopened.tenants.operations(id))[0]).toMatchObject({ status: 'undone' });
    expect(await remainsOf(reopened, id)).toEqual({ files: [], rows: [] });
  } finally {
    disarmFailpoints();
  }
});

it('refuses a second process in the same folder with a text that helps', async () => {
  const kernel = await openTestKernel();
  await expect(openTestKernel({ dataDir: kernel.config.dataDir })).rejects.toMatchObject({
    kind: 'unavailable',
    code: 'folder_in_use',
    message: expect.stringContaining('STRONGROOM_DATA_DIR'),
  });
  await kernel.close();
  await kernel.close();
  await (await openTestKernel({ dataDir: kernel.config.dataDir })).close();
});
