/**
 * One PostgreSQL server and the provisioner's login to it. The provisioner makes and removes databases, schemas and
 * roles; it never serves a request and never reads a tenant's rows.
 *
 * - At most `width` provisioning connections at once; those to databases that many tenants share are kept for a while.
 * - Before the first use the server is prepared: nobody may connect to a database because it is there (CONNECT is
 *   revoked from PUBLIC, in `postgres` and `template1` too). What the login may not do is logged, with what to run.
 */
import pg from 'pg';
import { postgresClientConfig } from '../database/postgres-address.ts';
import { isConnectionLost } from '../database/postgres-errors.ts';
import { openPostgresSession, type PostgresSession } from '../database/postgres-session.ts';
import { isStrongroomError, StrongroomError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { quoted } from './postgres-names.ts';

export interface PostgresServerOptions {
  /** Null for the one without a name. */
  readonly name?: string | null;
  /** The provisioner's login and the server: `postgres://login:password@host:port/postgres`. */
  readonly url: string;
  /** Where connections for requests go, where that is another address: a pooler in transaction mode. */
  readonly pooledUrl?: string | null;
  readonly log: Logger;
}

/** What the server and the provisioner's login are, found out once. */
export interface ServerTraits {
  readonly version: number;
  readonly superuser: boolean;
  /** The provisioner's own name. */
  readonly login: string;
  /** The server can notice that the client of a long statement is gone. */
  readonly checksClients: boolean;
}

export interface PostgresServer {
  /** Runs `work` on a provisioning connection to a database; default is the one of the address. */
  admin<T>(work: (session: PostgresSession, traits: ServerTraits) => Promise<T>, database?: string): Promise<T>;
  readonly name: string | null;
  /** Whether a pooler stands before the connections for requests. */
  readonly pooled: boolean;
  /** How a tenant's login reaches its database, for requests or directly. Default: directly. */
  clientConfig(
    login: {
      readonly login: string;
      readonly password: string;
      readonly database: string;
    },
    way?: 'request' | 'direct',
  ): pg.ClientConfig;
  close(): Promise<void>;
}

const width = 8;
const keepMs = 10_000;
const connectMs = 5_000;
const oldest = 130_000;
const withoutWarning = 160_000;

const configFor = (address: URL) => postgresClientConfig(address, 'strongroom', connectMs);

interface Kept {
  readonly session: PostgresSession;
  readonly timer: NodeJS.Timeout;
}

export function createPostgresServer(options: PostgresServerOptions): PostgresServer {
  const home = new URL(options.url);
  const pooledHome = options.pooledUrl ? new URL(options.pooledUrl) : undefined;
  const kept = new Map<string, Kept[]>();
  const waiting: (() => void)[] = [];
  let running = 0;
  let closed = false;
  let traits: Promise<ServerTraits> | undefined;

  async function take(database: string | undefined): Promise<PostgresSession> {
    const free = kept.get(database ?? '')?.pop();
    if (free !== undefined) {
      clearTimeout(free.timer);
      if (free.session.usable) return free.session;
      await free.session.close();
      return take(database);
    }
    const address = new URL(home);
    if (database !== undefined) address.pathname = `/${database}`;
    return openPostgresSession(configFor(address), { mapErrors: false });
  }

  function giveBack(session: PostgresSession, database: string | undefined, keep: boolean): Promise<void> | undefined {
    if (closed || !keep || !session.usable) return session.close();
    const list = kept.get(database ?? '') ?? [];
    kept.set(database ?? '', list);
    const one: Kept = { session, timer: setTimeout(() => drop(list, one), keepMs).unref() };
    list.push(one);
    return undefined;
  }

  function drop(list: Kept[], one: Kept): void {
    const at = list.indexOf(one);
    if (at < 0) return;
    list.splice(at, 1);
    one.session.close().catch(() => {});
  }

  async function leased<T>(database: string | undefined, work: (session: PostgresSession) => Promise<T>): Promise<T> {
    if (running >= width) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      const session = await take(database);
      let keep = database === undefined || database.startsWith('strongroom_shared_');
      try {
        return await work(session);
      } catch (error) {
        // Whatever it was in the middle of is not carried on.
        keep = false;
        throw error;
      } finally {
        await giveBack(session, database, keep);
      }
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  }

  function prepared(): Promise<ServerTraits> {
    traits ??= leased(undefined, (session) => prepareServer(session, options.log)).catch((error: unknown) => {
      traits = undefined;
      throw error;
    });
    return traits;
  }

  return {
    async admin(work, database) {
      try {
        const known = await prepared();
        return await leased(database, (session) => work(session, known));
      } catch (error) {
        throw provisioningError(error);
      }
    },
    name: options.name ?? null,
    pooled: pooledHome !== undefined,
    clientConfig({ login, password, database }, way = 'direct') {
      const address = new URL(way === 'request' ? (pooledHome ?? home) : home);
      address.username = login;
      address.password = password;
      address.pathname = `/${database}`;
      return configFor(address);
    },
    async close() {
      closed = true;
      const all = [...kept.values()].flat();
      kept.clear();
      for (const { timer } of all) clearTimeout(timer);
      await Promise.all(all.map(({ session }) => session.close()));
    },
  };
}

/** What goes wrong in provisioning is for the journal to try again; only the log learns what it was. */
function provisioningError(error: unknown): unknown {
  if (isStrongroomError(error)) return error;
  const options = { retryAfter: 5, cause: error };
  if (isConnectionLost(error)) {
    return new StrongroomError(
      'unavailable',
      'provisioner_unreachable',
      'The database server does not answer.',
      options,
    );
  }
  return new StrongroomError('unavailable', 'provisioning_failed', 'The database server refused a step.', options);
}

async function prepareServer(session: PostgresSession, log: Logger): Promise<ServerTraits> {
  const [row] = await session.script<{ version: string; login: string; superuser: boolean; checks: boolean }>(
    `SELECT current_setting('server_version_num') AS version, current_user AS login,
      (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
      EXISTS (SELECT FROM pg_settings WHERE name = 'client_connection_check_interval') AS checks`,
  );
  const version = Number(row!.version);
  if (version < oldest) {
    throw new StrongroomError('unsupported', 'postgres_too_old', 'PostgreSQL 13 or newer is needed, 16 recommended.');
  }
  if (version < withoutWarning) {
    log.warn(
      { version },
      'PostgreSQL below 16: a login that makes roles can become superuser. Good for a trial; use 16 or newer',
    );
  }
  await closeToPublic(session, row!.superuser, log);
  const checksClients =
    row!.checks &&
    (await session.script(`SELECT set_config('client_connection_check_interval', '5s', true)`).then(
      () => true,
      () => false,
    ));
  return { version, superuser: row!.superuser, login: row!.login, checksClients };
}

/** Takes CONNECT and TEMP from PUBLIC on every database where this login can. */
async function closeToPublic(session: PostgresSession, superuser: boolean, log: Logger): Promise<void> {
  const open = () =>
    session.script<{ datname: string; mine: boolean }>(
      `SELECT datname, ${superuser ? 'true' : `pg_has_role(datdba, 'USAGE')`} AS mine FROM pg_database
        WHERE datallowconn AND has_database_privilege('public', oid, 'CONNECT') ORDER BY datname`,
    );
  for (const { datname, mine } of await open()) {
    if (!mine) continue;
    const name = pg.escapeIdentifier(datname);
    // Another process may do the same at this moment, or remove the database.
    await session
      .script(`GRANT CONNECT ON DATABASE ${name} TO CURRENT_USER; REVOKE ALL ON DATABASE ${name} FROM PUBLIC`)
      .catch((error: unknown) => log.debug({ err: error }, 'CONNECT could not be revoked; it is looked at again'));
  }
  const left = (await open()).map(({ datname }) => datname);
  if (left.length === 0) return;
  log.warn(
    { databases: left },
    'everybody may connect to these databases: run REVOKE ALL ON DATABASE … FROM PUBLIC as a superuser',
  );
}

/** Names of views and functions by which one login could watch others, lock them out or keep bytes beside its tables. */
const closings = `DO $closings$
DECLARE found text;
BEGIN
  FOR found IN SELECT p.oid::regprocedure::text FROM pg_proc p
    WHERE p.pronamespace = 'pg_catalog'::regnamespace
      AND (p.proname ~ '^(lo_.*|lowrite|loread|pg_advisory_lock.*|pg_try_advisory_lock.*|pg_stat_get_activity)$')
      AND has_function_privilege('public', p.oid, 'EXECUTE')
  LOOP EXECUTE 'REVOKE EXECUTE ON FUNCTION ' || found || ' FROM PUBLIC'; END LOOP;
  FOR found IN SELECT c.oid::regclass::text FROM pg_class c
    WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'v'
      AND (c.relname ~ '^pg_(stat_|statio_|locks$|cursors$|prepared_xacts$)')
      AND has_table_privilege('public', c.oid, 'SELECT')
  LOOP EXECUTE 'REVOKE SELECT ON ' || found || ' FROM PUBLIC'; END LOOP;
END $closings$`;

/**
 * Closes one database as far as the login can: `public` belongs to nobody, large objects, session-level advisory locks
 * and statistics of others are out of reach. The last three need a superuser.
 */
export async function closeDatabase(session: PostgresSession, traits: ServerTraits): Promise<void> {
  await session.script('REVOKE ALL ON SCHEMA public FROM PUBLIC');
  if (traits.superuser) await session.script(closings);
}

/** Makes a closed, empty database whose texts sort by bytes, as on SQLite. False where it is there already. */
export async function createEmptyDatabase(session: PostgresSession, name: string): Promise<boolean> {
  const create = (ctype: string) =>
    `CREATE DATABASE ${quoted(name)} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE '${ctype}' ALLOW_CONNECTIONS false`;
  try {
    await session.script(create('C.UTF-8'));
    return true;
  } catch (error) {
    if (isTaken(error)) return false;
    if (!unknownLocale.has(String((error as { code?: unknown }).code))) throw error;
  }
  try {
    await session.script(create('C'));
    return true;
  } catch (error) {
    if (isTaken(error)) return false;
    throw error;
  }
}

const unknownLocale = new Set(['22023', '42809', '22P02']);

/** Somebody else has the name, or makes it at this moment. */
export function isTaken(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === '42P04' || code === '23505';
}
