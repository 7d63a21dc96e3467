/**
 * The placements `schema` and `database` on one PostgreSQL server. What they share is in the files beside this one:
 * names, logins, roles, the unit seen through the tenant's own logins, and the provisioner's server.
 */
import { conflict } from '../errors.ts';
import type { TenantId } from '../ids.ts';
import type { Placement, PlacementRef, Purpose } from './placement.ts';
import { citusSizeText, moveToNode, nodeOf, onCitus } from './postgres-citus.ts';
import { createPostgresCredentials } from './postgres-credentials.ts';
import { createDatabaseUnit, type DatabaseParts, databaseMark, destroyDatabaseUnit } from './postgres-database.ts';
import { createSchemaInspector } from './postgres-inspect.ts';
import { migrateSchemaUnit, schemaStructure } from './postgres-migrate.ts';
import { createPostgresNames, literal } from './postgres-names.ts';
import type { PlacementOptions } from './postgres-options.ts';
import { createSchemaUnit, destroySchemaUnit, type SchemaParts, schemaMark } from './postgres-schema.ts';
import { createPostgresServer } from './postgres-server.ts';
import { withStrays } from './postgres-strays.ts';
import { createPostgresTemplate, databaseSchema } from './postgres-template.ts';
import { migrateSchemasTogether } from './postgres-together.ts';
import { inspectUnit, migrateUnit, openUnit, sizeOfUnit, stampUnit, type UnitParts } from './postgres-unit.ts';

export interface PostgresPlacementOptions extends PlacementOptions {
  /** The provisioner's login and the server. */
  readonly url: string;
  /** Name of one server of several. */
  readonly name?: string | null;
  /** Where requests go, where that is another address: a pooler in transaction mode. */
  readonly pooledUrl?: string | null;
  /** Tenants in one shared database of the placement `schema`. */
  readonly schemaTenants: number;
}

/** Both placements of one server. Nothing is connected before the first use. */
export function createPostgresPlacements(options: PostgresPlacementOptions): {
  readonly schema: Placement;
  readonly database: Placement;
} {
  const { control, secrets, clock, log, alarm, migrations, statementSeconds } = options;
  const server = createPostgresServer({
    url: options.url,
    name: options.name ?? null,
    pooledUrl: options.pooledUrl ?? null,
    log,
  });
  const mark = secrets.digest('placements:mark', 'postgres').slice(0, 12);
  const common = {
    server,
    control,
    credentials: createPostgresCredentials({ control, secrets }),
    names: createPostgresNames(options.schemaTemplate),
    migrations,
    clock,
    statementSeconds,
    prepared: options.prepared && !server.pooled,
    alarm,
    mark,
    limits: { statementSeconds, connections: options.roleConnections },
  };
  const template = createPostgresTemplate({ server, migrations, clock, mark });
  const database: DatabaseParts = { ...common, schemaOf: () => databaseSchema, template };
  const shared = { ready: new Set<string>(), foreign: new Set<string>() };
  const schema: SchemaParts = {
    ...common,
    schemaOf: (unit) => unit,
    perDatabase: options.schemaTenants,
    shared,
    replays: new Map(),
    spread: new Map(),
    recipes: new Map(),
    structures: new Map(),
  };
  const connections = connectionsOf(options.tenantConnections);
  return {
    database: placementOver({
      kind: 'database',
      parts: database,
      connections,
      mark: databaseMark(mark),
      size: (ref) => sizeOfUnit(database, ref, 'SELECT pg_database_size(current_database()) AS bytes'),
      create: (ref) => createDatabaseUnit(database, ref),
      destroy: (tenantId) => destroyDatabaseUnit(database, tenantId),
      complete: (placement) => withStrays(placement, database),
      migrate: (ref) => migrateUnit(database, ref),
      structure: async () => (await template.get()).fingerprint,
      close: () => server.close(),
    }),
    schema: placementOver({
      kind: 'schema',
      parts: schema,
      connections,
      mark: schemaMark(mark),
      size: (ref) => sizeOfSchema(schema, ref),
      create: (ref) => createSchemaUnit(schema, ref),
      destroy: (tenantId) => destroySchemaUnit(schema, tenantId),
      complete: (placement) => ({
        ...placement,
        node: (ref) => nodeOf(schema, ref),
        moveToNode: (ref, node) => moveToNode(schema, ref, node),
        migrateTogether: (refs) => migrateSchemasTogether(schema, refs),
        inspect: createSchemaInspector(schema),
      }),
      migrate: (ref) => migrateSchemaUnit(schema, ref),
      structure: () => schemaStructure(schema),
      close: () => server.close(),
    }),
  };
}

const schemaSizeText = `SELECT coalesce(sum(pg_total_relation_size(d.objid)), 0)::bigint AS bytes FROM pg_depend d
  JOIN pg_class c ON c.oid = d.objid AND c.relkind IN ('r', 'p', 'm')
  WHERE d.refclassid = 'pg_namespace'::regclass AND d.classid = 'pg_class'::regclass
    AND d.refobjid = current_schema()::regnamespace`;

function sizeOfSchema(parts: SchemaParts, ref: PlacementRef): Promise<number> {
  return sizeOfUnit(parts, ref, async (session) => {
    const database = (await parts.credentials.find(ref.tenantId))?.request.database;
    const spread = database !== undefined && (await onCitus(parts.spread, session, database));
    return spread ? citusSizeText : schemaSizeText;
  });
}

/** Readers and writers together never want more than a tenant may hold, so that neither keeps the other waiting. */
export function connectionsOf(tenantConnections: number): Readonly<Record<Purpose, number>> {
  const read = Math.max(1, Math.ceil(tenantConnections * 0.6));
  return { read, write: Math.max(1, tenantConnections - read), migrate: 1 };
}

interface Kind {
  readonly kind: 'schema' | 'database';
  readonly parts: UnitParts;
  readonly connections: Readonly<Record<Purpose, number>>;
  /** How the comment on the owner role of such a unit begins. */
  readonly mark: string;
  /** Whether the unit has its identity row of this generation now; true where it was made. */
  create(ref: PlacementRef): Promise<boolean>;
  destroy(tenantId: TenantId): Promise<void>;
  /** What such a placement has beyond the others. */
  complete?(placement: Placement): Placement;
  migrate(ref: PlacementRef): ReturnType<Placement['migrate']>;
  size(ref: PlacementRef): Promise<number>;
  structure(): Promise<string>;
  close(): Promise<void>;
}

function placementOver(own: Kind): Placement {
  const { kind, parts } = own;
  const placement: Placement = {
    kind,
    dialect: 'postgres',
    capabilities: { needsFolderOwner: false, clonesTemplate: true, connections: own.connections },
    unitName: parts.names.unitName,
    async create(ref) {
      return { stamped: await own.create(ref) };
    },
    stamp: (ref) => stampUnit(parts, ref),
    open: (ref, purpose) => openUnit(parts, ref, purpose),
    migrate: own.migrate,
    structure: own.structure,
    inspect: (ref) => inspectUnit(parts, ref),
    size: own.size,
    async destroy(ref) {
      await own.destroy(ref.tenantId);
    },
    listUnits: () => listUnits(parts, own.mark),
    async destroyUnit(unit) {
      const tenantId = parts.names.tenantOf(unit);
      if (tenantId === undefined) throw conflict('not_a_unit', 'This name does not belong to a company.');
      await own.destroy(tenantId);
    },
    close: own.close,
  };
  return own.complete?.(placement) ?? placement;
}

/** By their owner roles, which are made first, removed last, and carry this installation's mark. */
async function* listUnits(parts: UnitParts, mark: string): AsyncIterable<string> {
  const rows = await parts.server.admin((session) =>
    session.script<{ rolname: string }>(
      `SELECT r.rolname FROM pg_roles r JOIN pg_shdescription d ON d.objoid = r.oid AND d.classoid = 'pg_authid'::regclass
        WHERE d.description LIKE ${literal(mark)} || '%' ORDER BY 1`,
    ),
  );
  for (const { rolname } of rows) {
    const unit = rolname.replace(/_o$/, '');
    if (parts.names.tenantOf(unit) !== undefined) yield unit;
  }
}
