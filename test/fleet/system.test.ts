/** The installation as operators meet it: status, connections, trail, fleet migrations. */
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { day, isoTime } from '../../src/kernel/clock.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import { armFailpoints, disarmFailpoints } from '../../src/kernel/tenants/failpoints.ts';
import { type Program, startProgram } from '../../src/server/program.ts';
import { type Ask, asker, temporaryConfig } from './support.ts';

let program: Program;
let remove: () => Promise<void>;
let ask: Ask;
const companies: { id: string; slug: string }[] = [];

beforeAll(async () => {
  const temporary = await temporaryConfig();
  remove = temporary.remove;
  program = await startProgram(temporary.config, { validateAnswers: true });
  const setup = {
    token: program.setupToken,
    username: 'operator',
    email: 'operator@example.com',
    password: 'a long password 7',
  };
  const { body } = await asker(program.address, null)('POST', '/api/setup', { body: setup });
  ask = asker(program.address, body.access_token);
  for (const name of ['One', 'Two', 'Three']) {
    companies.push((await ask('POST', '/api/companies', { body: { name, email: 'office@example.com' } })).body);
  }
});

afterEach(() => disarmFailpoints());

afterAll(async () => {
  await program.close();
  await remove();
});

describe('status', () => {
  it('is one word for everybody and all of it for operators', async () => {
    expect((await ask('GET', '/api/system/status', { token: null })).body).toEqual({ status: 'ok' });
    // The first visits of the new companies wait for their connections.
    const status = async () => (await ask('GET', '/api/system/status')).body;
    await expect.poll(async () => (await status()).connections.waiting).toBe(0);
    expect(await status()).toMatchObject({
      status: 'ok',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      companies: { active: 3 },
      placements: { sqlite: 3 },
      connections: { budget: 200, waiting: 0 },
      migrations: { behind: 0, failed: 0 },
      storage: { kind: 'disk', ok: true },
      // Without a database server and without a key of Neon's there is nothing else to choose from.
      offered: { default: 'sqlite', placements: [{ placement: 'sqlite', regions: [] }] },
    });
  });
});

describe('connections', () => {
  it('are listed by company and closed, one or all', async () => {
    // What is due by itself would open them again.
    await program.kernel.settle();
    for (const { id } of companies) await ask('GET', `/api/companies/${id}/stats`);
    const open = async () =>
      (await ask('GET', '/api/system/connections')).body.items.map((item: { company_id: string }) => item.company_id);
    expect(new Set(await open())).toEqual(new Set(companies.map((company) => company.id)));
    expect((await ask('DELETE', `/api/system/connections/${companies[0]!.id}`)).status).toBe(204);
    expect(await open()).not.toContain(companies[0]!.id);
    expect((await ask('DELETE', '/api/system/connections')).status).toBe(204);
    expect(await open()).toEqual([]);
    expect((await ask('DELETE', '/api/system/connections/comp_nonsense')).status).toBe(404);
    expect((await ask('GET', `/api/companies/${companies[0]!.id}/stats`)).status).toBe(200);
  });
});

describe('audit', () => {
  it('has every change of a company, newest first, in pages, and verifies', async () => {
    await ask('POST', `/api/companies/${companies[0]!.id}/suspend`);
    await ask('POST', `/api/companies/${companies[0]!.id}/resume`);
    const { body } = await ask('GET', '/api/system/audit?verify=true&limit=2');
    expect(body.verification).toMatchObject({ ok: true });
    expect(body.items).toHaveLength(2);
    const actions: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page = await ask(
        'GET',
        `/api/system/audit?limit=3${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      actions.push(...page.body.items.map((item: { action: string }) => item.action));
      cursor = page.body.next_cursor;
    }
    expect(actions.filter((action) => action === 'company.created')).toHaveLength(3);
    expect(actions.indexOf('company.resumed')).toBeLessThan(actions.indexOf('company.suspended'));
    expect((await ask('GET', '/api/system/audit?cursor=5')).status).toBe(422);
  });
});

describe('migrations', () => {
  const fallBehind = () =>
    program.kernel.control.transaction((tx) => sql`update tenants set schema_version = schema_version - 1`.execute(tx));

  it('has nothing to do in a new fleet', async () => {
    const { body } = await ask('GET', '/api/system/migrations');
    expect(body.plan).toMatchObject({ behind: 0, items: [] });
    const started = await ask('POST', '/api/system/migrations', { body: {} });
    expect(started).toMatchObject({ status: 202, body: { status: 'succeeded', total: 0 } });
  });

  it('plans, runs one at a time, shows progress by company, and stops', async () => {
    await fallBehind();
    const plan = await ask('POST', '/api/system/migrations', { body: { dry_run: true } });
    expect(plan).toMatchObject({ status: 200, body: { behind: 3 } });
    const only = await ask('POST', '/api/system/migrations', {
      body: { dry_run: true, only: ['one', companies[1]!.id] },
    });
    expect(only.body.items.map((item: { slug: string }) => item.slug).sort()).toEqual(['one', 'two']);
    const unknown = await ask('POST', '/api/system/migrations', { body: { only: ['nobody'] } });
    expect(unknown).toMatchObject({ status: 422, body: { errors: [{ path: 'only.0' }] } });

    armFailpoints('fleet.company.before=delay:1500');
    const run = await ask('POST', '/api/system/migrations', { body: { concurrency: 1 } });
    expect(run).toMatchObject({ status: 202, body: { status: 'running', total: 3 } });
    const second = await ask('POST', '/api/system/migrations', { body: {} });
    expect(second).toMatchObject({ status: 409, body: { code: 'migration_running', migration_id: run.body.id } });
    const path = `/api/system/migrations/${run.body.id}`;
    expect((await ask('GET', path)).body.items).toHaveLength(3);
    expect((await ask('DELETE', path)).status).toBe(204);
    const stopped = await ask('GET', path);
    expect(stopped.body.status).toBe('stopped');
    expect(stopped.body.done).toBeLessThan(3);

    disarmFailpoints();
    const rest = await ask('POST', '/api/system/migrations', { body: {} });
    const ended = await program.kernel.fleet.wait(rest.body.id);
    expect(ended).toMatchObject({ status: 'succeeded', failed: 0 });
    const { body } = await ask('GET', '/api/system/migrations');
    expect(body.items.map((item: { id: string }) => item.id)).toContain(run.body.id);
    expect(body.plan.behind).toBe(0);
    for (const id of ['nonsense', 'mig_01m7xqm6yzz8edkqb5vt7xvh0p']) {
      expect((await ask('GET', `/api/system/migrations/${id}`)).status).toBe(404);
      expect((await ask('DELETE', `/api/system/migrations/${id}`)).status).toBe(404);
    }
  });
});

describe('figures', () => {
  const dayBefore = (days: number) => isoTime(Date.now() - days * day).slice(0, 10);
  const figures = { documents: 5, bytes: 700, databaseBytes: 90_000 };

  it('are none before anything was counted, for every day of the span', async () => {
    const { status, body } = await ask('GET', '/api/system/figures?days=3');
    expect(status).toBe(200);
    expect(body).toMatchObject({ companies: 0, documents: 0, bytes: 0, largest: [] });
    expect(body.days).toEqual([2, 1, 0].map((days) => ({ day: dayBefore(days), documents: 0 })));
    expect((await ask('GET', '/api/system/figures')).body.days).toHaveLength(30);
    for (const days of ['0', '367', '1e2', 'x', '-1']) {
      expect((await ask('GET', `/api/system/figures?days=${days}`)).status, days).toBe(422);
    }
  });

  it('are sums over companies by day, the largest company first, and open nothing', async () => {
    const [one, two] = companies.map(({ id }) => id as TenantId);
    const { figures: kept } = program.kernel;
    await kept.note(one!, { ...figures, added: new Map([[dayBefore(1), 2]]) });
    await kept.note(two!, { ...figures, bytes: 9_000, added: new Map([[dayBefore(0), 3]]) });
    // Counted once more, later: what was counted before is replaced, not added to.
    await kept.note(one!, { ...figures, bytes: 800, added: new Map([[dayBefore(0), 1]]) });
    await program.kernel.settle();
    await ask('DELETE', '/api/system/connections');
    const { body } = await ask('GET', '/api/system/figures?days=2');
    expect(body).toMatchObject({ companies: 2, documents: 10, bytes: 9_800, database_bytes: 180_000 });
    expect(body.days).toEqual([
      { day: dayBefore(1), documents: 2 },
      { day: dayBefore(0), documents: 4 },
    ]);
    const largest = body.largest.map(({ company_id, name, bytes }: Record<string, unknown>) => [
      company_id,
      name,
      bytes,
    ]);
    expect(largest).toEqual([
      [two, 'Two', 9_000],
      [one, 'One', 800],
    ]);
    const own = await ask('GET', `/api/companies/${one}/figures`);
    expect(own).toMatchObject({ status: 200 });
    expect(own.body.days).toEqual([
      { day: dayBefore(1), added: 2, documents: null, bytes: null, database_bytes: null },
      { day: dayBefore(0), added: 1, documents: 5, bytes: 800, database_bytes: 90_000 },
    ]);
    expect((await ask('GET', `/api/companies/${one}/figures?days=1`)).body.days).toHaveLength(1);
    expect((await ask('GET', `/api/companies/${companies[2]!.id}/figures`)).body.days).toEqual([]);
    expect((await ask('GET', '/api/companies/comp_nonsense/figures')).status).toBe(404);
    expect((await ask('GET', '/api/system/connections')).body.items).toEqual([]);
  });

  it('go with their company, and none come afterwards', async () => {
    const { body } = await ask('POST', '/api/companies', { body: { name: 'Gone', email: 'office@example.com' } });
    const id = body.id as TenantId;
    const counted = { ...figures, bytes: 50_000, added: new Map([[dayBefore(0), 100]]) };
    await program.kernel.figures.note(id, counted);
    expect((await ask('GET', '/api/system/figures')).body.companies).toBe(3);
    expect((await ask('DELETE', `/api/companies/${id}?confirm=${body.slug}&purge=now`)).status).toBe(204);
    await program.kernel.figures.note(id, counted);
    const after = (await ask('GET', '/api/system/figures?days=1')).body;
    expect(after).toMatchObject({ companies: 2, documents: 10, days: [{ documents: 4 }] });
    expect(after.largest.map(({ name }: { name: string }) => name)).toEqual(['Two', 'One']);
  });
});
