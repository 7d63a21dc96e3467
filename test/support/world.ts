/**
 * The world hash of the promise that a refusal has no effect: one digest over everything that a company is, on every
 * placement and file store: rows, objects, and on PostgreSQL its roles and grants. Read from the outside, with
 * node:sqlite, a superuser's connections, the SDK of S3 and the file system alone, so that a fault of the product
 * cannot hide itself.
 *
 * Left out is what a refusal may change: audit rows and their seals, rate counters, the work index, the time a session
 * was last seen, and the figures that are counted in the background of what happened before.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ListMultipartUploadsCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import pg from 'pg';

const mayChange = /^(audit_|tenant_(work|figures|days)$|sqlite_|idempotency)/;
const isCounting = (line: string) => line.startsWith('jobs ') && line.includes('"documents.count"');
const volatileColumns = new Set(['last_seen_at', 'last_used_at']);

/** Rows of every table, as sorted JSON lines; `only` keeps the rows whose JSON contains that text. */
export function databaseRows(path: string, only?: string): string[] {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const tables = db.prepare("select name from sqlite_master where type = 'table' order by name").all() as {
      name: string;
    }[];
    const lines: string[] = [];
    for (const { name } of tables) {
      if (mayChange.test(name)) continue;
      for (const row of db.prepare(`select * from "${name}"`).all()) {
        const kept = Object.entries(row).filter(([column]) => !volatileColumns.has(column));
        const line = `${name} ${JSON.stringify(kept)}`;
        if ((only === undefined || line.includes(only)) && !isCounting(line)) lines.push(line);
      }
    }
    return lines.sort();
  } finally {
    db.close();
  }
}

/** Every file below a folder: path, size, SHA-256. */
export function folderFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return (readdirSync(folder, { recursive: true }) as string[])
    .filter((path) => statSync(join(folder, path)).isFile())
    .map((path) => {
      const bytes = readFileSync(join(folder, path));
      return `${path} ${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`;
    })
    .sort();
}

/** Everything that one company is, line by line: comparing two of these names what changed. */
export function companyWorld(dataDir: string, companyId: string, bucket: string): string[] {
  const part = companyId.slice(companyId.indexOf('_') + 1);
  return [
    ...databaseRows(join(dataDir, 'tenants', part, 'tenant.db')),
    ...databaseRows(join(dataDir, 'control.db'), part).map((line) => `control ${line}`),
    ...folderFiles(join(dataDir, 'buckets', bucket)).map((line) => `object ${line}`),
  ];
}

/**
 * The company's lines once it does nothing any more by itself: its documents' events are read, and nothing is due.
 *
 * @param world reads the lines, from wherever the company lies
 */
export async function atRest(world: () => string[] | Promise<string[]>): Promise<string[]> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const lines = await world();
    if (!isBusy(lines)) return lines;
    if (Date.now() > deadline) throw new Error('the company does not come to rest');
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

function isBusy(lines: readonly string[]): boolean {
  const rows = (table: string): Record<string, unknown>[] =>
    lines
      .filter((line) => line.startsWith(`${table} `))
      .map((line) => JSON.parse(line.slice(table.length + 1)))
      // Pairs from SQLite, an object from PostgreSQL.
      .map((row) => (Array.isArray(row) ? Object.fromEntries(row) : row));
  // Of the others nobody is told: a company with nothing else has no cursor.
  const told = /^document\.(created|version_added|trashed|restored|purged)$/;
  const heard = rows('events').filter(({ type }) => told.test(String(type)));
  const last = Math.max(0, ...heard.map(({ seq }) => Number(seq)));
  const read = rows('event_cursors').map(({ seq }) => Number(seq));
  const now = new Date().toISOString();
  return (
    last > Math.min(...read, read.length === 0 ? 0 : last) ||
    rows('jobs').some((job) => job.failed_at === null && String(job.due_at) <= now)
  );
}

/** Where a company may lie; what is not given is in the data folder. */
export interface WorldPlaces {
  readonly dataDir: string;
  /** The server of the placements `schema` and `database`, and behind Neon's stand-in, as a login that may read everything. */
  readonly postgresUrl?: string;
  /** The control database, where it is not in the data folder. */
  readonly controlUrl?: string;
  readonly s3?: { readonly endpoint: string; readonly accessKeyId: string; readonly secretAccessKey: string };
}

export interface WorldCompany {
  readonly id: string;
  readonly bucket: string;
  /** Default: `sqlite`. */
  readonly placement?: string;
}

export interface WorldReader {
  /** Everything that one company is, line by line. */
  world(company: WorldCompany): Promise<string[]>;
  close(): Promise<void>;
}

const partOf = (companyId: string) => companyId.slice(companyId.indexOf('_') + 1);

/** Reads the worlds of companies wherever they lie; keeps its connections until it is closed. */
export function openWorldReader(places: WorldPlaces): WorldReader {
  const pools = new Map<string, pg.Pool>();
  const s3 =
    places.s3 === undefined
      ? undefined
      : new S3Client({
          endpoint: places.s3.endpoint,
          forcePathStyle: true,
          region: 'us-east-1',
          credentials: places.s3,
        });

  function connected(url: string, database?: string): pg.Pool {
    const address = new URL(url);
    if (database !== undefined) address.pathname = `/${database}`;
    const known = pools.get(address.href);
    if (known !== undefined) return known;
    const pool = new pg.Pool({ connectionString: address.href, max: 1 });
    // A database that is dropped ends its connections.
    pool.on('error', () => {});
    pools.set(address.href, pool);
    return pool;
  }

  async function control(part: string): Promise<string[]> {
    const { dataDir, controlUrl } = places;
    if (controlUrl === undefined) return databaseRows(join(dataDir, 'control.db'), part);
    return schemaRows(connected(controlUrl), 'public', part);
  }

  async function rows(placement: string, part: string): Promise<string[]> {
    if (placement === 'sqlite') return databaseRows(join(places.dataDir, 'tenants', part, 'tenant.db'));
    return postgresWorld((database) => connected(places.postgresUrl!, database), placement, part);
  }

  return {
    async world({ id, bucket, placement = 'sqlite' }) {
      const part = partOf(id);
      const objects = s3 === undefined ? folderFiles(join(places.dataDir, 'buckets', bucket)) : s3Objects(s3, bucket);
      const [own, known, kept] = await Promise.all([rows(placement, part), control(part), objects]);
      return [...own, ...known.map((line) => `control ${line}`), ...kept.map((line) => `object ${line}`)];
    },
    async close() {
      for (const pool of pools.values()) await pool.end();
      s3?.destroy();
    },
  };
}

/** Rows of every table of a schema, as sorted JSON lines; `only` keeps those that hold that text. */
async function schemaRows(client: pg.Pool, schema: string, only?: string): Promise<string[]> {
  const tables = await client.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind = 'r' ORDER BY 1`,
    [pg.escapeIdentifier(schema)],
  );
  const volatile = `'{${[...volatileColumns].join(',')}}'::text[]`;
  const parts = tables.rows
    .filter(({ name }) => !mayChange.test(name))
    .map(({ name }) => {
      const from = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
      return `SELECT ${pg.escapeLiteral(name)} || ' ' || (to_jsonb(t) - ${volatile})::text AS line FROM ${from} t`;
    });
  if (parts.length === 0) throw new Error(`the schema ${schema} holds no tables`);
  const { rows } = await client.query<{ line: string }>(parts.join(' UNION ALL '));
  return rows
    .map(({ line }) => line)
    .filter((line) => (only === undefined || line.includes(only)) && !isCounting(line))
    .sort();
}

/** Rows, roles, their settings and memberships, and what is granted to whom. */
async function postgresWorld(
  connect: (database?: string) => pg.Pool,
  placement: string,
  part: string,
): Promise<string[]> {
  const unit = `tenant_${part}`;
  const server = connect();
  const alone = placement === 'database' || placement === 'neon';
  const database = alone ? unit : await sharedDatabase(connect, unit);
  const schema = alone ? 'strongroom' : unit;
  const client = connect(database);
  const facts = async (what: string, from: pg.Pool, value: string, statement: string) => {
    const { rows } = await from.query<{ line: string }>(statement, [value]);
    return rows.map(({ line }) => `${what} ${line}`).sort();
  };
  const all = await Promise.all([
    schemaRows(client, schema),
    facts('role', server, `%${part}%`, `SELECT to_jsonb(r)::text AS line FROM pg_authid r WHERE rolname LIKE $1`),
    facts(
      'role setting',
      server,
      `%${part}%`,
      `SELECT rolname || ' ' || setconfig::text AS line FROM pg_db_role_setting JOIN pg_roles r ON r.oid = setrole
       WHERE rolname LIKE $1`,
    ),
    facts(
      'member',
      server,
      `%${part}%`,
      `SELECT roleid::regrole || ' ' || member::regrole AS line FROM pg_auth_members
       WHERE roleid::regrole::text || member::regrole::text LIKE $1`,
    ),
    facts(
      'database',
      server,
      database,
      `SELECT concat_ws(' ', datname, datdba::regrole, datacl, datallowconn, datconnlimit) AS line FROM pg_database
       WHERE datname = $1`,
    ),
    facts(
      'schema',
      client,
      schema,
      `SELECT concat_ws(' ', nspname, nspowner::regrole, nspacl) AS line FROM pg_namespace WHERE nspname = $1`,
    ),
    facts(
      'relation',
      client,
      pg.escapeIdentifier(schema),
      `SELECT concat_ws(' ', relname, relkind, relowner::regrole, relacl) AS line FROM pg_class
       WHERE relnamespace = to_regnamespace($1)`,
    ),
  ]);
  return all.flat();
}

/** The shared database that holds a schema. */
async function sharedDatabase(connect: (database?: string) => pg.Pool, schema: string): Promise<string> {
  const server = connect();
  const { rows } = await server.query<{ datname: string }>(
    `SELECT datname FROM pg_database WHERE datname ~ '^strongroom_shared_' AND datallowconn`,
  );
  for (const { datname } of rows) {
    const found = await connect(datname).query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema]);
    if (found.rows.length > 0) return datname;
  }
  throw new Error(`no shared database holds ${schema}`);
}

/** Every object of a bucket as the server itself knows it, by its own digest; and the uploads in parts that are open. */
async function s3Objects(client: S3Client, bucket: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket })) {
    for (const { Key, Size, ETag, LastModified } of page.Contents ?? []) {
      lines.push(`${Key} ${Size} ${ETag} ${LastModified?.toISOString()}`);
    }
  }
  const open = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  for (const { Key, UploadId } of open.Uploads ?? []) lines.push(`${Key} in parts ${UploadId}`);
  return lines.sort();
}

/** The digest of such lines. */
export function worldHash(lines: readonly string[]): string {
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}
