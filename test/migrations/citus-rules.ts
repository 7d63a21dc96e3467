/**
 * The rules that keep Citus possible, as functions from what a migration sends to what is wrong with it; and what the
 * migrations send, without a database.
 */
import type { Clock } from '../../src/kernel/clock.ts';
import type { Migration } from '../../src/kernel/database/migration.ts';
import { applyMigrations, type ModuleMigrations } from '../../src/kernel/database/migrator.ts';
import { postgresDialect } from '../../src/kernel/database/postgres-dialect.ts';
import type { SqlSession } from '../../src/kernel/database/session.ts';

export interface Sent {
  /** `module/name`; `ledger` for what the migrator itself sends. */
  readonly migration: string;
  readonly sql: string;
}

/** Every statement that these migrations send to an empty PostgreSQL schema, in order. */
export async function statementsOf<T>(list: readonly ModuleMigrations<Migration<T>>[]): Promise<readonly Sent[]> {
  const sent: Sent[] = [];
  let migration = 'ledger';
  const done = () => Promise.resolve();
  const session: SqlSession = {
    dialect: 'postgres',
    usable: true,
    concurrency: 1,
    execute<R>({ sql, parameters }: { readonly sql: string; readonly parameters: readonly unknown[] }) {
      const begins = sql.startsWith('insert into "migrations"');
      if (begins) migration = `${parameters[0]}/${parameters[1]}`;
      sent.push({ migration, sql });
      return Promise.resolve({ rows: (begins ? [{ name: parameters[1] }] : []) as R[] });
    },
    begin: done,
    commit: done,
    rollback: done,
    close: done,
  };
  const clock = { iso: () => '2026-01-01T00:00:00.000Z' } as Clock;
  await applyMigrations({ session, grammar: postgresDialect, list, clock });
  return sent;
}

/** Without what stands in quotes of any kind and in comments, which could look like anything. */
function bare(sql: string): string {
  return sql
    .replace(/(\$\w*\$)[\s\S]*?\1/g, "''")
    .replace(/'(?:[^']|'')*'/g, "''")
    .replace(/"(?:[^"]|"")*"/g, 'name')
    .replace(/--.*|\/\*[\s\S]*?\*\//g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .toLowerCase();
}

/** The parts of an ALTER TABLE: at commas outside of brackets. */
function actions(sql: string): string[] {
  let depth = 0;
  let found = '';
  for (const sign of sql) {
    if (sign === '(') depth += 1;
    if (sign === ')') depth -= 1;
    found += sign === ',' && depth === 0 ? '\n' : sign;
  }
  return found.split('\n');
}

/** What Citus would refuse of a statement, or could not move while it is used. */
export function ruleBreaks(statement: string): readonly string[] {
  const sql = bare(statement).replace(/;$/, '');
  const broken: string[] = [];
  if (sql.includes(';')) broken.push('more than one statement in a call');
  if (/^do\b/.test(sql)) broken.push('a block of code, which hides statements');
  if (/\bcreate (or replace )?(constraint )?trigger\b|\breturns trigger\b/.test(sql)) broken.push('a trigger');
  if (sql.startsWith('alter table')) {
    const adds = actions(sql).filter((action) =>
      /\badd (column|(?!constraint|primary|unique|foreign|check))/.test(action),
    );
    if (adds.some((action) => /\bcheck ?\(/.test(action))) broken.push('a CHECK inside ADD COLUMN');
    if (adds.length > 0 && /\badd (constraint|primary key|unique|foreign key|check)\b/.test(sql)) {
      broken.push('ADD COLUMN together with ADD CONSTRAINT');
    }
  }
  if (/^create table\b/.test(sql) && !/\bprimary key\b/.test(sql)) broken.push('a table without a primary key');
  if (/^create table\b.*\binherits ?\(/.test(sql)) broken.push('inheritance');
  if (/^(update|merge)\b.*\b(random|clock_timestamp|gen_random_uuid) ?\(/.test(sql)) {
    broken.push('a value that differs from call to call');
  }
  return broken;
}
