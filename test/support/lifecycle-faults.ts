/** One fault and what came of it: a verb that fails at a named point, a restart, and the look at what is there. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { hour, shiftedClock } from '../../src/kernel/clock.ts';
import { threadEnvironment } from '../../src/kernel/compile-cache.ts';
import { idPart, type TenantId } from '../../src/kernel/ids.ts';
import type { Config } from '../../src/kernel/settings.ts';
import { armFailpoints, disarmFailpoints, failpointHits } from '../../src/kernel/tenants/failpoints.ts';
import { openTestKernel, testFolder } from './kernel.ts';
import { probeModule, remainsOf, workingProblem } from './lifecycle.ts';
import { expectedAfter, pointsOf, runScenario, type Scenario } from './lifecycle-scenarios.ts';

export const scenarios: readonly Scenario[] = ['create', 'purge', 'undo'];

/** Where else than in a data folder the company stands. */
export interface Elsewhere {
  readonly config: Partial<Config>;
  /** What is left of a company there. */
  remains(tenantId: string): Promise<readonly string[]>;
  /** What belongs to no company there, and is not meant to stay. */
  strays?(): Promise<readonly string[]>;
}

/** Every failpoint of a scenario with the modules of these tests. */
export function faultPoints(scenario: Scenario): readonly string[] {
  return pointsOf(scenario, [probeModule({ control: undefined as never })]);
}

/** The verb throws at `point` in this process; then the kernel is closed and opened again. */
export async function throwsAt(scenario: Scenario, point: string, elsewhere?: Elsewhere): Promise<void> {
  const dataDir = testFolder();
  const overrides = { ...elsewhere?.config, dataDir };
  const kernel = await openTestKernel(overrides, { modules: (made) => [probeModule(made, scenario)] });
  let id: string | undefined;
  try {
    const hooks = {
      arm: () => armFailpoints(`${point}=throw`),
      known: (tenantId: string) => {
        id = tenantId;
      },
    };
    await expect(runScenario(kernel, scenario, hooks)).rejects.toThrow();
    expect(failpointHits().get(point)).toBe(1);
    if (id !== undefined && expectedAfter(scenario, point) === 'working') await refusesHalfMade(kernel, id, point);
  } finally {
    disarmFailpoints();
  }
  await kernel.close();
  await afterRestart(dataDir, scenario, point, id, elsewhere);
}

/** A real process runs the verb and is killed with SIGKILL at `point`. */
export async function diesAt(scenario: Scenario, point: string, elsewhere?: Elsewhere): Promise<void> {
  const dataDir = testFolder();
  const script = fileURLToPath(new URL('./lifecycle-child.ts', import.meta.url));
  const config = JSON.stringify(elsewhere?.config ?? {});
  const child = spawn(process.execPath, [script, dataDir, scenario, `${point}=exit`, config], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, ...threadEnvironment() },
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (errors += chunk));
  const signal = await new Promise((resolve) => child.once('close', (_, by) => resolve(by)));
  expect(signal, `the failpoint ${point} was not reached; ${errors}`).toBe('SIGKILL');
  await afterRestart(dataDir, scenario, point, output.trim() === '' ? undefined : output.trim(), elsewhere);
}

type TestKernel = Awaited<ReturnType<typeof openTestKernel>>;

/** Between fault and restart nothing half-made can be opened. */
async function refusesHalfMade(kernel: TestKernel, id: string, point: string): Promise<void> {
  const record = await kernel.tenants.get(id as TenantId);
  const over = point === 'create.activate.after' || point === 'purge.refuse.before';
  if (over) expect(record?.state).toBe('active');
  else
    await expect(kernel.tenants.open(id as TenantId, { kind: 'system' })).rejects.toMatchObject({
      kind: 'unavailable',
    });
}

async function afterRestart(
  dataDir: string,
  scenario: Scenario,
  point: string,
  id: string | undefined,
  elsewhere: Elsewhere | undefined,
): Promise<void> {
  expect(existsSync(dataDir)).toBe(true);
  await expectSettled({ dataDir, scenario, end: expectedAfter(scenario, point), id, elsewhere });
}

export interface Settled {
  readonly dataDir: string;
  readonly scenario: Scenario;
  readonly end: 'working' | 'nothing';
  readonly id: string | undefined;
  readonly elsewhere: Elsewhere | undefined;
  /** Between the restart, which settles what was open, and the look at what is there. */
  readonly meanwhile?: (kernel: TestKernel) => Promise<void>;
}

/** Starts again: a working company or nothing, before and after `doctor --repair`, and nothing that nobody owns. */
export async function expectSettled({ dataDir, scenario, end, id, elsewhere, meanwhile }: Settled): Promise<void> {
  let offset = 0;
  const kernel = await openTestKernel(
    { ...elsewhere?.config, dataDir },
    { modules: (made) => [probeModule(made, scenario)], clock: shiftedClock(() => offset) },
  );
  // The start waits some seconds for what it settles; a machine under load may need more.
  await kernel.settle();
  await meanwhile?.(kernel);
  await expectEnd(kernel, end, id, elsewhere);
  expect(await kernel.doctor.examine({ repair: false })).toEqual([]);
  // Doctor takes for left behind what is older than an hour, and nothing of a company is.
  offset = 2 * hour;
  for (const finding of await kernel.doctor.examine({ repair: true })) {
    expect(finding).toMatchObject({ problem: expect.stringContaining('belongs to no company'), repaired: true });
    if (id !== undefined) expect(finding.subject).not.toContain(idPart(id as TenantId));
  }
  await expectEnd(kernel, end, id, elsewhere);
  expect((await elsewhere?.strays?.()) ?? []).toEqual([]);
  expect(await kernel.doctor.examine({ repair: false })).toEqual([]);
  await kernel.close();
}

async function expectEnd(
  kernel: TestKernel,
  end: Settled['end'],
  id: string | undefined,
  elsewhere: Elsewhere | undefined,
): Promise<void> {
  if (end === 'working') {
    expect(id).toBeDefined();
    expect(await workingProblem(kernel, id!)).toBeUndefined();
    expect(await kernel.tenants.countByState()).toEqual({ active: 1 });
  } else {
    if (id !== undefined) {
      expect(await remainsOf(kernel, id)).toEqual({ files: [], rows: [] });
      expect((await elsewhere?.remains(id)) ?? []).toEqual([]);
    }
    expect(await kernel.tenants.countByState()).toEqual({});
    expect(await kernel.tenants.find('fault')).toBeUndefined();
  }
}
