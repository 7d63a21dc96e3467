/**
 * What injected SQL could try: statements run on the very connection that requests of the company use, as if an
 * attacker had found a hole in a query. Outside of this demo nothing hands SQL text to a company's connection.
 */
import { sql } from 'kysely';
import type { TenantId } from '../../kernel/ids.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Attempt } from './attempts.ts';

const group = 'With SQL on the company’s own connection';

/** The words of the innermost error, which people know from SQLite. */
function reason(error: unknown): string {
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  return (inner instanceof Error ? inner.message : String(inner)).split('\n')[0]!;
}

/** @param victimFile path of the other company's database  @param spare a path where nothing is yet */
export async function sqlAttempts(
  kernel: Pick<Kernel, 'tenants'>,
  thief: TenantId,
  victimFile: string,
  spare: string,
): Promise<Attempt[]> {
  const tenant = await kernel.tenants.open(thief, { kind: 'host' });
  const run = async (what: string, statement: string): Promise<Attempt[]> => {
    const read = await tryOne(`${what}, while reading`, () => sql.raw(statement).execute(tenant.db.read));
    const write = await tryOne(`${what}, while writing`, () =>
      tenant.db.transaction((tx) => sql.raw(statement).execute(tx)),
    );
    return [read, write];
  };
  const path = victimFile.replaceAll("'", "''");
  const away = spare.replaceAll("'", "''");
  return [
    ...(await run('ATTACH the other company’s file', `ATTACH DATABASE '${path}' AS other`)),
    ...(await run('copy everything away with VACUUM INTO', `VACUUM INTO '${away}'`)),
    ...(await run('load a library into the process', `SELECT load_extension('${away}')`)),
    ...(await run('switch the safety off', 'PRAGMA writable_schema = ON')),
    await readsAtHome(tenant),
  ];
}

async function tryOne(what: string, work: () => Promise<unknown>): Promise<Attempt> {
  try {
    await work();
    return { group, what, got: 'it worked', through: true };
  } catch (error) {
    return { group, what, got: `refused: ${reason(error)}`, through: false };
  }
}

/** The same connection still serves the company: the walls refuse, they do not break. */
async function readsAtHome(tenant: Awaited<ReturnType<Kernel['tenants']['open']>>): Promise<Attempt> {
  const { rows } = await sql<{ name: string }>`select name from sqlite_master where type = 'table'`.execute(
    tenant.db.read,
  );
  const alive = rows.length > 0;
  return { group, what: 'and the company’s own tables', got: `${rows.length} tables, as before`, through: !alive };
}
