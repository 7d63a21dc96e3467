/**
 * The three roles of a tenant, and what they may do: the owner owns and never signs in; the migrator signs in and acts
 * as the owner; the request login reads and writes rows. No statement here carries a password, only its verifier, unless
 * the server takes nothing else.
 */
import type { PostgresSession } from '../database/postgres-session.ts';
import { type Logins, scramVerifier } from './postgres-credentials.ts';
import { literal, quoted, type RoleNames } from './postgres-names.ts';
import type { ServerTraits } from './postgres-server.ts';

export interface RoleLimits {
  /** A statement of a request that runs longer is ended. */
  readonly statementSeconds: number;
  /** Connections of the request login, over all processes. */
  readonly connections: number;
}

/** Connections of the migrator, over all processes. */
const migratorConnections = 6;
/** A transaction that does nothing for this long is ended: its process is gone or hangs. */
const idleInTransaction = '60s';
/** Disk that one statement may use beside its tables; needs a superuser to set. */
const temporaryFiles = '1GB';

/** Tables of which a request may not change rows freely; all others it may read and write. */
const guarded: Readonly<Record<string, string>> = {
  identity: 'SELECT',
  migrations: 'SELECT',
  audit_log: 'SELECT, INSERT',
  audit_seals: 'SELECT, INSERT',
};
const everyRight = 'SELECT, INSERT, UPDATE, DELETE';

/** Text of the statements that make the three roles. `mark` says whose they are. */
export async function createRolesText(
  roles: RoleNames,
  logins: Logins,
  parts: {
    readonly schema: string;
    readonly mark: string;
    readonly limits: RoleLimits;
    readonly traits: ServerTraits;
    /** The server wants the passwords themselves (Neon does); otherwise it gets their verifiers. */
    readonly plain?: boolean;
  },
): Promise<string> {
  const { schema, mark, limits, traits } = parts;
  const stored = async (password: string) => (parts.plain === true ? password : scramVerifier(password));
  const [owner, migrate, request] = [quoted(roles.owner), quoted(roles.migrate), quoted(roles.request)];
  const [forMigrate, forRequest] = await Promise.all([
    stored(logins.migrate.password),
    stored(logins.request.password),
  ]);
  const nothing = 'NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT';
  const path = `SET search_path = ${quoted(schema)}`;
  const statements = [
    `CREATE ROLE ${owner} NOLOGIN ${nothing}`,
    `COMMENT ON ROLE ${owner} IS ${literal(mark)}`,
    `CREATE ROLE ${migrate} LOGIN ${nothing} CONNECTION LIMIT ${migratorConnections} PASSWORD ${literal(forMigrate)}`,
    `GRANT ${owner} TO ${migrate}`,
    `ALTER ROLE ${migrate} SET role = ${owner}`,
    `ALTER ROLE ${migrate} ${path}`,
    `ALTER ROLE ${migrate} SET lock_timeout = '10s'`,
    `ALTER ROLE ${migrate} SET idle_in_transaction_session_timeout = '${idleInTransaction}'`,
    `CREATE ROLE ${request} LOGIN ${nothing} CONNECTION LIMIT ${limits.connections} PASSWORD ${literal(forRequest)}`,
    `ALTER ROLE ${request} ${path}`,
    `ALTER ROLE ${request} SET statement_timeout = '${limits.statementSeconds}s'`,
    `ALTER ROLE ${request} SET idle_in_transaction_session_timeout = '${idleInTransaction}'`,
    `ALTER ROLE ${request} SET jit = off`,
  ];
  if (traits.checksClients) statements.push(`ALTER ROLE ${request} SET client_connection_check_interval = '5s'`);
  if (traits.superuser) statements.push(`ALTER ROLE ${request} SET temp_file_limit = '${temporaryFiles}'`);
  // Made by a login that is no superuser, the owner's schema can be made only by a member of the owner.
  return statements.join(';\n');
}

/** Text that makes the provisioner a member of a role for the length of a piece of work, where it needs to be. */
export function memberText(traits: ServerTraits, role: string): { readonly join: string; readonly leave: string } {
  if (traits.superuser) return { join: '', leave: '' };
  return {
    join: `GRANT ${quoted(role)} TO CURRENT_USER;`,
    leave: `REVOKE ${quoted(role)} FROM CURRENT_USER;`,
  };
}

/** Text of the grants to the request login, table by table; run as the owner. */
export function grantsText(schema: string, roles: RoleNames, tables: readonly string[]): string {
  const request = quoted(roles.request);
  const name = (table: string) => `${quoted(schema)}.${quoted(table)}`;
  const plain = tables.filter((table) => !(table in guarded));
  const statements = [
    `GRANT USAGE ON SCHEMA ${quoted(schema)} TO ${request}`,
    `ALTER DEFAULT PRIVILEGES IN SCHEMA ${quoted(schema)} GRANT ${everyRight} ON TABLES TO ${request}`,
  ];
  if (plain.length > 0) statements.push(`GRANT ${everyRight} ON ${plain.map(name).join(', ')} TO ${request}`);
  for (const table of tables) {
    const rights = guarded[table];
    if (rights === undefined) continue;
    statements.push(`REVOKE ALL ON ${name(table)} FROM ${request}`, `GRANT ${rights} ON ${name(table)} TO ${request}`);
  }
  return statements.join(';\n');
}

/** Tables of a schema that the current role owns, found without a look at those of other schemas. */
export const tablesText = (schema: string): string =>
  `SELECT c.relname FROM pg_depend d JOIN pg_class c ON c.oid = d.objid
    WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = ${literal(schema)}::regnamespace
      AND d.classid = 'pg_class'::regclass AND c.relkind IN ('r', 'p') AND pg_has_role(c.relowner, 'USAGE')
    ORDER BY 1`;

export async function tablesOf(session: PostgresSession, schema: string): Promise<string[]> {
  return (await session.script<{ relname: string }>(tablesText(schema))).map((row) => row.relname);
}
