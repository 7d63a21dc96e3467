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
import { holdsRun, type ResultRow, type RunRow, writeResults } from './fleet-repository.ts';
import { insertOperations, type NewOperation, pendingStep } from './journal.ts';
import { setSchemas } from './repository.ts';

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
      await record(tx, outcomes);
      return outcomes.map(() => undefined);
    });
  }

  /** Nearly all come to the same, so that a few statements say it of hundreds. */
  async function record(tx: ControlTx, outcomes: readonly Outcome[]): Promise<void> {
    const at = clock.iso();
    const ends = Map.groupBy(outcomes, ({ status, reason }) => JSON.stringify([status, reason]));
    const results = [...ends.values()].map((some) => {
      const { status, reason } = some[0]!;
      return writeResults(
        tx,
        run.id,
        some.map(({ result }) => result.position),
        { status, reason, at },
      );
    });
    const structures = Map.groupBy(outcomes, ({ schema }) => JSON.stringify(schema));
    const records = [...structures.values()].map(async (some) => {
      const { schema } = some[0]!;
      const ids = some.map(({ result }) => result.tenantId);
      if (schema !== null) await setSchemas(tx, ids, schema);
    });
    const operations = outcomes.filter(({ status }) => status !== 'skipped').map((outcome) => journalled(outcome, at));
    await Promise.all([...results, ...records, insertOperations(tx, operations)]);
  }

  function journalled({ result, status, reason, startedAt }: Outcome, finishedAt: string): NewOperation {
    const done = status === 'done';
    return {
      id: newId('operation', clock.now()),
      tenantId: result.tenantId,
      verb: 'migrate',
      status: done ? 'succeeded' : 'failed',
      actor: run.actor,
      startedAt,
      finishedAt,
      reason,
      steps: [{ ...pendingStep('migrate'), status: done ? 'done' : 'failed', startedAt, finishedAt, reason }],
    };
  }

  // Where several fail, one of them may be what the database refuses: each for itself then.
  const writes = groupCommit(commit, { most: batchSize, alone: (error) => !isStrongroomError(error) });
  return { write: writes.add };
}
