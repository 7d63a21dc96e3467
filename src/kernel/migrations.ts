/** The kernel's own migrations, in order of application. Those of modules come after them. */
import { databaseControlMigrations, databaseModule, databaseTenantMigrations } from './database/kernel-migrations.ts';
import type { ControlMigration, TenantMigration } from './database/migration.ts';
import type { ModuleMigrations } from './database/migrator.ts';
import { filesControlMigrations, filesModule } from './files/s3-keys-table.ts';
import { workControlMigrations, workTenantMigrations } from './jobs/background.ts';
import { placementsControlMigrations, placementsModule } from './placements/migrations.ts';
import { tenantsControlMigrations } from './tenants/migrations/index.ts';

export const kernelControlMigrations: readonly ModuleMigrations<ControlMigration>[] = [
  { module: databaseModule, migrations: databaseControlMigrations },
  { module: 'tenants', migrations: tenantsControlMigrations },
  { module: 'work', migrations: workControlMigrations },
  { module: placementsModule, migrations: placementsControlMigrations },
  { module: filesModule, migrations: filesControlMigrations },
];

export const kernelTenantMigrations: readonly ModuleMigrations<TenantMigration>[] = [
  { module: databaseModule, migrations: databaseTenantMigrations },
  { module: 'work', migrations: workTenantMigrations },
];

/** What of a module is needed to make its databases. */
export interface MigratingModule {
  readonly name: string;
  readonly controlMigrations: readonly ControlMigration[];
  readonly tenantMigrations: readonly TenantMigration[];
}

/** All control migrations, of kernel and modules, in order. */
export function allControlMigrations(modules: readonly MigratingModule[]): ModuleMigrations<ControlMigration>[] {
  const own = modules.map((module) => ({ module: module.name, migrations: module.controlMigrations }));
  return [...kernelControlMigrations, ...own];
}

/** All tenant migrations, of kernel and modules, in order. */
export function allTenantMigrations(modules: readonly MigratingModule[]): ModuleMigrations<TenantMigration>[] {
  const own = modules.map((module) => ({ module: module.name, migrations: module.tenantMigrations }));
  return [...kernelTenantMigrations, ...own];
}
