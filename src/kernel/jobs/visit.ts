/**
 * One visit to one tenant: deliver events, run due jobs one after the other, run due schedules, seal the audit trail,
 * and say when to come again. A visit is short (a slice), so that tenants with much work do not hold up the others.
 */
import { type Clock, minute } from '../clock.ts';
import type { Tenant } from '../handles.ts';
import { backoff } from './backoff.ts';
import type { JobDefinition, JobDefinitions, JobType, Schedule } from './jobs.ts';
import type { JobQueue, TakenJob } from './queue.ts';

/** What the audit trail and the event outbox give to a visit. Each says when (ms) there is more to do, or null. */
export interface VisitParts {
  deliver(tenant: Tenant): Promise<number | null>;
  seal(tenant: Tenant, options: { force: boolean }): Promise<number | null>;
}

export interface VisitOptions {
  readonly clock: Clock;
  readonly queue: JobQueue;
  readonly parts: VisitParts;
  readonly definitions: () => JobDefinitions;
  readonly schedules: () => readonly Schedule[];
  /** Aborts when the worker gives up on what still runs at its end. */
  readonly signal: AbortSignal;
  /** Jobs in one slice, and how long (ms) one may go on. */
  readonly sliceJobs?: number;
  readonly sliceTime?: number;
}

const defaultAttempts = 8;
const defaultTimeout = minute;
const lockMargin = 30_000;
const scheduleTimeout = 15 * minute;

export interface VisitNow {
  readonly force: () => boolean;
  /** Ends this visit alone: the right to it was lost. */
  readonly signal?: AbortSignal | undefined;
}

export interface Visitor {
  /**
   * `force` is asked when it comes to sealing: whether rows are sealed that are not a second old yet.
   * @returns when (ms) the tenant is due again; null for never
   */
  visit(tenant: Tenant, options: VisitNow): Promise<number | null>;
  forget(tenantId: Tenant['id']): void;
}

export function createVisitor(options: VisitOptions): Visitor {
  const { clock, queue, parts, sliceJobs = 10, sliceTime = 1_000 } = options;
  /** Schedules that failed, or that were due again without any progress: not before this time. */
  const held = new Map<string, Map<string, { until: number; times: number }>>();

  function definitionOf(type: string): JobDefinition<JobType> | undefined {
    return (options.definitions() as Readonly<Record<string, JobDefinition<JobType>>>)[type];
  }

  async function runJob(tenant: Tenant, job: TakenJob, signal: AbortSignal): Promise<void> {
    const definition = definitionOf(job.type);
    const attempts = definition?.attempts ?? defaultAttempts;
    try {
      if (definition === undefined) throw new Error(`no definition of the job type ${job.type}`);
      if (job.attempt > attempts) throw new Error('given up: its tries ended with the process');
      const timeout = definition.timeout ?? defaultTimeout;
      const payload = job.payload() as never;
      await limited(timeout, signal, (own) => definition.run(tenant, payload, { attempt: job.attempt, signal: own }));
    } catch (error) {
      tenant.log.warn({ err: error, job: job.id, type: job.type, attempt: job.attempt }, 'a job failed');
      await queue.fail(tenant, job, attempts, error);
      return;
    }
    await queue.complete(tenant, job);
  }

  async function runJobs(tenant: Tenant, signal: AbortSignal): Promise<void> {
    const lockFor = (type: string) => (definitionOf(type)?.timeout ?? defaultTimeout) + lockMargin;
    const until = performance.now() + sliceTime;
    for (let count = 0; count < sliceJobs && performance.now() < until && !signal.aborted; count += 1) {
      const job = await queue.take(tenant, lockFor);
      if (job === null) return;
      await runJob(tenant, job, signal);
    }
  }

  function hold(tenant: Tenant, schedule: Schedule): number {
    const own = held.get(tenant.id) ?? new Map<string, { until: number; times: number }>();
    held.set(tenant.id, own);
    const times = (own.get(schedule.name)?.times ?? 0) + 1;
    const until = clock.now() + backoff(times, 5_000);
    own.set(schedule.name, { until, times });
    return until;
  }

  function release(tenant: Tenant, schedule: Schedule): void {
    const own = held.get(tenant.id);
    if (own?.delete(schedule.name) && own.size === 0) held.delete(tenant.id);
  }

  /** Runs it while it is due and gets on; one that fails, or stays due at the same time, waits. */
  async function runSchedule(tenant: Tenant, schedule: Schedule, signal: AbortSignal): Promise<number | null> {
    const waiting = held.get(tenant.id)?.get(schedule.name);
    if (waiting !== undefined && waiting.until > clock.now()) return waiting.until;
    try {
      let due = await schedule.nextDue(tenant);
      for (let runs = 0; due !== null && due <= clock.now(); runs += 1) {
        if (runs === 20 || signal.aborted) return due;
        await limited(scheduleTimeout, signal, () => schedule.run(tenant));
        const next = await schedule.nextDue(tenant);
        if (next === due) return hold(tenant, schedule);
        due = next;
      }
      release(tenant, schedule);
      return due;
    } catch (error) {
      tenant.log.warn({ err: error, schedule: schedule.name }, 'a schedule failed');
      return hold(tenant, schedule);
    }
  }

  return {
    async visit(tenant, { force, signal: own }) {
      const signal = own === undefined ? options.signal : AbortSignal.any([options.signal, own]);
      const due: (number | null)[] = [];
      due.push(await parts.deliver(tenant));
      await runJobs(tenant, signal);
      for (const schedule of options.schedules()) due.push(await runSchedule(tenant, schedule, signal));
      own?.throwIfAborted();
      // Last, so that it covers what the visit itself wrote.
      due.push(await parts.seal(tenant, { force: force() }));
      due.push(await queue.nextDue(tenant));
      const times = due.filter((time) => time !== null);
      return times.length === 0 ? null : Math.min(...times);
    },
    forget: (tenantId) => void held.delete(tenantId),
  };
}

/** Runs `work` with a signal that aborts after `ms` or with `parent`; then it rejects, whether or not `work` listens. */
async function limited(ms: number, parent: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const own = new AbortController();
  const timer = setTimeout(() => own.abort(new Error(`it took longer than ${ms} ms`)), ms);
  const stop = () => own.abort(new Error('the worker is closing'));
  if (parent.aborted) stop();
  parent.addEventListener('abort', stop, { once: true });
  try {
    own.signal.throwIfAborted();
    const aborted = new Promise<never>((_, reject) => {
      own.signal.addEventListener('abort', () => reject(own.signal.reason as Error), { once: true });
    });
    await Promise.race([work(own.signal), aborted]);
  } finally {
    clearTimeout(timer);
    parent.removeEventListener('abort', stop);
  }
}
