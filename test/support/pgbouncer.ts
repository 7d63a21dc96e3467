/**
 * PgBouncer in transaction mode before a test's PostgreSQL server: the installed program (Debian's 1.18), in a temporary
 * folder and on a free port. Logins are looked up on the server, so that a company made a moment ago is known.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from './free-port.ts';

export interface PgBouncer {
  /** The same server, login and database through the pooler. */
  through(url: string): string;
  /** Users and databases of the pools there are. */
  pools(): Promise<readonly { readonly database: string; readonly user: string }[]>;
  stop(): Promise<void>;
}

/** Where it is installed, or undefined. */
export function pgBouncerProgram(): string | undefined {
  try {
    const found = execFileSync('sh', ['-c', 'PATH="$PATH:/usr/sbin" command -v pgbouncer'], { encoding: 'utf8' });
    return found.trim();
  } catch {
    return undefined;
  }
}

export async function startPgBouncer(serverUrl: string): Promise<PgBouncer> {
  const server = new URL(serverUrl);
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-pgbouncer-'));
  const port = await freePort();
  const path = (name: string) => join(folder, name);
  const user = decodeURIComponent(server.username);
  writeFileSync(path('users.txt'), `"${user}" "${decodeURIComponent(server.password)}"\n`);
  writeFileSync(
    path('pgbouncer.ini'),
    `[databases]
* = host=${server.hostname} port=${server.port} auth_user=${user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
logfile = ${path('log')}
auth_type = scram-sha-256
auth_file = ${path('users.txt')}
auth_query = SELECT usename, passwd FROM pg_shadow WHERE usename = $1
admin_users = ${user}
pool_mode = transaction
default_pool_size = 2
max_client_conn = 500
query_wait_timeout = 4
server_login_retry = 1
`,
  );
  let child: ChildProcess;
  if (process.getuid?.() === 0) {
    const account = Number(execFileSync('id', ['-u', 'postgres'], { encoding: 'utf8' }));
    for (const name of ['.', 'users.txt', 'pgbouncer.ini']) chownSync(path(name), account, -1);
    child = spawn(pgBouncerProgram()!, ['-q', path('pgbouncer.ini')], { uid: account, stdio: 'ignore' });
  } else child = spawn(pgBouncerProgram()!, ['-q', path('pgbouncer.ini')], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const through = (url: string) => {
    const address = new URL(url);
    address.host = `127.0.0.1:${port}`;
    return address.href;
  };
  const stop = async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  for (let attempt = 1; ; attempt += 1) {
    const client = new pg.Client({ connectionString: through(serverUrl) });
    const reached = await client.connect().then(
      () => true,
      () => false,
    );
    await client.end().catch(() => {});
    if (reached) break;
    if (attempt === 50) {
      const log = readFileSync(path('log'), 'utf8').slice(-1_000);
      await stop();
      throw new Error(`PgBouncer did not start: ${log}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    through,
    async pools() {
      const admin = new URL(through(serverUrl));
      admin.pathname = '/pgbouncer';
      const client = new pg.Client({ connectionString: admin.href });
      await client.connect();
      try {
        return (await client.query('SHOW POOLS')).rows as { database: string; user: string }[];
      } finally {
        await client.end();
      }
    },
    stop,
  };
}
