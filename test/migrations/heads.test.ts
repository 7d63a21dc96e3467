/** The lists that other tests and a glance look at are those that a kernel really applies. */
import { expect, test } from 'vitest';
import { migrationNames } from '../../src/kernel/database/migrator.ts';
import { allControlMigrations, allTenantMigrations } from '../../src/kernel/migrations.ts';
import { controlHead, tenantHead } from '../../src/modules/heads.ts';
import { createModules, moduleMigrations } from '../../src/modules/index.ts';
import { createTestTenant, openTestKernel } from '../support/kernel.ts';

test('the heads are counted right', () => {
  const count = (lists: readonly { readonly migrations: readonly unknown[] }[]) =>
    lists.reduce((sum, list) => sum + list.migrations.length, 0);
  expect(controlHead).toBe(count(allControlMigrations(moduleMigrations)));
  expect(tenantHead).toBe(count(allTenantMigrations(moduleMigrations)));
});

test('a kernel applies what the lists name, to control and tenant databases', async () => {
  const kernel = await openTestKernel({}, { modules: (made) => createModules(made).all });
  const { tenant } = await createTestTenant(kernel);
  const control = await kernel.control.read.selectFrom('migrations').select(['module', 'name']).execute();
  const own = await tenant.db.read.selectFrom('migrations').select(['module', 'name']).execute();
  const applied = (rows: typeof own) => rows.map(({ module, name }) => `${module}/${name}`).toSorted();
  expect(applied(control)).toEqual(migrationNames(allControlMigrations(moduleMigrations)).toSorted());
  expect(applied(own)).toEqual(migrationNames(allTenantMigrations(moduleMigrations)).toSorted());
});
