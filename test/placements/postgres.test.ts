/** The placements `schema` and `database` on a real PostgreSQL server, through the suite and in what is their own. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { systemClock } from '../../src/kernel/clock.ts';
import { openControlDatabase } from '../../src/kernel/database/control-database.ts';
import { databaseModule, databaseTenantMigrations } from '../../src/kernel/database/kernel-migrations.ts';
import { createSqliteHost } from '../../src/kernel/database/sqlite-host.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { placementsControlMigrations, placementsModule } from '../../src/kernel/placements/migrations.ts';
import type { PlacementAlarm, PlacementRef } from '../../src/kernel/placements/placement.ts';
import { createPostgresPlacements } from '../../src/kernel/placements/postgres.ts';
import { secretsFromRing } from '../../src/kernel/secrets-ring.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { type PlacementUnderTest, placementSuite } from './suite.ts';

const log = createLogger({ level: 'silent', format: 'json' });
let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());

export async function startPlacement(kind: 'schema' | 'database'): Promise<PlacementUnderTest> {
  const dataDir = mkdtempSync(join(tmpdir(), 'strongroom-placement-'));
  const host = createSqliteHost({ workers: 1, statementSeconds: 5, log });
  const control = await openControlDatabase({ host, path: join(dataDir, 'control.db'), log });
  await control.migrate([{ module: placementsModule, migrations: placementsControlMigrations }]);
  const alarms: PlacementAlarm[] = [];
  const placements = createPostgresPlacements({
    url: server.url,
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
    schemaTenants: 500,
    prepared: true,
  });
  const placement = placements[kind];
  return {
    placement,
    alarms,
    /** As if the rows of one had been restored into the database of the other. */
    async swap(from: PlacementRef, to: PlacementRef) {
      const session = await placement.open(to, 'migrate');
      await session.kysely.updateTable('identity').set({ tenant_id: from.tenantId }).execute();
      await session.close();
    },
    async close() {
      const left: string[] = [];
      for await (const unit of placement.listUnits()) left.push(unit);
      for (const unit of left) await placement.destroyUnit(unit);
      await placement.close();
      await control.close();
      await host.close();
      rmSync(dataDir, { recursive: true });
    },
  };
}

placementSuite('schema', () => startPlacement('schema'));
placementSuite('database', () => startPlacement('database'));
