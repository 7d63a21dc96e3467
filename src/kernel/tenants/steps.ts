/**
 * The steps of the verbs that take more than one commit: creating a company, and removing one (which is also how a
 * creation is undone).
 *
 * A step is idempotent: after a crash the whole plan runs again from its first step, so each looks at what is there
 * before it acts. Steps stand in groups; between two groups the journal commits once, "these are done, those begin".
 * Within a group nothing is lost by running all of it again. The last step of a plan is its commit: it changes state,
 * audit and journal in one control transaction.
 */
import type { ControlTx } from '../database/database.ts';
import type { FileStores } from '../files/file-store.ts';
import type { Tenant } from '../handles.ts';
import type { Module } from '../module.ts';
import type { Placement } from '../placements/placement.ts';
import { bury, destroyKey, setSchema, setState } from './repository.ts';
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

/** Everything after `reserve`, which is the commit that began the operation. */
export function createPlan(
  parts: StepParts,
  record: TenantRecord,
  open: () => Tenant,
  provisioning: Readonly<Record<string, unknown>>,
): Plan {
  const placement = parts.placementOf(record);
  let schema: { version: number; fingerprint: string | null } = { version: 0, fingerprint: null };
  const modules = parts.modules();
  const seeds = modules.flatMap((module) => module.seed ?? []);
  const own: Step[] = modules.flatMap(
    (module) =>
      module.provisioning?.map((step) => ({
        name: step.name,
        run: () => step.run(open(), provisioning[step.name]),
      })) ?? [],
  );
  return [
    [
      { name: 'place', run: () => placement.create(record.placement) },
      { name: 'stamp', run: () => placement.stamp(record.placement) },
      {
        name: 'migrate',
        run: async () => {
          const { fingerprint } = await placement.migrate(record.placement);
          schema = { version: parts.head(), fingerprint };
        },
      },
      {
        name: 'seed',
        run: async () => {
          if (seeds.length === 0) return;
          const tenant = open();
          await tenant.db.transaction(async (tx) => {
            for (const seed of seeds) await seed(tx, tenant);
          });
        },
      },
      { name: 'bucket', run: () => parts.files.createBucket(record.bucket) },
    ],
    [
      ...own,
      {
        name: 'activate',
        commit: async (tx) => {
          await setSchema(tx, record.id, schema);
          await setState(tx, record.id, 'active');
        },
      },
    ],
  ];
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
