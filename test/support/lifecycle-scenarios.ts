/** The verbs that take more than one commit, with every place at which they can be made to fail. */
import { Readable } from 'node:stream';
import type { Kernel } from '../../src/kernel/kernel.ts';
import type { Module } from '../../src/kernel/module.ts';
import { namesOfCreateSteps, purgeStepNames } from '../../src/kernel/tenants/steps.ts';
import { testOperatorActor } from './actors.ts';

/** `undo`: a creation whose last step but one refuses, so that everything is taken back. */
export type Scenario = 'create' | 'purge' | 'undo';

/** Every failpoint of a scenario, in the order in which they are passed. */
export function pointsOf(scenario: Scenario, modules: readonly Module[]): readonly string[] {
  const steps = { create: namesOfCreateSteps(modules), purge: purgeStepNames, undo: purgeStepNames.slice(1) }[scenario];
  const points = steps.flatMap((step) => [`${scenario}.${step}.before`, `${scenario}.${step}.after`]);
  // Beyond its last commit an undoing has no place left.
  return scenario === 'undo' ? points.filter((point) => point !== 'undo.tombstone.after') : points;
}

/** What may be there after the restart that follows a fault at this point. */
export function expectedAfter(scenario: Scenario, point: string): 'working' | 'nothing' {
  if (scenario === 'undo') return 'nothing';
  if (scenario === 'purge') return point === 'purge.refuse.before' ? 'working' : 'nothing';
  return point === 'create.reserve.before' ? 'nothing' : 'working';
}

/** Runs a scenario; `arm` is called when everything before the verb in question is done. */
export async function runScenario(
  kernel: Kernel,
  scenario: Scenario,
  hooks: { arm: () => void; known: (tenantId: string) => void },
): Promise<void> {
  const input = {
    name: 'Fault',
    email: 'office@example.com',
    slug: 'fault',
    provisioning: { 'probe-invitation': 'x' },
  };
  if (scenario === 'purge') {
    const { record } = await kernel.tenants.create(input, testOperatorActor);
    hooks.known(record.id);
    // A bucket with something in it: more than a name is to go.
    const { files } = await kernel.tenants.open(record.id, { kind: 'system' });
    await files.put(Readable.from([Buffer.from('content')]));
    hooks.arm();
    await kernel.tenants.purge(record.id, testOperatorActor);
  } else {
    hooks.arm();
    await kernel.tenants.create(input, testOperatorActor, (_, record) => hooks.known(record.id));
  }
}
