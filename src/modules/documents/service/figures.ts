/**
 * Counts a company where its documents change, and tells the fleet: at most once a minute, by a job, so that no request
 * counts and no company is opened for the sake of a chart.
 *
 * The job is in the company's own queue: whichever process runs it, after a crash too, it counts all that was told
 * before it was due.
 */
import { minute, second } from '../../../kernel/clock.ts';
import type { Tenant } from '../../../kernel/handles.ts';
import type { TenantId } from '../../../kernel/ids.ts';
import type { JobDefinition } from '../../../kernel/jobs/jobs.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import { documentsByDay, readStats } from '../repository/figures.ts';

/** What comes at once is counted at once. */
const shortly = second;
const pause = minute;

interface State {
  /** When the job that was asked for last is due, and when this process ran one (ms). */
  dueAt: number;
  ranAt: number;
}

export interface CountingJobs {
  /** Documents came, changed or went: they are counted soon. */
  heard(tenant: Tenant): Promise<void>;
  readonly job: JobDefinition<'documents.count'>;
}

export function createCounting(kernel: Pick<Kernel, 'jobs' | 'figures' | 'tenants'>): CountingJobs {
  const states = new Map<TenantId, State>();

  return {
    async heard(tenant) {
      const now = tenant.clock.now();
      const { dueAt, ranAt } = states.get(tenant.id) ?? { dueAt: 0, ranAt: 0 };
      if (now < dueAt) return;
      const next = Math.max(now + shortly, ranAt + pause);
      await tenant.db.transaction((tx) =>
        kernel.jobs.enqueue(tx, tenant, 'documents.count', {}, { dueAt: next, key: 'documents.count' }),
      );
      states.set(tenant.id, { dueAt: next, ranAt });
    },
    job: {
      async run(tenant) {
        states.set(tenant.id, { dueAt: states.get(tenant.id)?.dueAt ?? 0, ranAt: tenant.clock.now() });
        const since = await kernel.figures.countFrom(tenant.id);
        const [stats, added, databaseBytes] = await Promise.all([
          readStats(tenant.db.read),
          documentsByDay(tenant.db.read, since),
          kernel.tenants.databaseBytes(tenant.id),
        ]);
        await kernel.figures.note(tenant.id, { ...stats, databaseBytes, added });
      },
    },
  };
}
