/**
 * Drives one migration run: the first companies, then the others, so many at once.
 *
 * - With a canary, the first companies must all succeed before any other is touched. Without one the run begins with a
 *   company of every placement: where two of them in a row show that the release does not work there, no other is
 *   touched. A company whose database is missing or does not answer says nothing about the release.
 * - More failures than the run allows end it. A company that fails stays where it was, and the others go on.
 * - Then companies that share a database go several at once, in one transaction, where nothing speaks against it; those
 *   that do not come through are migrated each for itself. Who asked for one at a time gets that.
 */
import { isoTime, second } from '../clock.ts';
import { isStrongroomError } from '../errors.ts';
import { failpoint } from './failpoints.ts';
import type { FleetParts } from './fleet.ts';
import { attempt, attemptTogether, type Finding } from './fleet-attempt.ts';
import { createOutcomeWriter, type Outcome, type OutcomeWriter } from './fleet-outcomes.ts';
import { endRun, isStopRequested, type ResultRow, type RunRow, releaseRun, renewRun } from './fleet-repository.ts';
import type { Lease } from './journal.ts';
import { inLanes, type Locks } from './locks.ts';
import type { MigrationRun } from './tenants.ts';

export interface LiveRun {
  readonly row: RunRow;
  readonly results: readonly ResultRow[];
  stopping: boolean;
  /** Told whenever a company is done with, and at the end. */
  readonly heard: Set<() => void>;
  readonly ended: Promise<void>;
}

/** A crash keeps other processes from a run for as long as a lease; one that owns everything need not wait. */
const leaseTime = 20 * second;
const renewEvery = 5 * second;
/** Companies whose outcome is being written while others are migrated. */
const unwritten = 100;
/** Companies that go together at most: the first waits for the last with its tables locked. */
const together = 25;
/** So many of a placement in a row, and the release is taken not to work there. */
const enoughFaults = 2;

export const leaseOf = (parts: FleetParts, owner: string): Lease => ({
  owner,
  until: isoTime(parts.clock.now() + leaseTime),
});

interface State extends Omit<LiveRun, 'ended'> {
  readonly parts: FleetParts;
  readonly owner: string;
  readonly writer: OutcomeWriter;
  readonly settling: Set<Promise<void>>;
  failures: number;
  /** Another process has it. */
  lost: boolean;
  /** The release, not a company, was found not to work. */
  readonly closing: () => boolean;
}

/** @param closing whether this process is about to end: the run is then left for another */
export function driveRun(
  parts: FleetParts,
  owner: string,
  given: { readonly row: RunRow; readonly results: ResultRow[]; readonly stopping?: boolean },
  closing: () => boolean,
): LiveRun {
  const { row, results } = given;
  const { control, clock, log } = parts;
  const state: State = {
    parts,
    owner,
    row,
    results,
    writer: createOutcomeWriter({ control, clock, run: row, owner }),
    settling: new Set(),
    failures: results.filter((result) => result.status === 'failed').length,
    stopping: given.stopping === true,
    lost: false,
    heard: new Set(),
    closing,
  };
  const renewing = setInterval(() => void renew(state), renewEvery).unref();
  const ended = rounds(state)
    .catch((error) => log.error({ err: error, run: row.id }, 'a migration run broke off; the next start goes on'))
    .finally(() => {
      clearInterval(renewing);
      for (const tell of state.heard) tell();
    });
  return Object.assign(state, { ended });
}

async function renew(run: State): Promise<void> {
  const { control, log } = run.parts;
  try {
    if (!(await control.transaction((tx) => renewRun(tx, run.row.id, leaseOf(run.parts, run.owner))))) run.lost = true;
    if (await isStopRequested(control.read, run.row.id)) run.stopping = true;
  } catch (error) {
    log.warn({ err: error, run: run.row.id }, 'the lease of a migration run could not be renewed');
  }
}

const more = (run: State) => !run.closing() && !run.stopping && !run.lost && run.failures <= run.row.maxFailures;

async function rounds(run: State): Promise<void> {
  const { row, results } = run;
  const { control, clock, log } = run.parts;
  const works = await firstOnes(run);
  if (works)
    await inLanes(
      groupsOf(run),
      row.concurrency,
      (group) => migrateGroup(run, group),
      () => more(run),
    );
  await Promise.all(run.settling);
  if (run.lost) {
    log.warn({ run: row.id }, 'another process goes on with this migration run');
    return;
  }
  const over = run.stopping || !works || run.failures > row.maxFailures;
  if (run.closing() && !over && waiting(run).length > 0) {
    await control.transaction((tx) => releaseRun(tx, row.id));
    return;
  }
  const end = ending(run, works);
  await control.transaction((tx) => endRun(tx, row.id, { ...end, at: clock.iso() }));
  for (const result of waiting(run)) Object.assign(result, { status: 'skipped', reason: end.reason });
  log.info({ run: row.id, status: end.status, total: results.length, failed: run.failures }, 'fleet migration ended');
}

/** A crash may have left some as running. */
const waiting = (run: State) =>
  run.results.filter((result) => result.status === 'waiting' || result.status === 'running');

function ending(run: State, works: boolean): { status: MigrationRun['status']; reason: string | null } {
  const { maxFailures } = run.row;
  if (run.stopping) return { status: 'stopped', reason: 'Stopped by an operator.' };
  if (!works) return { status: 'failed', reason: 'The first companies failed; no other was touched.' };
  if (run.failures > maxFailures) {
    return { status: 'failed', reason: `More than ${maxFailures} companies failed; the others were left as they are.` };
  }
  return { status: run.failures > 0 ? 'failed' : 'succeeded', reason: null };
}

/** Those that go first. False where they show that no other may be touched. */
async function firstOnes(run: State): Promise<boolean> {
  const { row, results } = run;
  if (row.canary > 0) {
    const canary = (result: ResultRow) => result.position < row.canary;
    const first = waiting(run).filter(canary);
    await inLanes(
      first,
      row.concurrency,
      (result) => migrate(run, result),
      () => more(run),
    );
    await Promise.all(run.settling);
    return !results.some((result) => canary(result) && result.status === 'failed');
  }
  const kinds = [...new Set(waiting(run).map(({ placement }) => placement))];
  return (await Promise.all(kinds.map((kind) => firstOf(run, kind)))).every((works) => works);
}

/** One company after the other of a placement, until one succeeds or enough show that the release does not work. */
async function firstOf(run: State, placement: ResultRow['placement']): Promise<boolean> {
  if (run.results.some((result) => result.placement === placement && result.status === 'done')) return true;
  let faults = 0;
  for (const result of waiting(run).filter((one) => one.placement === placement)) {
    if (!more(run)) return true;
    const found = await migrate(run, result);
    await Promise.all(run.settling);
    if (found === 'works') return true;
    if (found === 'fault') faults += 1;
    if (faults === enoughFaults) return false;
  }
  return true;
}

/** Migrates one company; what is wrong with it stays with it. Its outcome is written while the next one is begun. */
async function migrate(run: State, result: ResultRow): Promise<Finding> {
  if (run.settling.size >= unwritten) await Promise.race(run.settling);
  result.status = 'running';
  const found = Promise.withResolvers<Finding>();
  const settled = run.parts.locks
    .run(result.tenantId, async () => {
      const [outcome, finding] = await attempt(run.parts, run.row, result);
      if (outcome.status === 'failed') run.failures += 1;
      found.resolve(finding);
      await write(run, outcome);
    })
    .finally(() => {
      run.settling.delete(settled);
      for (const tell of run.heard) tell();
    });
  run.settling.add(settled);
  return found.promise;
}

/** Those that are left, in their order. Every lane has work until the end. */
function groupsOf(run: State): readonly (readonly ResultRow[])[] {
  const left = waiting(run);
  const { concurrency } = run.row;
  const sharing = left.filter(sharesDatabase).length;
  const size = concurrency === 1 ? 1 : Math.min(together, Math.ceil(sharing / (2 * concurrency)));
  const groups: ResultRow[][] = [];
  let open: ResultRow[] | undefined;
  for (const result of left) {
    if (sharesDatabase(result) && open !== undefined && open.length < size) open.push(result);
    else {
      const group = [result];
      groups.push(group);
      if (sharesDatabase(result)) open = group;
    }
  }
  return groups;
}

const sharesDatabase = ({ placement }: ResultRow) => placement === 'schema';

/** Those that do not come through together follow one by one, for as long as the run goes on. */
async function migrateGroup(run: State, group: readonly ResultRow[]): Promise<void> {
  if (group.length === 1) return void (await migrate(run, group[0]!));
  if (run.settling.size >= unwritten) await Promise.race(run.settling);
  for (const result of group) result.status = 'running';
  const left = Promise.withResolvers<readonly ResultRow[]>();
  const work = async () => {
    const attempted = await attemptTogether(run.parts, run.row, group);
    const outcomes = attempted.flatMap((one) => (one === null ? [] : [one[0]]));
    run.failures += outcomes.filter(({ status }) => status === 'failed').length;
    left.resolve(group.filter((_, index) => attempted[index] === null));
    await Promise.all(outcomes.map((outcome) => write(run, outcome)));
  };
  const settled = locked(
    run.parts.locks,
    group.map(({ tenantId }) => tenantId),
    work,
  ).finally(() => {
    run.settling.delete(settled);
    for (const tell of run.heard) tell();
  });
  run.settling.add(settled);
  for (const result of await left.promise) {
    if (more(run)) await migrate(run, result);
    else result.status = 'waiting';
  }
}

/** With all of them held; nobody else holds more than one. */
function locked(locks: Locks, keys: readonly string[], work: () => Promise<void>): Promise<void> {
  return keys.reduceRight((inner, key) => () => locks.run(key, inner), work)();
}

async function write(run: State, outcome: Outcome): Promise<void> {
  const { result, status, reason } = outcome;
  const { log, registry } = run.parts;
  try {
    await run.writer.write(outcome);
    Object.assign(result, { status, reason });
    registry.invalidate(result.tenantId);
    await failpoint('fleet.company.after');
  } catch (error) {
    if (isStrongroomError(error) && error.code === 'lease_lost') {
      run.lost = true;
      result.status = 'waiting';
      return;
    }
    log.error({ err: error, run: run.row.id, company: result.tenantId }, 'the result of a migration was not written');
    if (status !== 'failed') run.failures += 1;
    Object.assign(result, { status: 'failed', reason: 'The result could not be recorded; run it again.' });
  }
}
