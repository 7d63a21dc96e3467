/**
 * Everything that knows Citus: the placement `schema` in a shared database that has the extension, where each schema
 * lies whole on one node of several and can be moved to another one while it is used.
 *
 * - Whether a database has it is asked once a process; without it nothing here runs again.
 * - Making a company takes several transactions, because Citus reaches the nodes as whatever role is current, on a
 *   connection each: what one role made cannot be seen by another before the commit. Every step looks at what is there.
 * - The owner may sign in here, because the nodes sign in to each other with it.
 */
import type { PostgresSession } from '../database/postgres-session.ts';
import { conflict, invalidField, unavailable } from '../errors.ts';
import { failpoint } from '../tenants/failpoints.ts';
import type { PlacementRef } from './placement.ts';
import { type Logins, scramVerifier } from './postgres-credentials.ts';
import { literal, quoted, type RoleNames } from './postgres-names.ts';
import { createRolesText, type RoleLimits } from './postgres-roles.ts';
import type { ServerTraits } from './postgres-server.ts';
import { askUnit, fillUnit, type UnitParts } from './postgres-unit.ts';

/** Shared databases by name: whether their schemas are spread over nodes. */
export type Spread = Map<string, boolean>;

export interface CitusParts extends UnitParts {
  readonly limits: RoleLimits;
  readonly spread: Spread;
}

/** Schemas can be moved since then. */
const oldest = [12, 1] as const;

/** Whether schemas of the database that `session` is in are spread over nodes. Asked once a process and kept. */
export async function onCitus(spread: Spread, session: PostgresSession, database: string): Promise<boolean> {
  const known = spread.get(database);
  if (known !== undefined) return known;
  const [row] = await session.script<{ extversion: string }>(
    `SELECT extversion FROM pg_extension WHERE extname = 'citus'`,
  );
  const [major = 0, minor = 0] = (row?.extversion ?? '').split(/[.-]/).map(Number);
  const found = major > oldest[0] || (major === oldest[0] && minor >= oldest[1]);
  spread.set(database, found);
  return found;
}

// --- Making and removing -----------------------------------------------------------------------------------------

/** The provisioner in the shared database, and what a unit there is made with. */
export interface CitusWork {
  readonly session: PostgresSession;
  readonly traits: ServerTraits;
  readonly logins: Logins;
  /** Comment on the owner role. */
  readonly mark: string;
  /** Key of the advisory lock under which the rights of this database are changed. */
  readonly lock: number;
}

/** Makes or completes a unit: roles, schema, tables. Its identity row is left to `stamp`. */
export async function createCitusUnit(parts: CitusParts, work: CitusWork, ref: PlacementRef): Promise<void> {
  const { session, traits, logins } = work;
  if (!traits.superuser) {
    throw unavailable('provisioning_failed', 'On Citus the login that makes companies must be a superuser.');
  }
  const roles = parts.names.roles(ref.unit);
  const [owner, unit] = [quoted(roles.owner), quoted(ref.unit)];
  const passwords = await nodesUsePasswords(session);
  await makeRoles(parts, work, ref.unit, passwords);
  if (passwords) await writePasswords(session, roles, logins);
  const members = Object.values(roles).map(quoted).join(', ');
  await inTransaction(session, [
    `SELECT pg_advisory_xact_lock(${work.lock})`,
    `GRANT CONNECT ON DATABASE ${quoted(logins.request.database)} TO ${members}`,
  ]);
  await failpoint('place.citus.roles');
  await inTransaction(session, [
    'SET LOCAL citus.enable_schema_based_sharding = on',
    `CREATE SCHEMA IF NOT EXISTS ${unit} AUTHORIZATION ${owner}`,
  ]);
  await failpoint('place.citus.schema');
  // From here on with the tenant's own login, whose role is the owner from its first statement to its last.
  await fillUnit(parts, ref);
}

/** All three or none. */
async function makeRoles(parts: CitusParts, work: CitusWork, unit: string, passwords: boolean): Promise<void> {
  const { session, traits, logins, mark } = work;
  const roles = parts.names.roles(unit);
  const found = await session.script(`SELECT FROM pg_roles WHERE rolname = ${literal(roles.owner)}`);
  if (found.length > 0) return;
  const text = await createRolesText(roles, logins, { schema: unit, mark, limits: parts.limits, traits });
  // It is what the migrator is, and signs in with the same; without a password only the nodes' own rules let it in.
  const password = passwords ? ` PASSWORD ${literal(await scramVerifier(logins.migrate.password))}` : '';
  await inTransaction(session, [...text.split(';\n'), `ALTER ROLE ${quoted(roles.owner)} LOGIN${password}`]);
}

/**
 * Whether the nodes sign in to each other with passwords kept in their own tables: then the provisioner has one there.
 * Otherwise they have certificates, or trust each other's addresses, and there is nothing to write.
 */
async function nodesUsePasswords(session: PostgresSession): Promise<boolean> {
  const rows = await session.script('SELECT FROM pg_dist_authinfo WHERE rolename = current_user LIMIT 1');
  return rows.length > 0;
}

/** On every node that routes statements, because the table is each node's own. Citus keeps them in clear text. */
async function writePasswords(session: PostgresSession, roles: RoleNames, logins: Logins): Promise<void> {
  const rows = [
    [roles.owner, logins.migrate.password],
    [roles.request, logins.request.password],
  ].map(([role, password]) => `(0, ${literal(role!)}, ${literal(`password=${password}`)})`);
  await onAllNodes(
    session,
    `INSERT INTO pg_dist_authinfo (nodeid, rolename, authinfo) VALUES ${rows.join(', ')}
      ON CONFLICT (nodeid, rolename) DO UPDATE SET authinfo = excluded.authinfo`,
  );
}

/** One statement on every node. @throws unavailable where one of them did not do it */
async function onAllNodes(session: PostgresSession, statement: string): Promise<void> {
  const failed = await session.script(
    `SELECT FROM run_command_on_all_nodes($strongroom$${statement}$strongroom$) WHERE NOT success`,
  );
  if (failed.length > 0) throw unavailable('provisioning_failed', 'A node of the database refused a step.', 5);
}

/** Removes schema and roles, whatever of them is there; the roles last, because by them the rest is found again. */
export async function dropCitusUnit(
  session: PostgresSession,
  unit: string,
  roles: readonly string[],
  lock: number,
): Promise<void> {
  const names = roles.map(quoted).join(', ');
  await session.script(`DROP SCHEMA IF EXISTS ${quoted(unit)} CASCADE`);
  await failpoint('remove.citus.dropped');
  await inTransaction(session, [`SELECT pg_advisory_xact_lock(${lock})`, `DROP OWNED BY ${names}`]);
  if (await nodesUsePasswords(session)) {
    await onAllNodes(session, `DELETE FROM pg_dist_authinfo WHERE rolename IN (${roles.map(literal).join(', ')})`);
  }
  for (const role of roles) await session.script(`DROP ROLE IF EXISTS ${quoted(role)}`);
}

/** One statement a call: Citus refuses several at once as soon as an index is among them. */
async function inTransaction(session: PostgresSession, statements: readonly string[]): Promise<void> {
  await session.begin();
  try {
    for (const statement of statements) await session.script(statement);
    await session.commit();
  } catch (error) {
    await session.rollback().catch(() => {});
    throw error;
  }
}

// --- Where a schema is, and moving it ----------------------------------------------------------------------------

interface Node {
  readonly nodeid: number;
  readonly name: string;
}

/** From the tables of Citus themselves, which every login may read; its views ask all nodes for sizes. */
const nodeText = (unit: string): string => `SELECT n.nodeid, n.nodename || ':' || n.nodeport AS name
  FROM pg_dist_schema s JOIN pg_dist_partition t ON t.colocationid = s.colocationid
    JOIN pg_dist_shard h ON h.logicalrelid = t.logicalrelid JOIN pg_dist_placement p ON p.shardid = h.shardid
    JOIN pg_dist_node n ON n.groupid = p.groupid AND n.noderole = 'primary'
  WHERE s.schemaid = to_regnamespace(${literal(unit)}) LIMIT 1`;

const nodesText = `SELECT nodeid, nodename || ':' || nodeport AS name FROM pg_dist_node
  WHERE noderole = 'primary' AND isactive AND shouldhaveshards ORDER BY nodeid`;

/** Bytes of the current schema, on whichever node it is. */
export const citusSizeText = `SELECT coalesce(sum(citus_total_relation_size(t.logicalrelid)), 0)::bigint AS bytes
  FROM pg_dist_schema s JOIN pg_dist_partition t ON t.colocationid = s.colocationid
  WHERE s.schemaid = current_schema()::regnamespace`;

/** The node that a tenant's schema is on, by the name that the nodes know it by; null where schemas are not spread. */
export async function nodeOf(parts: CitusParts, ref: PlacementRef): Promise<string | null> {
  const database = (await parts.credentials.find(ref.tenantId))?.request.database;
  if (database === undefined || parts.spread.get(database) === false) return null;
  return askUnit(parts, ref, async (session) => {
    if (!(await onCitus(parts.spread, session, database))) return null;
    const [node] = await session.script<Node>(nodeText(ref.unit));
    return node?.name ?? null;
  });
}

/**
 * Moves a tenant's schema while it is used: Citus copies it, follows the changes, and holds writes for the moment of
 * the change-over. Dying in between leaves it where it was. @returns the node's name
 */
export async function moveToNode(parts: CitusParts, ref: PlacementRef, wanted: string): Promise<string> {
  // Asked with the tenant's own login: a process that may not provision refuses for the right reason too.
  if ((await nodeOf(parts, ref)) === null) throw notOnCitus();
  const { database } = (await parts.credentials.find(ref.tenantId))!.request;
  return parts.server.admin(async (session) => {
    const nodes = await session.script<Node>(nodesText);
    const named = nodes.filter(({ name }) => name === wanted || name.slice(0, name.lastIndexOf(':')) === wanted);
    const [to] = named;
    if (to === undefined || named.length > 1) {
      throw invalidField('node', 'No single active node has this name. Name it as host:port.', 'node_unknown');
    }
    const [from] = await session.script<Node>(nodeText(ref.unit));
    if (from?.nodeid !== to.nodeid) {
      await session.script(`SELECT citus_schema_move(${literal(ref.unit)}::regnamespace, ${to.nodeid}, 'auto')`);
    }
    return to.name;
  }, database);
}

export function notOnCitus() {
  return conflict(
    'not_on_citus',
    'The database of this company is not spread over the nodes of a Citus cluster: there is nowhere to move it.',
  );
}
