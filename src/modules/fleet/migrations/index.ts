/** The fleet has no tables of its own: companies, journal and runs of migrations are the kernel's. */
import type { ControlMigration, TenantMigration } from '../../../kernel/database/migration.ts';

export const fleetMigrations: {
  readonly control: readonly ControlMigration[];
  readonly tenant: readonly TenantMigration[];
} = { control: [], tenant: [] };
