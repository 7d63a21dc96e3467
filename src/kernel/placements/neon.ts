/**
 * Placement `neon`: a project a company, or a database a company in one project, with the same roles, grants and sessions
 * as on any PostgreSQL server. What differs is how it is made and removed, and that each company has an address.
 *
 * The key of the API is used for making, removing and looking around; opening a company's database needs none of it.
 */
import { postgresClientConfig } from '../database/postgres-address.ts';
import { conflict, isStrongroomError, unavailable } from '../errors.ts';
import { createNeonApi } from './neon-api.ts';
import { createNeonUnit, destroyNeonUnit, sharedId } from './neon-lifecycle.ts';
import { removeProject } from './neon-projects.ts';
import { createNeonRecords, withHosts } from './neon-records.ts';
import { createNeonStructure } from './neon-structure.ts';
import { type NeonTimes, neonTimes } from './neon-times.ts';
import {
  addressOf,
  connectMs,
  inProject,
  loginsAlone,
  type NeonMode,
  type NeonParts,
  neonMark,
  ownProject,
  projectPrefix,
  sharedProject,
} from './neon-unit.ts';
import type { Placement, PlacementRef, PlacementState } from './placement.ts';
import { connectionsOf } from './postgres.ts';
import { createPostgresCredentials } from './postgres-credentials.ts';
import { createPostgresNames, literal } from './postgres-names.ts';
import type { PlacementOptions } from './postgres-options.ts';
import { databaseSchema } from './postgres-template.ts';
import { inspectUnit, migrateUnit, openUnit, sizeOfUnit, stampUnit } from './postgres-unit.ts';

export interface NeonPlacementOptions extends PlacementOptions {
  readonly apiKey: string;
  readonly apiUrl: string;
  readonly organisation: string | null;
  readonly region: string | null;
  /** Calls of the API that this process makes. */
  readonly callsPerSecond: number;
  readonly mode: NeonMode;
  /** Requests go through Neon's pooler. */
  readonly pooled: boolean;
  /** Default: those of Neon. */
  readonly times?: NeonTimes;
}

/** Nothing is called before the first use. */
export function createNeonPlacement(options: NeonPlacementOptions): Placement {
  const parts = partsOf(options);
  return {
    kind: 'neon',
    dialect: 'postgres',
    // Not a template's clone: nothing makes a project only to see what it looks like.
    capabilities: {
      needsFolderOwner: false,
      clonesTemplate: false,
      connections: connectionsOf(options.tenantConnections),
    },
    unitName: parts.names.unitName,
    async create(ref) {
      return { stamped: await createNeonUnit(parts, ref) };
    },
    stamp: (ref) => stampUnit(parts, ref),
    open: opener(parts),
    migrate: (ref) => migrateUnit(parts, ref),
    structure: createNeonStructure(parts),
    inspect: (ref) => inspectNeonUnit(parts, ref),
    size: (ref) => sizeOfUnit(parts, ref, 'SELECT pg_database_size(current_database()) AS bytes'),
    destroy: (ref) => destroyNeonUnit(parts, ref.tenantId),
    listUnits: () => listUnits(parts),
    destroyUnit: (unit) => destroyUnit(parts, unit),
    close: () => Promise.resolve(),
  };
}

function partsOf(options: NeonPlacementOptions): NeonParts {
  const { control, secrets, clock, log, alarm, migrations, statementSeconds, pooled, mode } = options;
  const times = options.times ?? neonTimes;
  const records = createNeonRecords({ control, clock });
  return {
    api: createNeonApi({
      key: options.apiKey,
      url: options.apiUrl,
      organisation: options.organisation,
      region: options.region,
      callsPerSecond: options.callsPerSecond,
      times,
      log,
    }),
    times,
    records,
    credentials: withHosts(createPostgresCredentials({ control, secrets }), records),
    server: loginsAlone((address) => postgresClientConfig(address, 'strongroom', connectMs), pooled),
    names: createPostgresNames(options.schemaTemplate),
    schemaOf: () => databaseSchema,
    mark: secrets.digest('placements:mark', 'neon').slice(0, 12),
    limits: { statementSeconds, connections: options.roleConnections },
    replays: new Map(),
    prepared: options.prepared && !pooled,
    migrations,
    clock,
    statementSeconds,
    alarm,
    mode,
    pooled,
    log,
  };
}

/** As on any server. Neon refuses a login to a project that is gone as it refuses a wrong one: the API knows. */
function opener(parts: NeonParts): Placement['open'] {
  const asked = new Map<string, { readonly until: number; readonly gone: Promise<boolean> }>();

  async function isGone(ref: PlacementRef): Promise<boolean> {
    const known = asked.get(ref.tenantId);
    if (known !== undefined && known.until > Date.now()) return known.gone;
    const projectId = (await parts.records.find(ref.tenantId))?.projectId ?? null;
    const gone = projectId === null ? Promise.resolve(false) : parts.api.isGone(projectId);
    asked.set(ref.tenantId, { until: Date.now() + parts.times.rememberedMs, gone });
    return gone;
  }

  return async (ref, purpose) => {
    try {
      const connection = await openUnit(parts, ref, purpose);
      asked.delete(ref.tenantId);
      return connection;
    } catch (error) {
      if (!isStrongroomError(error, 'unavailable') || error.code !== 'database_unreachable') throw error;
      if (!(await isGone(ref))) throw error;
      const { tenantId, unit } = ref;
      parts.alarm({ kind: 'database_missing', tenantId, placement: 'neon', unit, at: parts.clock.iso() });
      throw unavailable('database_missing', 'The database is not there.', 30, error);
    }
  };
}

/** As on any server; of a project that does not answer the API knows whether it is there. */
async function inspectNeonUnit(parts: NeonParts, ref: PlacementRef): Promise<PlacementState> {
  try {
    return await inspectUnit(parts, ref);
  } catch (error) {
    if (!isStrongroomError(error, 'unavailable')) throw error;
    const record = await parts.records.find(ref.tenantId);
    const projectId = record?.projectId ?? null;
    if (projectId === null || (await parts.api.project(projectId)) !== undefined) throw error;
    return { exists: false, identity: null, applied: [] };
  }
}

/**
 * Every project, and every database or owner role in the shared one. A second project of a company's name, which nothing
 * knows of, is called `<unit>.<project>`.
 */
async function* listUnits(parts: NeonParts): AsyncIterable<string> {
  const prefix = projectPrefix(parts.mark);
  const listed = new Set<string>();
  for (const project of await parts.api.projects(prefix)) {
    const unit = project.name.slice(prefix.length);
    const tenantId = parts.names.tenantOf(unit);
    if (tenantId === undefined) continue;
    const known = (await parts.records.find(tenantId))?.projectId ?? null;
    listed.add(known === null || known === project.id ? unit : `${unit}.${project.id}`);
  }
  for (const unit of await unitsInShared(parts)) listed.add(unit);
  yield* listed;
}

async function unitsInShared(parts: NeonParts): Promise<readonly string[]> {
  const shared = sharedProject(parts);
  const projectId = await sharedId(parts, shared);
  const databases = projectId === undefined ? undefined : await parts.api.databases(projectId);
  if (projectId === undefined || databases === undefined) return [];
  const mark = literal(neonMark(parts.mark));
  const rows = await inProject(parts, await addressOf(parts, projectId, shared), (session) =>
    session.script<{ rolname: string }>(
      `SELECT r.rolname FROM pg_roles r JOIN pg_shdescription d ON d.objoid = r.oid AND d.classoid = 'pg_authid'::regclass
        WHERE d.description = ${mark}`,
    ),
  );
  const names = [...databases, ...rows.map(({ rolname }) => rolname.replace(/_o$/, ''))];
  return names.filter((unit) => parts.names.tenantOf(unit) !== undefined);
}

async function destroyUnit(parts: NeonParts, name: string): Promise<void> {
  const [unit = '', projectId] = name.split('.');
  const tenantId = parts.names.tenantOf(unit);
  if (tenantId === undefined) throw conflict('not_a_unit', 'This name does not belong to a company.');
  if (projectId === undefined) return destroyNeonUnit(parts, tenantId);
  const project = await parts.api.project(projectId);
  if (project === undefined) return;
  const known = (await parts.records.find(tenantId))?.projectId ?? null;
  if (known === projectId || project.name !== ownProject(parts, unit).name) {
    throw conflict('not_a_unit', 'This name does not belong to a company.');
  }
  await removeProject(parts, projectId);
}
