/**
 * Runs the plans of lifecycle verbs over the journal.
 *
 * Guarantees
 * - Before anything is done the operation is durable; what runs has a lease that no other process takes.
 * - One attempt at a time for one operation; who asks for one that runs is given that one.
 * - A failed attempt leaves a row that says which step failed and when it is tried again. Creation is tried
 *   `createAttempts` times, then it is undone; what cannot succeed (a refusal) is undone at once. Removal is tried for
 *   ever, later and later.
 */
import { randomBytes } from 'node:crypto';
import { type Clock, isoTime, minute, second } from '../clock.ts';
import type { ControlDb, ControlTx } from '../database/database.ts';
import { type ErrorKind, isStrongroomError, StrongroomError, unavailable } from '../errors.ts';
import type { Logger } from '../log.ts';
import { failpoint } from './failpoints.ts';
import {
  finishOperation,
  isRunning,
  type Lease,
  type OpenOperation,
  pendingStep,
  releaseOperation,
  renewLeases,
  requireLease,
  type StepRow,
  takeOperation,
  turnBack,
  writeSteps,
} from './journal.ts';
import type { Plan, Step } from './steps.ts';

export const createAttempts = 5;
/** A crash keeps other processes from its operations for as long as a lease; one that owns everything need not wait. */
const leaseTime = 20 * second;
const renewEvery = 5 * second;

/** What a verb brings: its plan, and what is committed when it ends. */
export interface Work {
  /** The step that was the commit which began the operation. */
  readonly first: string;
  readonly plan: Plan;
  /** In the last control transaction: audit. */
  readonly finish: (tx: ControlTx) => Promise<void>;
  /** In the transaction that records a failed attempt. */
  readonly failed?: (tx: ControlTx) => Promise<void>;
  /** How to go back; without it the operation only goes forward. */
  readonly undo?: { readonly plan: Plan; readonly finish: (tx: ControlTx) => Promise<void> };
  /** After a commit that changed the record. */
  readonly changed: () => void;
}

export interface Runner {
  /** @throws unavailable `shutting_down`: nothing is begun any more */
  requireOpen(): void;
  /** A lease for an operation that is about to be inserted; none where another process is to run it. */
  lease(): Lease | undefined;
  /** Whether another process holds this operation now. */
  heldElsewhere(operation: OpenOperation): boolean;
  /** Runs an operation that this process just inserted, its first group already marked as running. */
  begin(operation: OpenOperation, work: Work): Promise<void>;
  /** Another attempt after a crash or a failure. Does nothing where it is over or held by another process. */
  resume(id: string, workOf: (operation: OpenOperation) => Promise<Work>): Promise<void>;
  /** Goes back: what the operation made is removed. */
  abandon(id: string, workOf: (operation: OpenOperation) => Promise<Work>): Promise<void>;
  /** The attempt that runs in this process. */
  running(id: string): Promise<void> | undefined;
  /** Waits until no attempt runs. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

export interface RunnerOptions {
  readonly control: ControlDb;
  readonly clock: Clock;
  readonly log: Logger;
  /** This process alone owns the control database. */
  readonly exclusive: boolean;
}

/** Kinds of error that no other attempt would change: the creation is taken back and the caller told. */
const refusals: readonly ErrorKind[] = [
  'invalid',
  'forbidden',
  'not_found',
  'conflict',
  'gone',
  'too_large',
  'unsupported',
  'precondition',
  'no_space',
];

export function createRunner({ control, clock, log, exclusive }: RunnerOptions): Runner {
  const owner = `${process.pid}-${randomBytes(6).toString('hex')}`;
  const active = new Map<string, Promise<void>>();
  let renewing: NodeJS.Timeout | null = null;
  let closed = false;

  function lease(): Lease {
    return { owner, until: isoTime(clock.now() + leaseTime) };
  }

  function keepLeases(): void {
    renewing ??= setInterval(() => {
      const ids = [...active.keys()];
      if (ids.length === 0) return;
      control
        .transaction((tx) => renewLeases(tx, ids, lease()))
        .catch((error) => log.warn({ err: error }, 'the leases of lifecycle operations could not be renewed'));
    }, renewEvery).unref();
  }

  function once(id: string, attempt: () => Promise<void>): Promise<void> {
    const running = active.get(id);
    if (running !== undefined) return running;
    keepLeases();
    const promise = attempt().finally(() => {
      active.delete(id);
      if (active.size === 0 && renewing !== null) {
        clearInterval(renewing);
        renewing = null;
      }
    });
    active.set(id, promise);
    return promise;
  }

  async function forward(operation: OpenOperation, work: Work, fresh: boolean): Promise<void> {
    const steps = stepRows(work.first, work.plan, clock.iso());
    try {
      if (fresh) await failpoint(`${operation.verb}.${work.first}.after`);
      await runPlan(operation, work.plan, steps, 1, operation.verb, async (tx) => {
        const end = { status: 'succeeded' as const, at: clock.iso(), reason: null };
        await Promise.all([work.finish(tx), finishOperation(tx, operation.id, end)]);
      });
    } catch (error) {
      await failed(operation, work, steps, error);
      throw error;
    }
    work.changed();
    // Beyond the last commit nothing can fail any more: outside the attempt.
    await failpoint(`${operation.verb}.${work.plan.at(-1)!.at(-1)!.name}.after`);
  }

  async function failed(operation: OpenOperation, work: Work, steps: StepRow[], error: unknown): Promise<void> {
    const reason = reasonOf(error, steps);
    log.warn(
      { err: error, company: operation.tenantId, operation: operation.id },
      `${operation.verb} failed: ${reason}`,
    );
    const hopeless = refusals.some((kind) => isStrongroomError(error, kind)) || operation.attempts >= createAttempts;
    if (work.undo !== undefined && hopeless) {
      await back(operation, work, reason);
      return;
    }
    await control.transaction(async (tx) => {
      // A commit whose answer was lost may have ended it after all.
      if (!(await isRunning(tx, operation.id))) return;
      if (!exclusive) await requireLease(tx, operation.id, owner);
      await writeSteps(tx, operation.id, steps);
      await work.failed?.(tx);
      await releaseOperation(tx, operation.id, { reason, retryAt: retryTime(operation.attempts), undoing: false });
    });
    work.changed();
  }

  function retryTime(attempts: number): string {
    return isoTime(clock.now() + Math.min(5 * minute, second * 4 ** Math.min(attempts - 1, 8)));
  }

  async function back(operation: OpenOperation, work: Work, reason: string | null): Promise<void> {
    const undo = work.undo!;
    const steps = stepRows(work.first, work.plan, null);
    try {
      const running = await control.transaction(async (tx) => {
        if (!(await isRunning(tx, operation.id))) return false;
        if (!exclusive) await requireLease(tx, operation.id, owner);
        await turnBack(tx, operation.id, reason ?? 'given up');
        await work.failed?.(tx);
        return true;
      });
      if (!running) return;
      work.changed();
      await runPlan(operation, undo.plan, [], 0, 'undo', async (tx) => {
        await undo.finish(tx);
        for (const step of steps) Object.assign(step, { status: 'undone', finishedAt: clock.iso() });
        await writeSteps(tx, operation.id, steps);
        await finishOperation(tx, operation.id, { status: 'undone', at: clock.iso() });
      });
    } catch (error) {
      log.warn(
        { err: error, company: operation.tenantId, operation: operation.id },
        'undoing failed; it is tried again',
      );
      await control.transaction(async (tx) => {
        if (!exclusive) await requireLease(tx, operation.id, owner);
        await releaseOperation(tx, operation.id, {
          reason: reason ?? reasonOf(error, []),
          retryAt: retryTime(operation.attempts),
          undoing: true,
        });
      });
      throw error;
    } finally {
      work.changed();
    }
  }

  /** The groups in order, one commit after each; `end` joins the last. `rows` are kept as the journal gets them. */
  async function runPlan(
    operation: OpenOperation,
    plan: Plan,
    rows: StepRow[],
    position: number,
    prefix: string,
    end: (tx: ControlTx) => Promise<void>,
  ): Promise<void> {
    let at = position;
    for (const [index, group] of plan.entries()) {
      const last = index === plan.length - 1;
      const own = rows.slice(at, at + group.length);
      const next = rows.slice(at + group.length, at + group.length + (plan[index + 1]?.length ?? 0));
      at += group.length;
      const closing = await runGroup(group, own, prefix);
      await control.transaction(async (tx) => {
        if (!exclusive) await requireLease(tx, operation.id, owner);
        const now = clock.iso();
        const changes = [closing?.commit?.(tx)];
        for (const row of own) Object.assign(row, { status: 'done', finishedAt: row.finishedAt ?? now });
        for (const row of next) Object.assign(row, { status: 'running', startedAt: now });
        changes.push(writeSteps(tx, operation.id, rows));
        if (last) changes.push(end(tx));
        await Promise.all(changes);
      });
      if (closing !== undefined && !last) await failpoint(`${prefix}.${closing.name}.after`);
    }
  }

  /** Runs the steps of a group; gives the one whose effect is the commit that follows. */
  async function runGroup(group: readonly Step[], rows: readonly StepRow[], prefix: string): Promise<Step | undefined> {
    let closing: Step | undefined;
    for (const [index, step] of group.entries()) {
      const row = rows[index];
      if (row !== undefined) Object.assign(row, { status: 'running', startedAt: clock.iso(), finishedAt: null });
      await failpoint(`${prefix}.${step.name}.before`);
      await step.run?.();
      if (step.commit === undefined) await failpoint(`${prefix}.${step.name}.after`);
      else closing = step;
      if (row !== undefined && step.commit === undefined) {
        Object.assign(row, { status: 'done', finishedAt: clock.iso() });
      }
    }
    return closing;
  }

  async function take(id: string): Promise<OpenOperation | undefined> {
    return control.transaction((tx) => takeOperation(tx, id, { lease: lease(), now: clock.iso(), exclusive }));
  }

  return {
    requireOpen() {
      if (closed) throw unavailable('shutting_down', 'The server is shutting down.');
    },
    lease,
    heldElsewhere: ({ lease: held }) => !exclusive && held != null && held.owner !== owner && held.until > clock.iso(),
    begin: (operation, work) => once(operation.id, () => forward(operation, work, true)),
    resume: (id, workOf) =>
      once(id, async () => {
        if (closed) return;
        const operation = await take(id);
        if (operation === undefined) return;
        const work = await workOf(operation);
        // The count includes attempts that died with their process.
        const spent = work.undo !== undefined && operation.attempts > createAttempts;
        if (operation.undoing || spent) await back(operation, work, null);
        else await forward(operation, work, false);
      }),
    async abandon(id, workOf) {
      await active.get(id)?.catch(() => {});
      await once(id, async () => {
        const operation = await take(id);
        if (operation === undefined) return;
        await back(operation, await workOf(operation), 'Given up by an operator.');
      });
    },
    running: (id) => active.get(id),
    async idle() {
      while (active.size > 0) await Promise.allSettled(active.values());
    },
    async close() {
      closed = true;
      while (active.size > 0) await Promise.allSettled(active.values());
      if (renewing !== null) clearInterval(renewing);
    },
  };
}

/** The rows of a plan as they stand when it begins: the first is done, its first group runs. */
export function stepRows(first: string, plan: Plan, now: string | null): StepRow[] {
  const rows = [first, ...plan.flat().map((step) => step.name)].map(pendingStep);
  if (now === null) return rows;
  Object.assign(rows[0]!, { status: 'done', startedAt: now, finishedAt: now });
  for (let index = 1; index <= (plan[0]?.length ?? 0); index += 1) {
    Object.assign(rows[index]!, { status: 'running', startedAt: now });
  }
  return rows;
}

/** Marks the step that failed; the text is for operators and says nothing of paths, hosts or drivers. */
function reasonOf(error: unknown, steps: StepRow[]): string {
  const current = steps.find((row) => row.status === 'running');
  const text = error instanceof StrongroomError ? error.message : 'An unexpected error; the log has the details.';
  const reason = current === undefined ? text : `${current.name}: ${text}`;
  if (current !== undefined) {
    Object.assign(current, { status: 'failed', reason: text });
    for (const row of steps) if (row.status === 'running') Object.assign(row, { status: 'pending', startedAt: null });
  }
  return reason;
}
