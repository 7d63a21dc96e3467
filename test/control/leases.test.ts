/** The journal with several processes: what a dead one left is taken up when its lease ends, and never by two at once. */
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { armFailpoints, disarmFailpoints } from '../../src/kernel/tenants/failpoints.ts';
import { openTestKernel, testFolder, testOperator } from '../support/kernel.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';

const keyRing = `k1:${randomBytes(32).toString('base64')}`;
const input = { name: 'Test company', email: 'office@example.com' };
let server: PostgresServer;
let databases = 0;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());
afterEach(() => disarmFailpoints());

async function open(options: { worker: boolean }) {
  databases += 1;
  const controlUrl = await server.newDatabase(`leases_${databases}`);
  return openTestKernel({ controlUrl, keyRing, dataDir: testFolder() }, options);
}

const soon = (ms: number) => new Date(Date.now() + ms).toISOString();

test('a creation whose process died goes on when the lease ends, and not before', { timeout: 60_000 }, async () => {
  const kernel = await open({ worker: false });
  armFailpoints('create.seed.before=throw');
  let id = '';
  await kernel.tenants
    .create(input, testOperator, (_, record) => {
      id = record.id;
    })
    .catch(() => {});
  disarmFailpoints();
  const until = soon(3_000);
  await kernel.control.transaction((tx) =>
    tx.updateTable('operations').set({ lease_owner: 'dead', lease_until: until, retry_at: null }).execute(),
  );
  await kernel.settle();
  expect((await kernel.tenants.get(id as never))?.state).toBe('failed');
  await new Promise((resolve) => setTimeout(resolve, 3_100));
  await kernel.settle();
  expect((await kernel.tenants.get(id as never))?.state).toBe('active');
});

test('who lost its lease in the middle of a creation commits nothing more', { timeout: 60_000 }, async () => {
  const kernel = await open({ worker: false });
  armFailpoints('create.seed.before=delay:800');
  let id = '';
  const creation = kernel.tenants.create(input, testOperator, (_, record) => {
    id = record.id;
  });
  creation.catch(() => {});
  await expect.poll(() => id).not.toBe('');
  const until = soon(60_000);
  await kernel.control.transaction((tx) =>
    tx.updateTable('operations').set({ lease_owner: 'successor', lease_until: until }).execute(),
  );
  await expect(creation).rejects.toMatchObject({ kind: 'unavailable' });
  const rows = await kernel.control.read.selectFrom('operations').select(['status', 'lease_owner']).execute();
  expect(rows).toEqual([{ status: 'running', lease_owner: 'successor' }]);
  expect((await kernel.tenants.get(id as never))?.state).toBe('creating');
});
