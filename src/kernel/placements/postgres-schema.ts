/**
 * Placement `schema`: a schema a tenant, in databases that tenants share: `strongroom_shared_1`, filled up to a set
 * number, then the next.
 *
 * Making one is one transaction of DDL: roles, schema, tables, grants, identity. What the migrations do is recorded once
 * and sent as one message afterwards.
 */

import type { ControlDb, ControlTx } from '../database/database.ts';
import { migrationsDigest } from '../database/migrator.ts';
import type { PostgresSession } from '../database/postgres-session.ts';
import { unavailable } from '../errors.ts';
import type { TenantId } from '../ids.ts';
import { failpoint } from '../tenants/failpoints.ts';
import type { PlacementRef } from './placement.ts';
import { createCitusUnit, dropCitusUnit, onCitus, type Spread } from './postgres-citus.ts';
import { type Logins, tenantsByDatabase } from './postgres-credentials.ts';
import { literal, quoted } from './postgres-names.ts';
import { applyRecorded, type Recipe } from './postgres-replay.ts';
import { createRolesText, grantsText, memberText, type RoleLimits, tablesOf } from './postgres-roles.ts';
import { closeDatabase, createEmptyDatabase, type ServerTraits } from './postgres-server.ts';
import { type UnitParts, writeIdentity } from './postgres-unit.ts';

export interface SchemaParts extends UnitParts {
  readonly control: ControlDb;
  readonly limits: RoleLimits;
  readonly mark: string;
  /** Tenants in one shared database. */
  readonly perDatabase: number;
  readonly shared: SharedDatabases;
  readonly replays: Map<string, Replay>;
  readonly spread: Spread;
  /** What brings a schema to the head, by the ledger that it has. */
  readonly recipes: Map<string, Recipe>;
  /** Fingerprints by the digest that stands for them. */
  readonly structures: Map<string, string>;
}

export interface SharedDatabases {
  /** Databases of this installation that are there and closed, and those that are another's. */
  readonly ready: Set<string>;
  readonly foreign: Set<string>;
}

/** What the migrations of a release come to in a fresh schema. */
export interface Replay {
  /** Statements, to be run by the owner with the schema as search path. */
  readonly text: string;
  readonly tables: readonly string[];
  readonly fingerprint: string;
}

/** Key of the advisory lock, in a shared database, under which its rights are changed. */
const sharedLock = 7_350_115;

const sharedName = (number: number) => `strongroom_shared_${number}`;
export const isShared = (database: string) => /^strongroom_shared_\d+$/.test(database);
/** Comment on the owner role of such a unit: by it orphans are found, and where they are. */
export const schemaMark = (mark: string, database = '') => `strongroom ${mark} schema ${database}`.trimEnd();
const sharedMark = (mark: string) => `strongroom ${mark}`;

/** @returns whether it was made, with its identity row; false where it was there */
export async function createSchemaUnit(parts: SchemaParts, ref: PlacementRef): Promise<boolean> {
  const roles = parts.names.roles(ref.unit);
  const logins = await reserve(parts, ref);
  await failpoint('place.schema.reserved');
  const { database } = logins.request;
  await ensureShared(parts, database);
  const mark = schemaMark(parts.mark, database);
  return parts.server.admin(async (session, traits) => {
    if (await onCitus(parts.spread, session, database)) {
      await createCitusUnit(parts, { session, traits, logins, mark, lock: sharedLock }, ref);
      return false;
    }
    const [there] = await session.script<{ schema: string | null }>(
      `SELECT to_regnamespace(${literal(ref.unit)})::text AS schema`,
    );
    if (there!.schema !== null) return false;
    const rolesText = await createRolesText(roles, logins, {
      schema: ref.unit,
      mark,
      limits: parts.limits,
      traits,
    });
    const member = memberText(traits, roles.owner);
    const [owner, schema] = [quoted(roles.owner), quoted(ref.unit)];
    await session.begin();
    try {
      await session.script(
        `${rolesText};
         ${member.join}
         CREATE SCHEMA ${schema} AUTHORIZATION ${owner};
         SET LOCAL ROLE ${owner};
         SET LOCAL search_path = ${schema}`,
      );
      const replay = await fillSchema(parts, session, ref.unit);
      await session.script(grantsText(ref.unit, roles, replay.tables));
      await writeIdentity(session, ref, replay.fingerprint);
      // Two that change the rights of one database fail: one at a time, at the very end.
      await session.script(
        `RESET ROLE; ${member.leave} SELECT pg_advisory_xact_lock(${sharedLock});
         GRANT CONNECT ON DATABASE ${quoted(database)} TO ${quoted(roles.migrate)}, ${quoted(roles.request)}`,
      );
      await failpoint('place.schema.filled');
      await session.commit();
      return true;
    } catch (error) {
      await session.rollback().catch(() => {});
      throw error;
    }
  }, database);
}

/** Logins, and the database with room: reserved in one control transaction, so that it is not filled twice. */
async function reserve(parts: SchemaParts, ref: PlacementRef): Promise<Logins> {
  const { request, migrate } = parts.names.roles(ref.unit);
  // A database of this name may be another installation's: that is known once it has been looked at.
  const known = await parts.credentials.find(ref.tenantId);
  if (known !== undefined) return known;
  const first = await sharedDatabase(parts);
  await ensureShared(parts, first);
  return parts.credentials.reserve(ref, { request, migrate }, (tx) => choose(parts, tx));
}

/** A shared database of this installation with room, made where there is none. */
export async function sharedDatabase(parts: SchemaParts): Promise<string> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const name = await choose(parts, parts.control.read);
    if (await ensureShared(parts, name)) return name;
  }
  throw unavailable('provisioning_failed', 'There is no database with room for this company.');
}

async function choose(parts: SchemaParts, reader: Pick<ControlTx, 'selectFrom'>): Promise<string> {
  const counts = await tenantsByDatabase(reader, parts.server.name);
  for (let number = 1; ; number += 1) {
    const name = sharedName(number);
    if (!parts.shared.foreign.has(name) && (counts.get(name) ?? 0) < parts.perDatabase) return name;
  }
}

/** Makes a shared database, or finishes one. False where it belongs to another installation. */
async function ensureShared(parts: SchemaParts, name: string): Promise<boolean> {
  const { ready, foreign } = parts.shared;
  if (ready.has(name)) return true;
  const look = async (session: PostgresSession) =>
    (
      await session.script<{ about: string | null; open: boolean; mine: boolean }>(
        `SELECT shobj_description(oid, 'pg_database') AS about, datallowconn AS open,
            pg_has_role(datdba, 'USAGE') AS mine FROM pg_database WHERE datname = ${literal(name)}`,
      )
    )[0];
  const mark = sharedMark(parts.mark);
  const database = quoted(name);
  const mine = await parts.server.admin(async (session) => {
    const found = await look(session);
    if (found !== undefined && found.about !== mark && (found.about !== null || found.open || !found.mine))
      return false;
    if (found === undefined) await createEmptyDatabase(session, name);
    await failpoint('place.shared.made');
    // Closed until here: nobody could connect meanwhile.
    await session.script(
      `COMMENT ON DATABASE ${database} IS ${literal(mark)}; REVOKE ALL ON DATABASE ${database} FROM PUBLIC;
       ALTER DATABASE ${database} ALLOW_CONNECTIONS true`,
    );
    return true;
  });
  if (!mine) {
    foreign.add(name);
    return false;
  }
  await parts.server.admin((session, traits) => closeOnce(session, traits), name);
  ready.add(name);
  return true;
}

/** One at a time in a database, whichever process it is: two that change the rights of one function fail. */
async function closeOnce(session: PostgresSession, traits: ServerTraits): Promise<void> {
  await session.begin();
  try {
    await session.script(`SELECT pg_advisory_xact_lock(${sharedLock})`);
    await closeDatabase(session, traits);
    await session.commit();
  } catch (error) {
    await session.rollback().catch(() => {});
    throw error;
  }
}

/** The tables of the migrations, in the current transaction, role and search path. */
export async function fillSchema(
  parts: Pick<SchemaParts, 'migrations' | 'clock' | 'replays'>,
  session: PostgresSession,
  schema: string,
): Promise<Replay> {
  const key = migrationsDigest(parts.migrations);
  const known = parts.replays.get(key);
  if (known !== undefined) {
    await session.script(known.text);
    return known;
  }
  const { recorded, ...done } = await applyRecorded(parts, session);
  const made = { tables: await tablesOf(session, schema), fingerprint: done.fingerprint };
  const text = recorded.text();
  if (text === undefined) return { ...made, text: '' };
  const replay = { ...made, text };
  parts.replays.set(key, replay);
  return replay;
}

/** Removes schema and roles, whatever of them is there. Sessions of the tenant are ended. */
export async function destroySchemaUnit(parts: SchemaParts, tenantId: TenantId): Promise<void> {
  const unit = parts.names.unitName(tenantId);
  const roles = parts.names.roles(unit);
  const database = (await parts.credentials.find(tenantId))?.request.database ?? (await databaseOf(parts, roles.owner));
  if (database !== undefined) await dropSchema(parts, unit, database);
  await failpoint('remove.schema.dropped');
  await parts.credentials.forget(tenantId);
}

/** Where a unit is whose logins nobody knows any more: its owner's mark says it. */
async function databaseOf(parts: SchemaParts, owner: string): Promise<string | undefined> {
  const [row] = await parts.server.admin((session) =>
    session.script<{ about: string | null }>(
      `SELECT shobj_description(oid, 'pg_authid') AS about FROM pg_roles WHERE rolname = ${literal(owner)}`,
    ),
  );
  const prefix = `${schemaMark(parts.mark)} `;
  return row?.about?.startsWith(prefix) === true ? row.about.slice(prefix.length) : undefined;
}

async function dropSchema(parts: SchemaParts, unit: string, database: string): Promise<void> {
  const roles = parts.names.roles(unit);
  const logins = [roles.request, roles.migrate];
  const names = Object.values(roles).map(literal).join(', ');
  const there = await parts.server.admin(async (session) => {
    const found = await session.script<{ rolname: string; database: boolean }>(
      `SELECT rolname, EXISTS (SELECT FROM pg_database WHERE datname = ${literal(database)}) AS database
        FROM pg_roles WHERE rolname IN (${names})`,
    );
    const own = new Set(found.map(({ rolname }) => rolname));
    for (const role of logins) if (own.has(role)) await session.script(`ALTER ROLE ${quoted(role)} NOLOGIN`);
    await session.script(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IN (${logins.map(literal).join(', ')})`,
    );
    return { own, database: found[0]?.database === true };
  });
  await failpoint('remove.schema.locked');
  if (there.own.size === 0) return;
  if (!there.database) {
    // Somebody removed the whole database: only the roles are left.
    await parts.server.admin((session) => session.script(dropRolesText([...logins, roles.owner])));
    return;
  }
  await parts.server.admin(async (session, traits) => {
    const own = [...logins, roles.owner].filter((role) => there.own.has(role));
    if (await onCitus(parts.spread, session, database)) return dropCitusUnit(session, unit, own, sharedLock);
    const members = own.map((role) => memberText(traits, role).join).join(' ');
    await session.script(
      `BEGIN; ${members}
       DROP SCHEMA IF EXISTS ${quoted(unit)} CASCADE;
       SELECT pg_advisory_xact_lock(${sharedLock});
       DROP OWNED BY ${own.map(quoted).join(', ')};
       ${dropRolesText(own)};
       COMMIT`,
    );
  }, database);
}

function dropRolesText(roles: readonly string[]): string {
  return roles.map((role) => `DROP ROLE IF EXISTS ${quoted(role)}`).join(';\n');
}
