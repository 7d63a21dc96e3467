/**
 * Writes what became of companies in a migration run: control row, journal and result in one transaction, and those
 * that end while one is being committed together in the next, so that a thousand companies do not cost a thousand
 * commits. A process that has lost the run writes nothing.
 */
import type { Clock } from '../clock.ts';
import type { ControlDb, ControlTx } from '../database/database.ts';
import { groupCommit } from '../database/group-commit.ts';
import { isStrongroomError, unavailable } from '../errors.ts';
import { newId } from '../ids.ts';
import { holdsRun, type ResultRow, type RunRow, writeResult } from './fleet-repository.ts';
import { insertOperation, pendingStep } from './journal.ts';
import { setSchema } from './repository.ts';

export interface Outcome {
  readonly result: ResultRow;
  readonly status: 'done' | 'failed' | 'skipped';
  readonly reason: string | null;
  readonly startedAt: string;
  /** What the company's database is now; null where it stayed as it was. */
  readonly schema: { readonly version: number; readonly fingerprint: string } | null;
}

export interface OutcomeWriter {
  /** Resolves once it is durable. @throws unavailable `lease_lost` where another process has the run */
  write(outcome: Outcome): Promise<void>;
}

/** Outcomes of one transaction. */
const batchSize = 200;

export function createOutcomeWriter(parts: {
  readonly control: ControlDb;
  readonly clock: Clock;
  readonly run: RunRow;
  readonly owner: string;
}): OutcomeWriter {
  const { control, clock, run, owner } = parts;

  async function commit(outcomes: readonly Outcome[]) {
    return control.transaction(async (tx) => {
      if (!(await holdsRun(tx, run.id, owner))) {
        throw unavailable('lease_lost', 'Another process goes on with this migration.');
      }
      return Promise.all(outcomes.map((outcome) => record(tx, outcome)));
    });
  }

  async function record(tx: ControlTx, { result, status, reason, startedAt, schema }: Outcome): Promise<void> {
    const now = clock.iso();
    const changes: Promise<void>[] = [writeResult(tx, run.id, { ...result, status, reason }, now)];
    if (schema !== null) changes.push(setSchema(tx, result.tenantId, schema));
    if (status !== 'skipped') {
      const id = newId('operation', clock.now());
      const ended = status === 'done' ? ('succeeded' as const) : ('failed' as const);
      const operation = { id, tenantId: result.tenantId, verb: 'migrate' as const, status: ended };
      const step = { ...pendingStep('migrate'), status, startedAt, finishedAt: now, reason };
      changes.push(insertOperation(tx, { ...operation, actor: run.actor, startedAt, reason }, [step]));
    }
    await Promise.all(changes);
  }

  // Where several fail, one of them may be what the database refuses: each for itself then.
  const writes = groupCommit(commit, { most: batchSize, alone: (error) => !isStrongroomError(error) });
  return { write: writes.add };
}
