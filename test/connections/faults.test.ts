/**
 * Forty companies on three placements and two PostgreSQL servers, all of them used, while one server goes away and comes
 * back, a database is dropped, a login is locked and a backend is killed.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isStrongroomError } from '../../src/kernel/errors.ts';
import type { TenantId } from '../../src/kernel/ids.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import type { PlacementKind } from '../../src/kernel/placements/placement.ts';
import { openTestKernel, testOperator } from '../support/kernel.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { startTestProgram } from '../support/program.ts';
import { call } from '../support/story.ts';

interface Watched {
  readonly id: TenantId;
  readonly unit: string;
  readonly kind: PlacementKind;
  readonly server: string | null;
  /** When it was answered, and refused with which code; milliseconds of `performance.now`. */
  readonly answered: number[];
  readonly refused: { readonly at: number; readonly code: string }[];
  /** Longest wait for an answer that was one. */
  slowest: number;
}

let here: PostgresServer;
let there: PostgresServer;
let kernel: Kernel;
let companies: Watched[];
const recoverWithin = 10_000;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

beforeAll(async () => {
  [here, there] = await Promise.all([startPostgres(), startPostgres()]);
  kernel = await openTestKernel({
    postgresUrl: here.url,
    postgresRegion: 'here',
    postgresServers: JSON.stringify([{ name: 'there', region: 'there', url: there.url }]),
    postgresConnections: 40,
  });
  const made = Array.from({ length: 40 }, (_, index) => {
    const placement = (['sqlite', 'schema', 'database'] as const)[index % 3]!;
    return { placement, region: index % 2 === 0 ? 'here' : 'there' };
  });
  companies = [];
  const lane = async () => {
    for (let next = made.pop(); next !== undefined; next = made.pop()) companies.push(await newCompany(next));
  };
  await Promise.all([lane(), lane(), lane()]);
}, 120_000);
afterAll(async () => {
  await kernel?.close();
  await here?.stop();
  await there?.stop();
});

async function newCompany(where: { placement: PlacementKind; region: string }): Promise<Watched> {
  const input = { name: 'One of forty', email: 'office@example.com', ...where };
  return watched((await kernel.tenants.create(input, testOperator)).record.id);
}

async function watched(id: TenantId): Promise<Watched> {
  const { placement } = (await kernel.tenants.get(id))!;
  const { kind, server, unit } = placement;
  return { id, unit, kind, server, answered: [], refused: [], slowest: 0 };
}

/** Reads and writes in turns until told to stop, whatever happens. */
async function use(company: Watched, stopped: () => boolean): Promise<void> {
  for (let turn = 0; !stopped(); turn += 1) {
    const began = performance.now();
    try {
      const { db } = await kernel.tenants.open(company.id, { kind: 'system' });
      if (turn % 3 === 0) await db.transaction((tx) => tx.deleteFrom('jobs').where('id', '=', 'none').execute());
      else await db.read.selectFrom('identity').select('tenant_id').executeTakeFirstOrThrow();
      company.answered.push(performance.now());
      company.slowest = Math.max(company.slowest, performance.now() - began);
    } catch (error) {
      const code = isStrongroomError(error) ? error.code : String((error as Error).message);
      company.refused.push({ at: performance.now(), code });
    }
    await pause(40);
  }
}

/** Refusals that are later than the cause allows: from `recoverWithin` after its end, or before its beginning. */
const outside = ({ refused }: Watched, from: number, to: number) =>
  refused.filter(({ at }) => at < from || at > to + recoverWithin);

test.skipIf(process.env.TEST_POSTGRES_URL)(
  'only the companies concerned see errors, and all others recover by themselves',
  {
    timeout: 120_000,
  },
  async () => {
    const on = (server: string | null, kind: PlacementKind) =>
      companies.filter((company) => company.server === server && company.kind === kind);
    const locked = on(null, 'schema')[0]!;
    const killed = on(null, 'database')[0]!;
    const gone = on(null, 'database')[1]!;
    let stop = false;
    const load = companies.flatMap((company) => [use(company, () => stop), use(company, () => stop)]);
    await pause(1_000);
    expect(companies.flatMap(({ refused }) => refused)).toEqual([]);

    const began = performance.now();
    const restarted = there.restart!(async () => void (await pause(3_000))).then(() => performance.now());
    await here.ask(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${killed.unit}'`);
    await here.ask(`ALTER ROLE "${locked.unit}" NOLOGIN`);
    await here.ask(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${locked.unit}'`);
    await here.ask(`DROP DATABASE "${gone.unit}" WITH (FORCE)`);
    const dropped = performance.now();
    await pause(3_000);
    await here.ask(`ALTER ROLE "${locked.unit}" LOGIN`);
    const unlocked = performance.now();
    const back = await restarted;
    const end = Math.max(back, unlocked);
    const recovered = () => companies.every(({ id, answered }) => id === gone.id || (answered.at(-1) ?? 0) > end);
    while (!recovered() && performance.now() < end + recoverWithin) await pause(50);
    const last = performance.now();
    // As usual from then on: everybody is answered, and again.
    const usual = () => companies.every(({ id, answered }) => id === gone.id || (answered.at(-3) ?? 0) > last);
    while (!usual() && performance.now() < last + 20_000) await pause(50);
    stop = true;
    await Promise.all(load);

    for (const company of companies) {
      const what = `${company.kind} ${company.server} ${JSON.stringify(company.refused.slice(0, 3))}`;
      if (company === gone) {
        expect(new Set(company.refused.map(({ code }) => code))).toContain('database_missing');
        expect(company.answered.filter((at) => at > dropped + 1_000)).toEqual([]);
        continue;
      }
      // Everybody is answered at the end.
      expect(company.answered.filter((at) => at > last).length, what).toBeGreaterThan(2);
      expect(outside(company, began, last - recoverWithin), what).toEqual([]);
      if (company === locked) expect(outside(company, began, unlocked), what).toEqual([]);
      else if (company === killed) expect(outside(company, began, began), what).toEqual([]);
      else if (company.server === 'there') expect(outside(company, began, back), what).toEqual([]);
      else {
        expect(company.refused, what).toEqual([]);
        expect(company.slowest, what).toBeLessThan(3_000);
      }
    }
    expect(locked.refused.length).toBeGreaterThan(0);
    expect(await here.named(gone.unit)).not.toContain(`database ${gone.unit}`);
    const alarms = await kernel.control.read.selectFrom('audit_log').select(['action', 'target']).execute();
    expect(alarms.some(({ action, target }) => action === 'alarm.database_missing' && target === gone.id)).toBe(true);
  },
);

test('a database that hangs slows nobody else', { timeout: 90_000 }, async () => {
  const tight = await openTestKernel({
    postgresUrl: here.url,
    postgresConnections: 6,
    tenantConnections: 3,
    statementSeconds: 1,
    connectionWaitSeconds: 4,
  });
  const made: { id: TenantId; unit: string }[] = [];
  const make = async () => {
    const input = { name: 'One of twelve', email: 'office@example.com', placement: 'database' as const };
    const { record } = await tight.tenants.create(input, testOperator);
    made.push({ id: record.id, unit: record.placement.unit });
  };
  for (let round = 0; round < 3; round += 1) await Promise.all([make(), make(), make(), make()]);
  let stop = false;
  const waits: number[] = [];
  const errors: string[] = [];
  const one = async (id: TenantId, quiet: boolean) => {
    const began = performance.now();
    try {
      const { db } = await tight.tenants.open(id, { kind: 'system' });
      await db.read.selectFrom('identity').select('tenant_id').executeTakeFirstOrThrow();
      if (quiet) waits.push(performance.now() - began);
    } catch (error) {
      if (quiet) errors.push(isStrongroomError(error) ? error.code : String(error));
    }
    await pause(20);
  };
  const lane = async (id: TenantId, quiet: boolean) => {
    while (!stop) await one(id, quiet);
  };
  // Three that hang, each asked six times at once, want more than all the connections that there are.
  const hanging = made.slice(0, 3);
  const release = await Promise.all(hanging.map(({ unit }) => holdLock(unit)));
  const noise = hanging.flatMap(({ id }) => Array.from({ length: 6 }, () => lane(id, false)));
  await pause(3_000);
  const others = made.slice(3).map(({ id }) => lane(id, true));
  await pause(3_000);
  stop = true;
  await Promise.all([...noise, ...others]);
  for (const end of release) await end();
  waits.sort((less, more) => less - more);
  expect(errors).toEqual([]);
  expect(waits.length).toBeGreaterThan(90);
  expect(waits[Math.floor(waits.length * 0.95)]).toBeLessThan(800);
  for (const { id } of hanging) {
    await expect
      .poll(
        async () => {
          const { db } = await tight.tenants.open(id, { kind: 'system' });
          return db.read
            .selectFrom('identity')
            .select('tenant_id')
            .execute()
            .then(
              (rows) => rows.length,
              () => 0,
            );
        },
        { timeout: recoverWithin, interval: 100 },
      )
      .toBe(1);
  }
});

test('a dropped database is answered 503 over HTTP and never made anew', { timeout: 60_000 }, async () => {
  const program = await startTestProgram({ postgresUrl: here.url, placement: 'database' });
  try {
    const dropped = await program.company('Dropped');
    const beside = await program.company('Beside', { placement: 'sqlite' });
    const list = (token: string) => call(program.url, 'GET', '/api/documents', { token });
    expect((await list(dropped.admin.token)).status).toBe(200);
    const { unit } = (await program.program.kernel.tenants.get(dropped.id as TenantId))!.placement;
    await here.ask(`DROP DATABASE "${unit}" WITH (FORCE)`);
    for (let attempt = 0; attempt < 6; attempt += 1) {
      const answer = await list(dropped.admin.token);
      expect(answer.status).toBe(503);
      expect(answer.headers.get('retry-after')).not.toBeNull();
      expect(answer.text).not.toContain(unit);
      expect((await list(beside.admin.token)).status).toBe(200);
    }
    expect((await list(dropped.admin.token)).body.code).toBe('database_missing');
    await program.program.kernel.settle();
    expect(await here.named(unit)).not.toContain(`database ${unit}`);
  } finally {
    await program.stop();
  }
});

/** Nobody else reads the identity of this database until what is given back is called. */
async function holdLock(unit: string): Promise<() => Promise<void>> {
  const { default: pg } = await import('pg');
  const address = new URL(here.url);
  address.pathname = `/${unit}`;
  const client = new pg.Client({ connectionString: address.href });
  await client.connect();
  await client.query('BEGIN; LOCK TABLE strongroom.identity IN ACCESS EXCLUSIVE MODE');
  return () => client.end();
}
