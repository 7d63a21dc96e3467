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

/** Everything is found from the schema's own relations, so that a database with many schemas is as fast as one with few. */
async function postgresStructure(db: QueryExecutorProvider): Promise<string[]> {
  const statement = sql<{ line: string }>`
    WITH relations AS MATERIALIZED (
      SELECT c.oid, c.relname, c.relkind FROM pg_depend d JOIN pg_class c ON c.oid = d.objid
      WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = current_schema()::regnamespace
        AND d.classid = 'pg_class'::regclass AND c.relkind IN ('r', 'p', 'v', 'm'))
    SELECT concat_ws(' ', 'column', r.relname, a.attname, format_type(a.atttypid, a.atttypmod),
        CASE WHEN a.attnotnull THEN 'not null' ELSE 'null' END, pg_get_expr(f.adbin, f.adrelid),
        a.attidentity, a.attgenerated) AS line
      FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
    UNION ALL
    SELECT concat_ws(' ', 'constraint', r.relname, c.conname, pg_get_constraintdef(c.oid))
      FROM relations r JOIN pg_constraint c ON c.conrelid = r.oid WHERE c.contype <> 'n'
    UNION ALL
    SELECT concat('index ', replace(pg_get_indexdef(i.indexrelid), ' ' || quote_ident(current_schema()) || '.', ' '))
      FROM relations r JOIN pg_index i ON i.indrelid = r.oid
    UNION ALL
    SELECT concat_ws(' ', 'view', r.relname, pg_get_viewdef(r.oid)) FROM relations r WHERE r.relkind IN ('v', 'm')
    UNION ALL
    SELECT concat_ws(' ', 'trigger', r.relname, pg_get_triggerdef(t.oid))
      FROM relations r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal`;
  return (await statement.execute(db)).rows.map((row) => row.line);
}
