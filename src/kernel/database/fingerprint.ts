/**
 * A digest of a database's structure: tables, columns, constraints, indexes, triggers, views. The order of columns and
 * of definitions does not count, so a structure that grew by migrations equals one that was made at once.
 */
import { createHash } from 'node:crypto';
import { type QueryExecutorProvider, sql } from 'kysely';
import type { Dialect } from './database.ts';

/** SHA-256 in hex of the structure that `db` sees (on PostgreSQL: of its current schema). */
export async function fingerprint(db: QueryExecutorProvider, dialect: Dialect): Promise<string> {
  const lines = dialect === 'sqlite' ? await sqliteStructure(db) : await postgresStructure(db);
  return createHash('sha256').update(lines.toSorted().join('\n')).digest('hex');
}

async function sqliteStructure(db: QueryExecutorProvider): Promise<string[]> {
  const { rows } = await sql<{ type: string; name: string; sql: string | null }>`
    SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\_%' ESCAPE '\\'`.execute(db);
  return rows.map(
    (row) => `${row.type} ${row.name} ${row.type === 'table' ? table(row.sql ?? '') : plain(row.sql ?? '')}`,
  );
}

/** White space and case outside of quotes do not count, nor do quotes around plain names. */
function plain(text: string): string {
  return text
    .split(/('(?:[^']|'')*')/)
    .map((part, index) =>
      index % 2 === 1
        ? part
        : part
            .replace(/"([a-z0-9_]+)"/gi, '$1')
            .replace(/\s+/g, ' ')
            .toLowerCase(),
    )
    .join('')
    .replace(/ ?([(),=<>]) ?/g, '$1')
    .trim();
}

/** A CREATE TABLE with its definitions in alphabetical order. */
function table(text: string): string {
  const normal = plain(text);
  const start = normal.indexOf('(');
  const end = normal.lastIndexOf(')');
  if (start < 0 || !normal.startsWith('create table')) return normal;
  return `${splitTop(normal.slice(start + 1, end))
    .toSorted()
    .join(';')} ${normal.slice(end + 1)}`;
}

/** Splits at commas that stand in no bracket and no quote. */
function splitTop(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quoted = false;
  let from = 0;
  for (let index = 0; index < text.length; index += 1) {
    const letter = text[index];
    if (letter === "'") quoted = !quoted;
    else if (quoted) continue;
    else if (letter === '(') depth += 1;
    else if (letter === ')') depth -= 1;
    else if (letter === ',' && depth === 0) {
      parts.push(text.slice(from, index).trim());
      from = index + 1;
    }
  }
  parts.push(text.slice(from).trim());
  return parts;
}

async function postgresStructure(db: QueryExecutorProvider): Promise<string[]> {
  const statements = [
    sql<{
      line: string;
    }>`SELECT concat_ws(' ', 'column', table_name, column_name, data_type, is_nullable, column_default,
      is_identity, generation_expression) AS line FROM information_schema.columns WHERE table_schema = current_schema()`,
    sql<{ line: string }>`SELECT concat_ws(' ', 'constraint', r.relname, c.conname, pg_get_constraintdef(c.oid)) AS line
      FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid
      WHERE c.connamespace = current_schema()::regnamespace AND c.contype <> 'n'`,
    sql<{ line: string }>`SELECT concat('index ', replace(indexdef, ' ' || quote_ident(schemaname) || '.', ' ')) AS line
      FROM pg_indexes WHERE schemaname = current_schema()`,
    sql<{ line: string }>`SELECT concat_ws(' ', 'view', viewname, definition) AS line
      FROM pg_views WHERE schemaname = current_schema()`,
  ];
  const lines: string[] = [];
  for (const statement of statements) for (const row of (await statement.execute(db)).rows) lines.push(row.line);
  return lines;
}
