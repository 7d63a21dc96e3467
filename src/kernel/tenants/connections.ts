/**
 * Connections to tenant databases: a set of leases for each server, keyed by tenant and generation, under one budget for
 * all tenants on it and one per tenant (`tenantConnections`). What is promised of leases stands in `lease-set.ts`.
 *
 * Of a server that several processes use (PostgreSQL: `postgresConnections`) each takes its share, which changes with
 * their number; and never more than `maxConnections`. No server waits for another one's connections.
 */
import type { Clock } from '../clock.ts';
import { createDatabase } from '../database/create-database.ts';
import type { TenantDb } from '../database/database.ts';
import { createLeaseSet, type LeasePurpose, type LeaseSet } from '../database/lease-set.ts';
import { postgresDialect } from '../database/postgres-dialect.ts';
import { sqliteDialect } from '../database/sqlite-dialect.ts';
import type { TenantTables } from '../database/tables.ts';
import { unavailable } from '../errors.ts';
import type { TenantId } from '../ids.ts';
import type { Logger } from '../log.ts';
import type { Placement, PlacementKind, PlacementRef } from '../placements/placement.ts';
import type { Config } from '../settings.ts';
import type { Connections } from './tenants.ts';

export interface ConnectionsOptions {
  readonly placements: Partial<Readonly<Record<PlacementKind, Placement>>>;
  readonly config: Pick<
    Config,
    'maxConnections' | 'tenantConnections' | 'connectionIdleSeconds' | 'connectionWaitSeconds'
  > &
    Partial<Pick<Config, 'postgresConnections'>>;
  readonly clock: Clock;
  readonly log: Logger;
  /** `WorkIndex.begin`: durable before the commit; what it gives is called once the commit was tried. */
  readonly markWork: (tenantId: TenantId, dueAt: number) => Promise<() => void>;
}

export interface TenantConnections extends Connections {
  /** The handle of a tenant's database. Holds nothing; cheap, and the same one for the same placement. */
  database(ref: PlacementRef): TenantDb;
  /** How many server processes there are now, this one included. */
  share(processes: number): void;
  /** Refuses new leases, waits for the running ones and closes all. */
  close(): Promise<void>;
}

/** A database that was away is tried again after this long at most (ms). */
const longestPauseMs = 5_000;
/** Handles kept for reuse; making one again costs microseconds. */
const keptHandles = 5_000;

export function createConnections(options: ConnectionsOptions): TenantConnections {
  const { config, log } = options;
  const refs = new Map<string, PlacementRef>();
  const handles = new Map<string, TenantDb>();
  const sets = new Map<string, { readonly leases: LeaseSet; readonly shared: boolean }>();
  let processes = 1;
  let closed = false;

  function budgetFor(shared: boolean): number {
    const { maxConnections, postgresConnections = maxConnections } = config;
    return shared ? Math.min(maxConnections, Math.max(1, Math.floor(postgresConnections / processes))) : maxConnections;
  }

  /** The connections to the server of this tenant. */
  function leasesOf(ref: PlacementRef): LeaseSet {
    const { key: server, shared } = placementOf(ref).budgetOf?.(ref) ?? { key: ref.kind, shared: false };
    let found = sets.get(server);
    if (found === undefined) {
      found = { leases: makeSet(budgetFor(shared)), shared };
      if (closed) void found.leases.close();
      sets.set(server, found);
    }
    return found.leases;
  }

  const makeSet = (budget: number) =>
    createLeaseSet({
      budget,
      perKey: config.tenantConnections,
      waitMs: config.connectionWaitSeconds * 1_000,
      idleMs: config.connectionIdleSeconds * 1_000,
      longestPauseMs,
      open: async (key, purpose) => {
        const ref = refs.get(key)!;
        return (await placementOf(ref).open(ref, purpose)).session;
      },
      limit: (key, purpose) => placementOf(refs.get(key)!).capabilities.connections[purpose],
      log,
    });

  const all = () => [...sets.values()].map(({ leases }) => leases);
  const listed = () => all().flatMap((leases) => leases.list());
  const sum = (count: (leases: LeaseSet) => number) => all().reduce((total, leases) => total + count(leases), 0);

  function placementOf(ref: PlacementRef): Placement {
    const placement = options.placements[ref.kind];
    if (placement === undefined) {
      throw unavailable('placement_unavailable', 'This server does not serve companies of this kind.', 60);
    }
    return placement;
  }

  function makeHandle(key: string, ref: PlacementRef): TenantDb {
    const placement = placementOf(ref);
    const leases = leasesOf(ref);
    refs.set(key, ref);
    return createDatabase<TenantTables, 'tenant'>({
      kind: 'tenant',
      dialect: placement.dialect,
      grammar: placement.dialect === 'sqlite' ? sqliteDialect : postgresDialect,
      source: {
        tryLease: (purpose: LeasePurpose) => leases.tryLease(key, purpose),
        lease: (purpose: LeasePurpose) => {
          refs.set(key, ref);
          return leases.lease(key, purpose);
        },
      },
      log,
      markWork: (dueAt) => options.markWork(ref.tenantId, dueAt),
    });
  }

  /** Forgets the placements of tenants that have neither a handle here nor a connection. */
  function trim(): void {
    const [oldest] = handles.keys();
    handles.delete(oldest!);
    if (refs.size < 2 * keptHandles) return;
    const open = new Set(listed().map((entry) => entry.key));
    for (const key of refs.keys()) if (!open.has(key) && !handles.has(key)) refs.delete(key);
  }

  return {
    database(ref) {
      const key = `${ref.tenantId}:${ref.generation}:${ref.kind}`;
      let handle = handles.get(key);
      if (handle === undefined) {
        handle = makeHandle(key, ref);
        handles.set(key, handle);
        if (handles.size > keptHandles) trim();
      }
      return handle;
    },
    list: () =>
      listed().map(({ key, open, leased, idleSince }) => ({
        tenantId: key.slice(0, key.indexOf(':')) as TenantId,
        open,
        leased,
        idleSince:
          idleSince === null ? null : new Date(options.clock.now() - (performance.now() - idleSince)).toISOString(),
      })),
    get open() {
      return sum((leases) => leases.open);
    },
    get budget() {
      return sets.size === 0 ? config.maxConnections : sum((leases) => leases.budget);
    },
    get waiting() {
      return sum((leases) => leases.waiting);
    },
    share(count) {
      if (count === processes) return;
      processes = count;
      for (const { leases, shared } of sets.values()) if (shared) leases.setBudget(budgetFor(shared));
    },
    async closeTenant(id) {
      await Promise.all(all().map((leases) => leases.closeKeys((key) => key.startsWith(`${id}:`))));
    },
    async closeAll() {
      await Promise.all(all().map((leases) => leases.closeAll()));
    },
    async close() {
      closed = true;
      await Promise.all(all().map((leases) => leases.close()));
    },
  };
}
