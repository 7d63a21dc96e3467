/** Control migrations of registry, journal and fleet, in order. */
import { tenantsMigration0001 } from './0001-tenants.ts';

export const tenantsControlMigrations = [tenantsMigration0001];
