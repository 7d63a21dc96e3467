/**
 * Placement `database`: a database a tenant, copied from a migrated template.
 *
 * Making one: logins reserved in the control database → roles in one transaction → copy, closed to every connection →
 * grants on the database, opened → tables handed to the tenant's owner, grants, identity, in one transaction. Each step
 * looks at what is there, so that all of it can run again after a crash at any point. The provisioner owns the database.
 */
import type { PostgresSession } from '../database/postgres-session.ts';
import { StrongroomError } from '../errors.ts';
import type { TenantId } from '../ids.ts';
import { failpoint } from '../tenants/failpoints.ts';
import type { PlacementRef } from './placement.ts';
import type { Logins } from './postgres-credentials.ts';
import { literal, quoted, type RoleNames } from './postgres-names.ts';
import { createRolesText, grantsText, memberText, type RoleLimits } from './postgres-roles.ts';
import { isTaken, type ServerTraits } from './postgres-server.ts';
import { databaseSchema, type PostgresTemplate, type TemplateSource } from './postgres-template.ts';
import { requireFree, type UnitParts, writeIdentity } from './postgres-unit.ts';

export interface DatabaseParts extends UnitParts {
  readonly template: TemplateSource;
  readonly limits: RoleLimits;
  readonly mark: string;
}

/** Comment on the owner role of such a unit: by it orphans are found. */
export const databaseMark = (mark: string) => `strongroom ${mark} database`;

/** How often a template that somebody is connected to, or that was removed meanwhile, is tried again. */
const copyAttempts = 5;

/** @returns whether the unit has the identity row of this generation; stamping it again would need a connection */
export async function createDatabaseUnit(parts: DatabaseParts, ref: PlacementRef): Promise<boolean> {
  const roles = parts.names.roles(ref.unit);
  const logins = await parts.credentials.reserve(
    ref,
    { request: roles.request, migrate: roles.migrate },
    async () => ref.unit,
  );
  await failpoint('place.database.reserved');
  let template = await parts.template.get();
  for (let attempt = 1; ; attempt += 1) {
    try {
      const from = template;
      await parts.server.admin((session, traits) =>
        copy(parts, session, traits, { ref, roles, logins, template: from }),
      );
      break;
    } catch (error) {
      if (!mayPass(error) || attempt === copyAttempts) throw error;
      parts.template.forget();
      template = await parts.template.get();
    }
  }
  await failpoint('place.database.opened');
  const from = template;
  return parts.server.admin((session, traits) => handOver(session, traits, { ref, roles, template: from }), ref.unit);
}

/** The template is being looked at, or is gone. */
function mayPass(error: unknown): boolean {
  const cause = error instanceof StrongroomError ? error.cause : error;
  const code = (cause as { code?: unknown } | null)?.code;
  return code === '55006' || code === '3D000';
}

interface Making {
  readonly ref: PlacementRef;
  readonly roles: RoleNames;
  readonly logins: Logins;
  readonly template: PostgresTemplate;
}

/** Roles and the closed copy, then open to the tenant's logins alone. */
async function copy(
  parts: DatabaseParts,
  session: PostgresSession,
  traits: ServerTraits,
  { ref, roles, logins, template }: Making,
): Promise<void> {
  const name = quoted(ref.unit);
  const [found] = await session.script<{ roles: number; database: boolean; broken: boolean }>(
    `SELECT (SELECT count(*)::int FROM pg_roles WHERE rolname IN (${Object.values(roles).map(literal).join(', ')})) AS roles,
      EXISTS (SELECT FROM pg_database WHERE datname = ${literal(ref.unit)}) AS database,
      EXISTS (SELECT FROM pg_database WHERE datname = ${literal(ref.unit)} AND datconnlimit = -2) AS broken`,
  );
  if (found!.roles < 3) {
    const text = await createRolesText(roles, logins, {
      schema: databaseSchema,
      mark: databaseMark(parts.mark),
      limits: parts.limits,
      traits,
    });
    await session.script(`BEGIN;\n${text};\nCOMMIT`).catch(async (error: unknown) => {
      await session.script('ROLLBACK');
      throw error;
    });
  }
  await failpoint('place.database.roles');
  // A removal that was cut off leaves a row that only removing can mend.
  if (found!.broken) await session.script(`DROP DATABASE IF EXISTS ${name}`);
  if (!found!.database || found!.broken) {
    await session
      .script(`CREATE DATABASE ${name} TEMPLATE ${quoted(template.name)} ALLOW_CONNECTIONS false`)
      .catch((error: unknown) => {
        if (!isTaken(error)) throw error;
      });
  }
  await failpoint('place.database.copied');
  await session.script(
    `REVOKE ALL ON DATABASE ${name} FROM PUBLIC;
     GRANT CONNECT ON DATABASE ${name} TO ${quoted(roles.migrate)}, ${quoted(roles.request)};
     ALTER DATABASE ${name} ALLOW_CONNECTIONS true`,
  );
}

/** Inside the copy: what the template's role owns becomes the tenant's owner's. False where an older identity is left. */
async function handOver(
  session: PostgresSession,
  traits: ServerTraits,
  { ref, roles, template }: Omit<Making, 'logins'>,
): Promise<boolean> {
  const member = memberText(traits, roles.owner);
  const owner = quoted(roles.owner);
  await session.begin();
  try {
    await session.script(`${member.join} SET LOCAL search_path = ${quoted(databaseSchema)}`.trimStart());
    const found = await session.script<{ tenant_id: string; generation: number; fingerprint: string }>(
      `REASSIGN OWNED BY ${quoted(template.owner)} TO ${owner}; SET LOCAL ROLE ${owner}; SELECT * FROM identity`,
    );
    const row = found[0];
    requireFree(
      row === undefined ? null : { tenantId: row.tenant_id, generation: row.generation, fingerprint: row.fingerprint },
      ref,
    );
    await session.script(grantsText(databaseSchema, roles, template.tables));
    if (row === undefined) await writeIdentity(session, ref, template.fingerprint);
    await session.script(`RESET ROLE; ${member.leave} SELECT 1`);
    await failpoint('place.database.handed');
    await session.commit();
    return row === undefined || row.generation === ref.generation;
  } catch (error) {
    await session.rollback().catch(() => {});
    throw error;
  }
}

/** Removes database and roles, whatever of them is there. Sessions of the tenant are ended. */
export async function destroyDatabaseUnit(parts: DatabaseParts, tenantId: TenantId): Promise<void> {
  const unit = parts.names.unitName(tenantId);
  const roles = parts.names.roles(unit);
  await parts.server.admin(async (session) => {
    const names = Object.values(roles).map(literal).join(', ');
    const there = await session.script<{ rolname: string }>(`SELECT rolname FROM pg_roles WHERE rolname IN (${names})`);
    const own = there.map(({ rolname }) => rolname);
    // From here on nobody of the tenant comes in again.
    for (const role of own) await session.script(`ALTER ROLE ${quoted(role)} NOLOGIN`);
    await failpoint('remove.database.locked');
    await session.script(`DROP DATABASE IF EXISTS ${quoted(unit)} WITH (FORCE)`);
    await failpoint('remove.database.dropped');
    // The owner, which carries the mark, goes last.
    for (const role of [roles.request, roles.migrate, roles.owner]) {
      await session.script(`DROP ROLE IF EXISTS ${quoted(role)}`);
    }
  });
  await failpoint('remove.database.roles');
  await parts.credentials.forget(tenantId);
}
