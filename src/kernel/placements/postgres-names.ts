/** Names of a tenant's schema, database and roles, from the tenant's id alone. */
import { StrongroomError } from '../errors.ts';
import { idPart, isId, type TenantId, tenantIdFromPart } from '../ids.ts';

const variable = /\{(?:id|tenant_id)\}/g;
const idPattern = '([0-7][0-9a-hjkmnp-tv-z]{25})';
/** PostgreSQL cuts longer names without an error; two letters are ours. */
const longest = 61;

/** The three roles of a tenant. */
export interface RoleNames {
  /** Owns schema and tables; nobody signs in with it. */
  readonly owner: string;
  /** Signs in for migrations alone, and acts as the owner. */
  readonly migrate: string;
  /** Signs in for requests: rows only. Named like the unit, so that `sameuser` in pg_hba.conf fits. */
  readonly request: string;
}

export interface PostgresNames {
  /** Physical name. @throws internal `bad_template` where the template does not give a usable name */
  unitName(tenantId: TenantId): string;
  roles(unit: string): RoleNames;
  /** The tenant a unit belongs to by its name, or undefined where the name is not ours. */
  tenantOf(unit: string): TenantId | undefined;
}

export function createPostgresNames(template: string): PostgresNames {
  const [first, ...rest] = template.split(variable).map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const repeated = rest.map((text, index) => (index === 0 ? `${idPattern}${text}` : `\\1${text}`));
  const pattern = new RegExp(`^${first}${repeated.join('')}$`);
  return {
    unitName(tenantId) {
      if (!isId('company', tenantId)) throw new StrongroomError('internal', 'bad_tenant_id', 'This is no company id.');
      const name = template.replace(variable, idPart(tenantId));
      if (pattern.test(name) && /^[a-z][a-z0-9_]*$/.test(name) && name.length <= longest) return name;
      throw new StrongroomError('internal', 'bad_template', 'The schema template gives names that cannot be used.');
    },
    roles: (unit) => ({ owner: `${unit}_o`, migrate: `${unit}_m`, request: unit }),
    tenantOf(unit) {
      const part = pattern.exec(unit)?.[1];
      return part === undefined ? undefined : tenantIdFromPart(part);
    },
  };
}

/** A name in a statement. @throws internal `bad_name` for anything that is not a plain lower-case name */
export function quoted(name: string): string {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(name)) {
    throw new StrongroomError('internal', 'bad_name', 'This is no name of a database object.');
  }
  return `"${name}"`;
}

/** Text in a statement that takes no parameters. Ours alone, never a person's. */
export function literal(text: string): string {
  if (!/^[\w $:+/=.,-]*$/.test(text)) {
    throw new StrongroomError('internal', 'bad_literal', 'This text cannot stand in a statement.');
  }
  return `'${text}'`;
}
