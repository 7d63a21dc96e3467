/** Migrations of accounts, importable without a kernel. */
import { createPeople } from './0001-accounts.ts';
import { createOperators } from './0001-operators.ts';

export const accountsMigrations = {
  name: 'accounts',
  module: 'accounts',
  controlMigrations: [createOperators],
  tenantMigrations: [createPeople],
} as const;
