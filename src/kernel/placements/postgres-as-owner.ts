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

/** The same, and a row a tenant that this schema names. `lock`: nobody else migrates it meanwhile. */
export function actAsOwnerText(
  names: PostgresNames,
  ref: PlacementRef,
  { lock = false, also = '' }: { readonly lock?: boolean; readonly also?: string } = {},
): string {
  const columns = also === '' ? '' : `, ${also}`;
  return `${asOwnerText(names, ref)}; ${lock ? `${schemaLock};` : ''}
    SELECT ${literal(ref.tenantId)} AS asked, tenant_id, generation, fingerprint,
      ARRAY(SELECT module || '/' || name FROM migrations ORDER BY applied_at, module, name) AS ledger${columns}
    FROM identity`;
}

/** Whether the rows found are those of the tenant: one, that names it. */
export function isOwn(rows: readonly Unit[], ref: PlacementRef): boolean {
  const [row] = rows;
  return rows.length === 1 && row!.tenant_id === ref.tenantId && row!.generation === ref.generation;
}
