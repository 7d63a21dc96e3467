/** Companies as operators meet them over HTTP, against the whole program with every answer checked by its shape. */
import { execFile } from 'node:child_process';
import { copyFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { idPart } from '../../src/kernel/ids.ts';
import { armFailpoints, disarmFailpoints } from '../../src/kernel/tenants/failpoints.ts';
import { fleetContract } from '../../src/modules/fleet/contract.ts';
import { type Program, startProgram } from '../../src/server/program.ts';
import { root } from '../support/process.ts';
import { type Ask, asker, temporaryConfig } from './support.ts';

let program: Program;
let remove: () => Promise<void>;
let dataDir: string;
let ask: Ask;
let admin: string;

const password = 'a long password 7';
const operatorBody = { username: 'operator', email: 'operator@example.com', password };

beforeAll(async () => {
  const temporary = await temporaryConfig();
  remove = temporary.remove;
  dataDir = temporary.config.dataDir;
  program = await startProgram(temporary.config, { validateAnswers: true });
  const anybody = asker(program.address, null);
  const { body } = await anybody('POST', '/api/setup', { body: { ...operatorBody, token: program.setupToken } });
  ask = asker(program.address, body.access_token);
});

afterEach(() => disarmFailpoints());

afterAll(async () => {
  await program.close();
  await remove();
});

const person = { email: 'hr-admin@example.com', full_name: 'HR admin' };

async function create(name: string, more: object = {}) {
  const { status, body } = await ask('POST', '/api/companies', {
    body: { name, email: 'office@example.com', ...more },
  });
  expect(status).toBe(201);
  return body;
}

async function accept(token: string) {
  return ask('POST', '/api/user-management/setup-password', { token: null, body: { token, password } });
}

const fileOf = (id: string) => join(dataDir, 'tenants', idPart(id), 'tenant.db');

describe('create', () => {
  it('answers with what the contract names, and the invitation works once', async () => {
    const company = await create('Alder Works', { admin: person, quota_bytes: 1_000_000 });
    expect(company).toMatchObject({
      slug: 'alder-works',
      status: 'active',
      placement: 'sqlite',
      database_name: `tenant_${idPart(company.id)}`,
      bucket: `strongroom-${idPart(company.id)}`,
      roles: 'company',
      quota_bytes: 1_000_000,
      registration: 'closed',
    });
    expect(company.schema_version).toBeGreaterThan(0);
    const { token, expires_at: until } = company.invitation;
    expect(token.startsWith(`${idPart(company.id)}.`)).toBe(true);
    const shown = await ask('GET', `/api/user-management/invitation/${token}`, { token: null });
    expect(shown.body).toMatchObject({ company: { name: 'Alder Works' }, role: 'hr_admin' });
    expect(Math.abs(Date.parse(shown.body.expires_at) - Date.parse(until))).toBeLessThan(5_000);
    const accepted = await accept(token);
    expect(accepted.status).toBe(201);
    admin = accepted.body.access_token;
    expect((await accept(token)).status).toBe(410);
    expect((await ask('GET', `/api/companies/${company.id}`)).body).not.toHaveProperty('invitation');
  });

  it('takes equal names and addresses, and refuses a taken slug without effect', async () => {
    const [one, two] = [await create('Same Name'), await create('Same Name')];
    expect(one.slug).toBe('same-name');
    expect(two.slug).not.toBe(one.slug);
    const { body: before } = await ask('GET', '/api/companies?limit=1');
    const taken = { name: 'Third', email: 'office@example.com', slug: one.slug };
    expect(await ask('POST', '/api/companies', { body: taken })).toMatchObject({
      status: 409,
      body: { code: 'slug_taken' },
    });
    expect((await ask('GET', '/api/companies?limit=1')).body.total).toBe(before.total);
  });

  it.each([
    [{ slug: 'Upper' }, 'slug'],
    [{ slug: 'a--b' }, 'slug'],
    [{ slug: '-a' }, 'slug'],
    [{ slug: 'a'.repeat(41) }, 'slug'],
    [{ email: 'a@b@c' }, 'email'],
    [{ name: '' }, 'name'],
    [{ placement: 'mainframe' }, 'placement'],
    [{ roles: 'kings' }, 'roles'],
    [{ quota_bytes: -1 }, 'quota_bytes'],
    [{ admin: { email: 'x', full_name: 'X' } }, 'admin.email'],
    [{ status: 'active' }, ''],
  ])('refuses %j and names the field', async (change, path) => {
    const body = { name: 'Refused', email: 'office@example.com', ...change };
    const answer = await ask('POST', '/api/companies', { body });
    expect(answer.status).toBe(422);
    expect(answer.body.errors[0].path).toBe(path === '' ? expect.anything() && answer.body.errors[0].path : path);
    expect((await ask('GET', '/api/companies?q=Refused')).body.items).toEqual([]);
  });

  it('answers 202 as soon as the journal has it, where that is preferred', async () => {
    const body = { name: 'In the background', email: 'office@example.com', admin: person };
    const begun = await ask('POST', '/api/companies', { body, headers: { prefer: 'wait=5, respond-async' } });
    expect(begun).toMatchObject({
      status: 202,
      body: { status: 'creating', operation_id: expect.stringMatching(/^oprn_/) },
    });
    expect(begun.headers.get('preference-applied')).toBe('respond-async');
    const status = async () => (await ask('GET', `/api/companies/${begun.body.id}`)).body.status;
    await expect.poll(status, { timeout: 10_000 }).toBe('active');
    expect((await accept(begun.body.invitation.token)).status).toBe(201);
    const { body: journal } = await ask('GET', `/api/companies/${begun.body.id}/operations`);
    expect(journal.items[0]).toMatchObject({ id: begun.body.operation_id, verb: 'create', status: 'succeeded' });
  });

  it('keeps the invitation where the first attempt fails and the journal goes on', async () => {
    armFailpoints('create.stamp.before=throw');
    const body = { name: 'Second attempt', email: 'office@example.com', admin: person };
    const begun = await ask('POST', '/api/companies', { body });
    expect(begun.status).toBe(202);
    disarmFailpoints();
    await expect
      .poll(
        async () => {
          await program.kernel.settle();
          return (await ask('GET', `/api/companies/${begun.body.id}`)).body.status;
        },
        { timeout: 20_000, interval: 200 },
      )
      .toBe('active');
    expect((await accept(begun.body.invitation.token)).status).toBe(201);
  });
});

describe('list', () => {
  it('pages through all of them once, in order, with a total', async () => {
    for (let index = 0; index < 5; index += 1) await create(`Paged ${index}`);
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const more: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const { status, body } = await ask('GET', `/api/companies?q=Paged&sort=name&limit=2${more}`);
      expect(status).toBe(200);
      expect(body.total).toBe(5);
      seen.push(...body.items.map((item: { name: string }) => item.name));
      cursor = body.next_cursor;
    }
    expect(seen).toEqual([0, 1, 2, 3, 4].map((index) => `Paged ${index}`));
  });

  it('refuses cursors that were edited, cut, or made for another list', async () => {
    const { body } = await ask('GET', '/api/companies?q=Paged&sort=name&limit=2');
    const cursor = body.next_cursor as string;
    const bad = [
      cursor.slice(0, -1),
      `x${cursor}`,
      'e30',
      '',
      `${Buffer.from('["a","b"]').toString('base64url')}.${cursor.split('.')[1]}`,
    ];
    for (const text of bad) {
      const answer = await ask('GET', `/api/companies?q=Paged&sort=name&limit=2&cursor=${encodeURIComponent(text)}`);
      expect({ text, status: answer.status }).toEqual({ text, status: 422 });
    }
    const other = await ask('GET', `/api/companies?q=Paged&sort=-name&limit=2&cursor=${encodeURIComponent(cursor)}`);
    expect(other.status).toBe(422);
  });

  it.each(['limit=0', 'limit=201', 'limit=1.5', 'sort=wrapped_key', 'sort=id;--', 'status=gone', 'placement=x'])(
    'refuses ?%s',
    async (query) => {
      expect((await ask('GET', `/api/companies?${query}`)).status).toBe(422);
    },
  );

  it('takes the text of q literally', async () => {
    await create('100% of it_all');
    const found = async (q: string) =>
      (await ask('GET', `/api/companies?q=${encodeURIComponent(q)}`)).body.items.length;
    expect(await found('100%')).toBe(1);
    expect(await found('it_all')).toBe(1);
    expect(await found('1_0%')).toBe(0);
    expect(await found("' OR 1=1--")).toBe(0);
  });
});

describe('one company', () => {
  it('changes what may be changed, and nothing else', async () => {
    const { id } = await create('Before');
    const changed = await ask('PATCH', `/api/companies/${id}`, {
      body: { name: 'After', registration: 'open', quota_bytes: null },
    });
    expect(changed.body).toMatchObject({ name: 'After', registration: 'open', quota_bytes: null, slug: 'before' });
    for (const body of [{ slug: 'x' }, { status: 'deleted' }, { wrapped_key: 'x' }, { name: null }]) {
      expect((await ask('PATCH', `/api/companies/${id}`, { body })).status).toBe(422);
    }
  });

  it('is suspended and resumed, twice with the same effect', async () => {
    const { id } = await create('Paused');
    for (const verb of ['suspend', 'suspend']) {
      expect((await ask('POST', `/api/companies/${id}/${verb}`)).body.status).toBe('suspended');
    }
    expect(await ask('POST', `/api/companies/${id}/invite-admin`, { body: person })).toMatchObject({
      status: 409,
      body: { code: 'company_suspended' },
    });
    for (const verb of ['resume', 'resume']) {
      expect((await ask('POST', `/api/companies/${id}/${verb}`)).body.status).toBe('active');
    }
    const { body } = await ask('GET', `/api/companies/${id}/operations`);
    expect(body.items.map((item: { verb: string }) => item.verb)).toEqual(['resume', 'suspend', 'create']);
    const logs = await ask('GET', `/api/companies/${id}/database/logs?limit=2`);
    expect(logs.body.items.map((line: { verb: string }) => line.verb)).toEqual(['resume', 'suspend']);
    const rest = await ask(
      'GET',
      `/api/companies/${id}/database/logs?cursor=${encodeURIComponent(logs.body.next_cursor)}`,
    );
    expect(rest.body.items.every((line: { verb: string }) => line.verb === 'create')).toBe(true);
  });

  it('gets further administrators by invitation alone', async () => {
    const { id } = await create('Two heads');
    const invited = await ask('POST', `/api/companies/${id}/invite-admin`, { body: person });
    expect(invited).toMatchObject({ status: 201, body: { role: 'hr_admin', status: 'pending' } });
    expect((await accept(invited.body.token)).status).toBe(201);
    const second = { email: 'second@example.com', full_name: 'Second' };
    const more = await ask('POST', `/api/companies/${id}/invite-admin`, { body: second });
    expect((await accept(more.body.token)).body.user.role).toBe('hr_admin');
    expect((await ask('GET', `/api/companies/${id}/stats`)).body).toMatchObject({ users: 2, documents: 0 });
  });
});

describe('delete', () => {
  it('asks for the slug while there are users, keeps the grace, and can be taken back', async () => {
    const company = await create('Farewell', { admin: person });
    const path = `/api/companies/${company.id}`;
    const member = (await accept(company.invitation.token)).body.access_token;
    expect(await ask('DELETE', path)).toMatchObject({ status: 409, body: { code: 'company_not_empty' } });
    expect((await ask('DELETE', `${path}?confirm=wrong`)).status).toBe(422);
    expect((await ask('GET', '/api/auth/me', { token: member })).status).toBe(200);
    const first = await ask('DELETE', `${path}?confirm=farewell`);
    expect(first).toMatchObject({ status: 202, body: { status: 'deleting' } });
    expect((await ask('GET', '/api/auth/me', { token: member })).status).toBe(401);
    const again = await ask('DELETE', path);
    expect(again.body).toEqual(first.body);
    expect(await ask('PATCH', path, { body: { name: 'X' } })).toMatchObject({
      status: 409,
      body: { code: 'company_deleting' },
    });
    expect((await ask('POST', `${path}/suspend`)).status).toBe(409);
    // Purging is another thing than asking again.
    expect((await ask('DELETE', `${path}?purge=now`)).status).toBe(409);
    expect((await ask('POST', `${path}/restore`)).body.status).toBe('active');
    expect((await ask('POST', `${path}/restore`)).body.code).toBe('company_not_deleting');
    expect((await ask('GET', '/api/auth/me', { token: member })).status).toBe(200);
    expect((await ask('DELETE', `${path}?confirm=farewell&purge=now`)).status).toBe(204);
    for (const method of ['GET', 'DELETE']) expect((await ask(method, path)).status).toBe(404);
    expect((await create('Farewell')).slug).toBe('farewell');
  });

  it('shows one that is being made, and lets nothing be done with it', async () => {
    armFailpoints('create.stamp.before=delay:1500');
    const body = { name: 'Slowly', slug: 'slowly', email: 'office@example.com' };
    const begun = await ask('POST', '/api/companies', { body, headers: { prefer: 'respond-async' } });
    const path = `/api/companies/${begun.body.id}`;
    expect(await ask('GET', path)).toMatchObject({ status: 200, body: { status: 'creating', slug: 'slowly' } });
    expect((await ask('GET', `${path}/operations`)).body.items).toMatchObject([{ verb: 'create', status: 'running' }]);
    expect(await ask('POST', '/api/companies', { body })).toMatchObject({ status: 409, body: { code: 'slug_taken' } });
    const refusal = { status: 409, body: { code: 'company_not_ready' } };
    expect(await ask('DELETE', path)).toMatchObject(refusal);
    expect(await ask('POST', `${path}/suspend`)).toMatchObject(refusal);
    expect(await ask('POST', `${path}/invite-admin`, { body: person })).toMatchObject(refusal);
    expect(await ask('GET', `${path}/stats`)).toMatchObject(refusal);
    await expect.poll(async () => (await ask('GET', path)).body.status, { timeout: 10_000 }).toBe('active');
  });

  it('shows one that was not made, and gives it up when it is deleted', async () => {
    armFailpoints('create.stamp.before=throw');
    const body = { name: 'Never', slug: 'never', email: 'office@example.com' };
    const begun = await ask('POST', '/api/companies', { body });
    const path = `/api/companies/${begun.body.id}`;
    expect(await ask('GET', path)).toMatchObject({ status: 200, body: { status: 'failed', slug: 'never' } });
    const failed = (await ask('GET', '/api/companies?status=failed')).body.items;
    expect(failed.map((company: { id: string }) => company.id)).toEqual([begun.body.id]);
    const [operation] = (await ask('GET', `${path}/operations`)).body.items;
    expect(operation).toMatchObject({ verb: 'create', reason: expect.stringContaining('stamp') });
    expect((await ask('GET', `${path}/database/logs`)).body.items.length).toBeGreaterThan(0);
    expect(await ask('POST', '/api/companies', { body })).toMatchObject({ status: 409, body: { code: 'slug_taken' } });
    expect(await ask('GET', `${path}/stats`)).toMatchObject({ status: 409, body: { code: 'company_not_ready' } });
    expect((await ask('GET', `${path}/database/test`)).status).toBe(200);
    expect((await ask('DELETE', `${path}?confirm=wrong`)).status).toBe(422);
    expect((await ask('DELETE', path)).status).toBe(204);
    expect((await ask('GET', path)).status).toBe(404);
    disarmFailpoints();
    expect((await ask('POST', '/api/companies', { body })).status).toBe(201);
  });

  it('is deleted by the command line too where it was not made', async () => {
    armFailpoints('create.stamp.before=throw');
    const body = { name: 'Nor this', slug: 'nor-this', email: 'office@example.com' };
    const begun = await ask('POST', '/api/companies', { body });
    const run = promisify(execFile);
    const command = async (...words: string[]) => {
      const env = { ...process.env, STRONGROOM_DATA_DIR: dataDir };
      return (await run(process.execPath, [join(root, 'bin/strongroom.js'), 'companies', ...words], { env })).stdout;
    };
    expect(await command('show', 'nor-this')).toContain('failed');
    expect(await command('delete', 'nor-this')).toContain('nor-this is gone');
    expect((await ask('GET', `/api/companies/${begun.body.id}`)).status).toBe(404);
  });
});

describe('database test', () => {
  it('knows its own, another’s, a damaged and a missing database, and names no place', async () => {
    const [mine, other] = [await create('Tested'), await create('Stranger')];
    const path = `/api/companies/${mine.id}/database/test`;
    const test = async () => (await ask('GET', path)).body;
    expect(await test()).toMatchObject({ ok: true, identity: 'match', placement: 'sqlite' });
    await ask('DELETE', '/api/system/connections');
    await rename(fileOf(mine.id), `${fileOf(mine.id)}.away`);
    const missing = await test();
    expect(missing).toMatchObject({ ok: false, identity: 'unknown', reason: expect.any(String) });
    expect((await ask('GET', `/api/companies/${mine.id}/stats`)).status).toBe(503);
    await program.kernel.connections.closeTenant(other.id);
    await copyFile(fileOf(other.id), fileOf(mine.id));
    expect(await test()).toMatchObject({ ok: false, identity: 'mismatch' });
    await writeFile(fileOf(mine.id), 'not a database at all, but long enough to look like something');
    const damaged = await test();
    expect(damaged.ok).toBe(false);
    expect(JSON.stringify([missing, damaged])).not.toContain(dataDir);
    await rename(`${fileOf(mine.id)}.away`, fileOf(mine.id));
    expect(await test()).toMatchObject({ ok: true, identity: 'match' });
  });
});

describe('who may ask', () => {
  it('is operators alone: members get 403 before any look-up, strangers 401', async () => {
    const routes = Object.values(fleetContract).filter((route) => route.access.who === 'operator');
    expect(routes.length).toBeGreaterThan(15);
    for (const route of routes) {
      const path = route.path.replace(/\{\w+\}/, 'comp_nonsense');
      const options = route.method === 'GET' || route.method === 'DELETE' ? {} : { body: {} };
      const of = `${route.method} ${route.path}`;
      expect({ of, status: (await ask(route.method, path, { ...options, token: admin })).status }).toEqual({
        of,
        status: 403,
      });
      expect({ of, status: (await ask(route.method, path, { ...options, token: null })).status }).toEqual({
        of,
        status: 401,
      });
    }
  });

  it('is answered alike for what is no id and what no company has', async () => {
    for (const id of [
      'nonsense',
      'comp_',
      `comp_${'0'.repeat(26)}`,
      'user_01m7xqm6yzz8edkqb5vt7xvh0p',
      '%2e%2e',
      'alder-works',
    ]) {
      const { status, body } = await ask('GET', `/api/companies/${id}`);
      expect({ id, status, code: body.code }).toEqual({ id, status: 404, code: 'not_found' });
    }
  });

  it('is never the network for the host’s routes', async () => {
    for (const path of ['/api/host/doctor', '/api/host/companies', '/api/host/system/connections']) {
      expect((await ask('POST', path, { body: {} })).status).toBe(404);
      expect((await ask('GET', path)).status).toBe(404);
    }
  });
});
