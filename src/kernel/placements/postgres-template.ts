/**
 * The migrated template that databases of tenants are copied from: named by the digest of the migrations, built under
 * another name, closed to every connection, renamed; so it is whole or not there. Its tables belong to a role of their
 * own, so that a copy can be given to its tenant in one statement.
 */
import type { Clock } from '../clock.ts';
import { fingerprint } from '../database/fingerprint.ts';
import type { TenantMigration } from '../database/migration.ts';
import { applyMigrations, type ModuleMigrations, migrationsDigest } from '../database/migrator.ts';
import { postgresDialect } from '../database/postgres-dialect.ts';
import type { PostgresSession } from '../database/postgres-session.ts';
import { kyselyOver } from '../database/session.ts';
import type { TenantTables } from '../database/tables.ts';
import { idTime, newId, tenantIdFromPart } from '../ids.ts';
import { failpoint } from '../tenants/failpoints.ts';
import { literal, quoted } from './postgres-names.ts';
import { memberText, tablesOf } from './postgres-roles.ts';
import {
  closeDatabase,
  createEmptyDatabase,
  isTaken,
  type PostgresServer,
  type ServerTraits,
} from './postgres-server.ts';

/** The schema of every database of a tenant. */
export const databaseSchema = 'strongroom';

export interface PostgresTemplate {
  readonly name: string;
  /** Role that owns what is in it. */
  readonly owner: string;
  readonly tables: readonly string[];
  readonly fingerprint: string;
}

export interface TemplateParts {
  readonly server: PostgresServer;
  readonly migrations: readonly ModuleMigrations<TenantMigration>[];
  readonly clock: Clock;
  /** Tells this installation's objects from those of others on the same server. */
  readonly mark: string;
}

export interface TemplateSource {
  get(): Promise<PostgresTemplate>;
  /** It was found missing: the next `get` makes it anew. */
  forget(): void;
}

/** Builds that were left behind are removed after this long. */
const staleBuild = 3_600_000;

/** How the names of this installation's templates begin while they are built. */
export const buildPrefix = (mark: string) => `strongroom_build_${mark}_`;

export function createPostgresTemplate(parts: TemplateParts): TemplateSource {
  let making: Promise<PostgresTemplate> | undefined;
  let madeOf = -1;
  const count = () => parts.migrations.reduce((sum, own) => sum + own.migrations.length, 0);
  return {
    get() {
      if (making !== undefined && madeOf === count()) return making;
      madeOf = count();
      making = ensure(parts).catch((error: unknown) => {
        making = undefined;
        throw error;
      });
      return making;
    },
    forget() {
      making = undefined;
    },
  };
}

async function ensure(parts: TemplateParts): Promise<PostgresTemplate> {
  const prefix = `strongroom_template_${parts.mark}_`;
  const name = `${prefix}${migrationsDigest(parts.migrations).slice(0, 24)}`;
  const owner = `strongroom_template_${parts.mark}`;
  return parts.server.admin(async (session, traits) => {
    const made = await describe(session, name);
    if (made !== undefined) return { name, owner, ...made };
    await makeOwner(session, traits, owner);
    const build = `${buildPrefix(parts.mark)}${newId('company', parts.clock.now()).slice(5)}`;
    await createEmptyDatabase(session, build);
    await session.script(`REVOKE ALL ON DATABASE ${quoted(build)} FROM PUBLIC`);
    await session.script(`ALTER DATABASE ${quoted(build)} ALLOW_CONNECTIONS true`);
    const built = await parts.server.admin((inside) => fill(parts, inside, traits, owner), build);
    await session.script(
      `COMMENT ON DATABASE ${quoted(build)} IS ${literal(`${built.fingerprint} ${built.tables.join(' ')}`)}`,
    );
    await session.script(`ALTER DATABASE ${quoted(build)} ALLOW_CONNECTIONS false`);
    await failpoint('place.template.built');
    await rename(session, build, name);
    await removeOthers(parts, session, prefix, name);
    return { name, owner, ...built };
  });
}

type Described = Pick<PostgresTemplate, 'tables' | 'fingerprint'>;

/** What is in a template stands in its comment: nobody can connect to look. */
async function describe(session: PostgresSession, name: string): Promise<Described | undefined> {
  const [row] = await session.script<{ about: string | null }>(
    `SELECT shobj_description(oid, 'pg_database') AS about FROM pg_database
      WHERE datname = ${literal(name)} AND NOT datallowconn AND datconnlimit <> -2`,
  );
  const [structure, ...tables] = row?.about?.split(' ') ?? [];
  return structure === undefined ? undefined : { fingerprint: structure, tables };
}

async function makeOwner(session: PostgresSession, traits: ServerTraits, owner: string): Promise<void> {
  await session.script(`CREATE ROLE ${quoted(owner)} NOLOGIN NOINHERIT`).catch((error: unknown) => {
    const code = (error as { code?: unknown }).code;
    if (code !== '42710' && code !== '23505') throw error;
  });
  // For good: every copy is handed on from this role.
  const { join } = memberText(traits, owner);
  if (join !== '') await session.script(join);
}

async function fill(
  parts: TemplateParts,
  session: PostgresSession,
  traits: ServerTraits,
  owner: string,
): Promise<Described> {
  await closeDatabase(session, traits);
  await session.script(`CREATE SCHEMA ${quoted(databaseSchema)} AUTHORIZATION ${quoted(owner)}`);
  await session.script(`SET ROLE ${quoted(owner)}; SET search_path = ${quoted(databaseSchema)}`);
  const { migrations, clock } = parts;
  await applyMigrations<TenantTables>({ session, grammar: postgresDialect, list: migrations, clock });
  const db = kyselyOver<TenantTables>(postgresDialect, (query) => session.execute(query));
  return { tables: await tablesOf(session, databaseSchema), fingerprint: await fingerprint(db, 'postgres') };
}

async function rename(session: PostgresSession, build: string, name: string): Promise<void> {
  try {
    await session.script(`ALTER DATABASE ${quoted(build)} RENAME TO ${quoted(name)}`);
  } catch (error) {
    if (!isTaken(error)) throw error;
    // Another process was quicker with the same template.
    await session.script(`DROP DATABASE IF EXISTS ${quoted(build)}`);
  }
}

/** Templates of other releases and builds that broke off. One that is in use at this moment stays. */
async function removeOthers(
  parts: TemplateParts,
  session: PostgresSession,
  prefix: string,
  name: string,
): Promise<void> {
  const rows = await session.script<{ datname: string }>(
    `SELECT datname FROM pg_database WHERE datname ~ '^strongroom_'`,
  );
  const builds = buildPrefix(parts.mark);
  for (const { datname } of rows) {
    const build = datname.startsWith(builds) ? tenantIdFromPart(datname.slice(builds.length)) : undefined;
    const stale = build !== undefined && idTime(build) < parts.clock.now() - staleBuild;
    if (!stale && (!datname.startsWith(prefix) || datname === name)) continue;
    await session.script(`DROP DATABASE IF EXISTS ${quoted(datname)}`).catch(() => {});
  }
}
