/** A Citus cluster: asked as its superuser, made ready for another installation, looked over for traces. */
import pg from 'pg';

const shared = 'strongroom_shared_1';

export interface Cluster {
  readonly url: string;
  /** One statement on the coordinator, in the database that companies share. */
  ask<T extends object>(statement: string): Promise<T[]>;
}

/** Closes the shared database as an administrator leaves it, so that the next installation takes it for its own. */
export async function openCluster(url: string): Promise<Cluster> {
  await ask(url, `COMMENT ON DATABASE ${shared} IS NULL`);
  await ask(url, `ALTER DATABASE ${shared} ALLOW_CONNECTIONS false`);
  const inside = new URL(url);
  inside.pathname = `/${shared}`;
  return { url, ask: (statement) => ask(inside.href, statement) };
}

async function ask<T extends object>(url: string, statement: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(statement)).rows as T[];
  } finally {
    await client.end();
  }
}

/** Roles, schemas and passwords on any node whose name carries this text. */
export async function traces(cluster: Cluster, part: string): Promise<string[]> {
  const looked = `SELECT string_agg(what, ', ') FROM (
    SELECT 'role ' || rolname AS what FROM pg_roles WHERE rolname LIKE '%${part}%'
    UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname LIKE '%${part}%'
    UNION ALL SELECT 'password of ' || rolename FROM pg_dist_authinfo WHERE rolename LIKE '%${part}%') found`;
  const rows = await cluster.ask<{ result: string | null }>(
    `SELECT result FROM run_command_on_all_nodes($looked$${looked}$looked$)`,
  );
  return rows.map(({ result }) => result ?? '').filter((result) => result !== '');
}
