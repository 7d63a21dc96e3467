/**
 * Creation and removal killed (-9) while the server is in the middle of CREATE DATABASE or DROP DATABASE: the process
 * that asked for it, or the server's own that works on it. A working company or nothing, and no database that nobody owns.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hour, shiftedClock } from '../../src/kernel/clock.ts';
import { idPart, type TenantId } from '../../src/kernel/ids.ts';
import { testOperatorActor } from '../support/actors.ts';
import { type HeldStatement, holdInside } from '../support/held-statement.ts';
import { openTestKernel } from '../support/kernel.ts';
import { probeModule } from '../support/lifecycle.ts';
import { type Elsewhere, expectSettled } from '../support/lifecycle-faults.ts';
import { type Buckets, onServer, startBuckets } from '../support/placement-faults.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';

let server: PostgresServer;
let buckets: Buckets;
let elsewhere: Elsewhere;
beforeAll(async () => {
  server = await startPostgres();
  buckets = await startBuckets();
  elsewhere = onServer(server, 'database', buckets);
}, 180_000);
afterAll(async () => {
  await buckets?.stop();
  await server?.stop();
});

const ends = { create: 'working', purge: 'nothing' } as const;
const settled = (held: HeldStatement, scenario: 'create' | 'purge') =>
  expectSettled({ dataDir: held.dataDir, scenario, end: ends[scenario], id: held.tenantId, elsewhere });

describe.each(['create', 'purge'] as const)('%s', (scenario) => {
  test('the process dies, and the statement ends without it', async () => {
    const held = await holdInside(server, elsewhere, scenario);
    await held.kill();
    await held.release();
    await settled(held, scenario);
  });

  test('the process dies, and the next one begins while the statement still runs', async () => {
    const held = await holdInside(server, elsewhere, scenario);
    await held.kill();
    const released = new Promise((resolve) => setTimeout(resolve, 1_500)).then(held.release);
    await settled(held, scenario);
    await released;
  });

  test('the server dies in the middle of the statement', async ({ skip }) => {
    if (server.restart === undefined) skip('the server is not ours to kill');
    const held = await holdInside(server, elsewhere, scenario);
    process.kill(held.backend, 'SIGKILL');
    await held.ended();
    await expect.poll(() => server.ask('SELECT 1').catch(() => []), { timeout: 30_000 }).toHaveLength(1);
    if (scenario === 'purge') {
      const found = await server.ask<{ limit: number }>(
        `SELECT datconnlimit AS limit FROM pg_database WHERE datname = 'tenant_${idPart(held.tenantId as TenantId)}'`,
      );
      // Beyond the point of no return: nobody can connect, and only removing can mend it.
      expect(found).toEqual([{ limit: -2 }]);
    }
    await settled(held, scenario);
  });
});

test('a copy that comes into being after its company was given up is found by doctor, and removed', async () => {
  const held = await holdInside(server, elsewhere, 'create', 'template');
  await held.kill();
  const id = held.tenantId as TenantId;
  const modules = { modules: (made: Parameters<typeof probeModule>[0]) => [probeModule(made)] };
  const config = { ...elsewhere.config, dataDir: held.dataDir };
  const giver = await openTestKernel(config, { ...modules, start: false });
  await giver.tenants.abandon(id, testOperatorActor);
  await giver.close();
  expect(await elsewhere.remains(id)).toEqual([]);
  await held.release();
  const unit = `tenant_${idPart(id)}`;
  await expect.poll(() => elsewhere.remains(id), { timeout: 10_000 }).toEqual([`database ${unit}`]);
  // Another hour later, when it can be told from one that is being made.
  const later = await openTestKernel(config, { ...modules, clock: shiftedClock(() => 2 * hour) });
  const findings = await later.doctor.examine({ repair: true });
  expect(findings).toMatchObject([{ subject: unit, repaired: true }]);
  await later.close();
  await expectSettled({ dataDir: held.dataDir, scenario: 'create', end: 'nothing', id, elsewhere });
});
