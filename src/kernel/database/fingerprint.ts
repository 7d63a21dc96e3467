/**
 * A digest of a database's structure: tables, columns, constraints, indexes, triggers, views. The order of columns and
 * of definitions does not count, so a structure that grew by migrations equals one that was made at once.
 */
import { createHash } from 'node:crypto';
import { type QueryExecutorProvider, type RawBuilder, sql } from 'kysely';
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

/**
 * Everything is found from the schema's own relations, so that a database with many schemas is as fast as one with few,
 * and read from the catalog's rows wherever these say it: the server's functions that write definitions load every
 * relation first, which over a fleet costs more than the migration. Aggregated there: one row comes back.
 */
async function postgresStructure(db: QueryExecutorProvider): Promise<string[]> {
  const names = (keys: RawBuilder<unknown>, table: RawBuilder<unknown>) =>
    sql`(SELECT string_agg(coalesce(n.attname, '?'), ',' ORDER BY k.at) FROM unnest(${keys}) WITH ORDINALITY k(number, at)
      LEFT JOIN pg_attribute n ON n.attrelid = ${table} AND n.attnum = k.number)`;
  const ours = sql`' ' || quote_ident(current_schema()) || '.'`;
  const statement = sql<{ lines: string | null }>`
    WITH relations AS MATERIALIZED (
      SELECT c.oid, c.relname, c.relkind, c.relhastriggers FROM pg_depend d JOIN pg_class c ON c.oid = d.objid
      WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = current_schema()::regnamespace
        AND d.classid = 'pg_class'::regclass AND c.relkind IN ('r', 'p', 'v', 'm'))
    SELECT string_agg(line, E'\\x1e') AS lines FROM (
    SELECT concat_ws(' ', 'column', r.relname, a.attname, format_type(a.atttypid, a.atttypmod),
        CASE WHEN a.attnotnull THEN 'not null' ELSE 'null' END, pg_get_expr(f.adbin, f.adrelid),
        a.attidentity, a.attgenerated) AS line
      FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_attrdef f ON a.atthasdef AND f.adrelid = a.attrelid AND f.adnum = a.attnum
    UNION ALL
    SELECT concat_ws(' ', 'constraint', r.relname, c.conname, c.contype, c.condeferrable, c.condeferred, c.convalidated,
        CASE WHEN c.contype IN ('p', 'u', 'f') THEN ${names(sql`c.conkey`, sql`c.conrelid`)}
          ELSE replace(pg_get_constraintdef(c.oid), ${ours}, ' ') END,
        CASE WHEN c.contype = 'f' THEN concat_ws(' ', c.confupdtype, c.confdeltype, c.confmatchtype,
          (SELECT t.relname FROM pg_class t WHERE t.oid = c.confrelid), ${names(sql`c.confkey`, sql`c.confrelid`)}) END)
      FROM relations r JOIN pg_constraint c ON c.conrelid = r.oid WHERE c.contype <> 'n'
    UNION ALL
    SELECT concat_ws(' ', 'index', r.relname, x.relname, i.indisunique, i.indisprimary, i.indisvalid, to_jsonb(i) ->> 'indnullsnotdistinct',
        i.indnkeyatts, i.indoption, i.indclass, i.indcollation, x.relam, ${names(sql`i.indkey::int2[]`, sql`i.indrelid`)},
        CASE WHEN i.indexprs IS NOT NULL OR i.indpred IS NOT NULL
          THEN replace(pg_get_indexdef(i.indexrelid), ${ours}, ' ') END)
      FROM relations r JOIN pg_index i ON i.indrelid = r.oid JOIN pg_class x ON x.oid = i.indexrelid
    UNION ALL
    SELECT concat_ws(' ', 'view', r.relname, pg_get_viewdef(r.oid)) FROM relations r WHERE r.relkind IN ('v', 'm')
    UNION ALL
    SELECT concat_ws(' ', 'trigger', r.relname, replace(pg_get_triggerdef(t.oid), ${ours}, ' '))
      FROM relations r JOIN pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal WHERE r.relhastriggers) structure`;
  return (await statement.execute(db)).rows[0]?.lines?.split('\x1e') ?? [];
}
