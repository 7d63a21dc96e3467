/**
 * The fingerprint of a structure on PostgreSQL: every change of it shows, the order of columns and the name of the schema
 * do not count.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fingerprint } from '../../src/kernel/database/fingerprint.ts';
import { postgresDialect } from '../../src/kernel/database/postgres-dialect.ts';
import { openPostgresSession, type PostgresSession } from '../../src/kernel/database/postgres-session.ts';
import { kyselyOver } from '../../src/kernel/database/session.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';

let server: PostgresServer;
let session: PostgresSession;

beforeAll(async () => {
  server = await startPostgres();
  session = await openPostgresSession({ connectionString: await server.newDatabase('structure') });
}, 120_000);
afterAll(async () => {
  await session?.close();
  await server?.stop();
});

const people = 'CREATE TABLE people (id text PRIMARY KEY, name text NOT NULL, age integer DEFAULT 3 CHECK (age > 0))';
const papers = `CREATE TABLE papers (id text PRIMARY KEY, owner text REFERENCES people (id), state text, at text);
  CREATE INDEX papers_at ON papers (at, id);
  CREATE INDEX papers_open ON papers (owner) WHERE state = 'open';
  CREATE UNIQUE INDEX papers_lower ON papers (lower(state))`;
const noted = `CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'`;

/** Of a fresh schema in which these were run. */
async function structureOf(schema: string, ...statements: string[]): Promise<string> {
  await session.begin();
  try {
    await session.script(`CREATE SCHEMA ${schema}; SET LOCAL search_path = ${schema}; ${statements.join(';\n')}`);
    return await fingerprint(
      kyselyOver(postgresDialect, (query) => session.execute(query)),
      'postgres',
    );
  } finally {
    await session.rollback();
  }
}

test('the same by another way, in another schema, is the same', async () => {
  const made = await structureOf('one', people, papers);
  const grown = await structureOf(
    'other',
    'CREATE TABLE people (name text NOT NULL, id text PRIMARY KEY)',
    'ALTER TABLE people ADD COLUMN age integer DEFAULT 3',
    'ALTER TABLE people ADD CONSTRAINT people_age_check CHECK (age > 0)',
    papers,
  );
  expect(grown).toBe(made);
});

test.each([
  ['a column more', 'ALTER TABLE papers ADD COLUMN more text'],
  ['a column less', 'ALTER TABLE papers DROP COLUMN at'],
  ['another name', 'ALTER TABLE papers RENAME COLUMN at TO since'],
  ['another type', 'ALTER TABLE papers ALTER COLUMN at TYPE varchar(40)'],
  ['null or not', 'ALTER TABLE papers ALTER COLUMN at SET NOT NULL'],
  ['a default', "ALTER TABLE papers ALTER COLUMN at SET DEFAULT 'now'"],
  ['a changed default', 'ALTER TABLE people ALTER COLUMN age SET DEFAULT 4'],
  ['a lost check', 'ALTER TABLE people DROP CONSTRAINT people_age_check'],
  [
    'a changed check',
    'ALTER TABLE people DROP CONSTRAINT people_age_check, ADD CONSTRAINT people_age_check CHECK (age > 1)',
  ],
  ['a lost reference', 'ALTER TABLE papers DROP CONSTRAINT papers_owner_fkey'],
  [
    'another action',
    'ALTER TABLE papers DROP CONSTRAINT papers_owner_fkey, ADD CONSTRAINT papers_owner_fkey FOREIGN KEY (owner) REFERENCES people (id) ON DELETE CASCADE',
  ],
  ['an index more', 'CREATE INDEX by_hand ON papers (state)'],
  ['an index less', 'DROP INDEX papers_at'],
  ['other columns of an index', 'DROP INDEX papers_at; CREATE INDEX papers_at ON papers (id, at)'],
  ['another direction', 'DROP INDEX papers_at; CREATE INDEX papers_at ON papers (at DESC, id)'],
  ['another condition', "DROP INDEX papers_open; CREATE INDEX papers_open ON papers (owner) WHERE state = 'shut'"],
  ['another expression', 'DROP INDEX papers_lower; CREATE UNIQUE INDEX papers_lower ON papers (upper(state))'],
  ['no longer unique', 'DROP INDEX papers_lower; CREATE INDEX papers_lower ON papers (lower(state))'],
  ['another kind of index', 'DROP INDEX papers_open; CREATE INDEX papers_open ON papers USING hash (owner)'],
  ['a table more', 'CREATE TABLE by_hand (id text)'],
  ['a view', 'CREATE VIEW by_hand AS SELECT id FROM papers'],
  ['a trigger', `${noted}; CREATE TRIGGER by_hand BEFORE INSERT ON papers FOR EACH ROW EXECUTE FUNCTION noted()`],
])('%s shows', async (_, change) => {
  const [before, after] = [await structureOf('one', people, papers), await structureOf('one', people, papers, change)];
  expect(after).not.toBe(before);
});
