/** Two real servers on one control database on PostgreSQL; companies lie in the data folder of one of them. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { foldersOfThisFile } from '../support/file-folders.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { type RunningProcess, startProcess } from '../support/process.ts';
import {
  type Company,
  call,
  expectCall,
  invitePerson,
  logIn,
  newCompany,
  setUpOperator,
  uploadFile,
} from '../support/story.ts';

const ring = `k1:${randomBytes(32).toString('base64')}`;
const newFolder = foldersOfThisFile();
let server: PostgresServer;
let url: string;
let env: Record<string, string>;
let owner: RunningProcess;
let other: RunningProcess;
let operator: string;
let company: Company;

beforeAll(async () => {
  server = await startPostgres();
  url = await server.newDatabase('processes');
  env = { MANAGEMENT_DATABASE_URL: url, STRONGROOM_KEY_RING: ring };
  owner = await startProcess(newFolder(), { env });
  operator = (await setUpOperator(owner.url, owner.setupToken!)).access_token;
  company = await newCompany(owner.url, operator, 'First company');
  other = await startProcess(newFolder(), { env });
}, 120_000);
afterAll(async () => {
  await Promise.all([other?.stop(), owner?.stop()]);
  await server?.stop();
});

async function sql(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text, values)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

const cutListeners = () =>
  sql(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'strongroom control listener' and datname = current_database()",
  );
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const me = (at: RunningProcess, token: string) => call(at.url, 'GET', '/api/auth/me', { token });
const verb = (at: RunningProcess, id: string, name: string) =>
  expectCall(200, at.url, 'POST', `/api/companies/${id}/${name}`, { token: operator });

/** How long (ms) until a token is answered with this status. */
async function until(at: RunningProcess, token: string, status: number, within: number): Promise<number> {
  const began = performance.now();
  for (;;) {
    const { status: now } = await me(at, token);
    if (now === status) return performance.now() - began;
    if (performance.now() - began > within) throw new Error(`still ${now} after ${within} ms`);
    await pause(25);
  }
}

test('the story of one company, with its control database on PostgreSQL', async () => {
  const employee = await invitePerson(owner.url, company.admin, 'employee', 'employee');
  const document = await uploadFile(owner.url, employee.token, 'hello.txt', 'hello');
  const got = await call(owner.url, 'GET', `/api/documents/${document.id}/download`, { token: employee.token });
  expect([got.status, got.text]).toEqual([200, 'hello']);
  const again = await logIn(owner.url, 'employee');
  expect(again.company?.id).toBe(company.id);
  const list = await expectCall<{ items: { id: string }[] }>(200, owner.url, 'GET', '/api/companies', {
    token: operator,
  });
  expect(list.items.map((item) => item.id)).toContain(company.id);
});

test('what one process counts the other tells, and each offers what it can make', async () => {
  const read = <T>(at: RunningProcess, path: string) => expectCall<T>(200, at.url, 'GET', path, { token: operator });
  interface Figures {
    readonly documents: number;
    readonly days: readonly { readonly documents: number }[];
    readonly largest: readonly { readonly company_id: string }[];
  }
  const figures = () => read<Figures>(other, '/api/system/figures?days=1');
  await expect.poll(async () => (await figures()).documents, { timeout: 20_000 }).toBe(1);
  expect(await figures()).toMatchObject({ days: [{ documents: 1 }], largest: [{ company_id: company.id }] });
  const offered = async (at: RunningProcess) =>
    (await read<{ offered: { placements: { placement: string }[] } }>(at, '/api/system/status')).offered.placements.map(
      ({ placement }) => placement,
    );
  expect(await offered(owner)).toContain('sqlite');
  expect(await offered(other), 'its folder is not the one in which companies lie').toEqual([]);
});

test('a process that does not own the folder says so, and does the rest', async () => {
  const refused = await me(other, company.admin.token);
  expect(refused).toMatchObject({ status: 503, body: { code: 'not_the_owner' } });
  expect(refused.headers.get('retry-after')).toBe('5');
  expect((await call(other.url, 'GET', '/health/ready')).status).toBeLessThan(500);
  // Operators are served by every process; what needs the folder is refused without effect.
  await expectCall(200, other.url, 'GET', `/api/companies/${company.id}`, { token: operator });
  const before = await sql('select count(*) as n from tenants');
  const create = await call(other.url, 'POST', '/api/companies', {
    token: operator,
    body: { name: 'Elsewhere', email: 'office@example.com' },
  });
  expect(create).toMatchObject({ status: 503, body: { code: 'not_the_owner' } });
  expect(await sql('select count(*) as n from tenants')).toEqual(before);
});

test('a suspension by one process refuses tokens at the other, also with the channel cut', async () => {
  const { token } = company.admin;
  expect((await me(owner, token)).status).toBe(200);
  await verb(other, company.id, 'suspend');
  expect(await until(owner, token, 401, 5_000)).toBeLessThan(5_000);
  await verb(other, company.id, 'resume');
  await until(owner, token, 200, 5_000);

  await cutListeners();
  await verb(other, company.id, 'suspend');
  expect(await until(owner, token, 401, 5_000)).toBeLessThan(5_000);
  await verb(other, company.id, 'resume');
  await until(owner, token, 200, 5_000);
});

test('without any message at all, looking alone is quick enough', async () => {
  const { token } = company.admin;
  expect((await me(owner, token)).status).toBe(200);
  // Past the product: the channel stands, and nobody is told.
  await sql("update tenants set state = 'suspended' where id = $1", [company.id]);
  await sql(
    `insert into tenant_changes (tenant_id, seq) values ($1, (select max(seq) + 1 from tenant_changes))
     on conflict (tenant_id) do update set seq = excluded.seq`,
    [company.id],
  );
  expect(await until(owner, token, 401, 5_000)).toBeLessThan(5_000);
  await verb(owner, company.id, 'resume');
  await until(owner, token, 200, 5_000);
});

test('of creations with one slug at once, one makes a company', async () => {
  const create = (index: number) =>
    call(owner.url, 'POST', '/api/companies', {
      token: operator,
      body: { name: `Racer ${index}`, slug: 'racer', email: 'office@example.com' },
    });
  const answers = await Promise.all(Array.from({ length: 8 }, (_, index) => create(index)));
  expect(answers.map((answer) => answer.status).toSorted()).toEqual([201, ...Array.from({ length: 7 }, () => 409)]);
  expect(await sql("select count(*)::int as n from tenants where slug = 'racer'")).toEqual([{ n: 1 }]);
});

test('wrong passwords count at every process', async () => {
  const guess = (at: RunningProcess) =>
    call(at.url, 'POST', '/api/auth/login', { body: { username: 'nobody-at-all', password: 'a wrong password' } });
  for (let count = 0; count < 10; count += 1) expect((await guess(owner)).status).toBe(401);
  await pause(300);
  expect((await guess(other)).status).toBe(429);
});

test('a process with another key ring, or none, does not start', async () => {
  const { STRONGROOM_KEY_RING: _, ...without } = env;
  await expect(startProcess(newFolder(), { env: without })).rejects.toThrow(/key ring/i);
  const wrong = { ...env, STRONGROOM_KEY_RING: `k2:${randomBytes(32).toString('base64')}` };
  await expect(startProcess(newFolder(), { env: wrong })).rejects.toThrow(/key ring/i);
});

test('a restart of PostgreSQL under load: 503 meanwhile, and recovery within 10 s', async () => {
  if (server.restart === undefined) return;
  const statuses = new Map<number, number>();
  let running = true;
  const load = Array.from({ length: 6 }, async (_, index) => {
    while (running) {
      const path = index % 2 === 0 ? '/api/companies' : '/api/auth/me';
      const token = index % 2 === 0 ? operator : company.admin.token;
      const { status, headers } = await call(owner.url, 'GET', path, { token });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status === 503) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      await pause(10);
    }
  });
  await pause(500);
  await server.restart(async () => {
    await pause(6_000);
    expect((await call(owner.url, 'GET', '/api/companies', { token: operator })).status).toBe(503);
    // What was remembered of a company no longer counts: it may have been suspended.
    expect((await me(owner, company.admin.token)).status).toBe(503);
  });
  const began = performance.now();
  await until(owner, operator, 200, 10_000);
  await until(owner, company.admin.token, 200, 10_000);
  await until(other, operator, 200, 10_000);
  // What writes has connections of its own, and each is tried again when its own pause is over.
  let tries = 0;
  const upload = () => {
    tries += 1;
    return uploadFile(owner.url, company.admin.token, `try ${tries}.txt`, 'back');
  };
  await expect.poll(() => upload().then(({ size_bytes }) => size_bytes, String), { timeout: 10_000 }).toBe(4);
  expect(performance.now() - began).toBeLessThan(10_000);
  running = false;
  await Promise.all(load);
  expect([...statuses.keys()].toSorted()).toEqual([200, 503]);
  // Messages come again, and so does work.
  await verb(other, company.id, 'suspend');
  await until(owner, company.admin.token, 401, 5_000);
  await verb(owner, company.id, 'resume');
  await uploadFile(owner.url, company.admin.token, 'after.txt', 'after');
});

test('of two processes on one folder the second takes over when the first is killed', async () => {
  const second = await startProcess(owner.dataDir, { env });
  try {
    expect((await me(second, company.admin.token)).body.code).toBe('not_the_owner');
    await owner.kill();
    await until(second, company.admin.token, 200, 15_000);
    const made = await newCompany(second.url, operator, 'After the take-over');
    expect((await me(second, made.admin.token)).status).toBe(200);
  } finally {
    await second.stop();
  }
  owner = await startProcess(owner.dataDir, { env });
  await until(owner, company.admin.token, 200, 15_000);
});
