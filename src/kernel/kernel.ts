/**
 * The kernel as one object, made from a configuration, given to every module. No framework, no container: what a part
 * needs it receives.
 */
import type { Audit } from './audit/audit.ts';
import type { Clock } from './clock.ts';
import type { ControlDb } from './database/database.ts';
import type { Events } from './events.ts';
import type { FileStores } from './files/file-store.ts';
import type { FolderOwner } from './folder-owner.ts';
import type { Foreground } from './foreground.ts';
import type { Idempotency } from './idempotency/idempotency.ts';
import type { Jobs } from './jobs/jobs.ts';
import type { Logger } from './log.ts';
import type { Module } from './module.ts';
import type { Secrets } from './secrets.ts';
import type { Config } from './settings.ts';
import type { SharedAttempts } from './several-processes.ts';
import type { Figures } from './tenants/figures.ts';
import type { Connections, Doctor, Fleet, Tenants } from './tenants/tenants.ts';

export interface Kernel {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  readonly secrets: Secrets;
  readonly control: ControlDb;
  readonly files: FileStores;
  readonly tenants: Tenants;
  readonly connections: Connections;
  readonly fleet: Fleet;
  readonly doctor: Doctor;
  /** What was counted in companies, kept in the control database. */
  readonly figures: Figures;
  readonly events: Events;
  readonly jobs: Jobs;
  readonly audit: Audit;
  readonly idempotency: Idempotency;
  /** Requests being answered; the worker leaves them the processor. */
  readonly foreground: Foreground;
  /** Where other processes share the control database: attempts that are limited count in all of them. */
  readonly attempts: SharedAttempts | undefined;
  /** Whether this process serves what lies in its data folder; with a control database in the folder it always does. */
  readonly folder: Pick<FolderOwner, 'owns' | 'whenOwned'>;
  /** Runs due work of all tenants now and resolves when nothing is due: for commands and tests. */
  settle(): Promise<void>;
  /** Once, before `start`: the modules in order. */
  register(modules: readonly Module[]): void;
  /** Migrates the control database under a lock, settles the journal, starts worker and schedules. */
  start(options?: { worker?: boolean; migrateFleet?: boolean }): Promise<void>;
  /** Drains: finishes leases and jobs, closes every connection, gives the folder back. */
  close(): Promise<void>;
}
