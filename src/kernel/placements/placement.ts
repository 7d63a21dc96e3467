/**
 * The contract of placements: how a tenant's database is made, reached, proven to be the tenant's own, and removed.
 * Nobody outside `kernel/` asks which engine this is; what differs is stated as capabilities.
 *
 * Every verb is idempotent and can be run again after a crash at any point.
 */
import type { Kysely } from 'kysely';
import type { Dialect } from '../database/database.ts';
import type { SqlSession } from '../database/session.ts';
import type { TenantTables } from '../database/tables.ts';
import type { TenantId } from '../ids.ts';

export const placementKinds = ['sqlite', 'schema', 'database', 'neon'] as const;
export type PlacementKind = (typeof placementKinds)[number];

/** Where one tenant lives: what the control database knows of it. */
export interface PlacementRef {
  readonly tenantId: TenantId;
  readonly kind: PlacementKind;
  /** Physical name of file, schema or database, derived from the id alone. */
  readonly unit: string;
  /** Which server of several; null for the one without a name, and on SQLite. */
  readonly server: string | null;
  /** Rises when the tenant is placed anew; part of every pool key and of the identity row. */
  readonly generation: number;
}

/** The one row of the table `identity` in every tenant database. */
export interface Identity {
  readonly tenantId: string;
  readonly generation: number;
  /** Digest of the structure that the migrations made. */
  readonly fingerprint: string;
}

/**
 * What a connection is for: rows of a request, or DDL. `read` cannot write; `write` is the tenant's one writer
 * (SQLite) or a request login (PostgreSQL); `migrate` may change structure and never reaches a module.
 */
export type Purpose = 'read' | 'write' | 'migrate';

/** One physical connection, opened for one tenant and one purpose, whose identity row has been compared. */
export interface PlacedConnection {
  readonly kysely: Kysely<TenantTables>;
  /** The same connection below Kysely: what `Connections` lends out. */
  readonly session: SqlSession;
  /** False once it broke; it is then closed and never lent again. */
  readonly usable: boolean;
  close(): Promise<void>;
}

/**
 * Something that an operator must know: a database that is not the one that belongs there, one that is gone, or a
 * statement that its server refused for lack of a right (an attack, or a fault of ours).
 */
export interface PlacementAlarm {
  readonly kind: 'identity_mismatch' | 'database_missing' | 'statement_refused';
  readonly tenantId: TenantId;
  readonly placement: PlacementKind;
  readonly unit: string;
  readonly at: string;
}

export interface PlacementState {
  readonly exists: boolean;
  /** Null where there is none, or it has no identity row yet. */
  readonly identity: Identity | null;
  /** Names of migrations applied, `module/name`. */
  readonly applied: readonly string[];
}

export interface Placement {
  readonly kind: PlacementKind;
  readonly dialect: Dialect;
  readonly capabilities: {
    /** Only the process that owns the data folder can serve it. */
    readonly needsFolderOwner: boolean;
    /** Clones a migrated template, so a new tenant starts at the head. */
    readonly clonesTemplate: boolean;
    /** Connections to one tenant that make sense at once, by purpose. */
    readonly connections: Readonly<Record<Purpose, number>>;
  };
  /** The physical name for a tenant, from its id alone: lower-case, at most 63 bytes, injective. */
  unitName(tenantId: TenantId): string;
  /**
   * The server for a new tenant of this region; left out where there is one alone.
   * @throws invalid `placement_unavailable` where there is none in this region
   */
  chooseServer?(region: string | null): Promise<string | null>;
  /** Regions that `chooseServer` knows; left out, or empty, where a region makes no difference. */
  readonly regions?: readonly string[];
  /**
   * Which budget of connections a tenant's database counts against, and whether all server processes together have it.
   * Left out: that of its kind, in this process alone.
   */
  budgetOf?(ref: PlacementRef): { readonly key: string; readonly shared: boolean };
  /**
   * Makes the unit, from the template where there is one. Does nothing where it is there. Durable on return.
   * `stamped` where it was born with its identity row, so that `stamp` has nothing left to do.
   */
  create(ref: PlacementRef): Promise<{ readonly stamped: boolean }>;
  /** Writes the identity row. Refuses to overwrite another tenant's. */
  stamp(ref: PlacementRef): Promise<void>;
  /**
   * Opens a connection and compares the identity row. Never creates anything.
   * @throws unavailable `database_missing` | `identity_mismatch` | `database_unreadable` | `database_unreachable`
   */
  open(ref: PlacementRef, purpose: Purpose): Promise<PlacedConnection>;
  /**
   * Applies what is missing of the tenant migrations; idempotent; records fingerprint and ledger. The fingerprint that
   * it gives is of what is there.
   */
  migrate(ref: PlacementRef): Promise<{ readonly applied: readonly string[]; readonly fingerprint: string }>;
  /**
   * The same for several, where that is quicker than one after the other. Null stands for one that was left as it was,
   * whatever the reason: `migrate` then does it or says why not.
   */
  migrateTogether?(
    refs: readonly PlacementRef[],
  ): Promise<readonly ({ readonly applied: readonly string[]; readonly fingerprint: string } | null)[]>;
  /** Fingerprint of what the migrations make in a unit of this kind. Makes nothing that could be left behind. */
  structure?(): Promise<string>;
  /** What is really there, read without any pool. */
  inspect(ref: PlacementRef): Promise<PlacementState>;
  /** Bytes that the database takes. */
  size(ref: PlacementRef): Promise<number>;
  /** The machine that the unit is on, where its server spreads units over several; null where it does not. */
  node?(ref: PlacementRef): Promise<string | null>;
  /**
   * Moves the unit to another machine of its server, while it is used. Ends where it began where it fails.
   * @returns the machine's name
   * @throws conflict `not_on_citus`; invalid `node_unknown`
   */
  moveToNode?(ref: PlacementRef, node: string): Promise<string>;
  /** Removes the unit with everything beside it (logs, roles). Idempotent. */
  destroy(ref: PlacementRef): Promise<void>;
  /** Every unit that carries the product's naming, for finding orphans. */
  listUnits(): AsyncIterable<string>;
  /** Removes a unit that no tenant owns, by its physical name; only for doctor. */
  destroyUnit(unit: string): Promise<void>;
  close(): Promise<void>;
}
