/**
 * Every place at which creation and removal at Neon can break off, by an error and by kill -9: between the steps of the
 * journal, and within the steps of the placement.
 */
import { describe, it } from 'vitest';
import { neonPoints, useNeonAlone } from '../neon/breaking-off.ts';
import { diesAt, throwsAt } from '../support/lifecycle-faults.ts';
import { betweenPoints, everyStep } from '../support/placement-faults.ts';

const atNeon = useNeonAlone();

describe.each(['project', 'database'] as const)('a %s a company', (mode) => {
  const inside = neonPoints(mode);
  it.each([...inside, ...betweenPoints()])('an error at %s', (point, scenario) =>
    throwsAt(scenario, point, atNeon(mode)),
  );
  it.each(['undo.database.before', 'undo.database.after'])('an error at %s', (point) =>
    throwsAt('undo', point, atNeon(mode)),
  );
  it.each([...inside, ...everyStep()])('kill -9 at %s', (point, scenario) => diesAt(scenario, point, atNeon(mode)));
});
