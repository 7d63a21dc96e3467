/** A server without the provisioner's login beside a worker with it: companies come and go, and the login stays there. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testConfig } from '../../src/kernel/config.ts';
import { withoutProvisioner } from '../../src/kernel/provisioner-login.ts';
import { type FaultServer, startFaultServer } from '../s3/fault-server.ts';
import { foldersOfThisFile } from '../support/file-folders.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { type RunningProcess, root, startProcess } from '../support/process.ts';
import { call, expectCall, newCompany, setUpOperator, uploadFile } from '../support/story.ts';

const newFolder = foldersOfThisFile();
const workers: ChildProcess[] = [];
let server: PostgresServer;
let store: FaultServer;
let shared: Record<string, string>;
let api: RunningProcess;
let operator: string;
let password: string;

/** `strongroom worker`, which alone is given the provisioner's login. */
async function startWorker(): Promise<void> {
  const child = spawn(process.execPath, ['bin/strongroom.js', 'worker', '--json'], {
    cwd: root,
    env: { ...process.env, ...shared, STRONGROOM_POSTGRES_URL: server.url, STRONGROOM_DATA_DIR: newFolder() },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  workers.push(child);
  await new Promise<void>((resolve, reject) => {
    child.stdout!.on('data', (chunk: Buffer) => chunk.toString().includes('"worker":true') && resolve());
    child.once('exit', (code) => reject(new Error(`the worker ended with ${code}`)));
  });
}

beforeAll(async () => {
  server = await startPostgres();
  store = await startFaultServer();
  const bare = new URL(server.url);
  password = bare.password;
  bare.username = '';
  bare.password = '';
  shared = {
    MANAGEMENT_DATABASE_URL: await server.newDatabase('split'),
    STRONGROOM_KEY_RING: `k1:${randomBytes(32).toString('base64')}`,
    STRONGROOM_PLACEMENT: 'schema',
    STRONGROOM_FILE_STORE: 's3',
    AWS_ENDPOINT_URL_S3: store.endpoint,
    AWS_ACCESS_KEY_ID: 'split',
    AWS_SECRET_ACCESS_KEY: randomBytes(12).toString('hex'),
    STRONGROOM_LOG_LEVEL: 'warn',
  };
  const powers = { STRONGROOM_POSTGRES_URL: bare.href, STRONGROOM_WORKER: 'false', STRONGROOM_LIFECYCLE: 'false' };
  api = await startProcess(newFolder(), { env: { ...shared, ...powers } });
  operator = (await setUpOperator(api.url, api.setupToken!)).access_token;
}, 120_000);

afterAll(async () => {
  await api?.stop();
  for (const worker of workers) worker.kill('SIGTERM');
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve))));
  await store?.stop();
  await server?.stop();
});

test('a company is made by the worker, also by one that comes late, and served without the login', async () => {
  const creating = newCompany(api.url, operator, 'Asked for before there is a worker');
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const listed = await call<{ items: { status: string }[] }>(api.url, 'GET', '/api/companies', { token: operator });
  expect(listed.body.items.map((one) => one.status)).toEqual(['creating']);
  await startWorker();
  const company = await creating;
  await uploadFile(api.url, company.admin.token, 'one.txt', 'one');
  const list = await expectCall<{ items: unknown[] }>(200, api.url, 'GET', '/api/documents', {
    token: company.admin.token,
  });
  expect(list.items).toHaveLength(1);
  const removed = await call(api.url, 'DELETE', `/api/companies/${company.id}?confirm=${company.slug}&purge=now`, {
    token: operator,
  });
  expect([removed.status, removed.text]).toEqual([204, '']);
  expect(await server.named(company.id.slice('co_'.length))).toEqual([]);
}, 90_000);

test('the server has the login neither in its configuration nor in its environment', () => {
  expect(password.length).toBeGreaterThan(5);
  const environment = readFileSync(`/proc/${api.pid}/environ`, 'utf8');
  const provisioner = environment.split('\0').find((line) => line.startsWith('STRONGROOM_POSTGRES_URL='));
  expect(provisioner).toMatch(/^STRONGROOM_POSTGRES_URL=postgres:\/\/127\.0\.0\.1:\d+\/postgres$/);
  const given = testConfig({
    postgresUrl: server.url,
    postgresServers: JSON.stringify([{ name: 'eu-1', url: server.url }]),
    neonApiKey: 'a key',
  });
  const { config, removed } = withoutProvisioner(given);
  expect(JSON.stringify(config)).not.toContain(password);
  expect(JSON.stringify(config)).not.toContain('a key');
  expect(removed).toEqual(['NEON_API_KEY', 'STRONGROOM_POSTGRES_URL', 'STRONGROOM_POSTGRES_SERVERS']);
});
