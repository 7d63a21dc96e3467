/**
 * The whole matrix: every step of create, purge and undo × before and after × an error and kill -9 of a real process.
 * Each ends, after a restart, as a working company or as nothing, without an orphan file, folder or row.
 */
import { describe, it } from 'vitest';
import { diesAt, faultPoints, scenarios, throwsAt } from '../support/lifecycle-faults.ts';

describe.each(scenarios)('%s', (scenario) => {
  it.each(faultPoints(scenario))('throws at %s', (point) => throwsAt(scenario, point), 60_000);
  it.each(faultPoints(scenario))('is killed at %s', (point) => diesAt(scenario, point), 60_000);
});
