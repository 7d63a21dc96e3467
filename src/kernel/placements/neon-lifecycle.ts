/**
 * A company's unit at Neon, made and removed.
 *
 * Making one: name and logins in the control database → project (or database in the shared one), its operations ended →
 * roles, tables, grants and identity in one transaction of the project's role → a query with the company's own login. It
 * counts as made when that has answered. Every step looks at what is there, so that all of it can run again.
 */
import type { PostgresSession } from '../database/postgres-session.ts';
import type { TenantId } from '../ids.ts';
import { failpoint } from '../tenants/failpoints.ts';
import { ensureDatabase, ensureProject, removeDatabase, removeProjects } from './neon-projects.ts';
import type { NeonRecord } from './neon-records.ts';
import {
  addressOf,
  inProject,
  type NeonParts,
  neonMark,
  ownProject,
  type ProjectNames,
  sharedProject,
  untilReached,
} from './neon-unit.ts';
import type { PlacementRef } from './placement.ts';
import type { Logins } from './postgres-credentials.ts';
import { literal, quoted } from './postgres-names.ts';
import { createRolesText, grantsText, memberText } from './postgres-roles.ts';
import { fillSchema } from './postgres-schema.ts';
import type { ServerTraits } from './postgres-server.ts';
import { databaseSchema } from './postgres-template.ts';
import { openUnit, writeIdentity } from './postgres-unit.ts';

/** @returns whether it was made now, with its identity row; false where it was there */
export async function createNeonUnit(parts: NeonParts, ref: PlacementRef): Promise<boolean> {
  const { request, migrate } = parts.names.roles(ref.unit);
  const own = ownProject(parts, ref.unit);
  const shared = sharedProject(parts);
  const record = await parts.records.reserve(ref.tenantId, parts.mode === 'project' ? own.name : shared.name);
  const logins = await parts.credentials.reserve(ref, { request, migrate }, async () => ref.unit);
  await failpoint('place.neon.reserved');
  const inShared = record.projectName === shared.name;
  const projectId = inShared
    ? await inSharedProject(parts, ref.unit, shared)
    : await ensureProject(parts, record, own, false);
  if (inShared) await parts.records.setProject(ref.tenantId, projectId, record.projectId);
  const into = { database: ref.unit, role: inShared ? shared.role : own.role };
  const address = await addressOf(parts, projectId, into);
  const pooled = parts.pooled ? await addressOf(parts, projectId, into, true) : null;
  // One that was found while it came up may have been listed before its operations.
  await parts.api.settle(projectId);
  await failpoint('place.neon.settled');
  const made = await inProject(parts, address, (session, traits) => fill(parts, session, traits, { ref, logins }));
  await failpoint('place.neon.committed');
  await parts.records.setHosts(ref.tenantId, address.host, pooled?.host ?? null);
  await failpoint('place.neon.addressed');
  await prove(parts, ref);
  return made;
}

/** A database of the company's in the project that companies share; both are made where they are not there. */
async function inSharedProject(parts: NeonParts, unit: string, shared: ProjectNames): Promise<string> {
  const record = await parts.records.reserve(shared.name, shared.name);
  const projectId = await ensureProject(parts, record, shared, true);
  await ensureDatabase(parts, projectId, unit, shared.role);
  await failpoint('place.neon.database');
  return projectId;
}

/** Roles, tables, grants and identity, in one transaction. */
async function fill(
  parts: NeonParts,
  session: PostgresSession,
  traits: ServerTraits,
  { ref, logins }: { readonly ref: PlacementRef; readonly logins: Logins },
): Promise<boolean> {
  const [there] = await session.script<{ schema: string | null }>(
    `SELECT to_regnamespace(${literal(databaseSchema)})::text AS schema`,
  );
  if (there!.schema !== null) return false;
  const roles = parts.names.roles(ref.unit);
  const { limits } = parts;
  const rolesText = await createRolesText(roles, logins, {
    schema: databaseSchema,
    mark: neonMark(parts.mark),
    limits,
    traits,
    // Neon keeps a copy of every login and takes no verifier.
    plain: true,
  });
  const member = memberText(traits, roles.owner);
  const [owner, schema, database] = [quoted(roles.owner), quoted(databaseSchema), quoted(ref.unit)];
  await session.begin();
  try {
    await session.script(
      `${rolesText};
       REVOKE ALL ON DATABASE ${database} FROM PUBLIC;
       REVOKE ALL ON SCHEMA public FROM PUBLIC;
       GRANT CONNECT ON DATABASE ${database} TO ${quoted(roles.migrate)}, ${quoted(roles.request)};
       ${member.join}
       CREATE SCHEMA ${schema} AUTHORIZATION ${owner};
       SET LOCAL ROLE ${owner};
       SET LOCAL search_path = ${schema}`,
    );
    const replay = await fillSchema(parts, session, databaseSchema);
    await session.script(grantsText(databaseSchema, roles, replay.tables));
    await writeIdentity(session, ref, replay.fingerprint);
    await session.script(`RESET ROLE; ${member.leave} SELECT 1`);
    await failpoint('place.neon.filled');
    await session.commit();
    return true;
  } catch (error) {
    await session.rollback().catch(() => {});
    throw error;
  }
}

/** The company's own login, asked as a request asks: a login of Neon's may work a little later than it is there. */
async function prove(parts: NeonParts, ref: PlacementRef): Promise<void> {
  const asked = { ...parts, alarm: () => {} };
  await untilReached(parts.times, async () => {
    // An identity that is older is brought up to date by the step that follows.
    const connection = await openUnit(asked, ref, 'write').catch((error: unknown) => {
      if ((error as { code?: unknown }).code === 'identity_mismatch') return undefined;
      throw error;
    });
    await connection?.close();
  });
}

/** Removes everything of a company at Neon, then what is known of it here. */
export async function destroyNeonUnit(parts: NeonParts, tenantId: TenantId): Promise<void> {
  const unit = parts.names.unitName(tenantId);
  const shared = sharedProject(parts);
  const record = await parts.records.find(tenantId);
  if (record === undefined || record.projectName === shared.name) await leaveShared(parts, unit, shared);
  if (record === undefined || record.projectName !== shared.name) {
    await removeProjects(parts, ownProject(parts, unit).name, record);
  }
  await failpoint('remove.neon.deleted');
  await parts.credentials.forget(tenantId);
  await failpoint('remove.neon.forgotten');
  await parts.records.forget(tenantId);
}

/** The id of the project that companies share, where there is one. */
export async function sharedId(parts: NeonParts, shared: ProjectNames): Promise<string | undefined> {
  const record: NeonRecord | undefined = await parts.records.find(shared.name);
  if (record !== undefined && record.projectId !== null) return record.projectId;
  const found = await parts.api.projects(shared.name);
  return found.find(({ name }) => name === shared.name)?.id;
}

async function leaveShared(parts: NeonParts, unit: string, shared: ProjectNames): Promise<void> {
  const projectId = await sharedId(parts, shared);
  if (projectId === undefined || (await parts.api.databases(projectId)) === undefined) return;
  const roles = parts.names.roles(unit);
  const own = [roles.request, roles.migrate, roles.owner];
  const address = await addressOf(parts, projectId, shared);
  await inProject(parts, address, async (session, traits) => {
    const names = own.map(literal).join(', ');
    const found = await session.script<{ rolname: string }>(`SELECT rolname FROM pg_roles WHERE rolname IN (${names})`);
    // From here on nobody of the company comes in again.
    for (const { rolname } of found) {
      await session.script(`ALTER ROLE ${quoted(rolname)} NOLOGIN; ${memberText(traits, rolname).join}`);
    }
    await session.script(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IN (${names})`);
  });
  await failpoint('remove.neon.locked');
  await removeDatabase(parts.api, projectId, unit);
  await failpoint('remove.neon.dropped');
  await inProject(parts, address, async (session) => {
    // The owner, which carries the mark, goes last.
    for (const role of own) await session.script(`DROP ROLE IF EXISTS ${quoted(role)}`);
  });
}
