/**
 * Opens the kernel: puts every part together for one configuration. The only file that knows all of them.
 *
 * Order of a process's life: `openKernel` claims the data folder, `register` takes the modules, `start` migrates the
 * control database, settles what an earlier process left, and starts the worker; `close` ends everything in reverse.
 */
import { join } from 'node:path';
import { type Clock, second, systemClock } from './clock.ts';
import { type ControlDatabase, openControlDatabase } from './database/control-database.ts';
import { openPostgresControl } from './database/control-postgres.ts';
import type { ControlMigration, TenantMigration } from './database/migration.ts';
import { type ModuleMigrations, migrationNames } from './database/migrator.ts';
import { createSqliteHost } from './database/sqlite-host.ts';
import { type StrongroomError, unavailable } from './errors.ts';
import type { FileStores } from './files/file-store.ts';
import { openFileStores } from './files/open-files.ts';
import { createFolderOwner, type FolderOwner, ownedFiles, soleOwner } from './folder-owner.ts';
import type { TenantId } from './ids.ts';
import { type Background, createBackground } from './jobs/background.ts';
import type { Kernel } from './kernel.ts';
import { checkRing, requireRingFor } from './key-check.ts';
import { createLogger, type Logger } from './log.ts';
import { kernelControlMigrations, kernelTenantMigrations } from './migrations.ts';
import type { Module } from './module.ts';
import { claimDataFolder } from './owner.ts';
import { createPlacements } from './placements/open-placements.ts';
import { type Placement, type PlacementKind, placementKinds } from './placements/placement.ts';
import { withinPowers } from './provisioner-login.ts';
import type { Secrets } from './secrets.ts';
import { openSecrets } from './secrets-ring.ts';
import type { Config } from './settings.ts';
import { createSharing, type Sharing } from './several-processes.ts';
import { announceChange } from './tenants/changes.ts';
import { createConnections } from './tenants/connections.ts';
import { createTenants } from './tenants/create-tenants.ts';
import { createDoctor } from './tenants/doctor.ts';
import { createFigures } from './tenants/figures.ts';
import { createFleet } from './tenants/fleet.ts';
import { createLifecycle } from './tenants/lifecycle.ts';
import { createLifecycleChore } from './tenants/lifecycle-chore.ts';
import { createLocks } from './tenants/locks.ts';
import { createOpenTenant } from './tenants/open-tenant.ts';
import { createRegistry } from './tenants/registry.ts';
import { countTenants } from './tenants/repository.ts';
import { createRunner } from './tenants/runner.ts';
import { createExpectedFingerprint } from './tenants/structure.ts';
import type { TenantRecord } from './tenants/tenants.ts';
import { createWaitingRunner } from './tenants/waiting-runner.ts';

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
 * @throws unavailable `control_database_unreachable` where MANAGEMENT_DATABASE_URL does not answer
 * @throws invalid `key_ring_missing` where the control database was made with a ring that is not here
 */
export async function openKernel(given: Config, options: OpenOptions = {}): Promise<Kernel> {
  const log = options.log ?? createLogger({ level: given.logLevel, format: logFormat(given) });
  const config = withinPowers(given, log);
  const folder = config.controlUrl === null ? await ownFolder(config) : createFolderOwner(config.dataDir, log);
  try {
    return await compose({ config, options, log, clock: options.clock ?? systemClock, folder });
  } catch (error) {
    folder.release();
    throw error;
  }
}

/** Where the control database lies in the folder, too, the process that owns it is the only one. */
async function ownFolder(config: Config): Promise<FolderOwner> {
  const claim = await claimDataFolder(config.dataDir);
  if (claim === undefined) throw folderInUse();
  return soleOwner(claim);
}

interface Base {
  readonly config: Config;
  readonly options: OpenOptions;
  readonly log: Logger;
  readonly clock: Clock;
  readonly folder: FolderOwner;
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
  const host = createSqliteHost({ workers: config.sqliteWorkers, statementSeconds: config.statementSeconds, log });
  try {
    const { database, secrets, sharing } = await openControl(base, host);
    const control = database.db;
    const files = ownedFiles(await openFileStores({ config, clock, log, control, secrets }), base.folder);
    const background = createBackground({
      control,
      secrets,
      clock,
      log,
      ...(sharing === undefined ? {} : { index: sharing.index }),
    });
    const placements = createPlacements(base, {
      migrations: registered.tenantMigrations,
      host,
      background,
      control,
      secrets,
    });
    const connections = createConnections({ placements, config, clock, log, markWork: background.index.begin });
    const parts = { base, registered, placements, connections, control, secrets, files, background, sharing };
    return kernelOf({ ...tenantsCore(parts), ...parts, database, host });
  } catch (error) {
    await host.close();
    throw error;
  }
}

interface Control {
  readonly database: ControlDatabase;
  readonly secrets: Secrets;
  /** Only where other processes may work on the same control database. */
  readonly sharing: Sharing | undefined;
}

async function openControl(base: Base, host: ReturnType<typeof createSqliteHost>): Promise<Control> {
  const { config, clock, log, folder } = base;
  if (config.controlUrl === null) {
    // Before the control database is made: a database without its keys is refused.
    const secrets = openSecrets({ config });
    const path = join(config.dataDir, 'control.db');
    return { database: await openControlDatabase({ host, path, log, clock }), secrets, sharing: undefined };
  }
  const database = await openPostgresControl({
    url: config.controlUrl,
    directUrl: config.controlDirectUrl,
    log,
    clock,
    statementSeconds: config.statementSeconds,
    waitSeconds: config.connectionWaitSeconds,
  });
  try {
    await requireRingFor(database.db, config);
    const elsewhere = placementKinds.filter((kind) => kind !== 'sqlite');
    const serves = () => (folder.owns ? null : config.fileStore === 'disk' ? [] : elsewhere);
    const sharing = createSharing({ database, clock, log, serves });
    return { database, secrets: openSecrets({ config }), sharing };
  } catch (error) {
    await database.close();
    throw error;
  }
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
  readonly sharing: Sharing | undefined;
}

/** Registry, lifecycle, fleet, doctor and the worker. */
function tenantsCore(parts: CoreParts) {
  const { base, registered, placements, connections, control, secrets, files, background, sharing } = parts;
  const { config, clock, log, folder } = base;
  const exclusive = sharing === undefined;
  const locks = createLocks();
  const registry = createRegistry({ control, ...(sharing === undefined ? {} : { fresh: sharing.fresh }) });
  /** Whether this process can make, remove and visit companies of this kind now. */
  const serves = (kind: PlacementKind) =>
    folder.owns || (files.kind !== 'disk' && placements[kind]?.capabilities.needsFolderOwner === false);
  /** Whether it can migrate every company there is. */
  const drives = async () =>
    config.runLifecycle && (folder.owns || (await countTenants(control.read, { placement: 'sqlite' })) === 0);
  const openTenant = createOpenTenant({ database: connections.database, files, secrets, clock, log });
  const runner = config.runLifecycle
    ? createRunner({ control, clock, log, exclusive })
    : createWaitingRunner({ control, tell: announceChange });
  // Asked at every opening of a company; that the names are in order is looked at where they are applied.
  const head = () => registered.tenantMigrations.reduce((count, { migrations }) => count + migrations.length, 0);
  const names = () => migrationNames(registered.tenantMigrations);
  const modules = () => registered.modules;
  const placementOf = (record: TenantRecord): Placement => {
    const placement = placements[record.placement.kind];
    if (placement !== undefined) return placement;
    throw unavailable('placement_unavailable', 'This server does not serve companies of this kind.', 60);
  };
  let poke = () => {};
  const common = {
    control,
    registry,
    openTenant,
    placementOf,
    head,
    names,
    modules,
    locks,
    clock,
    log,
    files,
    connections,
  };
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
    ...(exclusive ? {} : { serves }),
  });
  const oldestServed = () => base.options.oldestServed ?? head();
  const tenants = createTenants({ ...common, lifecycle, placements, serves, oldestServed });
  const expectedFingerprint = createExpectedFingerprint({ head, log });
  const concurrency = config.fleetConcurrency;
  const fleet = createFleet({ ...common, expectedFingerprint, concurrency, exclusive, drives });
  const doctor = createDoctor({ ...common, config, placements, expectedFingerprint, lifecycle, runner });
  const chore = createLifecycleChore({ lifecycle, log, poke: () => poke() });
  const worker = background.worker({ tenants, chores: [chore.chore], exclusive });
  poke = () => worker.poke(chore.chore.name);
  return { registry, runner, lifecycle, tenants, fleet, doctor, chore, worker };
}

interface KernelParts extends ReturnType<typeof tenantsCore>, CoreParts {
  readonly database: ControlDatabase;
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
    if (parts.sharing !== undefined) await joinOthers(parts, parts.sharing, options.worker ?? config.runWorker);
    // Left to the workers by a process that must not.
    settling = (config.runLifecycle ? lifecycle.settle('now') : Promise.resolve()).catch((error) =>
      log.error({ err: error }, 'the journal was not settled'),
    );
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
    figures: createFigures({ control: database.db, clock }),
    events: background.events,
    jobs: background.jobs,
    audit: background.audit,
    idempotency: background.idempotency,
    foreground: background.foreground,
    attempts: parts.sharing?.attempts(parts.secrets),
    folder: base.folder,
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

/** Takes part in what the processes of one control database share. @throws invalid `key_ring_mismatch` */
async function joinOthers(parts: KernelParts, sharing: Sharing, hasWorker: boolean): Promise<void> {
  const { base, control, registry, connections, worker, chore, background, fleet } = parts;
  const { log, folder } = base;
  await checkRing(control, parts.secrets);
  await folder.start(control);

  /** Another process suspended or removed it: no connection of ours stays open. */
  async function closeUnless(id: TenantId): Promise<void> {
    if (!connections.list().some((entry) => entry.tenantId === id)) return;
    if ((await registry.get(id))?.state !== 'active') await connections.closeTenant(id);
  }

  await sharing.start({
    changed(id) {
      registry.invalidate(id);
      closeUnless(id).catch((error) => log.warn({ err: error, company: id }, 'its connections were not closed'));
    },
    changedAll: registry.invalidateAll,
    processes: (count) => connections.share(count),
    poke() {
      if (!hasWorker) return;
      for (const name of [chore.chore.name, background.idempotency.pruneChore.name]) worker.poke(name);
      background.audit.fleetMayHaveRows();
      fleet.resume().catch((error) => log.warn({ err: error }, 'a migration run could not be taken up'));
    },
  });
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
    ['messages of other processes', () => parts.sharing?.close()],
    ['control database', () => parts.database.close()],
    ['threads', () => parts.host.close()],
    ['data folder', () => base.folder.release()],
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
