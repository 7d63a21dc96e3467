/**
 * A fault at every step of the verbs that take more than one commit: it ends as a working company or as nothing. Here
 * by an error in this process, and by kill -9 of a real one at a few points; all of them are in `test/faults`.
 */
import { describe, expect, it } from 'vitest';
import { diesAt, faultPoints, scenarios, throwsAt } from '../support/lifecycle-faults.ts';

const sampled = scenarios.flatMap((scenario) =>
  faultPoints(scenario)
    .filter((point) => point.endsWith('.before') && (scenario !== 'undo' || point.includes('database')))
    .map((point) => [point, scenario] as const),
);
sampled.push(['purge.tombstone.after', 'purge'], ['create.reserve.after', 'create']);

describe('an error', () => {
  it.each(sampled)('at %s', (point, scenario) => throwsAt(scenario, point));
});

describe('kill -9', () => {
  it.each([
    ['create', 'create.place.after'],
    ['purge', 'purge.database.before'],
    ['undo', 'undo.bucket.before'],
  ] as const)('of a process in %s at %s', (scenario, point) => diesAt(scenario, point));
});

it('knows every step', () => {
  expect(faultPoints('create').length).toBe(16);
  expect(faultPoints('purge').length).toBe(14);
  expect(faultPoints('undo').length).toBe(11);
});
