/**
 * Doctor: looks at every company and at what lies around, says what is wrong, and mends what is safe to mend.
 */

import { type Clock, day, hour } from '../clock.ts';
import type { ControlDb } from '../database/database.ts';
import { fingerprint } from '../database/fingerprint.ts';
import { isStrongroomError, StrongroomError } from '../errors.ts';
import type { FileStores } from '../files/file-store.ts';
import type { Actor } from '../handles.ts';
import { idTime, type TenantId, tenantIdFromPart } from '../ids.ts';
import type { Logger } from '../log.ts';
import type { Module } from '../module.ts';
import type { Placement, PlacementKind } from '../placements/placement.ts';
import type { Config } from '../settings.ts';
import { selectOpenOperations } from './journal.ts';
import type { Lifecycle } from './lifecycle.ts';
import { inLanes, type Locks } from './locks.ts';
import type { OpenTenant } from './open-tenant.ts';
import type { Registry } from './registry.ts';
import { everyTenant, livingStates, selectById } from './repository.ts';
import type { Runner } from './runner.ts';
import type { Doctor, DoctorFinding, TenantRecord } from './tenants.ts';

export interface DoctorParts {
  readonly control: ControlDb;
  readonly registry: Registry;
  readonly config: Pick<Config, 'fleetConcurrency' | 'uploadDays'>;
  readonly placements: Partial<Readonly<Record<PlacementKind, Placement>>>;
  readonly placementOf: (record: TenantRecord) => Placement;
  readonly expectedFingerprint: (placement: Placement) => Promise<string | null>;
  readonly openTenant: OpenTenant;
  readonly files: FileStores;
  readonly modules: () => readonly Module[];
  /** Of the tenant migrations of this release, in order. */
  readonly names: () => readonly string[];
  readonly locks: Locks;
  readonly lifecycle: Pick<Lifecycle, 'settle'>;
  readonly runner: Pick<Runner, 'running'>;
  readonly clock: Clock;
  readonly log: Logger;
}

const system: Actor = { kind: 'system' };
/** What is younger may belong to something that is being made now. */
const orphanAge = hour;

export function createDoctor(parts: DoctorParts): Doctor {
  return {
    async examine({ repair, only, deep = false }) {
      const findings: DoctorFinding[] = [];
      await journal(parts, repair, findings);
      const records: TenantRecord[] = [];
      for await (const record of everyTenant(parts.control.read)) {
        if (only === undefined || only.includes(record.id)) records.push(record);
      }
      await inLanes(records, parts.config.fleetConcurrency, async (record) => {
        const other = records.find(({ id, state }) => id !== record.id && state === 'active')?.bucket;
        findings.push(...(await company(parts, record, { repair, deep, other })));
      });
      if (only === undefined) findings.push(...(await orphans(parts, repair)));
      return findings;
    },
  };
}

type Report = (subject: string, problem: string, repair: string | null, mend?: () => Promise<void>) => Promise<void>;

/** Collects findings; with `repair` mends those that can be. */
function reporter(findings: DoctorFinding[], repair: boolean, log: Logger): Report {
  return async (subject, problem, text, mend) => {
    let repaired = false;
    if (repair && mend !== undefined) {
      try {
        await mend();
        repaired = true;
      } catch (error) {
        log.error({ err: error, subject, problem }, 'doctor could not repair this');
      }
    }
    findings.push({ subject, problem, repair: text, repaired });
  };
}

/** Verbs that a crash or a failure left open. */
async function journal(parts: DoctorParts, repair: boolean, findings: DoctorFinding[]): Promise<void> {
  const open = await selectOpenOperations(parts.control.read);
  const left = open.filter((operation) => parts.runner.running(operation.id) === undefined);
  if (left.length === 0) return;
  if (repair) await parts.lifecycle.settle('now');
  const still = new Set((await selectOpenOperations(parts.control.read)).map((operation) => operation.id));
  for (const operation of left) {
    findings.push({
      subject: operation.tenantId,
      problem: `${operation.verb} was interrupted (attempt ${operation.attempts})`,
      repair: operation.verb === 'create' ? 'go on with it, or give it up with --abandon' : 'go on with it',
      repaired: repair && !still.has(operation.id),
    });
  }
}

async function company(
  parts: DoctorParts,
  record: TenantRecord,
  options: { repair: boolean; deep: boolean; other: string | undefined },
): Promise<DoctorFinding[]> {
  const findings: DoctorFinding[] = [];
  const report = reporter(findings, options.repair, parts.log);
  const present = [...livingStates, 'deleting'] as readonly string[];
  if (!present.includes(record.state)) return findings;
  try {
    const sound = await database(parts, record, report);
    // Before the modules look into the bucket, so that what keeps them out is mended.
    await keys(parts, record, options.other, report);
    if (sound) await modules(parts, record, options, findings);
    await bucket(parts, record, options.repair, report);
  } catch (error) {
    const reason = error instanceof StrongroomError ? error.message : 'an unexpected error; the log has the details';
    parts.log.error({ err: error, company: record.id }, 'doctor could not examine this company');
    await report(record.id, `could not be examined: ${reason}`, null);
  }
  return findings;
}

/** True where the company's database is there, its own, and can be opened. */
async function database(parts: DoctorParts, record: TenantRecord, report: Report): Promise<boolean> {
  const placement = parts.placementOf(record);
  const state = await placement.inspect(record.placement).catch((error: unknown) => {
    if (isStrongroomError(error, 'unavailable')) return error;
    throw error;
  });
  if (state instanceof StrongroomError) {
    await report(record.id, `the database cannot be read: ${state.message}`, null);
    return false;
  }
  if (!state.exists) {
    await report(record.id, 'the database is missing', null);
    return false;
  }
  const { identity } = state;
  if (identity === null || identity.tenantId !== record.id || identity.generation !== record.placement.generation) {
    await report(record.id, 'the database is not this company’s own, and is refused', null);
    return false;
  }
  // What is there, not what the identity row says is there.
  const real = await fingerprint(parts.openTenant(record, system).db.read, placement.dialect);
  const names = parts.names();
  const applied = names.filter((name) => state.applied.includes(name)).length;
  if (applied < names.length || record.schemaVersion < names.length) {
    if (real !== identity.fingerprint) await report(record.id, driftText, null);
    await report(record.id, `behind: ${applied} of ${names.length} migrations`, 'run `strongroom migrate`');
    // Only whoever is behind by the control database is migrated.
    if (record.schemaVersion > applied) {
      await report(record.id, 'the version on record is not that of the database', 'record what is there', () =>
        parts.locks.run(record.id, () => recordStructure(parts, record.id, { schema_version: applied })),
      );
    }
    return applied === names.length;
  }
  const expected = await parts.expectedFingerprint(placement);
  if (real !== (expected ?? identity.fingerprint) || real !== identity.fingerprint) {
    await report(record.id, driftText, null);
  } else if (record.fingerprint !== identity.fingerprint) {
    await report(record.id, 'the structure on record is not that of the database', 'record what is there', () =>
      parts.locks.run(record.id, () => recordStructure(parts, record.id, { fingerprint: identity.fingerprint })),
    );
  }
  return true;
}

const driftText = 'the structure of the database is not what the migrations make';

async function recordStructure(
  parts: DoctorParts,
  id: TenantId,
  change: { fingerprint: string } | { schema_version: number },
): Promise<void> {
  await parts.control.transaction(async (tx) => {
    const record = await selectById(tx, id);
    if (record === undefined || record.state === 'deleted') return;
    await tx.updateTable('tenants').set(change).where('id', '=', id).execute();
  });
  parts.registry.invalidate(id);
}

/** Whether the company's keys open its bucket, and not another's. */
async function keys(
  parts: DoctorParts,
  record: TenantRecord,
  other: string | undefined,
  report: Report,
): Promise<void> {
  const { files } = parts;
  if (files.examine === undefined || !(await files.bucketExists(record.bucket))) return;
  for (const { problem, repair, mend } of await files.examine(record.bucket, other)) {
    await report(record.id, problem, repair, mend);
  }
}

async function bucket(parts: DoctorParts, record: TenantRecord, repair: boolean, report: Report): Promise<void> {
  if (!(await parts.files.bucketExists(record.bucket))) {
    await report(record.id, 'the bucket is missing', 'make an empty one', () =>
      parts.files.createBucket(record.bucket),
    );
    return;
  }
  if (!repair) return;
  // Longer than a resumable upload may rest; those that are under way are touched by every part.
  const before = parts.clock.now() - parts.config.uploadDays * day - hour;
  const { removed } = await parts.files.open(record.bucket).sweepTemporary(before);
  if (removed > 0) await report(record.id, `${removed} stale temporary files`, 'remove them', async () => {});
}

async function modules(
  parts: DoctorParts,
  record: TenantRecord,
  options: { repair: boolean; deep: boolean },
  findings: DoctorFinding[],
): Promise<void> {
  const tenant = parts.openTenant(record, system);
  for (const module of parts.modules()) findings.push(...((await module.examine?.(tenant, options)) ?? []));
}

/** Units and buckets that no company owns, older than an hour by their id. */
async function orphans(parts: DoctorParts, repair: boolean): Promise<DoctorFinding[]> {
  const findings: DoctorFinding[] = [];
  const report = reporter(findings, repair, parts.log);
  for (const placement of Object.values(parts.placements)) {
    for await (const unit of placement.listUnits()) {
      if (await owned(parts, unit, (record) => record.placement.unit)) continue;
      await report(unit, `a ${placement.kind} database that belongs to no company`, 'remove it', () =>
        placement.destroyUnit(unit),
      );
    }
  }
  for await (const name of parts.files.listBuckets()) {
    if (await owned(parts, name, (record) => record.bucket)) continue;
    await report(name, 'a bucket that belongs to no company', 'remove it', () => parts.files.deleteBucket(name));
  }
  return findings;
}

/** Whether a company has this name, or it is too young to tell. Asks the database, never the memory. */
async function owned(parts: DoctorParts, name: string, nameOf: (record: TenantRecord) => string): Promise<boolean> {
  // What stands around the id may look like one, too: each that could be is asked for.
  const could = [...name.matchAll(/(?=([0-7][0-9a-hjkmnp-tv-z]{25}))/g)].map(([, part]) => tenantIdFromPart(part!));
  const ids = could.filter((id) => id !== undefined);
  // A name without an id was not made by this product: not ours to judge.
  if (ids.length === 0) return true;
  for (const id of ids) {
    if (idTime(id) > parts.clock.now() - orphanAge) return true;
    const record = await selectById(parts.control.read, id);
    if (record !== undefined && record.state !== 'deleted' && nameOf(record) === name) return true;
  }
  return false;
}
