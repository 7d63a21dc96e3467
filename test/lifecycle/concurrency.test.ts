/**
 * Verbs that race: whatever is asked at once, the fleet's trail (whose order is the order of commits) is a path through
 * the states of a company, who was refused was refused rightly, and the end is where the path ends.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { TenantState } from '../../src/kernel/handles.ts';
import { createTestTenant, openTestKernel, testOperator } from '../support/kernel.ts';
import { probeModule, remainsOf, workingProblem } from '../support/lifecycle.ts';

type Verb = 'suspend' | 'resume' | 'delete' | 'restore' | 'purge';

/** The states a verb may find, and what it leaves; `before` is the state that a deletion found. */
function step(state: TenantState, action: string, before: TenantState): TenantState | undefined {
  switch (action) {
    case 'company.suspended':
      return state === 'active' ? 'suspended' : undefined;
    case 'company.resumed':
      return state === 'suspended' ? 'active' : undefined;
    case 'company.deleted':
      return state === 'active' || state === 'suspended' ? 'deleting' : undefined;
    case 'company.restored':
      return state === 'deleting' ? before : undefined;
    case 'company.purge_started':
      return ['active', 'suspended', 'deleting'].includes(state) ? 'purging' : undefined;
    case 'company.purged':
      return state === 'purging' ? 'deleted' : undefined;
    default:
      return undefined;
  }
}

const verbs = fc.array(fc.constantFrom<Verb>('suspend', 'resume', 'delete', 'restore', 'purge'), {
  minLength: 3,
  maxLength: 9,
});
const waves = fc.array(verbs, { minLength: 1, maxLength: 2 });

it('are ordered', async () => {
  const kernel = await openTestKernel({}, { modules: (made) => [probeModule(made)] });
  await fc.assert(
    fc.asyncProperty(waves, async (rounds) => {
      const { record } = await createTestTenant(kernel, { provisioning: { 'probe-invitation': 'x' } });
      const refusals: unknown[] = [];
      for (const round of rounds) {
        const results = await Promise.allSettled(round.map((verb) => kernel.tenants[verb](record.id, testOperator)));
        for (const result of results) if (result.status === 'rejected') refusals.push(result.reason.kind);
      }
      // Refused, never broken.
      expect(refusals.filter((kind) => kind !== 'conflict' && kind !== 'not_found')).toEqual([]);
      const { items } = await kernel.audit.listFleet({ limit: 200 });
      const path = items
        .filter((row) => row.target === record.id)
        .map((row) => row.action)
        .reverse();
      expect(path.shift()).toBe('company.created');
      let state: TenantState = 'active';
      let before: TenantState = 'active';
      for (const action of path) {
        const after = step(state, action, before);
        expect(after, `${action} in ${state}: ${path.join(', ')}`).toBeDefined();
        if (action === 'company.deleted') before = state;
        state = after!;
      }
      expect((await kernel.tenants.get(record.id))?.state).toBe(state);
      if (state === 'active') expect(await workingProblem(kernel, record.id)).toBeUndefined();
      if (state === 'deleted') expect(await remainsOf(kernel, record.id)).toEqual({ files: [], rows: [] });
      else await kernel.tenants.purge(record.id, testOperator);
    }),
    { numRuns: 20 },
  );
}, 60_000);

it('of creations and of closing end in order', async () => {
  const kernel = await openTestKernel({}, { modules: (made) => [probeModule(made)] });
  const running = Array.from({ length: 8 }, (_, index) => createTestTenant(kernel, { name: `Closing ${index}` }));
  await new Promise((resolve) => setTimeout(resolve, 5));
  const closing = kernel.close();
  const results = await Promise.allSettled(running);
  await closing;
  await expect(
    kernel.tenants.create({ name: 'Late', email: 'office@example.com' }, testOperator),
  ).rejects.toMatchObject({
    code: 'shutting_down',
  });
  const reopened = await openTestKernel({ dataDir: kernel.config.dataDir }, { modules: (made) => [probeModule(made)] });
  await reopened.settle();
  const counts = await reopened.tenants.countByState();
  expect(Object.keys(counts).filter((state) => state !== 'active')).toEqual([]);
  expect(counts.active ?? 0).toBeGreaterThanOrEqual(results.filter((result) => result.status === 'fulfilled').length);
  expect(await reopened.doctor.examine({ repair: false })).toEqual([]);
});
