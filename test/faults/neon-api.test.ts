/**
 * Every fault of the Neon API, in creation and removal: what comes of it is a working company in one project, or nothing.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { idPart } from '../../src/kernel/ids.ts';
import type { PlacementRef } from '../../src/kernel/placements/placement.ts';
import { armFailpoints, disarmFailpoints } from '../../src/kernel/tenants/failpoints.ts';
import { useNeon } from '../neon/neon-server.ts';
import { type NeonUnderTest, startNeon } from '../neon/placement.ts';
import type { Fault, StandIn } from '../neon/stand-in.ts';
import { serverIterations } from '../neon/stand-in-projects.ts';
import type { PostgresServer } from '../support/postgres.ts';

const neon = useNeon();
let server: PostgresServer;
let standIn: StandIn;
let own: NeonUnderTest;
let shared: NeonUnderTest;
const lines: string[] = [];

beforeAll(async () => {
  ({ server, standIn } = neon);
  standIn.retryAfter = 0;
  own = await startNeon(standIn, 'project', { write: (line) => lines.push(line) });
  shared = await startNeon(standIn, 'database');
}, 60_000);
afterAll(async () => {
  await own?.close();
  await shared?.close();
});
afterEach(() => {
  const broken = standIn.calls.splice(0).filter((call) => call.includes('broke'));
  expect({ unmet: standIn.unmet(), broken }).toEqual({ unmet: [], broken: [] });
});

const projectsOf = (ref: PlacementRef) => standIn.projects.all().filter(({ name }) => name.endsWith(ref.unit));

async function expectWorking({ placement }: NeonUnderTest, ref: PlacementRef): Promise<void> {
  const connection = await placement.open(ref, 'read');
  const row = await connection.kysely.selectFrom('identity').selectAll().executeTakeFirstOrThrow();
  expect(row.tenant_id).toBe(ref.tenantId);
  await connection.close();
}

async function expectNothing(under: NeonUnderTest, ref: PlacementRef): Promise<void> {
  expect(projectsOf(ref)).toEqual([]);
  expect(await server.named(idPart(ref.tenantId))).toEqual([]);
  const records = await under.control.read.selectFrom('neon_units').selectAll().execute();
  expect(records.filter(({ owner }) => owner === ref.tenantId)).toEqual([]);
  const logins = await under.control.read.selectFrom('placement_credentials').selectAll().execute();
  expect(logins.filter(({ tenant_id }) => tenant_id === ref.tenantId)).toEqual([]);
}

const create = 'POST /projects';
const remove = 'DELETE /projects/{}';
const addDatabase = 'POST /projects/{}/branches/{}/databases';
const dropDatabase = 'DELETE /projects/{}/branches/{}/databases/{}';

type Pair = readonly [making: readonly Fault[], removing: readonly Fault[]];
const text = ({ on, answer, works = false, times = 1 }: Fault) =>
  `${on}: ${answer}${works === false ? '' : works === true ? ', done all the same' : `, done ${works} ms later`}${times === 1 ? '' : `, ${times} times`}`;
const named = (pairs: readonly Pair[]) => pairs.map((pair) => [pair.flat().map(text).join('; '), ...pair] as const);

/** Made and removed in spite of the faults: one that works, then nothing. */
async function expectBoth(under: NeonUnderTest, making: readonly Fault[], removing: readonly Fault[]) {
  const ref = under.newRef();
  standIn.fault(...making);
  await under.placement.create(ref);
  await expectWorking(under, ref);
  if (under === own) expect(projectsOf(ref)).toHaveLength(1);
  expect(standIn.unmet()).toEqual([]);
  // What was done without an answer, or is still to come, is taken up and not asked for again.
  if (making.some(({ on, works }) => on === create && works)) {
    expect(standIn.calls.filter((call) => call.startsWith(`${create} `))).toHaveLength(1);
  }
  standIn.fault(...removing);
  await under.placement.destroy(ref);
  await expectNothing(under, ref);
}

describe('a project', () => {
  const faults: Pair[] = [
    [[{ on: create, answer: 409, works: true }], [{ on: remove, answer: 409 }]],
    [[{ on: create, answer: 409 }], [{ on: remove, answer: 500 }]],
    [[{ on: create, answer: 423, times: 2 }], [{ on: remove, answer: 423, times: 2 }]],
    [[{ on: create, answer: 429 }], [{ on: remove, answer: 429 }]],
    [[{ on: create, answer: 503, times: 2 }], [{ on: remove, answer: 500, works: true }]],
    [[{ on: create, answer: 500 }], [{ on: remove, answer: 'cut' }]],
    [[{ on: create, answer: 502, works: true }], [{ on: remove, answer: 'cut', works: true }]],
    [[{ on: create, answer: 'cut' }], [{ on: 'GET /projects', answer: 'cut' }]],
    [[{ on: create, answer: 'cut', works: true }], [{ on: 'GET /projects/{}', answer: 500 }]],
    [[{ on: create, answer: 'cut', works: 150 }], [{ on: remove, answer: 'cut', times: 2 }]],
    [
      [
        { on: 'GET /projects/{}/operations', answer: 500 },
        { on: 'GET /projects/{}/operations/{}', answer: 'cut', times: 2 },
        { on: 'GET /projects/{}/connection_uri', answer: 423 },
      ],
      [
        { on: remove, answer: 503 },
        { on: 'GET /projects', answer: 429 },
        { on: 'GET /projects', answer: 502 },
      ],
    ],
  ];
  test.each(named(faults))('%s', (_, making, removing) => expectBoth(own, making, removing));
});

describe('a database in the project that companies share', () => {
  const faults: Pair[] = [
    [[{ on: addDatabase, answer: 409, works: true }], [{ on: dropDatabase, answer: 423, times: 2 }]],
    [[{ on: addDatabase, answer: 423, times: 2 }], [{ on: dropDatabase, answer: 409 }]],
    [[{ on: addDatabase, answer: 500, works: true }], [{ on: dropDatabase, answer: 500 }]],
    [[{ on: addDatabase, answer: 'cut', works: true }], [{ on: dropDatabase, answer: 'cut', works: true }]],
    [[{ on: addDatabase, answer: 'cut' }], [{ on: dropDatabase, answer: 'cut' }]],
    [
      [{ on: 'GET /projects/{}/branches', answer: 'cut' }],
      [{ on: 'GET /projects/{}/branches/{}/databases', answer: 503 }],
    ],
  ];
  test.each(named(faults))('%s', (_, making, removing) => expectBoth(shared, making, removing));

  test('several at once make one project', async () => {
    const fresh = await startNeon(standIn, 'database');
    const before = standIn.projects.all().length;
    standIn.fault({ on: create, answer: 'cut', works: true });
    const refs = [fresh.newRef(), fresh.newRef(), fresh.newRef()];
    await Promise.all(refs.map((ref) => fresh.placement.create(ref)));
    for (const ref of refs) await expectWorking(fresh, ref);
    expect(standIn.projects.all()).toHaveLength(before + 1);
    await fresh.close();
  });
});

test('operations are looked at until they have ended, before anything is done in the project', async () => {
  const ref = own.newRef();
  standIn.looks = 5;
  await own.placement.create(ref);
  standIn.looks = 1;
  const looks = standIn.calls.filter((call) => call === 'GET /projects/{}/operations/{} 200');
  expect(looks).toHaveLength(10);
  expect(standIn.calls.lastIndexOf(looks[0]!)).toBeLessThan(
    standIn.calls.indexOf('GET /projects/{}/connection_uri 200'),
  );
  await own.placement.destroy(ref);
});

test('a limit is kept for as long as it says', async () => {
  const ref = own.newRef();
  standIn.retryAfter = 1;
  standIn.fault({ on: create, answer: 429, times: 2 });
  const before = standIn.asked.length;
  await own.placement.create(ref);
  const [first, second, third] = standIn.asked.slice(before) as [number, number, number];
  expect(second - first).toBeGreaterThan(950);
  expect(third - second).toBeGreaterThan(950);
  standIn.retryAfter = 0;
  await own.placement.destroy(ref);
});

test('an undoing right after a creation that was cut off leaves nothing, however late the project comes', async () => {
  const ref = own.newRef();
  armFailpoints('place.neon.recorded=throw');
  await expect(own.placement.create(ref)).rejects.toThrow();
  disarmFailpoints();
  const records = await own.control.read.selectFrom('neon_units').selectAll().execute();
  const name = records.find(({ owner }) => owner === ref.tenantId)!.project_name;
  const coming = new Promise((resolve) => setTimeout(resolve, 150)).then(() =>
    standIn.projects.create({ name, branch: { role_name: `${ref.unit}_a`, database_name: ref.unit } }),
  );
  await own.placement.destroy(ref);
  await coming;
  await expectNothing(own, ref);
});

test('a second project that came too late to be noticed is listed, and removed without the first', async () => {
  const ref = own.newRef();
  standIn.fault({ on: create, answer: 'cut', works: 'when told' });
  await own.placement.create(ref);
  await expectWorking(own, ref);
  await standIn.finish();
  const [first, second] = projectsOf(ref).map(({ id }) => id);
  expect(second).toBeDefined();
  const listed = (await own.units()).filter((unit) => unit.startsWith(ref.unit));
  expect(listed).toHaveLength(2);
  const stray = listed.find((unit) => unit !== ref.unit)!;
  expect(stray).toBe(`${ref.unit}.${second}`);
  await expect(own.placement.destroyUnit(`${ref.unit}.${first}`)).rejects.toMatchObject({ code: 'not_a_unit' });
  await own.placement.destroyUnit(stray);
  expect(projectsOf(ref).map(({ id }) => id)).toEqual([first]);
  await expectWorking(own, ref);
  await own.placement.destroy(ref);
});

test('a creation that is gone on with leaves one project, however many came of the calls before', async () => {
  const ref = own.newRef();
  await own.placement.create(ref);
  const [first] = projectsOf(ref);
  await standIn.projects.create({ name: first!.name });
  await standIn.projects.create({ name: first!.name });
  await own.placement.create(ref);
  expect(projectsOf(ref)).toEqual([first]);
  await expectWorking(own, ref);
  await own.placement.destroy(ref);
});

test('projects are found on every page of a list', async () => {
  const refs = [own.newRef(), own.newRef(), own.newRef()];
  for (const ref of refs) await own.placement.create(ref);
  standIn.pageSize = 1;
  expect((await own.units()).sort()).toEqual(refs.map(({ unit }) => unit).sort());
  standIn.pageSize = 400;
  for (const ref of refs) await own.placement.destroy(ref);
});

describe('a project that is there', () => {
  let ref: PlacementRef;
  beforeAll(async () => {
    ref = own.newRef();
    await own.placement.create(ref);
  });
  afterAll(() => own.placement.destroy(ref));

  test('has hashed the passwords itself: Neon takes no verifier', async () => {
    const rows = await server.ask<{ rolpassword: string }>(
      `SELECT rolpassword FROM pg_authid WHERE rolname IN ('${ref.unit}', '${ref.unit}_m')`,
    );
    expect(rows).toHaveLength(2);
    for (const { rolpassword } of rows) expect(rolpassword).toContain(`SCRAM-SHA-256$${serverIterations}:`);
  });

  test('is missing once somebody has removed it at Neon, and never made anew', async () => {
    await standIn.projects.remove(projectsOf(ref)[0]!);
    own.alarms.length = 0;
    await expect(own.placement.open(ref, 'read')).rejects.toMatchObject({ code: 'database_missing' });
    expect(own.alarms).toMatchObject([{ kind: 'database_missing', tenantId: ref.tenantId }]);
    expect(await own.placement.inspect(ref)).toMatchObject({ exists: false });
    expect(projectsOf(ref)).toEqual([]);
  });
});

test('neither key nor passwords are in the log', async () => {
  expect(lines.some((line) => line.includes('the Neon API gave no answer'))).toBe(true);
  expect(lines.filter((line) => /napi_|npg_|Bearer|PASSWORD/.test(line))).toEqual([]);
});
