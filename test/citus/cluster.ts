/** The Citus cluster of TEST_CITUS_URL: asked as its superuser, made ready for another installation, looked over for traces. */
import pg from 'pg';

const given = process.env.TEST_CITUS_URL;
export const citusUrl = given === undefined || given === '' ? undefined : given;

const shared = 'strongroom_shared_1';

/** One statement on the coordinator, by default in the database that companies share. */
export async function askCitus<T extends object>(statement: string, database = shared): Promise<T[]> {
  const address = new URL(citusUrl!);
  address.pathname = `/${database}`;
  const client = new pg.Client({ connectionString: address.href });
  await client.connect();
  try {
    return (await client.query(statement)).rows as T[];
  } finally {
    await client.end();
  }
}

/** As an administrator leaves it: there, spread, and closed, so that the next installation takes it for its own. */
export async function prepareCitus(): Promise<void> {
  const home = new URL(citusUrl!).pathname.slice(1);
  await askCitus(`COMMENT ON DATABASE ${shared} IS NULL`, home);
  await askCitus(`ALTER DATABASE ${shared} ALLOW_CONNECTIONS false`, home);
}

/** Roles, schemas and passwords on any node whose name carries this text. */
export async function traces(part: string): Promise<string[]> {
  const looked = `SELECT string_agg(what, ', ') FROM (
    SELECT 'role ' || rolname AS what FROM pg_roles WHERE rolname LIKE '%${part}%'
    UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname LIKE '%${part}%'
    UNION ALL SELECT 'password of ' || rolename FROM pg_dist_authinfo WHERE rolename LIKE '%${part}%') found`;
  const rows = await askCitus<{ result: string }>(
    `SELECT result FROM run_command_on_all_nodes($looked$${looked}$looked$)`,
  );
  return rows.map(({ result }) => result).filter((result) => result !== null && result !== '');
}
