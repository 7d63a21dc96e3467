/**
 * The audit trails as modules use them (the interface is in `audit.ts`), with what the worker and the lifecycle need.
 *
 * - A row stands exactly when its transaction was committed, and is sealed about a second later by the worker; a
 *   tenant's transaction that wrote one marks the work index, the fleet's pokes the chore.
 * - Notes of one trail that come at the same time share a commit.
 */
import { createSecretKey } from 'node:crypto';
import { type Clock, second } from '../clock.ts';
import type { ControlDb, ControlTx, TenantTx } from '../database/database.ts';
import { type GroupCommit, groupCommit } from '../database/group-commit.ts';
import type { Tenant } from '../handles.ts';
import type { TenantId } from '../ids.ts';
import type { Chore } from '../jobs/worker.ts';
import type { Logger } from '../log.ts';
import type { Secrets } from '../secrets.ts';
import { createAttempts } from './attempts.ts';
import type { Audit, AuditEntry } from './audit.ts';
import { createHeads, forgetHead, openHead } from './heads.ts';
import { trailKey } from './seals.ts';
import {
  append,
  appendAll,
  fleetTrail,
  page,
  sealDue,
  sealOnce,
  type Trail,
  type TrailDb,
  type TrailTx,
  trailDb,
} from './trail.ts';
import { verifyTrail } from './verify.ts';

export interface AuditService extends Audit {
  /** Seals rows that are a second old, or all. @returns when (ms) there is more to seal, or null */
  seal(tenant: Tenant, options: { force: boolean }): Promise<number | null>;
  /** Seals the fleet's trail; for the worker. */
  readonly fleetChore: Chore;
  /** Called when the fleet's trail has something to seal; set by whoever has the worker. */
  onFleetRow(told: () => void): void;
  /** Another process may have written to the fleet's trail: the chore looks. */
  fleetMayHaveRows(): void;
  /** Part of reserving a company: its trail begins. */
  open(tx: ControlTx, tenantId: TenantId): Promise<void>;
  /** Part of a purge: what the control database keeps of this trail. */
  forget(tx: ControlTx, tenantId: TenantId): Promise<void>;
  close(): Promise<void>;
}

export interface AuditOptions {
  readonly control: ControlDb;
  readonly secrets: Pick<Secrets, 'derive'>;
  readonly clock: Clock;
  readonly log: Logger;
}

export function createAudit({ control, secrets, clock, log }: AuditOptions): AuditService {
  const root = createSecretKey(secrets.derive('audit'));
  const fleet: Trail = { name: fleetTrail, db: trailDb(control), key: trailKey(root, fleetTrail) };
  const heads = createHeads(control);
  const notes = createNotes();
  let tell = () => {};
  let fleetUnsealed = true;

  const trailOf = (tenant: Tenant): Trail => ({
    name: tenant.id,
    db: trailDb(tenant.db),
    key: trailKey(root, tenant.id),
  });

  async function record(tx: TenantTx, tenant: Pick<Tenant, 'clock'>, entry: AuditEntry): Promise<void> {
    await append(tx as unknown as TrailTx, tenant.clock, entry);
    tx.dueAt(tenant.clock.now() + second);
  }

  async function recordAll(tx: TenantTx, tenant: Pick<Tenant, 'clock'>, entries: readonly AuditEntry[]): Promise<void> {
    await appendAll(tx as unknown as TrailTx, tenant.clock, entries);
    if (entries.length > 0) tx.dueAt(tenant.clock.now() + second);
  }

  async function recordFleet(tx: ControlTx, entry: AuditEntry): Promise<void> {
    await append(tx as unknown as TrailTx, clock, entry);
    tx.afterCommit(() => {
      fleetUnsealed = true;
      tell();
    });
  }

  const note = (tenant: Tenant, entry: AuditEntry): Promise<void> =>
    notes.add(tenant.id, trailDb(tenant.db), (tx) => record(tx as unknown as TenantTx, tenant, entry));
  const noteFleet = (entry: AuditEntry): Promise<void> =>
    notes.add(fleetTrail, fleet.db, (tx) => recordFleet(tx as unknown as ControlTx, entry));

  const attempts = createAttempts({
    clock,
    write: (tenant, entry) => (tenant === null ? noteFleet(entry) : note(tenant, entry)),
    failed: (error, entry) => log.error({ err: error, action: entry.action }, 'an attempt could not be recorded'),
  });

  async function sealAll(trail: Trail, force: boolean): Promise<number | null> {
    const due = await sealDue(trail, clock);
    if (due === null || (!force && due > clock.now())) return due;
    while (await sealOnce(trail, heads, clock, log)) {
      // A trail with very many rows is sealed piece by piece.
    }
    return null;
  }

  return {
    record,
    recordAll,
    note,
    recordFleet,
    noteFleet,
    attempt: attempts.add,
    list: (tenant, asked) => page(trailDb(tenant.db), asked),
    listFleet: (asked) => page(fleet.db, asked),
    verify: (tenant) => verifyTrail(trailOf(tenant), control),
    verifyFleet: () => verifyTrail(fleet, control),
    seal: (tenant, { force }) => sealAll(trailOf(tenant), force),
    fleetChore: {
      name: 'fleet-audit',
      // From memory: rows that an earlier process left are found by the first call.
      nextDue: () => (fleetUnsealed ? sealDue(fleet, clock) : Promise.resolve(null)),
      async run() {
        fleetUnsealed = false;
        try {
          await sealAll(fleet, true);
        } catch (error) {
          fleetUnsealed = true;
          throw error;
        }
      },
    },
    onFleetRow(told) {
      tell = told;
    },
    fleetMayHaveRows() {
      fleetUnsealed = true;
      tell();
    },
    open: (tx, tenantId) => openHead(tx, tenantId),
    forget: (tx, tenantId) => forgetHead(tx, tenantId),
    flush: attempts.flush,
    close: attempts.close,
  };
}

type Write = (tx: TrailTx) => Promise<void>;

/** While one transaction of a trail runs, the notes that come are collected for the next. */
function createNotes() {
  const lanes = new Map<string, GroupCommit<Write, undefined>>();

  const laneOf = (db: TrailDb) =>
    groupCommit((writes: readonly Write[]) =>
      db.transaction(async (tx) => {
        for (const write of writes) await write(tx);
        return writes.map(() => undefined);
      }),
    );

  return {
    async add(name: string, db: TrailDb, write: Write): Promise<void> {
      const lane = lanes.get(name) ?? laneOf(db);
      lanes.set(name, lane);
      try {
        await lane.add(write);
      } finally {
        if (lane.idle && lanes.get(name) === lane) lanes.delete(name);
      }
    },
  };
}
