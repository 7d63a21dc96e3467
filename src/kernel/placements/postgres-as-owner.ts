/**
 * How the provisioner's connection acts as the owner of a tenant's schema, and what it then sees there: text of the
 * statements, for one transaction. The identity row decides whether it is the tenant's; it is read as the owner, who
 * reaches no other tenant's.
 */
import { schemaLock } from '../database/migrator.ts';
import type { PlacementRef } from './placement.ts';
import { literal, type PostgresNames, quoted } from './postgres-names.ts';

/** What a schema says of itself. */
export interface Unit {
  readonly asked: string;
  readonly tenant_id: string;
  readonly generation: number;
  readonly fingerprint: string;
  /** Names of migrations, `module/name`, in order of application. */
  readonly ledger: readonly string[];
}

/** Role and search path until the end of the transaction, or until it acts as another. */
export function asOwnerText(names: PostgresNames, { unit }: PlacementRef): string {
  return `SET LOCAL ROLE ${quoted(names.roles(unit).owner)}; SET LOCAL search_path = ${quoted(unit)}`;
}

/** The same, the lock without which nobody migrates it, and the row of the tenant that this schema names, with `also`. */
export function actAsOwnerText(names: PostgresNames, ref: PlacementRef, also: string): string {
  return `${asOwnerText(names, ref)}; ${schemaLock('current_schema()')}; ${unitText(ref, also)}`;
}

/** The rows of several tenants that their schemas name, each read as its owner. `lock`: nobody else migrates them. */
export function readAsOwnersText(
  names: PostgresNames,
  refs: readonly PlacementRef[],
  { lock = false }: { readonly lock?: boolean } = {},
): string {
  const units = refs.map(({ unit }) => literal(unit)).join(', ');
  const each = refs.map((ref) => `SET LOCAL ROLE ${quoted(names.roles(ref.unit).owner)}; ${unitText(ref)}`);
  const first = lock ? [`${schemaLock('unit')} FROM unnest(ARRAY[${units}]) unit`] : [];
  return [...first, ...each].join(';\n');
}

function unitText({ tenantId, unit }: PlacementRef, also = ''): string {
  const schema = quoted(unit);
  return `SELECT ${literal(tenantId)} AS asked, tenant_id, generation, fingerprint,
      ARRAY(SELECT module || '/' || name FROM ${schema}.migrations ORDER BY applied_at, module, name) AS ledger
      ${also === '' ? '' : `, ${also}`}
    FROM ${schema}.identity`;
}

/** Whether the rows found are those of the tenant: one, that names it. */
export function isOwn(rows: readonly Unit[], ref: PlacementRef): boolean {
  const [row] = rows;
  return rows.length === 1 && row!.tenant_id === ref.tenantId && row!.generation === ref.generation;
}
