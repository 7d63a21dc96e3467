/** What every placement that stands on PostgreSQL is given, whoever runs the server. */
import type { Clock } from '../clock.ts';
import type { ControlDb } from '../database/database.ts';
import type { TenantMigration } from '../database/migration.ts';
import type { ModuleMigrations } from '../database/migrator.ts';
import type { Logger } from '../log.ts';
import type { Secrets } from '../secrets.ts';
import type { PlacementAlarm } from './placement.ts';

export interface PlacementOptions {
  /** Physical name of schema, database and request login, as `tenant_{id}`. */
  readonly schemaTemplate: string;
  readonly migrations: readonly ModuleMigrations<TenantMigration>[];
  readonly control: ControlDb;
  readonly secrets: Pick<Secrets, 'control' | 'digest'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly alarm: (event: PlacementAlarm) => void;
  readonly statementSeconds: number;
  /** Connections of one tenant that this process opens at most. */
  readonly tenantConnections: number;
  /** Connections of one tenant's request login, over all processes. */
  readonly roleConnections: number;
  /** Keep statements prepared; never done through a pooled address. */
  readonly prepared: boolean;
}
