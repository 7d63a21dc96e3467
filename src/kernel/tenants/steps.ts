/**
 * The steps of the verbs that take more than one commit: creating a company, and removing one (which is also how a
 * creation is undone).
 *
 * A step is idempotent: after a crash the whole plan runs again from its first step, so each looks at what is there
 * before it acts. Steps stand in groups; between two groups the journal commits once, "these are done, those begin".
 * Within a group nothing is lost by running all of it again: all of a creation is one, since nothing of a company can be
 * seen before it is active. The last step of a plan is its commit: it changes state, audit and journal in one control
 * transaction.
 */
import type { ControlTx } from '../database/database.ts';
import type { FileStores } from '../files/file-store.ts';
import type { Tenant } from '../handles.ts';
import type { Module } from '../module.ts';
import type { Placement, PlacementKind } from '../placements/placement.ts';
import { bury, destroyKey, setActive } from './repository.ts';
import type { Connections, TenantRecord } from './tenants.ts';

export interface Step {
  readonly name: string;
  readonly run?: () => Promise<void>;
  /** Part of the control transaction that ends the step's group. Only the last step of a group has one. */
  readonly commit?: (tx: ControlTx) => Promise<void>;
}

export type Plan = readonly (readonly Step[])[];

export interface StepParts {
  readonly files: FileStores;
  readonly connections: Pick<Connections, 'closeTenant'>;
  readonly placementOf: (record: TenantRecord) => Placement;
  readonly modules: () => readonly Module[];
  /** Number of tenant migrations of this release. */
  readonly head: () => number;
  /** What templates turned out to make, by placement; filled by the first creation of the process. */
  readonly templates: Map<PlacementKind, string>;
}

/** Names of the kernel's own steps to create, in order; modules' steps stand before `activate`. */
export const createStepNames = ['reserve', 'place', 'stamp', 'migrate', 'seed', 'bucket', 'activate'] as const;
/** Names of the steps to remove a company, in order. */
export const purgeStepNames = ['refuse', 'connections', 'key', 'database', 'bucket', 'directory', 'tombstone'] as const;

/** The names as the journal has them, with the modules' own steps in their place. */
export function namesOfCreateSteps(modules: readonly Module[]): readonly string[] {
  const own = modules.flatMap((module) => module.provisioning?.map((step) => step.name) ?? []);
  return [...createStepNames.slice(0, -1), ...own, 'activate'];
}

export interface Creation {
  readonly record: TenantRecord;
  readonly open: () => Tenant;
  readonly provisioning: Readonly<Record<string, unknown>>;
  /** The first attempt, in the process that reserved the id: nothing of this company can be there yet. */
  readonly fresh: boolean;
}

/** Everything after `reserve`, which is the commit that began the operation. */
export function createPlan(parts: StepParts, creation: Creation): Plan {
  const { record } = creation;
  const placement = parts.placementOf(record);
  let schema: { version: number; fingerprint: string | null } = { version: 0, fingerprint: null };
  let stamped = false;
  const kernel: Step[] = [
    {
      name: 'place',
      // Side by side: each waits for the disk. Both have ended before anything is taken back.
      run: async () => {
        const made = placement.create(record.placement);
        await bothEnded(made, parts.files.createBucket(record.bucket));
        ({ stamped } = await made);
      },
    },
    {
      name: 'stamp',
      run: async () => {
        if (!stamped) await placement.stamp(record.placement);
      },
    },
    {
      name: 'migrate',
      run: async () => {
        schema = { version: parts.head(), fingerprint: await structureOf(parts, placement, creation) };
      },
    },
    { name: 'seed', run: () => seed(parts, creation) },
    {
      name: 'bucket',
      run: async () => {
        // A first attempt has just made it.
        if (creation.fresh || (await parts.files.bucketExists(record.bucket))) return;
        await parts.files.createBucket(record.bucket);
      },
    },
  ];
  const activate: Step = { name: 'activate', commit: (tx) => setActive(tx, record.id, schema) };
  return [[...kernel, ...provisioningSteps(parts, creation), activate]];
}

async function bothEnded(...work: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(work)) if (result.status === 'rejected') throw result.reason;
}

/**
 * A fresh copy of a template is at the head already, and has the structure that the first one of this process had; all
 * others are migrated.
 */
async function structureOf(parts: StepParts, placement: Placement, { record, fresh }: Creation): Promise<string> {
  const known = parts.templates.get(placement.kind);
  if (fresh && known !== undefined) return known;
  const { fingerprint } = await placement.migrate(record.placement);
  if (placement.capabilities.clonesTemplate) parts.templates.set(placement.kind, fingerprint);
  return fingerprint;
}

async function seed(parts: StepParts, { open }: Creation): Promise<void> {
  const seeds = parts.modules().flatMap((module) => module.seed ?? []);
  if (seeds.length === 0) return;
  const tenant = open();
  await tenant.db.transaction(async (tx) => {
    for (const each of seeds) await each(tx, tenant);
  });
}

function provisioningSteps(parts: StepParts, { open, provisioning }: Creation): Step[] {
  return parts.modules().flatMap(
    (module) =>
      module.provisioning?.map((step) => ({
        name: step.name,
        run: () => step.run(open(), provisioning[step.name]),
      })) ?? [],
  );
}

/** Everything after `refuse`, which is the commit that began the operation. Forward only. */
export function purgePlan(parts: StepParts, record: TenantRecord): Plan {
  const placement = parts.placementOf(record);
  return [
    [
      { name: 'connections', run: () => parts.connections.closeTenant(record.id) },
      { name: 'key', commit: (tx) => destroyKey(tx, record.id) },
    ],
    [
      {
        name: 'database',
        run: async () => {
          // A handle from before may have opened another connection meanwhile.
          await parts.connections.closeTenant(record.id);
          await placement.destroy(record.placement);
          // And one that was being opened then: from here on there is nothing to open.
          await parts.connections.closeTenant(record.id);
        },
      },
      { name: 'bucket', run: () => parts.files.deleteBucket(record.bucket) },
      {
        name: 'directory',
        run: async () => {
          for (const module of parts.modules().toReversed()) {
            for (const step of module.provisioning?.toReversed() ?? []) await step.undo(record.id);
          }
        },
      },
      { name: 'tombstone', commit: (tx) => bury(tx, record.id) },
    ],
  ];
}
