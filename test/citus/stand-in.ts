/**
 * A stand-in for what Strongroom sees of Citus, as an extension on plain PostgreSQL: its tables, its functions, and three
 * of its refusals. Nothing is spread and nothing is moved: it shows that our steps are the right ones in the right order,
 * can be run again and leave nothing, and it proves nothing about Citus.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';

const tables = {
  pg_dist_node:
    'nodeid int, groupid int, nodename text, nodeport int, noderole text, isactive bool, shouldhaveshards bool',
  pg_dist_schema: 'schemaid oid, colocationid int',
  pg_dist_partition: 'logicalrelid regclass, colocationid int',
  pg_dist_shard: 'logicalrelid regclass, shardid bigint',
  pg_dist_placement: 'shardid bigint, groupid int',
  pg_dist_authinfo: 'nodeid int, rolename name, authinfo text, UNIQUE (nodeid, rolename)',
};

const functions = `
CREATE FUNCTION pg_catalog.run_command_on_all_nodes(command text)
RETURNS TABLE (nodeid int, success bool, result text) LANGUAGE plpgsql AS $f$
#variable_conflict use_column
DECLARE answer text;
BEGIN
  IF command ~* '^\\s*select' THEN EXECUTE command INTO answer; ELSE EXECUTE command; END IF;
  RETURN QUERY SELECT n.nodeid, true, answer FROM pg_dist_node n;
END $f$;

CREATE FUNCTION pg_catalog.citus_total_relation_size(relation regclass) RETURNS bigint LANGUAGE sql
AS 'SELECT pg_total_relation_size(relation)';

CREATE FUNCTION pg_catalog.citus_schema_move(moved regnamespace, target int, mode text DEFAULT 'auto')
RETURNS void LANGUAGE plpgsql AS $f$
BEGIN
  UPDATE pg_dist_placement SET groupid = (SELECT groupid FROM pg_dist_node WHERE nodeid = target)
    WHERE shardid IN (SELECT h.shardid FROM pg_dist_schema s JOIN pg_dist_partition USING (colocationid)
      JOIN pg_dist_shard h USING (logicalrelid) WHERE s.schemaid = moved);
  PERFORM pg_sleep(0.5);
END $f$;

CREATE FUNCTION pg_catalog.citus_stand_in_made() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog AS $f$
DECLARE
  made record;
  spread record;
  acting text := coalesce(nullif(current_setting('role'), 'none'), session_user);
BEGIN
  FOR made IN SELECT * FROM pg_event_trigger_ddl_commands() LOOP
    IF made.command_tag = 'CREATE SCHEMA' AND current_setting('citus.enable_schema_based_sharding', true) = 'on' THEN
      INSERT INTO pg_dist_schema SELECT made.objid, coalesce(max(colocationid), 0) + 1 FROM pg_dist_schema;
    END IF;
    IF made.command_tag NOT IN ('CREATE TABLE', 'CREATE INDEX') THEN CONTINUE; END IF;
    SELECT s.colocationid, n.xmin::text::bigint = txid_current() % 4294967296 AS fresh INTO spread
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_dist_schema s ON s.schemaid = n.oid
      WHERE c.oid = made.objid;
    IF spread.colocationid IS NULL THEN CONTINUE; END IF;
    IF NOT (SELECT rolcanlogin FROM pg_roles WHERE rolname = acting) THEN
      RAISE EXCEPTION 'connection to the remote node failed: role "%" is not permitted to log in', acting;
    END IF;
    IF spread.fresh AND acting <> session_user THEN
      RAISE EXCEPTION 'schema does not exist: it was made by another role in this transaction';
    END IF;
    IF made.command_tag = 'CREATE INDEX' THEN
      IF current_query() LIKE '%;%' THEN RAISE EXCEPTION 'several commands with an index among them'; END IF;
      CONTINUE;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_dist_authinfo WHERE rolename = acting AND nodeid = 0) THEN
      RAISE EXCEPTION 'connection to the remote node failed: no password supplied for "%"', acting;
    END IF;
    INSERT INTO pg_dist_partition VALUES (made.objid, spread.colocationid);
    INSERT INTO pg_dist_shard VALUES (made.objid, 100000 + made.objid::bigint);
    INSERT INTO pg_dist_placement VALUES (100000 + made.objid::bigint, 1 + spread.colocationid % 2);
  END LOOP;
END $f$;
CREATE EVENT TRIGGER citus_stand_in ON ddl_command_end EXECUTE FUNCTION pg_catalog.citus_stand_in_made();`;

function script(): string {
  const made = Object.entries(tables).map(([name, columns]) => {
    const moved = `CREATE TABLE citus.${name} (${columns}); ALTER TABLE citus.${name} SET SCHEMA pg_catalog;`;
    return name === 'pg_dist_authinfo' ? moved : `${moved} GRANT SELECT ON pg_catalog.${name} TO PUBLIC;`;
  });
  return `CREATE SCHEMA citus;\n${made.join('\n')}
    INSERT INTO pg_catalog.pg_dist_node VALUES (1, 0, 'node-0', 5432, 'primary', true, false),
      (2, 1, 'node-1', 5432, 'primary', true, true), (3, 2, 'node-2', 5432, 'primary', true, true);
    ${functions}`;
}

/** Makes the shared database with the stand-in in it, on PostgreSQL 18 or newer; `url` is a superuser's. */
export async function standInForCitus(url: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-stand-in-'));
  try {
    const files = join(folder, 'extension');
    mkdirSync(files);
    writeFileSync(join(files, 'citus.control'), "default_version = '13.2-1'\nrelocatable = false\n");
    writeFileSync(join(files, 'citus--13.2-1.sql'), script());
    for (const path of [folder, files]) chmodSync(path, 0o755);
    await each(url, ['CREATE DATABASE strongroom_shared_1 TEMPLATE template0']);
    const inside = new URL(url);
    inside.pathname = '/strongroom_shared_1';
    await each(inside.href, [
      `SET extension_control_path = '${folder}'`,
      'CREATE EXTENSION citus',
      // The nodes use passwords.
      `INSERT INTO pg_dist_authinfo VALUES (0, current_user, 'password=only-for-this-test')`,
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function each(url: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
