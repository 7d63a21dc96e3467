/** A real kernel in a folder of its own, for tests: real SQLite, real files, removed afterwards. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { testConfig } from '../../src/kernel/config.ts';
import type { Actor, Tenant } from '../../src/kernel/handles.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import type { Module } from '../../src/kernel/module.ts';
import { type OpenOptions, openKernel } from '../../src/kernel/open.ts';
import type { Config } from '../../src/kernel/settings.ts';
import type { CreateTenant, TenantRecord } from '../../src/kernel/tenants/tenants.ts';
import { testOperatorActor } from './actors.ts';

export const testOperator: Actor = testOperatorActor;

export interface TestKernelOptions extends OpenOptions {
  /** Modules, or a function of the kernel that makes them. */
  readonly modules?: readonly Module[] | ((kernel: Kernel) => readonly Module[]);
  /** Default false: nothing runs by itself; `kernel.settle()` runs what is due. */
  readonly worker?: boolean;
  readonly migrateFleet?: boolean;
  /** Leave the kernel unstarted. */
  readonly start?: boolean;
}

/** A folder that is removed when the test (or hook) ends. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-test-'));
  atEnd(async () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function atEnd(run: () => Promise<void> | void): void {
  try {
    onTestFinished(run);
  } catch {
    // In a hook of a whole file: the caller closes, and the folder goes with the process.
    process.once('exit', () => void run());
  }
}

/**
 * Opens and starts a kernel. Closed when the test ends; without `overrides.dataDir` in a folder that goes with it.
 * Give a `dataDir` from `testFolder` to open the same folder again.
 */
export async function openTestKernel(
  overrides: Partial<Config> = {},
  options: TestKernelOptions | readonly Module[] = {},
): Promise<Kernel> {
  const given: TestKernelOptions = Array.isArray(options) ? { modules: options } : (options as TestKernelOptions);
  const dataDir = overrides.dataDir ?? testFolder();
  const kernel = await openKernel(testConfig({ drainSeconds: 2, ...overrides, dataDir }), given);
  // Hooks run last in, first out: closed before the folder goes.
  atEnd(() => kernel.close());
  const modules = typeof given.modules === 'function' ? given.modules(kernel) : (given.modules ?? []);
  kernel.register(modules);
  if (given.start !== false) {
    await kernel.start({ worker: given.worker ?? false, migrateFleet: given.migrateFleet ?? false });
  }
  return kernel;
}

/** A company with a handle of the system's. */
export async function createTestTenant(
  kernel: Kernel,
  input: Partial<CreateTenant> = {},
  actor: Actor = { kind: 'system' },
): Promise<{ record: TenantRecord; tenant: Tenant }> {
  const { record } = await kernel.tenants.create(
    { name: 'Test company', email: 'office@example.com', ...input },
    testOperator,
  );
  return { record, tenant: await kernel.tenants.open(record.id, actor) };
}
