/** The placement `neon` on the stand-in, with a control database of its own. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/kernel/clock.ts';
import { openControlDatabase } from '../../src/kernel/database/control-database.ts';
import type { ControlDb } from '../../src/kernel/database/database.ts';
import { databaseModule, databaseTenantMigrations } from '../../src/kernel/database/kernel-migrations.ts';
import { createSqliteHost } from '../../src/kernel/database/sqlite-host.ts';
import { newId } from '../../src/kernel/ids.ts';
import { createLogger, createLoggerTo } from '../../src/kernel/log.ts';
import { placementsControlMigrations, placementsModule } from '../../src/kernel/placements/migrations.ts';
import { createNeonPlacement } from '../../src/kernel/placements/neon.ts';
import { type NeonTimes, neonTimes } from '../../src/kernel/placements/neon-times.ts';
import type { NeonMode } from '../../src/kernel/placements/neon-unit.ts';
import type { PlacementAlarm, PlacementRef } from '../../src/kernel/placements/placement.ts';
import { secretsFromRing } from '../../src/kernel/secrets-ring.ts';
import type { PlacementUnderTest } from '../placements/suite.ts';
import { type StandIn, standInKey } from './stand-in.ts';

export interface NeonUnderTest extends PlacementUnderTest {
  readonly control: ControlDb;
  newRef(): PlacementRef;
  units(): Promise<string[]>;
}

/** The stand-in answers at once; what it is told to do later it does well within the time that a call is waited for. */
const times: NeonTimes = { ...neonTimes, firstPauseMs: 10, longestPauseMs: 100, inFlightMs: 600, claimMs: 1_200 };

export async function startNeon(
  standIn: StandIn,
  mode: NeonMode,
  options: { readonly pooled?: boolean; readonly write?: (line: string) => void } = {},
): Promise<NeonUnderTest> {
  const { write } = options;
  const log =
    write === undefined
      ? createLogger({ level: 'silent', format: 'json' })
      : createLoggerTo({ write }, { level: 'trace', format: 'json' }, false);
  const dataDir = mkdtempSync(join(tmpdir(), 'strongroom-placement-'));
  const host = createSqliteHost({ workers: 1, statementSeconds: 5, log });
  const control = await openControlDatabase({ host, path: join(dataDir, 'control.db'), log });
  await control.migrate([{ module: placementsModule, migrations: placementsControlMigrations }]);
  const alarms: PlacementAlarm[] = [];
  const placement = createNeonPlacement({
    apiKey: standInKey,
    apiUrl: standIn.url,
    organisation: null,
    region: 'aws-eu-central-1',
    callsPerSecond: 500,
    times,
    mode,
    pooled: options.pooled ?? false,
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
  const units = async () => {
    const found: string[] = [];
    for await (const unit of placement.listUnits()) found.push(unit);
    return found;
  };
  return {
    placement,
    alarms,
    control: control.db,
    units,
    newRef() {
      const tenantId = newId('company');
      return { tenantId, kind: 'neon', unit: placement.unitName(tenantId), server: null, generation: 1 };
    },
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
