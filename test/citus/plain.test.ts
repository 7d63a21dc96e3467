/** Where there is no Citus nothing is spread, nothing is moved, and the question costs one look. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPostgresSession, type PostgresSession } from '../../src/kernel/database/postgres-session.ts';
import type { PlacementKind } from '../../src/kernel/placements/placement.ts';
import { onCitus } from '../../src/kernel/placements/postgres-citus.ts';
import { strongroom } from '../cli/support.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { startTestProgram, type TestProgram } from '../support/program.ts';

let server: PostgresServer;
let program: TestProgram;

beforeAll(async () => {
  server = await startPostgres();
  program = await startTestProgram({ postgresUrl: server.url, maxConnections: 20 });
}, 120_000);
afterAll(async () => {
  await program?.stop();
  await server?.stop();
});

/** A session that counts what it is asked. */
async function counting(): Promise<{ session: PostgresSession; asked: () => number }> {
  const session = await openPostgresSession({ connectionString: server.url });
  let asked = 0;
  const script = <R>(sql: string) => {
    asked += 1;
    return session.script<R>(sql);
  };
  return { session: { ...session, script }, asked: () => asked };
}

describe('whether schemas are spread', () => {
  test('is looked up once a database, and the answer is no', async () => {
    const { session, asked } = await counting();
    try {
      const spread = new Map<string, boolean>();
      for (let times = 0; times < 3; times += 1) expect(await onCitus(spread, session, 'postgres')).toBe(false);
      expect(asked()).toBe(1);
      expect(await onCitus(spread, session, 'another')).toBe(false);
      expect(asked()).toBe(2);
    } finally {
      await session.close();
    }
  });

  test('is not kept where it could not be told', async () => {
    const { session } = await counting();
    const spread = new Map<string, boolean>();
    await session.close();
    await expect(onCitus(spread, session, 'postgres')).rejects.toThrow();
    expect(spread.size).toBe(0);
  });

  test.each([
    ['12.0-1', false],
    ['12.1-1', true],
    ['13.2-1', true],
    ['9.5-3', false],
  ])('Citus %s: %s', async (extversion, expected) => {
    const { session } = await counting();
    try {
      const answering = { ...session, script: () => Promise.resolve([{ extversion }]) } as unknown as PostgresSession;
      expect(await onCitus(new Map(), answering, 'shared')).toBe(expected);
    } finally {
      await session.close();
    }
  });
});

describe.each<PlacementKind>(['sqlite', 'schema', 'database'])('a company on %s', (placement) => {
  test('has no node, and is not moved to one', async () => {
    const { client, token } = await program.operator();
    const { id } = await program.company(`Plain ${placement}`, { placement });
    expect(await client.fleet.getCompany({ params: { id } })).toMatchObject({ id, placement, node: null });
    const move = await fetch(`${program.url}/api/companies/${id}/move-node`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ node: 'worker-1:5432' }),
    });
    expect(move.status).toBe(409);
    expect(await move.json()).toMatchObject({ code: 'not_on_citus' });
    const { items } = await client.fleet.listSystemAudit({ query: { limit: '200' } });
    expect(items.map((row) => row.action)).not.toContain('company.node_moved');
    // It is what it was.
    expect(await client.fleet.testCompanyDatabase({ params: { id } })).toMatchObject({ ok: true });
  });
});

test('a company that is not there, and a node without a name, are refused before anything is looked at', async () => {
  const { client } = await program.operator();
  const { id } = await program.company('Plain names');
  const move = (company: string, node: string) =>
    client.fleet.moveCompanyNode({ params: { id: company }, body: { node } });
  await expect(move('company_00000000000000000000000000', 'worker-1:5432')).rejects.toMatchObject({ status: 404 });
  await expect(move(id, ' ')).rejects.toMatchObject({ status: 422 });
});

describe('a company made by an earlier process', { timeout: 120_000 }, () => {
  let folder: string;
  const run = (...args: string[]) =>
    strongroom(folder, ['companies', ...args], { env: { STRONGROOM_POSTGRES_URL: server.url } });

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'strongroom-citus-'));
    const made = await run('create', 'Alder', '--email', 'office@example.com', '--placement', 'schema', '--json');
    expect(made).toMatchObject({ code: 0 });
  }, 60_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('is refused by the command line with the same code, and shown without a node', async () => {
    const moved = await run('move-node', 'alder', 'worker-1:5432');
    expect(moved).toMatchObject({ code: 6, out: '' });
    expect(moved.err).toContain('not spread over the nodes of a Citus cluster');
    const shown = await run('show', 'alder', '--json');
    expect(JSON.parse(shown.out)).toMatchObject({ slug: 'alder', node: null });
  });

  test('is shown where its server accepts and never answers, and is waited for once', async () => {
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => void sockets.add(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const lonely = await startTestProgram({
      dataDir: folder,
      postgresUrl: `postgres://postgres:nobody@127.0.0.1:${port}/postgres`,
      runWorker: false,
    });
    try {
      const { client } = await lonely.operator();
      const { items } = await client.fleet.listCompanies();
      const params = { id: items[0]!.id };
      expect(await client.fleet.getCompany({ params })).toMatchObject({ slug: 'alder', node: null });
      const started = performance.now();
      for (let times = 0; times < 5; times += 1) await client.fleet.getCompany({ params });
      expect(performance.now() - started).toBeLessThan(900);
    } finally {
      for (const socket of sockets) socket.destroy();
      silent.close();
      await lonely.stop();
    }
  });
});
