/**
 * What one company of a migration run comes to, or several that go together: never an exception. What is wrong with a
 * company stays with it, and the structure that is there afterwards is compared with what the migrations make.
 */
import { isStrongroomError, StrongroomError } from '../errors.ts';
import type { Placement } from '../placements/placement.ts';
import { failpoint } from './failpoints.ts';
import type { FleetParts } from './fleet.ts';
import type { Outcome } from './fleet-outcomes.ts';
import type { ResultRow, RunRow } from './fleet-repository.ts';
import { livingStates, selectById, selectByIds } from './repository.ts';
import type { TenantRecord } from './tenants.ts';

/** What one company says about the release. */
export type Finding = 'works' | 'fault' | 'nothing';
export type Attempted = readonly [Outcome, Finding];

type Begun = Pick<Outcome, 'result' | 'startedAt'>;

export async function attempt(parts: FleetParts, run: RunRow, result: ResultRow): Promise<Attempted> {
  const { control, clock, log } = parts;
  const begun = { result, startedAt: clock.iso() };
  try {
    await failpoint('fleet.company.before');
    const record = await selectById(control.read, result.tenantId);
    if (!isLiving(record)) return skipped(begun);
    const placement = parts.placementOf(record);
    // Made while the first company is migrated; known from then on.
    const expected = parts.expectedFingerprint(placement);
    const { fingerprint } = await placement.migrate(record.placement);
    await failpoint('fleet.company.applied');
    return judged(parts, { run, begun, record }, fingerprint, await expected);
  } catch (error) {
    log.error({ err: error, company: result.tenantId, run: run.id }, 'the migration of a company failed');
    const finding = isStrongroomError(error, 'unavailable') ? 'nothing' : 'fault';
    return [{ ...begun, status: 'failed', reason: reasonText(error), schema: null }, finding];
  }
}

/** Null for those that have to be attempted each for itself; nothing was changed in them. */
export async function attemptTogether(
  parts: FleetParts,
  run: RunRow,
  results: readonly ResultRow[],
): Promise<readonly (Attempted | null)[]> {
  const startedAt = parts.clock.iso();
  const attempted = new Map<string, Attempted>();
  try {
    await Promise.all(results.map(() => failpoint('fleet.company.before')));
    const ids = results.map(({ tenantId }) => tenantId);
    const records = new Map((await selectByIds(parts.control.read, ids)).map((record) => [record.id, record]));
    const byPlacement = new Map<Placement, { begun: Begun; record: TenantRecord }[]>();
    for (const result of results) {
      const record = records.get(result.tenantId);
      if (!isLiving(record)) continue;
      const placement = parts.placementOf(record);
      byPlacement.set(placement, [...(byPlacement.get(placement) ?? []), { begun: { result, startedAt }, record }]);
    }
    for (const [placement, some] of byPlacement) {
      const done = (await placement.migrateTogether?.(some.map(({ record }) => record.placement))) ?? [];
      const expected = await parts.expectedFingerprint(placement);
      for (const [index, one] of some.entries()) {
        const migrated = done[index] ?? null;
        if (migrated === null) continue;
        await failpoint('fleet.company.applied');
        attempted.set(one.record.id, judged(parts, { run, ...one }, migrated.fingerprint, expected));
      }
    }
  } catch (error) {
    parts.log.warn({ err: error, run: run.id }, 'companies could not be migrated together; each is for itself');
  }
  return results.map(({ tenantId }) => attempted.get(tenantId) ?? null);
}

function isLiving(record: TenantRecord | undefined): record is TenantRecord {
  return record !== undefined && (livingStates as readonly string[]).includes(record.state);
}

const skipped = (begun: Begun): Attempted => [
  { ...begun, status: 'skipped', reason: 'Not active any more.', schema: null },
  'nothing',
];

function judged(
  parts: FleetParts,
  { run, begun, record }: { readonly run: RunRow; readonly begun: Begun; readonly record: TenantRecord },
  fingerprint: string,
  expected: string | null,
): Attempted {
  const schema = { version: Math.max(parts.head(), record.schemaVersion), fingerprint };
  if (expected === null || expected === fingerprint) {
    return [{ ...begun, status: 'done', reason: null, schema }, 'works'];
  }
  parts.log.error({ company: record.id, run: run.id }, 'the structure of a company is not what the migrations make');
  return [{ ...begun, status: 'failed', reason: driftText, schema }, 'fault'];
}

const driftText =
  'The structure of the database is not what the migrations make: somebody changed it. It is at the new version.';

function reasonText(error: unknown): string {
  return error instanceof StrongroomError ? error.message : 'A migration was refused; the log has the details.';
}
