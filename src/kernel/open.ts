/**
 * Opens the kernel: puts every part together for one configuration. The only file that knows all of them.
 *
 * Order of a process's life: `openKernel` claims the data folder, `register` takes the modules, `start` migrates the
 * control database, settles what an earlier process left, and starts the worker; `close` ends everything in reverse.
 */
import { join } from 'node:path';
import { type Clock, second, systemClock } from './clock.ts';
import { openControlDatabase } from './database/control-database.ts';
import type { ControlMigration, TenantMigration } from './database/migration.ts';
import type { ModuleMigrations } from './database/migrator.ts';
import { createSqliteHost } from './database/sqlite-host.ts';
import { StrongroomError, unavailable } from './errors.ts';
import { createDiskStores } from './files/disk.ts';
import type { FileStores } from './files/file-store.ts';
import { type Background, createBackground } from './jobs/background.ts';
import type { Kernel } from './kernel.ts';
import { createLogger, type Logger } from './log.ts';
import { kernelControlMigrations, kernelTenantMigrations } from './migrations.ts';
import type { Module } from './module.ts';
import { claimDataFolder, type FolderClaim } from './owner.ts';
import type { Placement, PlacementAlarm, PlacementKind } from './placements/placement.ts';
import { createSqlitePlacement } from './placements/sqlite.ts';
import { openSecrets } from './secrets-ring.ts';
import type { Config } from './settings.ts';
import { createConnections } from './tenants/connections.ts';
import { createTenants } from './tenants/create-tenants.ts';
import { createDoctor } from './tenants/doctor.ts';
import { createFleet } from './tenants/fleet.ts';
import { createLifecycle } from './tenants/lifecycle.ts';
import { createLifecycleChore } from './tenants/lifecycle-chore.ts';
import { createLocks } from './tenants/locks.ts';
import { createOpenTenant } from './tenants/open-tenant.ts';
import { createRegistry } from './tenants/registry.ts';
import { createRunner } from './tenants/runner.ts';
import { createExpectedFingerprint } from './tenants/structure.ts';
import type { TenantRecord } from './tenants/tenants.ts';

export interface OpenOptions {
  readonly clock?: Clock;
  readonly log?: Logger;
  /** Companies with fewer tenant migrations answer 503 until they are migrated. Default: all migrations there are. */
  readonly oldestServed?: number;
}

/** How long `start` waits for what an earlier process left; the rest goes on in the background. */
const settleAtStart = 5 * second;

/**
 * @throws unavailable `folder_in_use` where another process owns the data folder
 * @throws unsupported `control_database_unsupported` for a control database that this release cannot use
 */
export async function openKernel(config: Config, options: OpenOptions = {}): Promise<Kernel> {
  if (config.controlUrl !== null) {
    const text = 'This release keeps the control database in the data folder. Unset MANAGEMENT_DATABASE_URL.';
    throw new StrongroomError('unsupported', 'control_database_unsupported', text);
  }
  if (config.fileStore !== 'disk') {
    const text = 'This release keeps files on disk. Unset STRONGROOM_FILE_STORE.';
    throw new StrongroomError('unsupported', 'file_store_unsupported', text);
  }
  const log = options.log ?? createLogger({ level: config.logLevel, format: logFormat(config) });
  const claim = await claimDataFolder(config.dataDir);
  if (claim === undefined) throw folderInUse();
  try {
    return await compose({ config, options, log, clock: options.clock ?? systemClock, claim });
  } catch (error) {
    claim.release();
    throw error;
  }
}

interface Base {
  readonly config: Config;
  readonly options: OpenOptions;
  readonly log: Logger;
  readonly clock: Clock;
  readonly claim: FolderClaim;
}

/** Lists that grow when modules are registered; whoever holds them reads them late. */
interface Registered {
  readonly modules: Module[];
  readonly tenantMigrations: ModuleMigrations<TenantMigration>[];
  readonly controlMigrations: ModuleMigrations<ControlMigration>[];
}

function kernelOnly(): Registered {
  return {
    modules: [],
    tenantMigrations: [...kernelTenantMigrations],
    controlMigrations: [...kernelControlMigrations],
  };
}

async function compose(base: Base): Promise<Kernel> {
  const { config, clock, log } = base;
  const registered = kernelOnly();
  // Before the control database is made: a database without its keys is refused.
  const secrets = openSecrets({ config });
  const host = createSqliteHost({ workers: config.sqliteWorkers, statementSeconds: config.statementSeconds, log });
  try {
    const database = await openControlDatabase({ host, path: join(config.dataDir, 'control.db'), log, clock });
    const control = database.db;
    const files = createDiskStores({ config, clock, log });
    const background = createBackground({ control, secrets, clock, log });
    const placements = placementsOf(base, registered, host, background);
    const connections = createConnections({ placements, config, clock, log, markWork: background.index.begin });
    const core = tenantsCore({ base, registered, placements, connections, control, secrets, files, background });
    return kernelOf({ ...core, base, registered, database, host, placements, secrets, files, background, connections });
  } catch (error) {
    await host.close();
    throw error;
  }
}

function placementsOf(
  { config, clock, log }: Base,
  registered: Registered,
  host: ReturnType<typeof createSqliteHost>,
  background: Background,
): Partial<Record<PlacementKind, Placement>> {
  const alarm = (event: PlacementAlarm) => {
    log.error({ alarm: event }, 'a database is not the one that this company owns; it was refused');
    background.audit
      .noteFleet({
        action: `alarm.${event.kind}`,
        actor: { kind: 'system' },
        target: event.tenantId,
        outcome: 'refused',
        details: { placement: event.placement },
      })
      .catch((error) => log.error({ err: error }, 'an alarm could not be recorded'));
  };
  const { dataDir, schemaTemplate, pathTemplate } = config;
  const migrations = registered.tenantMigrations;
  return { sqlite: createSqlitePlacement({ dataDir, schemaTemplate, pathTemplate, host, migrations, clock, alarm }) };
}

interface CoreParts {
  readonly base: Base;
  readonly registered: Registered;
  readonly placements: Partial<Record<PlacementKind, Placement>>;
  readonly connections: ReturnType<typeof createConnections>;
  readonly control: Kernel['control'];
  readonly secrets: Kernel['secrets'];
  readonly files: FileStores;
  readonly background: Background;
}

/** Registry, lifecycle, fleet, doctor and the worker. */
function tenantsCore(parts: CoreParts) {
  const { base, registered, placements, connections, control, secrets, files, background } = parts;
  const { config, clock, log } = base;
  const exclusive = true;
  const locks = createLocks();
  const registry = createRegistry({ control });
  const openTenant = createOpenTenant({ database: connections.database, files, secrets, clock, log });
  const runner = createRunner({ control, clock, log, exclusive });
  // Asked at every opening of a company; that the names are in order is looked at where they are applied.
  const head = () => registered.tenantMigrations.reduce((count, { migrations }) => count + migrations.length, 0);
  const modules = () => registered.modules;
  const placementOf = (record: TenantRecord): Placement => {
    const placement = placements[record.placement.kind];
    if (placement !== undefined) return placement;
    throw unavailable('placement_unavailable', 'This server does not serve companies of this kind.', 60);
  };
  let poke = () => {};
  const common = { control, registry, openTenant, placementOf, head, modules, locks, clock, log, files, connections };
  const lifecycle = createLifecycle({
    ...common,
    config,
    runner,
    templates: new Map(),
    placements,
    secrets,
    audit: background.audit,
    work: background.index,
    poke: () => poke(),
  });
  const oldestServed = () => base.options.oldestServed ?? head();
  const tenants = createTenants({ control, registry, lifecycle, openTenant, placementOf, oldestServed });
  const expectedFingerprint = createExpectedFingerprint({ clock, log });
  const concurrency = config.fleetConcurrency;
  const fleet = createFleet({ ...common, expectedFingerprint, concurrency, exclusive });
  const doctor = createDoctor({ ...common, config, placements, expectedFingerprint, lifecycle, runner });
  const chore = createLifecycleChore({ lifecycle, log, poke: () => poke() });
  const worker = background.worker({ tenants, chores: [chore.chore], exclusive });
  poke = () => worker.poke(chore.chore.name);
  return { registry, runner, lifecycle, tenants, fleet, doctor, chore, worker };
}

interface KernelParts extends ReturnType<typeof tenantsCore>, Omit<CoreParts, 'control'> {
  readonly database: Awaited<ReturnType<typeof openControlDatabase>>;
  readonly host: ReturnType<typeof createSqliteHost>;
}

function kernelOf(parts: KernelParts): Kernel {
  const { base, registered, database, background, lifecycle, worker, chore, fleet } = parts;
  const { config, clock, log } = base;
  let started = false;
  let settling: Promise<void> = Promise.resolve();
  let closing: Promise<void> | undefined;

  async function start(options: { worker?: boolean; migrateFleet?: boolean } = {}): Promise<void> {
    if (started) return;
    started = true;
    const applied = await database.migrate(registered.controlMigrations);
    if (applied.length > 0) log.info({ applied }, 'the control database was migrated');
    settling = lifecycle.settle('now').catch((error) => log.error({ err: error }, 'the journal was not settled'));
    await Promise.race([settling, pause(settleAtStart)]);
    await fleet.resume();
    if (options.worker ?? config.runWorker) worker.start();
    if (options.migrateFleet ?? config.migrateOnStart) await migrateFleet();
  }

  async function migrateFleet(): Promise<void> {
    const { behind } = await fleet.counts();
    if (behind > 0) await fleet.start({}, { kind: 'system' });
  }

  async function settle(): Promise<void> {
    await settling;
    do await worker.settle();
    while (await chore.settled());
  }

  return {
    config,
    clock,
    log,
    secrets: parts.secrets,
    control: database.db,
    files: parts.files,
    tenants: parts.tenants,
    connections: parts.connections,
    fleet,
    doctor: parts.doctor,
    events: background.events,
    jobs: background.jobs,
    audit: background.audit,
    idempotency: background.idempotency,
    foreground: background.foreground,
    settle,
    register(modules: readonly Module[]) {
      for (const module of modules) {
        registered.modules.push(module);
        registered.tenantMigrations.push({ module: module.name, migrations: module.tenantMigrations });
        registered.controlMigrations.push({ module: module.name, migrations: module.controlMigrations });
      }
      background.register(modules);
    },
    start,
    close() {
      closing ??= closeAll(parts);
      return closing;
    },
  };
}

/** Ends every part, the last one made first; one that cannot end does not keep the others from it. */
async function closeAll(parts: KernelParts): Promise<void> {
  const { base } = parts;
  const ends: readonly [string, () => Promise<void> | void][] = [
    ['worker', () => parts.worker.close({ drain: base.config.drainSeconds * second })],
    ['fleet', () => parts.fleet.close()],
    ['lifecycle', () => parts.runner.close()],
    ['work index', () => parts.background.close()],
    ['connections', () => parts.connections.close()],
    ['placements', async () => void (await Promise.all(Object.values(parts.placements).map((each) => each.close())))],
    ['files', () => parts.files.close()],
    ['control database', () => parts.database.close()],
    ['threads', () => parts.host.close()],
    ['data folder', () => base.claim.release()],
  ];
  for (const [name, end] of ends) {
    try {
      await end();
    } catch (error) {
      base.log.error({ err: error, part: name }, 'a part of the kernel could not be closed');
    }
  }
}

function logFormat(config: Config): 'json' | 'pretty' {
  if (config.logFormat !== 'auto') return config.logFormat;
  return process.stderr.isTTY === true ? 'pretty' : 'json';
}

function folderInUse(): StrongroomError {
  return unavailable(
    'folder_in_use',
    'Another process owns this data folder. Stop it, send commands to it, or choose another folder (STRONGROOM_DATA_DIR).',
  );
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
