/** A glance says "current" of nothing that is not. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { createTestTenant, openTestKernel, testFolder } from '../../../test/support/kernel.ts';
import { allControlMigrations } from '../migrations.ts';
import { isFleetCurrent } from './control-glance.ts';

test('a fleet at its heads is current; one company, one control migration or one running run off is not', async () => {
  const dataDir = testFolder();
  const path = join(dataDir, 'control.db');
  const control = allControlMigrations([]).reduce((sum, list) => sum + list.migrations.length, 0);
  expect(isFleetCurrent(path, { control, tenant: 0 })).toBe(false);

  const kernel = await openTestKernel({ dataDir });
  await createTestTenant(kernel);
  const { record } = await createTestTenant(kernel);
  const heads = { control, tenant: kernel.fleet.head };
  // Beside the process that owns the folder, too.
  expect(isFleetCurrent(path, heads)).toBe(true);
  await kernel.close();
  expect(isFleetCurrent(path, heads)).toBe(true);
  expect(isFleetCurrent(path, { ...heads, control: control + 1 })).toBe(false);
  expect(isFleetCurrent(path, { ...heads, tenant: heads.tenant + 1 })).toBe(false);

  const db = new DatabaseSync(path);
  db.prepare('update tenants set schema_version = schema_version - 1 where id = ?').run(record.id);
  expect(isFleetCurrent(path, heads)).toBe(false);
  db.prepare("update tenants set state = 'deleted' where id = ?").run(record.id);
  expect(isFleetCurrent(path, heads)).toBe(true);
  db.exec('drop table migration_runs');
  expect(isFleetCurrent(path, heads)).toBe(false);
  db.close();
});
