/** Control migrations of registry, journal and fleet, in order. */
import { tenantsMigration0001 } from './0001-tenants.ts';
import { tenantsMigration0002 } from './0002-several-processes.ts';
import { tenantsMigration0003 } from './0003-figures.ts';

export const tenantsControlMigrations = [tenantsMigration0001, tenantsMigration0002, tenantsMigration0003];
