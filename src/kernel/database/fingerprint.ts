/**
 * A digest of a database's structure: tables, columns, constraints, indexes, triggers, views. The order of columns and
 * of definitions does not count, so a structure that grew by migrations equals one that was made at once.
 */
import { createHash } from 'node:crypto';
import { type QueryExecutorProvider, type RawBuilder, sql } from 'kysely';
import type { Dialect } from './database.ts';

/** SHA-256 in hex of the structure that `db` sees (on PostgreSQL: of its current schema). */
export async function fingerprint(db: QueryExecutorProvider, dialect: Dialect): Promise<string> {
  if (dialect === 'postgres') return fingerprintOf(await postgresStructure(db));
  return digest(await sqliteStructure(db));
}

const digest = (lines: readonly string[]): string =>
  createHash('sha256').update(lines.toSorted().join('\n')).digest('hex');

/** What a schema is made of: each line says one thing, of one of its tables or views. */
export type Structure = readonly { readonly relation: string; readonly text: string }[];

/** The fingerprint of a schema of which this was read. */
export const fingerprintOf = (structure: Structure): string => digest(structure.map(({ text }) => text));

/** Names of tables and views of which something is said in one of the two and not in the other. */
export function relationsThatDiffer(one: Structure, other: Structure): string[] {
  const [lines, others] = [one, other].map((structure) => new Set(structure.map(({ text }) => text)));
  const changed = [...one.filter(({ text }) => !others!.has(text)), ...other.filter(({ text }) => !lines!.has(text))];
  return [...new Set(changed.map(({ relation }) => relation))].toSorted();
}

async function sqliteStructure(db: QueryExecutorProvider): Promise<string[]> {
  const { rows } = await sql<{ type: string; name: string; sql: string | null }>`
    SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\_%' ESCAPE '\\'`.execute(db);
  return rows.map((row) => `${row.type} ${row.name} ${normal(row.type, row.sql ?? '')}`);
}

/** A fleet has the same texts in every company: each is brought into its form once. */
const normals = new Map<string, string>();
const mostNormals = 5_000;

function normal(type: string, text: string): string {
  const key = `${type} ${text}`;
  const known = normals.get(key);
  if (known !== undefined) return known;
  if (normals.size >= mostNormals) normals.clear();
  const made = type === 'table' ? table(text) : plain(text);
  normals.set(key, made);
  return made;
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
  const whole = plain(text);
  const start = whole.indexOf('(');
  const end = whole.lastIndexOf(')');
  if (start < 0 || !whole.startsWith('create table')) return whole;
  return `${splitTop(whole.slice(start + 1, end))
    .toSorted()
    .join(';')} ${whole.slice(end + 1)}`;
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

/** Ends a field, and a row, of what the server sends as one text. */
const [field, row] = ['\x1f', '\x1e'];

/**
 * Everything is found from the schema's own relations, so that a database with many schemas is as fast as one with few,
 * and read from the catalog's rows wherever these say it: the server's functions that write definitions load every
 * relation first, which over a fleet costs more than the migration. Numbers of columns become names here.
 */
export async function postgresStructure(db: QueryExecutorProvider): Promise<Structure> {
  const unqualified = (definition: RawBuilder<unknown>) =>
    sql`replace(${definition}, ' ' || quote_ident(current_schema()) || '.', ' ')`;
  const fields = (...values: RawBuilder<unknown>[]) => sql`concat_ws(E'\\x1f', ${sql.join(values)})`;
  const statement = sql<{ rows: string | null }>`
    WITH relations AS MATERIALIZED (
      SELECT c.oid, c.relname, c.relkind, c.relhastriggers FROM pg_depend d JOIN pg_class c ON c.oid = d.objid
      WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = current_schema()::regnamespace
        AND d.classid = 'pg_class'::regclass AND c.relkind IN ('r', 'p', 'v', 'm'))
    SELECT string_agg(line, E'\\x1e') AS rows FROM (
    SELECT ${fields(sql`'column', r.oid, a.attnum, r.relname, a.attname`)} || E'\\x1f' || concat_ws(' ',
        format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
        CASE WHEN a.atthasdef THEN (SELECT pg_get_expr(f.adbin, f.adrelid) FROM pg_attrdef f
          WHERE f.adrelid = a.attrelid AND f.adnum = a.attnum) END) AS line
      FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT ${fields(sql`'constraint', c.conrelid, coalesce(c.conkey::text, ''), c.confrelid, coalesce(c.confkey::text, '')`)}
        || E'\\x1f' || concat_ws(' ', c.conname, c.contype, c.condeferrable, c.condeferred, c.convalidated, c.confupdtype,
        c.confdeltype, c.confmatchtype,
        CASE WHEN c.contype NOT IN ('p', 'u', 'f') THEN ${unqualified(sql`pg_get_constraintdef(c.oid)`)} END)
      FROM relations r JOIN pg_constraint c ON c.conrelid = r.oid WHERE c.contype <> 'n'
    UNION ALL
    SELECT ${fields(sql`'index', i.indrelid, i.indkey, '', ''`)} || E'\\x1f' || concat_ws(' ', x.relname, x.relam,
        i.indisunique, i.indisprimary, i.indisvalid, i.indnkeyatts, i.indoption, i.indclass, i.indcollation,
        CASE WHEN i.indisunique AND NOT i.indisprimary THEN to_jsonb(i) ->> 'indnullsnotdistinct' END,
        CASE WHEN i.indexprs IS NOT NULL OR i.indpred IS NOT NULL
          THEN ${unqualified(sql`pg_get_indexdef(i.indexrelid)`)} END)
      FROM relations r JOIN pg_index i ON i.indrelid = r.oid JOIN pg_class x ON x.oid = i.indexrelid
    UNION ALL
    SELECT ${fields(sql`'view', r.oid, '', '', ''`)} || E'\\x1f' || concat_ws(' ', r.relname, pg_get_viewdef(r.oid))
      FROM relations r WHERE r.relkind IN ('v', 'm')
    UNION ALL
    SELECT ${fields(sql`'trigger', r.oid, '', '', ''`)} || E'\\x1f' || t.definition FROM relations r CROSS JOIN LATERAL (
        SELECT ${unqualified(sql`pg_get_triggerdef(g.oid)`)} AS definition FROM pg_trigger g
        WHERE g.tgrelid = r.oid AND NOT g.tgisinternal OFFSET 0) t WHERE r.relhastriggers) structure`;
  return named((await statement.execute(db)).rows[0]?.rows?.split(row) ?? []);
}

/**
 * Text of a statement that gives, for many schemas at once, a digest: of all that `whole` says of the tables and views
 * that it names, and of every other one its name, kind, number of columns that it ever had, number of checks, and
 * whether it has indexes, triggers, rules and policies. It is made of the catalog's own rows, expressions as the server
 * keeps them, so that nothing has to be loaded or written out. Two structures with one fingerprint may have two digests,
 * as where the columns stand in another order.
 *
 * @param version of the server, as `server_version_num`
 */
export function structureDigestsText(
  schemas: readonly string[],
  { whole, version }: { readonly whole: readonly string[]; readonly version: number },
): string {
  const list = (names: readonly string[]) =>
    `ARRAY[${names.map((name) => `'${name.replaceAll("'", "''")}'`).join(', ')}]::name[]`;
  const nullsNotDistinct = version >= 150_000 ? 'i.indnullsnotdistinct' : 'false';
  // Below 17 an expression says where it stood in the text of its statement.
  const expression = (column: string) =>
    version >= 170_000 ? column : `regexp_replace(${column}::text, ':location -?[0-9]+', '', 'g')`;
  const fields = (...values: string[]) => `concat_ws(E'\\x1f', ${values.join(', ')})`;
  return `WITH spaces AS MATERIALIZED (
      SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY (${list(schemas)})),
    everything AS MATERIALIZED (
      SELECT s.oid AS space, s.nspname, c.oid, c.relname, c.relkind, c.relhastriggers, ${fields(
        `'relation', c.relname, c.relkind, c.relpersistence, c.relnatts, c.relchecks, c.relhasindex, c.relhastriggers`,
        'c.relhasrules, c.relrowsecurity, c.relforcerowsecurity, c.relispartition',
      )} AS line
        FROM spaces s
        JOIN pg_depend d ON d.refclassid = 'pg_namespace'::regclass AND d.refobjid = s.oid AND d.classid = 'pg_class'::regclass
        JOIN pg_class c ON c.oid = d.objid WHERE c.relkind IN ('r', 'p', 'v', 'm')),
    relations AS MATERIALIZED (SELECT * FROM everything WHERE relname = ANY (${list(whole)}))
    SELECT nspname AS schema, md5(string_agg(line, E'\\x1e' ORDER BY line)) AS digest FROM (
    SELECT nspname, line FROM everything
    UNION ALL
    SELECT r.nspname, ${fields(
      `'column', r.relname, a.attnum, a.attname, a.atttypid, a.atttypmod`,
      `a.attnotnull, a.attidentity, a.attgenerated, ${expression('f.adbin')}`,
    )} AS line
      FROM relations r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef f ON a.atthasdef AND f.adrelid = a.attrelid AND f.adnum = a.attnum
    UNION ALL
    SELECT r.nspname, ${fields(
      `'constraint', r.relname, c.conkey, o.relnamespace = r.space, o.relname, c.confkey, c.conname, c.contype`,
      'c.condeferrable, c.condeferred, c.convalidated, c.connoinherit, c.confupdtype, c.confdeltype, c.confmatchtype',
      `${expression('c.conbin')}, CASE WHEN c.contype NOT IN ('p', 'u', 'f', 'c') THEN pg_get_constraintdef(c.oid) END`,
    )}
      FROM relations r JOIN pg_constraint c ON c.conrelid = r.oid LEFT JOIN pg_class o ON o.oid = nullif(c.confrelid, 0)
      WHERE c.contype <> 'n'
    UNION ALL
    SELECT r.nspname, ${fields(
      `'index', r.relname, i.indkey, x.relname, x.relam, x.reloptions, x.reltablespace, i.indisunique, i.indisprimary`,
      `i.indisvalid, i.indnkeyatts, i.indoption, i.indclass, i.indcollation, ${nullsNotDistinct}`,
      `${expression('i.indexprs')}, '/', ${expression('i.indpred')}`,
    )}
      FROM relations r JOIN pg_index i ON i.indrelid = r.oid JOIN pg_class x ON x.oid = i.indexrelid
    UNION ALL
    SELECT r.nspname, ${fields(`'view', r.relname, pg_get_viewdef(r.oid)`)}
      FROM relations r WHERE r.relkind IN ('v', 'm')
    UNION ALL
    SELECT r.nspname, ${fields(`'trigger', r.relname, pg_get_triggerdef(g.oid)`)}
      FROM relations r JOIN pg_trigger g ON g.tgrelid = r.oid AND NOT g.tgisinternal WHERE r.relhastriggers) structure
    GROUP BY nspname`;
}

/** The rows with names of relations and columns instead of numbers. */
function named(rows: readonly string[]): Structure {
  const relations = new Map<string, { readonly name: string; readonly columns: Map<string, string> }>();
  const parsed = rows.map((text) => text.split(field));
  for (const [kind, relation, number, name, column] of parsed) {
    if (kind !== 'column') continue;
    const known = relations.get(relation!) ?? { name: name!, columns: new Map<string, string>() };
    relations.set(relation!, known);
    known.columns.set(number!, column!);
  }
  const names = (relation: string, keys: string) =>
    `${relations.get(relation)?.name ?? ''}(${(keys.match(/\d+/g) ?? []).map((key) => relations.get(relation)?.columns.get(key) ?? '?').join()})`;
  return parsed.map(([kind, relation, first, other, second, ...rest]) => ({
    relation: relations.get(relation!)?.name ?? '',
    text:
      kind === 'column'
        ? [kind, other, second, ...rest].join(' ')
        : [kind, names(relation!, first!), names(other!, second!), ...rest].join(' '),
  }));
}
