/**
 * Creation and removal at Neon that break off within the placement's steps: after the restart there is a working company in
 * one project, or nothing. A sample; every place, by an error and by kill -9, is in `test/faults`.
 */
import { describe, it } from 'vitest';
import { diesAt, throwsAt } from '../support/lifecycle-faults.ts';
import { useNeonAlone } from './breaking-off.ts';

const atNeon = useNeonAlone();

describe('an error at', () => {
  it.each([
    ['place.neon.created', 'create', 'project'],
    ['place.neon.filled', 'create', 'project'],
    ['remove.neon.deleted', 'purge', 'project'],
    ['place.neon.settled', 'create', 'database'],
    ['remove.neon.dropped', 'purge', 'database'],
  ] as const)('%s', (point, scenario, mode) => throwsAt(scenario, point, atNeon(mode)));
});

describe('kill -9 at', () => {
  it.each([
    ['place.neon.recorded', 'create', 'project'],
    ['place.neon.created', 'create', 'database'],
  ] as const)('%s', (point, scenario, mode) => diesAt(scenario, point, atNeon(mode)));
});
