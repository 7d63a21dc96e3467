/** Several PostgreSQL servers: where a company goes, that it stays there, and how far away ones are reached. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/kernel/config.ts';
import { isThisHost, postgresClientConfig } from '../../src/kernel/database/postgres-address.ts';
import { openPostgresSession } from '../../src/kernel/database/postgres-session.ts';
import { idPart } from '../../src/kernel/ids.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { createTestTenant, openTestKernel } from '../support/kernel.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';

let here: PostgresServer;
let there: PostgresServer;
beforeAll(async () => {
  [here, there] = await Promise.all([startPostgres(), startPostgres()]);
}, 120_000);
afterAll(async () => {
  await here?.stop();
  await there?.stop();
});

// Two servers; one that is given to the tests is one.
describe.skipIf(process.env.TEST_POSTGRES_URL)('companies by region', () => {
  let kernel: Kernel;
  const config = () => ({
    postgresUrl: here.url,
    postgresRegion: 'eu',
    postgresServers: JSON.stringify([{ name: 'us-1', region: 'us', url: there.url }]),
    schemaTenants: 1,
  });
  beforeAll(async () => {
    kernel = await openTestKernel(config());
  });
  afterAll(() => kernel?.close());

  test.each(['schema', 'database'] as const)(
    'a company placed by %s is on the server of its region alone',
    async (placement) => {
      const eu = await createTestTenant(kernel, { placement, region: 'EU' });
      const us = await createTestTenant(kernel, { placement, region: 'us' });
      const none = await createTestTenant(kernel, { placement });
      expect([eu, us, none].map(({ record }) => record.placement.server)).toEqual([null, 'us-1', null]);
      for (const [{ record, tenant }, own, other] of [
        [eu, here, there],
        [us, there, here],
      ] as const) {
        const row = await tenant.db.read.selectFrom('identity').select('tenant_id').executeTakeFirstOrThrow();
        expect(row.tenant_id).toBe(record.id);
        expect((await own.named(idPart(record.id))).length).toBeGreaterThan(3);
        expect(await other.named(idPart(record.id))).toEqual([]);
      }
    },
  );

  test('the regions that there are, are offered', () => {
    expect(kernel.tenants.offered()).toEqual([
      { kind: 'sqlite', regions: [] },
      { kind: 'schema', regions: ['eu', 'us'] },
      { kind: 'database', regions: ['eu', 'us'] },
    ]);
  });

  test('a region without a server is refused, and nothing is made', async () => {
    const count = await kernel.tenants.count();
    await expect(createTestTenant(kernel, { placement: 'database', region: 'mars' })).rejects.toMatchObject({
      kind: 'invalid',
      code: 'placement_unavailable',
    });
    expect(await kernel.tenants.count()).toBe(count);
  });

  test('a company whose server is no longer configured is refused, not looked for elsewhere', async () => {
    const { record } = await createTestTenant(kernel, { placement: 'database', region: 'us' });
    const { dataDir } = kernel.config;
    await kernel.close();
    const without = await openTestKernel({ postgresUrl: here.url, dataDir });
    const tenant = await without.tenants.openAny(record, { kind: 'system' });
    await expect(tenant.db.read.selectFrom('identity').selectAll().execute()).rejects.toMatchObject({
      code: 'placement_unavailable',
    });
    await without.close();
  });
});

test('a list of servers with a mistake is refused without repeating it', () => {
  const load = (servers: string) => loadConfig({ env: { STRONGROOM_POSTGRES_SERVERS: servers }, file: null });
  const secret = 'postgres://admin:not-to-be-shown@db.example/x';
  for (const wrong of [
    'eu',
    '[]',
    `[{"url":"${secret}"}]`,
    `[{"name":"A B","url":"${secret}"}]`,
    `[{"name":"a","url":"${secret}"},{"name":"a","url":"${secret}"}]`,
    `[{"name":"a","url":"mysql://x"}]`,
  ]) {
    expect(() => load(wrong)).toThrow(/STRONGROOM_POSTGRES_SERVERS/);
    expect(() => load(wrong)).not.toThrow(/not-to-be-shown/);
  }
  expect(load(`[{"name":"a","url":"${secret}"}]`).config.postgresServers).toContain('db.example');
});

describe('addresses', () => {
  test('another host is reached with its certificate verified, unless the address says no by name', () => {
    const modeOf = (url: string) =>
      new URL(postgresClientConfig(url, 'test', 1_000).connectionString).searchParams.get('sslmode');
    expect(modeOf('postgres://a@db.example/x')).toBe('verify-full');
    expect(modeOf('postgres://a@db.example/x?ssl=false')).toBe('verify-full');
    expect(modeOf('postgres://a@localhost/x?host=db.example')).toBe('verify-full');
    expect(modeOf('postgres://a@db.example/x?sslmode=disable')).toBe('disable');
    expect(modeOf('postgres://a@db.example/x?sslmode=no-verify')).toBe('no-verify');
    for (const local of ['localhost', '127.0.0.1', '127.8.0.1', '[::1]']) {
      expect(isThisHost(new URL(`postgres://a@${local}/x`))).toBe(true);
    }
    expect(isThisHost(new URL('postgres://a@127.0.0.1.example/x'))).toBe(false);
  });

  test('a server that offers no TLS is told neither login nor password', async () => {
    const heard: Buffer[] = [];
    const sockets = new Set<Socket>();
    const plain = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        heard.push(bytes);
        socket.write('N');
      });
    });
    await new Promise<void>((resolve) => plain.listen(0, '0.0.0.0', resolve));
    const { port } = plain.address() as { port: number };
    // Not one of the names of this host, though it leads here.
    const url = `postgres://someone:word@0.0.0.0:${port}/x`;
    await expect(openPostgresSession(postgresClientConfig(url, 'test', 2_000))).rejects.toThrow();
    const all = Buffer.concat(heard).toString('latin1');
    expect(all).toHaveLength(8);
    expect(all).not.toMatch(/someone|word/);
    for (const socket of sockets) socket.destroy();
    plain.close();
  });

  const openssl = spawnSync('openssl', ['version']).status === 0;
  test.skipIf(!openssl)(
    'a server whose certificate nobody vouches for is told neither, unless the address says so',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'strongroom-test-'));
      const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
      const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=0.0.0.0', '-days', '1'];
      execFileSync('openssl', [...made, '-keyout', key, '-out', cert], { stdio: 'ignore' });
      const secret = { key: readFileSync(key), cert: readFileSync(cert) };
      rmSync(folder, { recursive: true });
      let heard = '';
      const server = createServer((socket) => {
        socket.on('error', () => {});
        socket.once('data', () => {
          socket.write('S');
          const inside = new TLSSocket(socket, { isServer: true, ...secret });
          inside.on('error', () => {});
          inside.on('data', (bytes) => {
            heard += bytes.toString('latin1');
            inside.destroy();
          });
        });
      });
      await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
      const { port } = server.address() as { port: number };
      const url = `postgres://someone:word@0.0.0.0:${port}/x`;
      const open = (address: string) => openPostgresSession(postgresClientConfig(address, 'test', 2_000));
      await expect(open(url)).rejects.toThrow(/self.signed/);
      expect(heard).toBe('');
      await expect(open(`${url}?sslmode=no-verify`)).rejects.toThrow();
      expect(heard).toContain('someone');
      server.close();
    },
  );
});
