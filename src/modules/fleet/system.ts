/** The state of the installation as a whole: status, connections, audit trail, fleet migrations. Opens no company. */
import type { z } from 'zod';
import { day, isoTime } from '../../kernel/clock.ts';
import { conflict, invalidField, isStrongroomError, notFound } from '../../kernel/errors.ts';
import type { Actor } from '../../kernel/handles.ts';
import { isId, type TenantId } from '../../kernel/ids.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { placementKinds } from '../../kernel/placements/placement.ts';
import { dayOf } from '../../kernel/tenants/figures.ts';
import type { MigrationPlan, MigrationRun } from '../../kernel/tenants/tenants.ts';
import type { FleetFigures, StartMigration, SystemStatus } from './contract.ts';
import { within } from './deadline.ts';
import { version } from './version.ts';

/** Longest wait for leases that end, or for companies being migrated. */
const closeWaitMs = 10_000;

export interface System {
  /** One word, for everybody. */
  health(): Promise<z.input<typeof SystemStatus>>;
  status(): Promise<z.input<typeof SystemStatus>>;
  /** Of so many days, today among them. */
  figures(days: number): Promise<FleetFigures>;
  /** @throws not_found for what is no company's id. Waits for leases, but not for ever. */
  closeConnections(companyId?: string): Promise<void>;
  plan(only?: readonly string[]): Promise<MigrationPlan>;
  /** @throws conflict `migration_running` with `migration_id` */
  startMigration(options: z.output<typeof StartMigration>, actor: Actor): Promise<MigrationRun>;
  migrations(limit: number): Promise<readonly MigrationRun[]>;
  migration(id: string): Promise<MigrationRun>;
  stopMigration(id: string): Promise<void>;
}

export function createSystem(kernel: Kernel): System {
  const { tenants, connections, fleet, files } = kernel;

  /** Ids of the companies that `only` names by id or slug. */
  async function resolve(only: readonly string[] | undefined): Promise<TenantId[] | undefined> {
    if (only === undefined) return undefined;
    const ids = new Set<TenantId>();
    for (const [index, name] of only.entries()) {
      const record = await tenants.find(name);
      if (record === undefined) throw invalidField(`only.${index}`, 'There is no such company.');
      ids.add(record.id);
    }
    return [...ids];
  }

  async function works(): Promise<boolean> {
    try {
      await kernel.control.read.selectNoFrom((of) => of.val(1).as('one')).execute();
      return (await files.check()).ok;
    } catch (error) {
      if (!isStrongroomError(error)) throw error;
      return false;
    }
  }

  async function migration(id: string): Promise<MigrationRun> {
    const run = isId('migration', id) ? await fleet.get(id) : undefined;
    if (run === undefined) throw notFound();
    return run;
  }

  return {
    async health() {
      return { status: (await works()) ? 'ok' : 'degraded' };
    },
    async status() {
      const [companies, migrations, storage, ...placed] = await Promise.all([
        tenants.countByState(),
        fleet.counts(),
        files.check(),
        ...placementKinds.map((placement) => tenants.count({ placement })),
      ]);
      const placements = Object.fromEntries(
        placementKinds.map((kind, index) => [kind, placed[index] ?? 0] as const).filter(([, count]) => count > 0),
      );
      return {
        status: storage.ok ? 'ok' : 'degraded',
        version,
        companies: { ...companies },
        placements,
        connections: { open: connections.open, budget: connections.budget, waiting: connections.waiting },
        migrations,
        storage: { kind: files.kind, ...storage },
        uptime_s: Math.floor(process.uptime()),
        offered: {
          default: kernel.config.placement,
          placements: tenants.offered().map(({ kind, regions }) => ({ placement: kind, regions: [...regions] })),
        },
      };
    },
    figures: (days) => fleetFigures(kernel, days),
    async closeConnections(companyId) {
      if (companyId === undefined) {
        await within(closeWaitMs, connections.closeAll());
        return;
      }
      const record = isId('company', companyId) ? await tenants.get(companyId) : undefined;
      if (record === undefined || record.state === 'deleted') throw notFound();
      await within(closeWaitMs, connections.closeTenant(record.id));
    },
    async plan(only) {
      return fleet.plan(await resolve(only));
    },
    async startMigration(options, actor) {
      const only = await resolve(options.only);
      const { run, already } = await fleet.start(
        {
          ...(only === undefined ? {} : { only }),
          ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
          ...(options.canary === undefined ? {} : { canary: options.canary }),
          ...(options.max_failures === undefined ? {} : { maxFailures: options.max_failures }),
          ...(options.max_failure_percent === undefined ? {} : { maxFailureShare: options.max_failure_percent / 100 }),
        },
        actor,
      );
      if (already) {
        throw conflict('migration_running', 'A fleet migration is running already.', { migration_id: run.id });
      }
      return run;
    },
    migrations: (limit) => fleet.list(limit),
    migration,
    async stopMigration(id) {
      // A company that is being migrated is finished first; the answer does not wait for ever.
      await within(closeWaitMs, fleet.stop((await migration(id)).id));
    },
  };
}

/** Companies that are listed by their size. */
const largest = 10;

async function fleetFigures({ figures, clock }: Kernel, count: number): Promise<FleetFigures> {
  const now = clock.now();
  const days = Array.from({ length: count }, (_, index) => dayOf(isoTime(now - (count - 1 - index) * day)));
  const found = await figures.ofFleet(days[0]!, largest);
  const added = new Map(found.days.map((one) => [one.day, one.added]));
  return {
    companies: found.companies,
    documents: found.documents,
    bytes: found.bytes,
    database_bytes: found.databaseBytes,
    days: days.map((each) => ({ day: each, documents: added.get(each) ?? 0 })),
    largest: found.largest.map((company) => ({
      company_id: company.tenantId,
      name: company.name,
      documents: company.documents,
      bytes: company.bytes,
      database_bytes: company.databaseBytes,
      counted_at: company.countedAt,
    })),
  };
}
