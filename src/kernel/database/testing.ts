/** What tests of databases stand on: real files in a folder of their own, a real host, small tables. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../clock.ts';
import { newId } from '../ids.ts';
import { createLogger } from '../log.ts';
import type { PlacementAlarm, PlacementRef } from '../placements/placement.ts';
import { createSqlitePlacement } from '../placements/sqlite.ts';
import { type ConnectionsOptions, createConnections } from '../tenants/connections.ts';
import type { TenantDb } from './database.ts';
import { databaseModule, databaseTenantMigrations } from './kernel-migrations.ts';
import { type TenantMigration, tenantMigration } from './migration.ts';
import { createSqliteHost } from './sqlite-host.ts';

declare module './tables.ts' {
  interface TenantTables {
    test_notes: { id: string; text: string | null; size: number };
    test_answers: { note_id: string };
  }
}

const notes = tenantMigration('0001-notes', async (schema) => {
  await schema
    .createTable('test_notes')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('text', 'text')
    .addColumn('size', 'integer', (column) => column.notNull())
    .execute();
  await schema.createIndex('test_notes_text').unique().on('test_notes').column('text').execute();
  // Looked at with the commit: what makes a commit fail.
  await schema
    .createTable('test_answers')
    .addColumn('note_id', 'text')
    .addForeignKeyConstraint('test_answers_note', ['note_id'], 'test_notes', ['id'], (key) =>
      key.deferrable().initiallyDeferred(),
    )
    .execute();
});

export const silent = createLogger({ level: 'silent', format: 'json' });

export interface FleetOptions {
  readonly workers?: number;
  readonly statementSeconds?: number;
  readonly config?: Partial<ConnectionsOptions['config']>;
  readonly migrations?: readonly TenantMigration[];
  readonly markWork?: ConnectionsOptions['markWork'];
}

/** A data folder with tenants in it. `close` removes everything. */
export function startFleet(options: FleetOptions = {}) {
  const dataDir = mkdtempSync(join(tmpdir(), 'strongroom-test-'));
  const host = createSqliteHost({
    workers: options.workers ?? 2,
    statementSeconds: options.statementSeconds ?? 10,
    log: silent,
  });
  const alarms: PlacementAlarm[] = [];
  const placement = createSqlitePlacement({
    dataDir,
    schemaTemplate: 'tenant_{id}',
    pathTemplate: 'tenants/{id}.db',
    host,
    migrations: [
      { module: databaseModule, migrations: databaseTenantMigrations },
      { module: 'notes', migrations: [notes, ...(options.migrations ?? [])] },
    ],
    clock: systemClock,
    alarm: (event) => alarms.push(event),
  });
  const connections = createConnections({
    placements: { sqlite: placement },
    config: {
      maxConnections: 20,
      tenantConnections: 5,
      connectionIdleSeconds: 60,
      connectionWaitSeconds: 5,
      ...options.config,
    },
    clock: systemClock,
    log: silent,
    markWork: options.markWork ?? (async () => () => {}),
  });
  return {
    dataDir,
    host,
    placement,
    connections,
    alarms,
    newRef(): PlacementRef {
      const tenantId = newId('company');
      return { tenantId, kind: 'sqlite', unit: placement.unitName(tenantId), server: null, generation: 1 };
    },
    async newTenant(): Promise<{ ref: PlacementRef; db: TenantDb; path: string }> {
      const ref = this.newRef();
      await placement.create(ref);
      await placement.stamp(ref);
      return { ref, db: connections.database(ref), path: this.pathOf(ref) };
    },
    pathOf: (ref: PlacementRef) => join(dataDir, 'tenants', `${ref.tenantId.slice(5)}.db`),
    async close() {
      await connections.close();
      await host.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export type TestFleet = ReturnType<typeof startFleet>;
