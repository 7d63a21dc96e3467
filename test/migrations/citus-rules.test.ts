/** Every migration of the product stays within what Citus takes; and a checker that would not notice is noticed. */
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { tenantMigration } from '../../src/kernel/database/migration.ts';
import { allControlMigrations, allTenantMigrations } from '../../src/kernel/migrations.ts';
import { moduleMigrations } from '../../src/modules/index.ts';
import { ruleBreaks, type Sent, statementsOf } from './citus-rules.ts';

const broken = (sent: readonly Sent[]) =>
  sent.flatMap((one) => ruleBreaks(one.sql).map((rule) => `${one.migration}: ${rule}: ${one.sql}`));

describe('the migrations of the product', () => {
  test('of a company’s database keep the rules', async () => {
    const list = allTenantMigrations(moduleMigrations);
    const sent = await statementsOf(list);
    const names = list.flatMap(({ module, migrations }) => migrations.map(({ name }) => `${module}/${name}`));
    expect(new Set(sent.map((one) => one.migration))).toEqual(new Set(['ledger', ...names]));
    expect(sent.filter((one) => one.sql.startsWith('create table')).length).toBeGreaterThan(20);
    expect(broken(sent)).toEqual([]);
  });

  test('of the control database keep them too', async () => {
    const sent = await statementsOf(allControlMigrations(moduleMigrations));
    expect(sent.length).toBeGreaterThan(20);
    expect(broken(sent)).toEqual([]);
  });
});

describe('a planted violation', () => {
  test('is found in a migration among the others', async () => {
    const planted = tenantMigration('9999-planted', async (schema) => {
      await schema
        .alterTable('identity')
        .addColumn('age', 'integer', (column) => column.check(sql`age > 0`))
        .execute();
      await schema.run(sql`create trigger noted before update on identity execute function noted()`);
      await schema.run(sql`create index one on identity (age); create index two on identity (age)`);
    });
    const list = [...allTenantMigrations(moduleMigrations), { module: 'planted', migrations: [planted] }];
    const found = broken(await statementsOf(list));
    expect(found.map((line) => line.split(': ').slice(0, 2).join(': '))).toEqual([
      'planted/9999-planted: a CHECK inside ADD COLUMN',
      'planted/9999-planted: a trigger',
      'planted/9999-planted: more than one statement in a call',
    ]);
  });

  test.each([
    ['a CHECK inside ADD COLUMN', 'ALTER TABLE a ADD age int DEFAULT 3 CHECK (age > 0)'],
    ['a CHECK inside ADD COLUMN', 'ALTER TABLE a ADD COLUMN b int, ADD COLUMN age numeric(3, 1) CHECK (age > 0)'],
    ['ADD COLUMN together with ADD CONSTRAINT', 'ALTER TABLE a ADD COLUMN b int, ADD CONSTRAINT c UNIQUE (b)'],
    ['a trigger', 'CREATE CONSTRAINT TRIGGER t AFTER INSERT ON a EXECUTE FUNCTION f()'],
    ['a trigger', `CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'`],
    ['a block of code, which hides statements', 'DO $$ BEGIN CREATE TABLE a (id int); END $$'],
    ['a table without a primary key', 'CREATE TABLE a (id int)'],
    ['inheritance', 'CREATE TABLE a (id int PRIMARY KEY) INHERITS (b)'],
    ['a value that differs from call to call', 'UPDATE a SET b = gen_random_uuid()'],
  ])('%s: %s', (rule, statement) => expect(ruleBreaks(statement)).toEqual([rule]));

  test.each([
    "CREATE TABLE a (id int PRIMARY KEY CHECK (id > 0), note text DEFAULT '; DO; CHECK (')",
    'ALTER TABLE a ADD COLUMN b int DEFAULT 3, ADD COLUMN c text NOT NULL',
    'ALTER TABLE a ADD CONSTRAINT positive CHECK (age > 0)',
    'ALTER TABLE a ADD COLUMN "check (" text',
    'CREATE INDEX one ON a (b);',
  ])('is not seen in: %s', (statement) => expect(ruleBreaks(statement)).toEqual([]));
});
