/**
 * A verb of a process of its own, stopped while the server works on its CREATE DATABASE or DROP DATABASE: a lock that
 * the statement needs in its middle is held here. DROP DATABASE takes this one when it can no longer turn back.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { expect, onTestFinished } from 'vitest';
import { threadEnvironment } from '../../src/kernel/compile-cache.ts';
import { idPart } from '../../src/kernel/ids.ts';
import { testFolder } from './kernel.ts';
import type { Elsewhere } from './lifecycle-faults.ts';
import type { PostgresServer } from './postgres.ts';

export interface HeldStatement {
  readonly dataDir: string;
  readonly tenantId: string;
  /** Process of the server that works on the statement. */
  readonly backend: number;
  /** Ends the process that sent the statement, with SIGKILL. */
  kill(): Promise<void>;
  /** Until the process that sent the statement has ended by itself. */
  ended(): Promise<void>;
  /** Lets the statement go on. */
  release(): Promise<void>;
}

/** What holds: `middle` for either statement; `template` only those that copy a template. */
export type Hold = 'middle' | 'template';

const verbs = {
  create: { point: 'place.database.roles', statement: 'CREATE DATABASE', reached: 'true' },
  purge: { point: 'remove.database.locked', statement: 'DROP DATABASE', reached: 'NOT rolcanlogin' },
} as const;

export async function holdInside(
  server: PostgresServer,
  elsewhere: Elsewhere,
  scenario: 'create' | 'purge',
  by: Hold = 'middle',
): Promise<HeldStatement> {
  const { point, statement, reached } = verbs[scenario];
  const dataDir = testFolder();
  const child = startVerb(dataDir, scenario, point, elsewhere);
  const over = new Promise<void>((resolve) => child.once('close', () => resolve()));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await over;
  });
  const tenantId = await firstLine(child);
  const request = `tenant_${idPart(tenantId)}`;
  const roles = `SELECT FROM pg_roles WHERE rolname = '${request}' AND ${reached}`;
  await expect.poll(() => server.ask(roles).then((rows) => rows.length), { timeout: 20_000, interval: 10 }).toBe(1);
  const holder = await locked(server, by);
  let backend = 0;
  const waiting = `SELECT pid FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND query LIKE '${statement}%"${request}"%' AND pid <> pg_backend_pid()`;
  await expect
    .poll(
      async () => {
        // In a transaction the view stays as it was first seen.
        await holder.query('SELECT pg_stat_clear_snapshot()');
        backend = (await holder.query<{ pid: number }>(waiting)).rows[0]?.pid ?? 0;
        return backend;
      },
      { timeout: 20_000, interval: 20, message: `${statement} is not waiting` },
    )
    .not.toBe(0);
  return {
    dataDir,
    tenantId,
    backend,
    async kill() {
      child.kill('SIGKILL');
      await over;
    },
    ended: () => over,
    release: () => holder.end(),
  };
}

export function startVerb(dataDir: string, scenario: string, point: string, elsewhere: Elsewhere): ChildProcess {
  const script = fileURLToPath(new URL('./lifecycle-child.ts', import.meta.url));
  // Long enough to take the lock before the statement is sent.
  const words = [script, dataDir, scenario, `${point}=delay:2500`, JSON.stringify(elsewhere.config)];
  return spawn(process.execPath, words, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, ...threadEnvironment() },
  });
}

export function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stdout!.once('data', (chunk) => resolve(String(chunk).trim()));
    child.once('close', () => reject(new Error('the verb ended before it began')));
  });
}

/** The lock is held until the client ends. */
async function locked(server: PostgresServer, by: Hold): Promise<pg.Client> {
  const holder = new pg.Client({ connectionString: server.url });
  // The server may be made to fall.
  holder.on('error', () => {});
  await holder.connect();
  onTestFinished(() => holder.end().catch(() => {}));
  const templates = await holder.query<{ datname: string }>(
    `SELECT datname FROM pg_database WHERE datname ~ '^strongroom_template_'`,
  );
  await holder.query('BEGIN');
  if (by === 'middle') await holder.query('LOCK TABLE pg_tablespace IN ACCESS EXCLUSIVE MODE');
  else for (const { datname } of templates.rows) await holder.query(`COMMENT ON DATABASE ${datname} IS NULL`);
  return holder;
}
