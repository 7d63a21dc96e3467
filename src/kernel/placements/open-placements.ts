/**
 * The placements that a configuration has, by kind. What any of them finds amiss with a company's database is logged as
 * an alarm and recorded in the trail of the fleet.
 */
import type { Clock } from '../clock.ts';
import type { TenantMigration } from '../database/migration.ts';
import type { ModuleMigrations } from '../database/migrator.ts';
import type { createSqliteHost } from '../database/sqlite-host.ts';
import { type FolderOwner, ownedPlacement } from '../folder-owner.ts';
import type { Background } from '../jobs/background.ts';
import type { Kernel } from '../kernel.ts';
import type { Logger } from '../log.ts';
import type { Config } from '../settings.ts';
import { createNeonPlacement } from './neon.ts';
import type { Placement, PlacementAlarm, PlacementKind } from './placement.ts';
import { createPostgresPlacements } from './postgres.ts';
import { overServers } from './postgres-fleet.ts';
import { postgresServers } from './postgres-servers.ts';
import { createSqlitePlacement } from './sqlite.ts';

export interface PlacementBase {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  readonly folder: FolderOwner;
}

export interface PlacementNeeds {
  /** The list of the kernel, which grows while modules are registered. */
  readonly migrations: readonly ModuleMigrations<TenantMigration>[];
  readonly host: ReturnType<typeof createSqliteHost>;
  readonly background: Background;
  readonly control: Kernel['control'];
  readonly secrets: Kernel['secrets'];
}

const alarmTexts: Readonly<Record<PlacementAlarm['kind'], string>> = {
  identity_mismatch: 'a database is not the one that this company owns; it was refused',
  database_missing: 'the database of a company is gone; it is never made anew',
  statement_refused: 'the login of a company was refused a statement: an attack, or a fault of the product',
};

/** Every placement that this configuration has. Nothing is opened before its first use. */
export function createPlacements(
  { config, clock, log, folder }: PlacementBase,
  { migrations, host, background, control, secrets }: PlacementNeeds,
): Partial<Record<PlacementKind, Placement>> {
  const alarm = (event: PlacementAlarm) => {
    log.error({ alarm: event }, alarmTexts[event.kind]);
    background.audit
      .noteFleet({
        action: `alarm.${event.kind}`,
        actor: { kind: 'system' },
        target: event.tenantId,
        outcome: 'refused',
        details: { placement: event.placement },
      })
      .catch((error) => log.error({ err: error }, 'an alarm could not be recorded'));
  };
  const { dataDir, schemaTemplate, pathTemplate } = config;
  const kept = createSqlitePlacement({ dataDir, schemaTemplate, pathTemplate, host, migrations, clock, alarm });
  const sqlite = ownedPlacement(kept, folder);
  const common = {
    schemaTemplate,
    migrations,
    control,
    secrets,
    clock,
    log,
    alarm,
    statementSeconds: config.statementSeconds,
    tenantConnections: config.tenantConnections,
    roleConnections: config.postgresRoleConnections,
    prepared: config.postgresPrepared,
  };
  const neon =
    config.neonApiKey === null
      ? {}
      : {
          neon: createNeonPlacement({
            ...common,
            apiKey: config.neonApiKey,
            apiUrl: config.neonApiUrl,
            organisation: config.neonOrgId,
            region: config.neonRegion,
            callsPerSecond: config.neonCallsPerSecond,
            mode: config.neonMode,
            pooled: config.neonPooled,
          }),
        };
  const servers = postgresServers(config);
  if (servers.length === 0) return { sqlite, ...neon };
  const served = servers.map((settings) => ({
    settings,
    ...createPostgresPlacements({
      ...common,
      url: settings.url,
      name: settings.name,
      pooledUrl: settings.pooledUrl,
      schemaTenants: config.schemaTenants,
    }),
  }));
  const over = (kind: 'schema' | 'database') =>
    overServers(
      served.map((one) => ({ settings: one.settings, placement: one[kind] })),
      control,
    );
  return { sqlite, ...neon, schema: over('schema'), database: over('database') };
}
