/** Names and paths of a tenant's SQLite file, from the tenant's id alone. */
import { isAbsolute, join, normalize } from 'node:path';
import { StrongroomError } from '../errors.ts';
import { idPart, isId, type TenantId, tenantIdFromPart } from '../ids.ts';

const variable = /\{(?:id|tenant_id)\}/g;
const idPattern = '([0-7][0-9a-hjkmnp-tv-z]{25})';

export interface SqlitePaths {
  /** Physical name. @throws internal `bad_template` where the template does not give a usable name */
  unitName(tenantId: TenantId): string;
  /** Absolute path of the database file. */
  file(tenantId: TenantId): string;
  /** The topmost folder that belongs to this tenant alone, or null where its file stands among others. */
  folder(tenantId: TenantId): string | null;
  /** The tenant a unit belongs to by its name, or undefined where the name is not ours. */
  tenantOf(unit: string): TenantId | undefined;
  /** The folder whose entries tell the tenants, and which tenant an entry belongs to. */
  readonly listing: { readonly folder: string; tenantOf(entry: string): TenantId | undefined };
}

export function createSqlitePaths(dataDir: string, schemaTemplate: string, pathTemplate: string): SqlitePaths {
  const segments = normalize(pathTemplate).split('/');
  const own = segments.findIndex((segment) => segment.search(variable) >= 0);
  if (isAbsolute(pathTemplate) || segments.includes('..') || own < 0) {
    throw badTemplate('The path template must be a relative path with {id} in it.');
  }
  if (schemaTemplate.search(variable) < 0) throw badTemplate('The schema template must have {id} in it.');
  const unitPattern = templatePattern(schemaTemplate, '');
  // A file among others carries the endings of SQLite's side files, and ours while it is made.
  const entryPattern = templatePattern(segments[own]!, own === segments.length - 1 ? '(?:\\.new)?(?:-wal|-shm)?' : '');
  const fill = (template: string, tenantId: TenantId) => {
    if (!isId('company', tenantId)) throw new StrongroomError('internal', 'bad_tenant_id', 'This is no company id.');
    return template.replace(variable, idPart(tenantId));
  };
  const paths: SqlitePaths = {
    unitName(tenantId) {
      const name = fill(schemaTemplate, tenantId);
      if (!/^[a-z0-9_-]{1,63}$/.test(name)) throw badTemplate('The schema template gives names that cannot be used.');
      return name;
    },
    file: (tenantId) => join(dataDir, fill(segments.join('/'), tenantId)),
    folder: (tenantId) =>
      own === segments.length - 1 ? null : join(dataDir, fill(segments.slice(0, own + 1).join('/'), tenantId)),
    tenantOf: (unit) => tenantIn(unitPattern, unit),
    listing: {
      folder: join(dataDir, ...segments.slice(0, own)),
      tenantOf: (entry) => tenantIn(entryPattern, entry),
    },
  };
  return paths;
}

function templatePattern(template: string, ending: string): RegExp {
  const [first, ...rest] = template.split(variable).map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const repeated = rest.map((text, index) => (index === 0 ? `${idPattern}${text}` : `\\1${text}`));
  return new RegExp(`^${first}${repeated.join('')}${ending}$`);
}

function tenantIn(pattern: RegExp, text: string): TenantId | undefined {
  const part = pattern.exec(text)?.[1];
  return part === undefined ? undefined : tenantIdFromPart(part);
}

function badTemplate(message: string): StrongroomError {
  return new StrongroomError('internal', 'bad_template', message);
}
