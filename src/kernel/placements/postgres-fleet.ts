/**
 * One placement over several PostgreSQL servers: each verb goes to the server that the tenant's record names. Where
 * that server is no longer configured the tenant is refused (503), never looked for elsewhere.
 */
import { sql } from 'kysely';
import type { ControlDb } from '../database/database.ts';
import { unavailable } from '../errors.ts';
import '../tenants/tables.ts';
import type { Placement, PlacementRef } from './placement.ts';
import { chooseServer, type PostgresServerSettings, regionsOf } from './postgres-servers.ts';

export interface ServedBy {
  readonly settings: PostgresServerSettings;
  readonly placement: Placement;
}

/** @param served at least one; the first is asked for what is the same on all */
export function overServers(served: readonly ServedBy[], control: ControlDb): Placement {
  const byName = new Map(served.map(({ settings, placement }) => [settings.name, placement]));
  const servers = served.map(({ settings }) => settings);
  const first = served[0]!.placement;

  const at = (ref: PlacementRef): Placement => {
    const placement = byName.get(ref.server);
    if (placement !== undefined) return placement;
    throw unavailable('placement_unavailable', 'This server does not serve companies of this kind.', 60);
  };

  async function companies(): Promise<ReadonlyMap<string | null, number>> {
    const rows = await control.read
      .selectFrom('tenants')
      .select(['server', sql<number | string>`count(*)`.as('count')])
      .where('placement', 'in', ['schema', 'database'])
      .groupBy('server')
      .execute();
    return new Map(rows.map((row) => [row.server, Number(row.count)]));
  }

  async function migrateTogether(refs: readonly PlacementRef[]) {
    const results = new Map<PlacementRef, Awaited<ReturnType<Placement['migrate']>> | null>();
    for (const [server, group] of Map.groupBy(refs, (ref) => ref.server)) {
      const done = (await byName.get(server)?.migrateTogether?.(group)) ?? [];
      for (const [index, ref] of group.entries()) results.set(ref, done[index] ?? null);
    }
    return refs.map((ref) => results.get(ref) ?? null);
  }

  return {
    kind: first.kind,
    dialect: first.dialect,
    capabilities: first.capabilities,
    unitName: first.unitName,
    chooseServer: (region) => chooseServer(servers, region, companies),
    regions: regionsOf(servers),
    // Both placements of a server count against one budget, which several processes share.
    budgetOf: (ref) => ({ key: `postgres ${ref.server ?? ''}`, shared: true }),
    create: async (ref) => at(ref).create(ref),
    stamp: async (ref) => at(ref).stamp(ref),
    open: async (ref, purpose) => at(ref).open(ref, purpose),
    migrate: async (ref) => at(ref).migrate(ref),
    ...(first.migrateTogether === undefined ? {} : { migrateTogether }),
    ...(first.structure === undefined ? {} : { structure: first.structure }),
    inspect: async (ref) => at(ref).inspect(ref),
    size: async (ref) => at(ref).size(ref),
    destroy: async (ref) => at(ref).destroy(ref),
    node: async (ref) => (await at(ref).node?.(ref)) ?? null,
    ...(first.moveToNode === undefined
      ? {}
      : { moveToNode: async (ref: PlacementRef, node: string) => at(ref).moveToNode!(ref, node) }),
    async *listUnits() {
      for (const { placement } of served) yield* placement.listUnits();
    },
    async destroyUnit(unit) {
      for (const { placement } of served) await placement.destroyUnit(unit);
    },
    async close() {
      await Promise.all(served.map(({ placement }) => placement.close()));
    },
  };
}
