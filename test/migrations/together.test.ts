/**
 * Schemas of one database that go together in a fleet migration: in one transaction where all is as the release expects,
 * each for itself where it is not; and the digest by which many structures are compared at once.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { fingerprint, structureDigestsText } from '../../src/kernel/database/fingerprint.ts';
import { postgresDialect } from '../../src/kernel/database/postgres-dialect.ts';
import { openPostgresSession } from '../../src/kernel/database/postgres-session.ts';
import { kyselyOver } from '../../src/kernel/database/session.ts';
import { armFailpoints, disarmFailpoints, failpointHits } from '../../src/kernel/tenants/failpoints.ts';
import { testOperatorActor } from '../support/actors.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { applied, type MixedFleet, makeMixedFleet, nextRelease, statusOf, untouched } from './mixed-fleet.ts';

let server: PostgresServer;
let fleet: MixedFleet;

beforeAll(async () => {
  server = await startPostgres();
}, 120_000);
afterAll(async () => {
  await server?.stop();
});
beforeEach(async () => {
  fleet = await makeMixedFleet(server, { schema: 9 });
}, 60_000);
afterEach(async () => {
  disarmFailpoints();
  await fleet?.remove();
}, 60_000);

/** Runs the next release, two lanes. Gives how it ended and how many transactions changed companies. */
async function migrated() {
  const kernel = await fleet.open([nextRelease]);
  armFailpoints('');
  const ended = await kernel.fleet.wait((await kernel.fleet.start({ concurrency: 2 }, testOperatorActor)).run.id);
  return { kernel, ended, transactions: failpointHits().get('migrate.schema.applied') ?? 0 };
}

test('the first shows the way, the others go two by two, and requests reach what was made', async () => {
  const { kernel, ended, transactions } = await migrated();
  expect(ended).toMatchObject({ status: 'succeeded', done: 9, failed: 0 });
  expect(transactions).toBe(1 + 8 / 2);
  for (const record of fleet.records) {
    expect(await fleet.marks(record)).toEqual(applied);
    const tenant = await kernel.tenants.open(record.id, testOperatorActor);
    await tenant.db.transaction((tx) => tx.insertInto('next_marks').values({ mark: 'by a request' }).execute());
    const owners = await fleet.byHand(
      record,
      `SELECT relowner::regrole::text AS owner FROM pg_class WHERE oid = '%next_marks'::regclass`,
    );
    expect(owners).toEqual([{ owner: `${record.placement.unit}_o` }]);
  }
  expect(await kernel.doctor.examine({ repair: false })).toEqual([]);
});

test.each([
  ['a migration that is refused there', 'ALTER TABLE %documents ADD COLUMN next_column text', untouched],
  ['structure that somebody added', 'CREATE INDEX by_hand ON %documents (id)', applied],
  ['an identity row of another', `UPDATE %identity SET tenant_id = 'someone'`, untouched],
  ['a ledger of another kind', `INSERT INTO %migrations VALUES ('later', '0001-later', 'now')`, applied],
] as const)('%s stays with its company', async (what, statement, state) => {
  // The last: what the others are is known by then, and it is only compared with them.
  const odd = fleet.records.at(-1)!;
  await fleet.byHand(odd, statement);
  const { ended } = await migrated();
  const fails = !what.startsWith('a ledger');
  expect(ended).toMatchObject({ done: fails ? 8 : 9, failed: fails ? 1 : 0, skipped: 0 });
  expect(statusOf(ended, odd.id)).toBe(fails ? 'failed' : 'done');
  for (const record of fleet.records) expect(await fleet.marks(record)).toEqual(record === odd ? state : applied);
});

test.each([
  [
    'columns, checks, tables',
    [
      'ALTER TABLE %users ADD COLUMN by_hand text',
      `ALTER TABLE %users ADD CONSTRAINT by_hand CHECK (email <> 'by hand')`,
      'CREATE TABLE %by_hand (id text)',
    ],
  ],
  ['views, tables that are gone', ['CREATE VIEW %by_hand AS SELECT 1 AS one', 'DROP TABLE %event_cursors']],
])('%s are seen where the release did nothing', async (_, statements) => {
  // One in each of the last pairs: what the others are is known by then, and they are only compared with them.
  const odd = statements.map((_, at) => fleet.records.at(-1 - 2 * at)!);
  for (const [at, record] of odd.entries()) await fleet.byHand(record, statements[at]!);
  const { ended } = await migrated();
  expect(ended).toMatchObject({ status: 'failed', done: 9 - odd.length, failed: odd.length });
  for (const record of odd) {
    expect(statusOf(ended, record.id)).toBe('failed');
    expect(await fleet.marks(record)).toEqual(applied);
  }
});

test('what was changed in place where the release did nothing is left to doctor', async () => {
  const odd = fleet.records.at(-1)!;
  await fleet.byHand(odd, 'ALTER TABLE %users ALTER COLUMN email SET DEFAULT 1');
  const { kernel, ended } = await migrated();
  expect(ended).toMatchObject({ status: 'succeeded', done: 9 });
  const reports = await kernel.doctor.examine({ repair: false });
  expect(reports.length).toBeGreaterThan(0);
  for (const { subject, problem } of reports) {
    expect({ subject, problem }).toEqual({ subject: odd.id, problem: expect.stringContaining('the structure') });
  }
});

test('the ledgers of many are read as the companies have them, and a wrong identity shows', async () => {
  const { kernel } = await migrated();
  const odd = fleet.records[4]!;
  await fleet.byHand(odd, `UPDATE %identity SET tenant_id = 'someone'`);
  const found = await Promise.all(fleet.records.map(({ id }) => kernel.tenants.inspect(id)));
  for (const [index, state] of found.entries()) {
    const { id, placement } = fleet.records[index]!;
    expect(state).toMatchObject({
      exists: true,
      identity: { tenantId: index === 4 ? 'someone' : id, generation: placement.generation },
    });
    expect(state.applied).toHaveLength(kernel.fleet.head);
    expect(state.applied.slice(-2)).toEqual(['next/0001-column', 'next/0002-mark']);
  }
});

test('a digest stands for one structure, whatever the schema', async () => {
  const session = await openPostgresSession({ connectionString: await server.newDatabase('digests') });
  try {
    const made = `CREATE TABLE people (id text PRIMARY KEY, age integer DEFAULT 3 CHECK (age > 0), boss text REFERENCES people);
      CREATE INDEX people_old ON people (boss) WHERE age > 60`;
    const changes = [
      '',
      'ALTER TABLE people ALTER COLUMN age SET DEFAULT 4',
      'ALTER TABLE people DROP CONSTRAINT people_age_check, ADD CONSTRAINT people_age_check CHECK (age > 1)',
      'DROP INDEX people_old; CREATE INDEX people_old ON people (boss) WHERE age > 61',
      'ALTER TABLE people DROP CONSTRAINT people_boss_fkey',
      'CREATE VIEW by_hand AS SELECT id FROM people',
      'ALTER TABLE people ALTER COLUMN boss SET NOT NULL',
      '',
    ];
    const names = changes.map((_, index) => `space_${index}`);
    const prints: string[] = [];
    for (const [index, name] of names.entries()) {
      await session.script(`CREATE SCHEMA ${name}; SET search_path = ${name}; ${made}; ${changes[index]}`);
      prints.push(
        await fingerprint(
          kyselyOver(postgresDialect, (query) => session.execute(query)),
          'postgres',
        ),
      );
    }
    const [row] = await session.script<{ version: string }>(`SELECT current_setting('server_version_num') AS version`);
    const rows = await session.script<{ schema: string; digest: string }>(
      structureDigestsText(names, { whole: ['people', 'by_hand'], version: Number(row!.version) }),
    );
    const digests = names.map((name) => rows.find(({ schema }) => schema === name)?.digest);
    expect(digests[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(digests.at(-1)).toBe(digests[0]);
    expect(new Set(digests).size).toBe(names.length - 1);
    expect(new Set(prints).size).toBe(names.length - 1);
  } finally {
    await session.close();
  }
});
