/**
 * The job queue of a tenant (the interface is in `jobs.ts`): rows in the tenant's own database.
 *
 * Guarantees: a job exists exactly when its transaction was committed; it runs at least once; a try is counted before
 * it begins, so that a job that kills its process is given up as well; a key stands for at most one waiting job.
 */
import { type Clock, day, isoTime } from '../clock.ts';
import type { Transaction } from '../database/database.ts';
import type { TenantTables } from '../database/tables.ts';
import type { Tenant } from '../handles.ts';
import { newId } from '../ids.ts';
import { backoff, safeReason } from './backoff.ts';
import type { Jobs, JobType, Schedule } from './jobs.ts';
import type { WorkIndex } from './work-index.ts';
import './tables.ts';

/** A job taken for one try. */
export interface TakenJob {
  readonly id: string;
  readonly type: JobType;
  /** @throws internal `sealed_value_unreadable` */
  payload(): unknown;
  /** 1 for the first try. */
  readonly attempt: number;
}

export interface JobQueue {
  /** The first job that is due, locked for this owner; null where there is none. */
  take(tenant: Tenant, lockFor: (type: string) => number): Promise<TakenJob | null>;
  complete(tenant: Tenant, job: TakenJob): Promise<void>;
  /** The try failed: waits for its next one, or is given up after `attempts` tries. */
  fail(tenant: Tenant, job: TakenJob, attempts: number, error: unknown): Promise<void>;
  /** When the next job is due (ms); null for none. */
  nextDue(tenant: Tenant): Promise<number | null>;
  /** Removes jobs that were given up 30 days ago. */
  readonly prune: Schedule;
}

const failedDays = 30;
const sealPurpose = (id: string) => `job:${id}`;

export function createJobs(index: Pick<WorkIndex, 'announce'>): Jobs {
  return {
    // Due now, as the commit behind it will be: so that the two need one write of the index.
    announce: (tenant) => index.announce(tenant.id, tenant.clock.now()),

    async enqueue(tx, tenant, type, payload, options = {}) {
      const now = tenant.clock.now();
      const dueAt = options.dueAt ?? now;
      const id = newId('job', now);
      const text = JSON.stringify(payload ?? null);
      const sealed = options.sealed === true;
      const row = {
        id,
        type,
        dedupe_key: options.key ?? null,
        payload: sealed ? tenant.secrets.seal(sealPurpose(id), text) : text,
        sealed: sealed ? 1 : 0,
        due_at: isoTime(dueAt),
        attempts: 0,
        owner: null,
        locked_until: null,
        last_error: null,
        failed_at: null,
        created_at: isoTime(now),
      };
      tx.dueAt(dueAt);
      if (options.key === undefined) await tx.insertInto('jobs').values(row).execute();
      else await insertOrHasten(tx, row);
    },
  };
}

type Row = Parameters<ReturnType<Transaction<TenantTables>['insertInto']>['values']>[0];

/** The newer payload wins, with its id (a sealed payload is bound to it); the earlier time stays; tries begin anew. */
async function insertOrHasten(tx: Transaction<TenantTables>, row: Row): Promise<void> {
  await tx
    .insertInto('jobs')
    .values(row as never)
    .onConflict((conflict) =>
      conflict
        .column('dedupe_key')
        .where('owner', 'is', null)
        .where('failed_at', 'is', null)
        .doUpdateSet((eb) => ({
          id: eb.ref('excluded.id'),
          type: eb.ref('excluded.type'),
          payload: eb.ref('excluded.payload'),
          sealed: eb.ref('excluded.sealed'),
          due_at: eb
            .case()
            .when('excluded.due_at', '<', eb.ref('jobs.due_at'))
            .then(eb.ref('excluded.due_at'))
            .else(eb.ref('jobs.due_at'))
            .end(),
          attempts: 0,
          last_error: null,
        })),
    )
    .execute();
}

export interface QueueOptions {
  readonly clock: Clock;
  /** This worker, unlike any before it. */
  readonly owner: string;
  /** No other process works here: a lock of another owner was left by a dead one and counts as free. */
  readonly exclusive: boolean;
}

export function createQueue({ clock, owner, exclusive }: QueueOptions): JobQueue {
  return {
    async take(tenant, lockFor) {
      const now = clock.iso();
      const job = await tenant.db.read
        .selectFrom('jobs')
        .selectAll()
        .where('failed_at', 'is', null)
        .where('due_at', '<=', now)
        .where((eb) =>
          eb.or([
            eb('owner', 'is', null),
            exclusive ? eb('owner', '!=', owner) : eb('locked_until', '<=', now),
            eb('locked_until', '<=', now),
          ]),
        )
        .orderBy('due_at')
        .orderBy('id')
        .limit(1)
        .executeTakeFirst();
      if (job === undefined) return null;
      const until = isoTime(clock.now() + lockFor(job.type));
      const taken = await tenant.db.transaction((tx) =>
        tx
          .updateTable('jobs')
          .set({ owner, locked_until: until, attempts: job.attempts + 1 })
          .where('id', '=', job.id)
          .where('attempts', '=', job.attempts)
          .where('owner', job.owner === null ? 'is' : '=', job.owner)
          .executeTakeFirst(),
      );
      if (taken.numUpdatedRows === 0n) return null;
      return {
        id: job.id,
        type: job.type as JobType,
        payload: () => payloadOf(tenant, job),
        attempt: job.attempts + 1,
      };
    },

    async complete(tenant, job) {
      await tenant.db.transaction(async (tx) => {
        await mine(tx.deleteFrom('jobs'), job).execute();
      });
    },

    async fail(tenant, job, attempts, error) {
      const reason = safeReason(error);
      await tenant.db.transaction(async (tx) => {
        const row = await mine(tx.selectFrom('jobs').select(['dedupe_key', 'sealed']), job).executeTakeFirst();
        if (row === undefined) return;
        if (job.attempt >= attempts) {
          // A sealed payload is not kept longer than it is needed.
          const wiped = row.sealed === 1 ? { payload: 'null', sealed: 0 } : {};
          await mine(tx.updateTable('jobs'), job)
            .set({ owner: null, locked_until: null, failed_at: clock.iso(), last_error: reason, ...wiped })
            .execute();
        } else if (await newerWaits(tx, row.dedupe_key)) {
          await mine(tx.deleteFrom('jobs'), job).execute();
        } else {
          const dueAt = isoTime(clock.now() + backoff(job.attempt));
          await mine(tx.updateTable('jobs'), job)
            .set({ owner: null, locked_until: null, due_at: dueAt, last_error: reason })
            .execute();
        }
      });
    },

    async nextDue(tenant) {
      const row = await tenant.db.read
        .selectFrom('jobs')
        .select((eb) =>
          eb.fn
            .min<string | null>(
              eb.case().when('owner', 'is', null).then(eb.ref('due_at')).else(eb.ref('locked_until')).end(),
            )
            .as('due'),
        )
        .where('failed_at', 'is', null)
        .executeTakeFirst();
      return row?.due == null ? null : Date.parse(row.due);
    },

    prune: {
      name: 'jobs-prune',
      async nextDue(tenant) {
        const row = await tenant.db.read
          .selectFrom('jobs')
          .select((eb) => eb.fn.min('failed_at').as('failed_at'))
          .where('failed_at', 'is not', null)
          .executeTakeFirst();
        return row?.failed_at == null ? null : Date.parse(row.failed_at) + failedDays * day;
      },
      async run(tenant) {
        const before = isoTime(clock.now() - failedDays * day);
        await tenant.db.transaction(async (tx) => {
          await tx.deleteFrom('jobs').where('failed_at', '<=', before).execute();
        });
      },
    },
  };

  /** Only while this worker still holds the try that it took. */
  function mine<Q extends { where(column: 'id' | 'owner' | 'attempts', op: '=', value: string | number): Q }>(
    query: Q,
    job: TakenJob,
  ): Q {
    return query.where('id', '=', job.id).where('owner', '=', owner).where('attempts', '=', job.attempt);
  }
}

function payloadOf(tenant: Tenant, job: { id: string; payload: string; sealed: number }): unknown {
  return JSON.parse(job.sealed === 1 ? tenant.secrets.open(sealPurpose(job.id), job.payload) : job.payload);
}

async function newerWaits(tx: Transaction<TenantTables>, key: string | null): Promise<boolean> {
  if (key === null) return false;
  const waiting = await tx
    .selectFrom('jobs')
    .select('id')
    .where('dedupe_key', '=', key)
    .where('owner', 'is', null)
    .where('failed_at', 'is', null)
    .executeTakeFirst();
  return waiting !== undefined;
}
