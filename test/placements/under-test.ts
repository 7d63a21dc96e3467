/** What a placement on PostgreSQL needs to be tried by itself: a control database in a folder of its own, and options. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/kernel/clock.ts';
import { openControlDatabase } from '../../src/kernel/database/control-database.ts';
import { databaseModule, databaseTenantMigrations } from '../../src/kernel/database/kernel-migrations.ts';
import { createSqliteHost } from '../../src/kernel/database/sqlite-host.ts';
import { createLogger, type Logger } from '../../src/kernel/log.ts';
import { placementsControlMigrations, placementsModule } from '../../src/kernel/placements/migrations.ts';
import type { Placement, PlacementAlarm, PlacementRef } from '../../src/kernel/placements/placement.ts';
import type { PlacementOptions } from '../../src/kernel/placements/postgres-options.ts';
import { secretsFromRing } from '../../src/kernel/secrets-ring.ts';
import type { PlacementUnderTest } from './suite.ts';

export interface PostgresUnderTest extends PlacementUnderTest {
  readonly control: PlacementOptions['control'];
  units(): Promise<string[]>;
}

/** @param make the placement from what all of them are given */
export async function underTest(
  make: (options: PlacementOptions) => Placement,
  log: Logger = createLogger({ level: 'silent', format: 'json' }),
): Promise<PostgresUnderTest> {
  const dataDir = mkdtempSync(join(tmpdir(), 'strongroom-placement-'));
  const host = createSqliteHost({ workers: 1, statementSeconds: 5, log });
  const control = await openControlDatabase({ host, path: join(dataDir, 'control.db'), log });
  await control.migrate([{ module: placementsModule, migrations: placementsControlMigrations }]);
  const alarms: PlacementAlarm[] = [];
  const placement = make({
    schemaTemplate: 'tenant_{id}',
    migrations: [{ module: databaseModule, migrations: databaseTenantMigrations }],
    control: control.db,
    secrets: secretsFromRing([{ id: 'test', bytes: randomBytes(32) }]),
    clock: systemClock,
    log,
    alarm: (event) => alarms.push(event),
    statementSeconds: 5,
    tenantConnections: 5,
    roleConnections: 10,
    prepared: true,
  });
  async function units(): Promise<string[]> {
    const found: string[] = [];
    for await (const unit of placement.listUnits()) found.push(unit);
    return found;
  }
  return {
    placement,
    alarms,
    control: control.db,
    units,
    /** As if the rows of one had been restored into the database of the other. */
    async swap(from: PlacementRef, to: PlacementRef) {
      const session = await placement.open(to, 'migrate');
      await session.kysely.updateTable('identity').set({ tenant_id: from.tenantId }).execute();
      await session.close();
    },
    async close() {
      for (const unit of await units()) await placement.destroyUnit(unit);
      await placement.close();
      await control.close();
      await host.close();
      rmSync(dataDir, { recursive: true });
    },
  };
}
