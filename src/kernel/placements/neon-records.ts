/**
 * What the control database keeps of Neon: the project that each company is in, by a name that we chose and wrote down
 * before the API was asked for it. Once asked for, a project may be there, whatever came back.
 *
 * No password of a project's own role is kept: provisioning asks the API for it each time.
 */
import type { Clock } from '../clock.ts';
import type { ControlDb } from '../database/database.ts';
import type { TenantId } from '../ids.ts';
import type { PostgresCredentials } from './postgres-credentials.ts';
import type { NeonUnitTable } from './tables.ts';
import './tables.ts';

export interface NeonRecord {
  /** A company's id, or the name of a project that companies share. */
  readonly owner: string;
  readonly projectName: string;
  readonly projectId: string | null;
  /** Host and port of the databases of the project, and of its pooler. */
  readonly host: string | null;
  readonly pooledHost: string | null;
  /** When the API was last asked to make the project; null where it never was. */
  readonly requestedAt: string | null;
}

export interface NeonRecords {
  find(owner: string): Promise<NeonRecord | undefined>;
  /** One for each project, the newest first; at most so many. */
  placed(limit: number): Promise<readonly NeonRecord[]>;
  /** Writes the name down, once; the record that is there then. */
  reserve(owner: string, projectName: string): Promise<NeonRecord>;
  /**
   * The API will be asked for the project now. False where somebody else asked less than `staleMs` ago: they may still
   * be waiting for the answer.
   */
  request(owner: string, staleMs: number): Promise<boolean>;
  /**
   * Puts a project on record, unless one is there other than `instead`: that one stays.
   * @returns the one that is on record then, and that alone is used
   */
  setProject(owner: string, projectId: string, instead: string | null): Promise<string>;
  setHosts(owner: string, host: string, pooledHost: string | null): Promise<void>;
  forget(owner: string): Promise<void>;
}

const recordOf = (row: NeonUnitTable): NeonRecord => ({
  owner: row.owner,
  projectName: row.project_name,
  projectId: row.project_id,
  host: row.host,
  pooledHost: row.pooled_host,
  requestedAt: row.requested_at,
});

export function createNeonRecords({ control, clock }: { control: ControlDb; clock: Clock }): NeonRecords {
  return {
    async find(owner) {
      const row = await control.read.selectFrom('neon_units').selectAll().where('owner', '=', owner).executeTakeFirst();
      return row === undefined ? undefined : recordOf(row);
    },
    async placed(limit) {
      const newest = control.read
        .selectFrom('neon_units')
        .select((row) => row.fn.max('owner').as('owner'))
        .where('project_id', 'is not', null)
        .groupBy('project_id');
      const rows = await control.read
        .selectFrom('neon_units')
        .selectAll()
        .where('owner', 'in', newest)
        .orderBy('owner', 'desc')
        .limit(limit)
        .execute();
      return rows.map(recordOf);
    },
    async reserve(owner, projectName) {
      const empty = { project_id: null, host: null, pooled_host: null, requested_at: null };
      const row = await control.transaction(async (tx) => {
        await tx
          .insertInto('neon_units')
          .values({ owner, project_name: projectName, ...empty })
          .onConflict((taken) => taken.column('owner').doNothing())
          .execute();
        return tx.selectFrom('neon_units').selectAll().where('owner', '=', owner).executeTakeFirstOrThrow();
      });
      return recordOf(row);
    },
    async request(owner, staleMs) {
      const stale = new Date(clock.now() - staleMs).toISOString();
      return control.transaction(async (tx) => {
        const { numUpdatedRows } = await tx
          .updateTable('neon_units')
          .set({ requested_at: clock.iso() })
          .where('owner', '=', owner)
          .where((where) => where.or([where('requested_at', 'is', null), where('requested_at', '<=', stale)]))
          .executeTakeFirst();
        return Number(numUpdatedRows) > 0;
      });
    },
    async setProject(owner, projectId, instead) {
      return control.transaction(async (tx) => {
        const row = await tx
          .selectFrom('neon_units')
          .select('project_id')
          .where('owner', '=', owner)
          .executeTakeFirstOrThrow();
        if (row.project_id !== null && row.project_id !== instead) return row.project_id;
        await tx.updateTable('neon_units').set({ project_id: projectId }).where('owner', '=', owner).execute();
        return projectId;
      });
    },
    async setHosts(owner, host, pooledHost) {
      await control.transaction(async (tx) => {
        await tx.updateTable('neon_units').set({ host, pooled_host: pooledHost }).where('owner', '=', owner).execute();
      });
    },
    async forget(owner) {
      await control.transaction(async (tx) => {
        await tx.deleteFrom('neon_units').where('owner', '=', owner).execute();
      });
    },
  };
}

const keptHosts = 5_000;

/** The logins with the address of their project; none where the project has no address yet. */
export function withHosts(logins: PostgresCredentials, records: NeonRecords): PostgresCredentials {
  const known = new Map<TenantId, { readonly host: string; readonly pooledHost?: string }>();
  async function hostsOf(tenantId: TenantId) {
    const kept = known.get(tenantId);
    if (kept !== undefined) return kept;
    const record = await records.find(tenantId);
    if (record === undefined || record.host === null) return undefined;
    const { host, pooledHost } = record;
    const hosts = pooledHost === null ? { host } : { host, pooledHost };
    if (known.size >= keptHosts) known.delete(known.keys().next().value!);
    known.set(tenantId, hosts);
    return hosts;
  }
  return {
    ...logins,
    async find(tenantId) {
      const [found, hosts] = await Promise.all([logins.find(tenantId), hostsOf(tenantId)]);
      if (found === undefined || hosts === undefined) return undefined;
      return { request: { ...found.request, ...hosts }, migrate: { ...found.migrate, ...hosts } };
    },
    refresh(tenantId) {
      known.delete(tenantId);
      logins.refresh(tenantId);
    },
    async forget(tenantId) {
      known.delete(tenantId);
      await logins.forget(tenantId);
    },
  };
}
