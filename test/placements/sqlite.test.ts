import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/kernel/clock.ts';
import { databaseModule, databaseTenantMigrations } from '../../src/kernel/database/kernel-migrations.ts';
import { createSqliteHost } from '../../src/kernel/database/sqlite-host.ts';
import { idPart, newId } from '../../src/kernel/ids.ts';
import { createLogger } from '../../src/kernel/log.ts';
import type { PlacementAlarm, PlacementRef } from '../../src/kernel/placements/placement.ts';
import { createSqlitePlacement } from '../../src/kernel/placements/sqlite.ts';
import { createSqlitePaths } from '../../src/kernel/placements/sqlite-paths.ts';
import { placementSuite } from './suite.ts';

const log = createLogger({ level: 'silent', format: 'json' });

function startSqlite(pathTemplate = 'tenants/{id}/tenant.db') {
  const dataDir = mkdtempSync(join(tmpdir(), 'strongroom-placement-'));
  const host = createSqliteHost({ workers: 2, statementSeconds: 5, log });
  const alarms: PlacementAlarm[] = [];
  const placement = createSqlitePlacement({
    dataDir,
    schemaTemplate: 'tenant_{id}',
    pathTemplate,
    host,
    migrations: [{ module: databaseModule, migrations: databaseTenantMigrations }],
    clock: systemClock,
    alarm: (event) => alarms.push(event),
  });
  const path = (ref: PlacementRef) => join(dataDir, pathTemplate.replace('{id}', idPart(ref.tenantId)));
  return {
    placement,
    alarms,
    path,
    dataDir,
    async swap(from: PlacementRef, to: PlacementRef) {
      copyFileSync(path(from), path(to));
    },
    async close() {
      await host.close();
      rmSync(dataDir, { recursive: true });
    },
  };
}

function refFor(placement: ReturnType<typeof startSqlite>['placement']): PlacementRef {
  const tenantId = newId('company');
  return { tenantId, kind: 'sqlite', unit: placement.unitName(tenantId), server: null, generation: 1 };
}

placementSuite('sqlite', async () => startSqlite());
placementSuite('sqlite, files in one folder', async () => startSqlite('files/{id}.db'));

test('files that are empty, cut or no database are refused and left as they are', async () => {
  const under = startSqlite();
  const ref = refFor(under.placement);
  await under.placement.create(ref);
  await under.placement.stamp(ref);
  for (const bytes of [Buffer.alloc(0), Buffer.from('not a database'), Buffer.alloc(8_192, 7)]) {
    writeFileSync(under.path(ref), bytes);
    for (const purpose of ['read', 'write', 'migrate'] as const) {
      await expect(under.placement.open(ref, purpose)).rejects.toMatchObject({ code: 'database_unreadable' });
    }
    expect(statSync(under.path(ref)).size).toBe(bytes.length);
  }
  await under.close();
});

test('files are 0600 in folders 0700, and destroying leaves nothing', async () => {
  const under = startSqlite();
  const ref = refFor(under.placement);
  await under.placement.create(ref);
  await under.placement.stamp(ref);
  const writer = await under.placement.open(ref, 'write');
  expect(statSync(under.path(ref)).mode & 0o777).toBe(0o600);
  expect(statSync(dirname(under.path(ref))).mode & 0o777).toBe(0o700);
  await writer.close();
  await under.placement.destroy(ref);
  expect(existsSync(dirname(under.path(ref)))).toBe(false);
  await under.close();
});

test('a new file is born with its identity, whatever an attempt before left beside it', async () => {
  const under = startSqlite();
  const before = refFor(under.placement);
  await under.placement.create(before);
  const ref = refFor(under.placement);
  const folder = dirname(under.path(ref));
  mkdirSync(folder);
  for (const ending of ['', '-wal', '-shm']) writeFileSync(`${under.path(ref)}.new${ending}`, Buffer.alloc(9_000, 7));
  expect(await under.placement.create(ref)).toEqual({ stamped: true });
  expect(readdirSync(folder)).toEqual(['tenant.db']);
  const { identity } = await under.placement.inspect(ref);
  expect(identity).toMatchObject({ tenantId: ref.tenantId, generation: 1 });
  expect((await under.placement.migrate(ref)).fingerprint).toBe(identity?.fingerprint);
  expect(await under.placement.create(ref)).toEqual({ stamped: false });
  await under.close();
});

test('templates of names are checked', () => {
  const paths = (template: string) => createSqlitePaths('/data', 'tenant_{id}', template);
  expect(() => paths('/etc/{id}')).toThrow();
  expect(() => paths('../{id}.db')).toThrow();
  expect(() => paths('tenants/tenant.db')).toThrow();
  expect(() => createSqlitePaths('/data', 'tenant', 'tenants/{id}.db')).toThrow();
  const id = newId('company');
  expect(paths('tenants/{tenant_id}/tenant.db').file(id)).toBe(`/data/tenants/${idPart(id)}/tenant.db`);
});
