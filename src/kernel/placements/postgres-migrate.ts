/**
 * Migrating a schema among many in one database, and what structure the migrations make there.
 *
 * Promises: all that a schema lacks is applied in one transaction, with ledger, identity row and grants, or nothing of
 * it; the identity row is compared in that transaction. It acts as the tenant's owner on a connection that stays open
 * from one schema to the next, because signing in a thousand times would cost more than the migration. Whatever is not
 * as expected goes the way of the tenant's own login, which tells what is wrong.
 */
import { randomBytes } from 'node:crypto';
import { migrationsDigest } from '../database/migrator.ts';
import { isConnectionLost, postgresError } from '../database/postgres-errors.ts';
import type { PostgresSession } from '../database/postgres-session.ts';
import { isStrongroomError } from '../errors.ts';
import { failpoint } from '../tenants/failpoints.ts';
import type { PlacementRef } from './placement.ts';
import { actAsOwnerText, isOwn, type Unit } from './postgres-as-owner.ts';
import { onCitus } from './postgres-citus.ts';
import { tenantsByDatabase } from './postgres-credentials.ts';
import { literal, quoted } from './postgres-names.ts';
import { applyRecorded, ledgerKey, type Recipe } from './postgres-replay.ts';
import { grantsText, memberText, tablesText } from './postgres-roles.ts';
import { fillSchema, isShared, type SchemaParts, sharedDatabase } from './postgres-schema.ts';
import type { ServerTraits } from './postgres-server.ts';
import { migrateUnit, type UnitMigration } from './postgres-unit.ts';

/** How long a migration waits for those who use a table: all others wait behind it. */
const lockTimeout = '10s';

interface Done {
  readonly done: UnitMigration;
  /** The ledger that was there, and what made it the head's; where that can be done to others as well. */
  readonly learned: readonly [ledger: string, recipe: Recipe] | undefined;
}
type Outcome = Done | { readonly failed: unknown } | 'other way';

export async function migrateSchemaUnit(parts: SchemaParts, ref: PlacementRef): Promise<UnitMigration> {
  const logins = await parts.credentials.find(ref.tenantId);
  if (logins === undefined) return migrateUnit(parts, ref);
  const { database } = logins.request;
  const outcome = await parts.server
    .admin(async (session, traits): Promise<Outcome> => {
      // There a transaction has one role.
      if (await onCitus(parts.spread, session, database)) return 'other way';
      return attempt(parts, session, traits, ref);
    }, database)
    // Without a provisioner, or where it cannot get in.
    .catch((error: unknown): Outcome => {
      if (isStrongroomError(error)) return 'other way';
      throw error;
    });
  if (outcome === 'other way') return migrateUnit(parts, ref);
  if ('failed' in outcome) throw postgresError(outcome.failed);
  await learn(parts, outcome);
  return outcome.done;
}

/** Only a company that is as the release makes it is an example for others. */
async function learn({ recipes, ...parts }: SchemaParts, { learned }: Done): Promise<void> {
  if (learned === undefined || recipes.has(learned[0])) return;
  const expected = await schemaStructure({ recipes, ...parts }).catch(() => undefined);
  if (learned[1].fingerprint === expected) recipes.set(...learned);
}

/** What goes wrong with the statements is an outcome; only a lost connection is thrown. */
async function attempt(
  parts: SchemaParts,
  session: PostgresSession,
  traits: ServerTraits,
  ref: PlacementRef,
): Promise<Outcome> {
  await session.begin();
  try {
    const found = await actAsOwner(parts, session, traits, ref);
    if (found === undefined) {
      await session.rollback();
      return 'other way';
    }
    const done = await applyAll(parts, session, ref, found);
    await failpoint('migrate.schema.applied');
    const { leave } = memberText(traits, parts.names.roles(ref.unit).owner);
    if (leave !== '') await session.script(`RESET ROLE; ${leave}`);
    await session.commit();
    return done;
  } catch (error) {
    await session.rollback().catch(() => {});
    if (isConnectionLost(error)) throw error;
    return { failed: error };
  }
}

interface Found extends Unit {
  readonly tables: readonly string[];
}

/** In the transaction: role, search path, the lock of the schema, and what is there. Undefined where it is not the tenant's. */
async function actAsOwner(
  parts: SchemaParts,
  session: PostgresSession,
  traits: ServerTraits,
  ref: PlacementRef,
): Promise<Found | undefined> {
  const { join } = memberText(traits, parts.names.roles(ref.unit).owner);
  const also = `ARRAY(${tablesText(ref.unit)})::text[] AS tables`;
  try {
    const rows = await session.script<Found>(
      `${join} SET LOCAL lock_timeout = '${lockTimeout}'; ${actAsOwnerText(parts.names, ref, also)}`,
    );
    return isOwn(rows, ref) ? rows[0] : undefined;
  } catch (error) {
    if (isConnectionLost(error)) throw error;
    return undefined;
  }
}

async function applyAll(parts: SchemaParts, session: PostgresSession, ref: PlacementRef, found: Found): Promise<Done> {
  const { applied, fingerprint, touched, recorded } = await applyRecorded(parts, session, found.ledger);
  const done = { applied, fingerprint };
  let made: readonly string[] | null = null;
  if (applied.length > 0) {
    // One message; the commit behind it is another, whose answer counts.
    const tables = await session.script<{ relname: string }>(
      `UPDATE identity SET fingerprint = ${literal(fingerprint)}; ${tablesText(ref.unit)}`,
    );
    const names = tables.map(({ relname }) => relname);
    if (names.join() !== found.tables.join()) made = names;
    if (made !== null) await session.script(grantsText(ref.unit, parts.names.roles(ref.unit), made));
  }
  const statements = recorded.changes();
  if (statements === undefined) return { done, learned: undefined };
  return { done, learned: [ledgerKey(found.ledger), { statements, applied, tables: made, fingerprint, touched }] };
}

/** The structure that the migrations make in a schema. */
export async function schemaStructure(parts: SchemaParts): Promise<string> {
  const known = parts.replays.get(migrationsDigest(parts.migrations));
  if (known !== undefined) return known.fingerprint;
  // Where companies are already: one with room might have to be made.
  const placed = [...(await tenantsByDatabase(parts.control.read, parts.server.name)).keys()].find(isShared);
  return parts.server.admin((session) => probeStructure(parts, session), placed ?? (await sharedDatabase(parts)));
}

/** Makes the structure in a schema of no tenant, in a transaction that is never committed. */
export async function probeStructure(
  parts: Pick<SchemaParts, 'migrations' | 'clock' | 'replays'>,
  session: PostgresSession,
): Promise<string> {
  const probe = `strongroom_probe_${randomBytes(8).toString('hex')}`;
  await session.begin();
  try {
    await session.script(`CREATE SCHEMA ${quoted(probe)}; SET LOCAL search_path = ${quoted(probe)}`);
    return (await fillSchema(parts, session, probe)).fingerprint;
  } finally {
    await session.rollback().catch(() => {});
  }
}
