/** The heads that a glance compares with are those that the release really has. */
import { expect, test } from 'vitest';
import { allControlMigrations, allTenantMigrations } from '../../src/kernel/migrations.ts';
import { controlHead, tenantHead } from '../../src/modules/heads.ts';
import { moduleMigrations } from '../../src/modules/index.ts';

test('the heads are counted right', () => {
  const count = (lists: readonly { readonly migrations: readonly unknown[] }[]) =>
    lists.reduce((sum, list) => sum + list.migrations.length, 0);
  expect(controlHead).toBe(count(allControlMigrations(moduleMigrations)));
  expect(tenantHead).toBe(count(allTenantMigrations(moduleMigrations)));
});
