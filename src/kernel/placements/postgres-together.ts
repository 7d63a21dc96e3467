/**
 * Migrating several schemas of one database in one transaction, the way that one of them went before.
 *
 * Promises: all of a group come to the head, with the structure that the release makes in whatever it touches, or none of
 * it is changed; what is another tenant's, has another ledger, is in use or differs in its structure is left to the way
 * for one, which finds out what is wrong. Each is changed as its own owner. What takes long is not done together, because tables stay locked
 * until the end.
 */
import { fingerprint, structureDigestsText } from '../database/fingerprint.ts';
import { postgresDialect } from '../database/postgres-dialect.ts';
import type { PostgresSession } from '../database/postgres-session.ts';
import { kyselyOver } from '../database/session.ts';
import type { TenantTables } from '../database/tables.ts';
import { isStrongroomError } from '../errors.ts';
import { slicesOf } from '../slices.ts';
import { failpoint } from '../tenants/failpoints.ts';
import type { PlacementRef } from './placement.ts';
import { asOwnerText, isOwn, readAsOwnersText, type Unit } from './postgres-as-owner.ts';
import { onCitus } from './postgres-citus.ts';
import { literal, quoted } from './postgres-names.ts';
import { ledgerKey, type Recipe } from './postgres-replay.ts';
import { grantsText, memberText } from './postgres-roles.ts';
import type { SchemaParts } from './postgres-schema.ts';
import type { ServerTraits } from './postgres-server.ts';
import type { UnitMigration } from './postgres-unit.ts';

/** Beyond these a group is given up and each is migrated for itself: others wait for its tables. */
const limits = `SET LOCAL lock_timeout = '100ms'; SET LOCAL statement_timeout = '500ms';
  SET LOCAL idle_in_transaction_session_timeout = '5s'`;
/** Changes of structure in one transaction: the server has room for so many locks, which all its sessions share. */
const mostStatements = 60;

type Results = Map<PlacementRef, UnitMigration>;

/** @returns for each of `refs` what became of it, or null where it was left as it was */
export async function migrateSchemasTogether(
  parts: SchemaParts,
  refs: readonly PlacementRef[],
): Promise<readonly (UnitMigration | null)[]> {
  const results: Results = new Map();
  // Nothing is known yet that could be done to several.
  if (parts.recipes.size > 0) {
    const databases = await parts.credentials.databases(refs.map(({ tenantId }) => tenantId));
    for (const [database, group] of Map.groupBy(refs, ({ tenantId }) => databases.get(tenantId))) {
      if (database !== undefined)
        for (const some of sliced(parts, group)) await halving(parts, database, some, results);
    }
  }
  return refs.map((ref) => results.get(ref) ?? null);
}

function sliced(parts: SchemaParts, refs: readonly PlacementRef[]): readonly (readonly PlacementRef[])[] {
  const longest = Math.max(1, ...[...parts.recipes.values()].map(({ statements }) => statements.length));
  const size = Math.max(1, Math.floor(mostStatements / longest));
  return [...slicesOf(refs, size)];
}

/** One that cannot be migrated keeps few others from being migrated together. */
async function halving(
  parts: SchemaParts,
  database: string,
  refs: readonly PlacementRef[],
  results: Results,
): Promise<void> {
  if (refs.length < 2) return;
  const done = await parts.server
    .admin((session, traits) => attempt(parts, { session, traits, database }, refs), database)
    .catch((error: unknown) => {
      if (isStrongroomError(error)) return undefined;
      throw error;
    });
  if (done === undefined) {
    const middle = Math.ceil(refs.length / 2);
    await halving(parts, database, refs.slice(0, middle), results);
    await halving(parts, database, refs.slice(middle), results);
    return;
  }
  for (const [ref, migration] of done) results.set(ref, migration);
}

interface Work {
  readonly session: PostgresSession;
  readonly traits: ServerTraits;
  readonly database: string;
}

/** Whatever goes wrong is thrown, and gives the connection up with its transaction. Undefined: nothing was changed. */
async function attempt(
  parts: SchemaParts,
  { session, traits, database }: Work,
  refs: readonly PlacementRef[],
): Promise<Results | undefined> {
  if (await onCitus(parts.spread, session, database)) return new Map();
  const members = refs.map(({ unit }) => memberText(traits, parts.names.roles(unit).owner));
  await session.begin();
  try {
    const units = await session.scriptRows<Unit>(
      [
        members.map(({ join }) => join).join(' '),
        `${limits};`,
        readAsOwnersText(parts.names, refs, { lock: true }),
      ].join(' '),
    );
    const found = recipesFor(parts, refs, units);
    if (found.size < 2) {
      await session.rollback();
      return found.size === refs.length ? undefined : new Map();
    }
    const changes = [...found].map(([ref, recipe]) => changeText(parts, ref, recipe));
    const whole = [...new Set([...found.values()].flatMap(({ touched }) => touched))].toSorted();
    const digests = await session.script<StructureDigest>(
      `${changes.join('')} RESET ROLE; ${structureDigestsText(
        [...found.keys()].map(({ unit }) => unit),
        { whole, version: traits.version },
      )}`,
    );
    if (!(await areAsExpected(parts, session, found, { digests, whole }))) {
      await session.rollback();
      return undefined;
    }
    await failpoint('migrate.schema.applied');
    const leaving = members.map(({ leave }) => leave).join(' ');
    if (leaving.trim() !== '') await session.script(`RESET ROLE; ${leaving}`);
    await session.commit();
    return new Map([...found].map(([ref, { applied, fingerprint: is }]) => [ref, { applied, fingerprint: is }]));
  } catch (error) {
    await session.rollback().catch(() => {});
    throw error;
  }
}

/** Those that are the tenants' own and stand where another stood before. */
function recipesFor(
  parts: SchemaParts,
  refs: readonly PlacementRef[],
  units: readonly Unit[],
): ReadonlyMap<PlacementRef, Recipe> {
  const byTenant = Map.groupBy(units, ({ asked }) => asked);
  const found = new Map<PlacementRef, Recipe>();
  for (const ref of refs) {
    const rows = byTenant.get(ref.tenantId) ?? [];
    const recipe = isOwn(rows, ref) ? parts.recipes.get(ledgerKey(rows[0]!.ledger)) : undefined;
    if (recipe !== undefined) found.set(ref, recipe);
  }
  return found;
}

function changeText(parts: SchemaParts, ref: PlacementRef, recipe: Recipe): string {
  if (recipe.applied.length === 0) return '';
  const at = literal(parts.clock.iso());
  const ledger = recipe.applied.map((name) => {
    const [module, ...rest] = name.split('/');
    return `(${literal(module!)}, ${literal(rest.join('/'))}, ${at})`;
  });
  const statements = [
    asOwnerText(parts.names, ref),
    ...recipe.statements,
    `INSERT INTO migrations (module, name, applied_at) VALUES ${ledger.join(', ')}`,
    `UPDATE identity SET fingerprint = ${literal(recipe.fingerprint)}`,
    ...(recipe.tables === null ? [] : [grantsText(ref.unit, parts.names.roles(ref.unit), recipe.tables)]),
  ];
  return `${statements.join(';\n')};\n`;
}

interface StructureDigest {
  readonly schema: string;
  readonly digest: string;
}

/**
 * Structures with the same digest are taken to have the same fingerprint, which is made once for each digest. It says
 * all of what the migrations changed, and the outline of everything else (decision record 21): where somebody changed
 * another column or index in place, `doctor` finds it.
 */
async function areAsExpected(
  { structures }: SchemaParts,
  session: PostgresSession,
  found: ReadonlyMap<PlacementRef, Recipe>,
  { digests, whole }: { readonly digests: readonly StructureDigest[]; readonly whole: readonly string[] },
): Promise<boolean> {
  const bySchema = new Map(digests.map(({ schema, digest }) => [schema, digest]));
  for (const [{ unit }, recipe] of found) {
    const digest = bySchema.get(unit);
    if (digest === undefined) return false;
    const key = [digest, ...whole].join(' ');
    let known = structures.get(key);
    if (known === undefined) {
      await session.script(`SET LOCAL search_path = ${quoted(unit)}`);
      const db = kyselyOver<TenantTables>(postgresDialect, (query) => session.execute(query));
      known = await fingerprint(db, 'postgres');
    }
    // One that somebody changed stands for nobody else.
    if (known !== recipe.fingerprint) return false;
    if (!structures.has(key) && structures.size >= mostStructures) structures.clear();
    structures.set(key, known);
  }
  return true;
}

const mostStructures = 1_000;
