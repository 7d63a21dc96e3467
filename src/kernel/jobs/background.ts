/**
 * Events, jobs, audit, idempotency and the worker, put together: what `open.ts` makes once, in two moments. First what
 * needs the control database alone (transactions mark `index`), then, when tenants can be opened, the worker.
 */
import { randomUUID } from 'node:crypto';
import { type AuditService, createAudit } from '../audit/create-audit.ts';
import { auditControlMigrations, auditTenantMigrations } from '../audit/migrations.ts';
import type { Clock } from '../clock.ts';
import type { ControlDb } from '../database/database.ts';
import { createEvents, type EventsOutbox } from '../events-outbox.ts';
import { eventsTenantMigrations } from '../events-tables.ts';
import { createForeground, type Foreground } from '../foreground.ts';
import { createIdempotency, type Idempotency } from '../idempotency/idempotency.ts';
import { idempotencyControlMigrations, idempotencyTenantMigrations } from '../idempotency/tables.ts';
import type { Logger } from '../log.ts';
import type { Module } from '../module.ts';
import type { Secrets } from '../secrets.ts';
import type { Tenants } from '../tenants/tenants.ts';
import type { JobDefinitions, Jobs, Schedule } from './jobs.ts';
import { jobsControlMigrations, jobsTenantMigrations } from './migrations.ts';
import { createJobs, createQueue } from './queue.ts';
import { createVisitor } from './visit.ts';
import { createWorkIndex, type WorkIndex } from './work-index.ts';
import { type Chore, createWorker, type Worker } from './worker.ts';

/** Migrations of everything put together here, for the ledger's module `work`. */
export const workTenantMigrations = [
  ...jobsTenantMigrations,
  ...eventsTenantMigrations,
  ...auditTenantMigrations,
  ...idempotencyTenantMigrations,
];
export const workControlMigrations = [
  ...jobsControlMigrations,
  ...auditControlMigrations,
  ...idempotencyControlMigrations,
];

export interface BackgroundOptions {
  readonly control: ControlDb;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface WorkerParts {
  readonly tenants: Pick<Tenants, 'get' | 'open'>;
  /** Work of the control database: lifecycle. */
  readonly chores?: readonly Chore[];
  /** Tenants visited at once. Default 8. */
  readonly concurrency?: number;
  /** This process alone works on the tenants (it owns the data folder). Default true. */
  readonly exclusive?: boolean;
}

export interface Background {
  readonly index: WorkIndex;
  readonly events: EventsOutbox;
  readonly jobs: Jobs;
  readonly audit: AuditService;
  readonly idempotency: Idempotency;
  readonly foreground: Foreground;
  /** Listeners, jobs and schedules of modules; once, before the worker starts. */
  register(modules: readonly Module[]): void;
  /** The worker, which does nothing before its `start` or `settle`. Once. */
  worker(parts: WorkerParts): Worker;
  /** After the worker was closed: writes what is only in memory. The databases must still be open. */
  close(): Promise<void>;
}

export function createBackground({ control, secrets, clock, log }: BackgroundOptions): Background {
  const index = createWorkIndex({ control, log });
  const events = createEvents({ clock });
  const audit = createAudit({ control, secrets, clock, log });
  const idempotency = createIdempotency({ control, secrets, clock });
  const foreground = createForeground();
  const definitions: Record<string, unknown> = {};
  const schedules: Schedule[] = [events.prune, idempotency.prune];

  return {
    index,
    events,
    jobs: createJobs(index),
    audit,
    idempotency,
    foreground,

    register(modules) {
      for (const module of modules) {
        if (module.listeners !== undefined) events.register(module.name, module.listeners);
        for (const [type, definition] of Object.entries(module.jobs ?? {})) {
          if (type in definitions) throw new Error(`two modules define the job type ${type}`);
          definitions[type] = definition;
        }
        schedules.push(...(module.schedules ?? []));
      }
    },

    worker({ tenants, chores = [], concurrency = 8, exclusive = true }) {
      const queue = createQueue({ clock, owner: randomUUID(), exclusive });
      const abort = new AbortController();
      schedules.push(queue.prune);
      const visitor = createVisitor({
        clock,
        queue,
        parts: { deliver: events.deliver, seal: audit.seal },
        definitions: () => definitions as JobDefinitions,
        schedules: () => schedules,
        signal: abort.signal,
      });
      const worker = createWorker({ tenants, index, visitor, clock, log, abort, concurrency, foreground });
      for (const chore of [audit.fleetChore, idempotency.pruneChore, ...chores]) worker.addChore(chore);
      audit.onFleetRow(() => worker.poke(audit.fleetChore.name));
      idempotency.onControlRow(() => worker.poke(idempotency.pruneChore.name));
      return worker;
    },

    async close() {
      await audit.close();
      await index.close();
    },
  };
}
