/**
 * The modules, in order: of boot, of migrations, and of who may import whom (a module may use those above it). The
 * migrations can be read without a kernel, for commands and tests that only need the structure.
 */
import type { ControlMigration, TenantMigration } from '../kernel/database/migration.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { Module } from '../kernel/module.ts';
import { type Accounts, createAccounts } from './accounts/index.ts';
import { accountsMigrations } from './accounts/migrations/index.ts';
import { createDocuments, type Documents } from './documents/index.ts';
import { documentsMigrations } from './documents/migrations/index.ts';
import { createFleet, type FleetModule, type FleetParts } from './fleet/index.ts';
import { fleetMigrations } from './fleet/migrations/index.ts';

export interface Modules {
  readonly accounts: Accounts;
  readonly fleet: FleetModule;
  readonly documents: Documents;
  /** In order, as the kernel registers them. */
  readonly all: readonly Module[];
}

/** Makes every module for one kernel. */
export function createModules(kernel: Kernel): Modules {
  const accounts = createAccounts(kernel);
  const parts: FleetParts = { accounts };
  const fleet = createFleet(kernel, parts);
  const documents = createDocuments(kernel, { accounts });
  parts.stats = documents.stats;
  return { accounts, fleet, documents, all: [accounts, fleet, documents.module] };
}

export interface MigrationsOfModule {
  readonly name: string;
  /** The same as `name`. */
  readonly module: string;
  readonly controlMigrations: readonly ControlMigration[];
  readonly tenantMigrations: readonly TenantMigration[];
}

function migrationsOf(
  name: string,
  list: { readonly control: readonly ControlMigration[]; readonly tenant: readonly TenantMigration[] },
): MigrationsOfModule {
  return { name, module: name, controlMigrations: list.control, tenantMigrations: list.tenant };
}

export const moduleMigrations: readonly MigrationsOfModule[] = [
  accountsMigrations,
  migrationsOf('fleet', fleetMigrations),
  migrationsOf('documents', { control: [], tenant: documentsMigrations.tenantMigrations }),
];
