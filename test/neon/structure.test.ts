/**
 * Structure at Neon that no migration made: `doctor` reports it, and a run over the fleet, by a process that has made no
 * company and learns in a project that is there what the migrations make.
 */
import { afterEach, expect, test } from 'vitest';
import { type MixedFleet, makeMixedFleet, nextRelease, statusOf } from '../migrations/mixed-fleet.ts';
import { testOperatorActor } from '../support/actors.ts';
import { neonConfig, useNeon } from './neon-server.ts';

const neon = useNeon();
let fleet: MixedFleet | undefined;
afterEach(async () => {
  await fleet?.remove();
  await neon.standIn.clear();
});

const schemas = `SELECT nspname AS name FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1`;

test.each(['project', 'database'] as const)('with a %s a company', async (mode) => {
  fleet = await makeMixedFleet(neon.server, { neon: 2 }, neonConfig(neon.standIn, mode));
  const [changed, sound] = fleet.records as [MixedFleet['records'][0], MixedFleet['records'][0]];
  await fleet.byHand(changed, 'CREATE TABLE %planted_by_hand (id text)');
  const kernel = await fleet.open([nextRelease]);
  const drifted = async () => {
    const findings = await kernel.doctor.examine({ repair: true });
    return findings.filter(({ problem }) => problem.includes('structure')).map(({ subject }) => subject);
  };
  expect(await drifted()).toEqual([changed.id]);
  const { run } = await kernel.fleet.start({ maxFailures: 2 }, testOperatorActor);
  const ended = await kernel.fleet.wait(run.id);
  expect(ended).toMatchObject({ status: 'failed', failed: 1, done: 1 });
  expect(statusOf(ended, changed.id)).toBe('failed');
  expect(ended.items.find((item) => item.tenantId === changed.id)?.reason).toContain('somebody changed it');
  // The run has put what it found on record; only what the migrations make still tells.
  expect(await drifted()).toEqual([changed.id]);
  for (const { placement } of [changed, sound]) {
    expect(await neon.server.ask(schemas, placement.unit)).toEqual(
      ['information_schema', 'public', 'strongroom'].map((name) => ({ name })),
    );
  }
});
