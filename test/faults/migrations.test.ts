/**
 * A process that is killed (-9) at random moments of a fleet migration, and started again: in the end every company is at
 * the head once, none twice, and it was one run.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { shiftedClock } from '../../src/kernel/clock.ts';
import { applied, type MixedFleet, makeMixedFleet, migrateVerbs, nextRelease } from '../migrations/mixed-fleet.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';

const program = fileURLToPath(new URL('../migrations/run-child.ts', import.meta.url));

let server: PostgresServer;
let fleet: MixedFleet | undefined;

beforeAll(async () => {
  server = await startPostgres();
}, 120_000);
afterEach(async () => {
  await fleet?.remove();
  fleet = undefined;
}, 60_000);
afterAll(async () => {
  await server?.stop();
});

/** Runs the child; killed so long after it began to migrate. Gives what it said last. */
function runChild(config: MixedFleet['config'], killAfter: number | undefined): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, JSON.stringify(config)], { stdio: ['ignore', 'pipe', 'inherit'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => {
      const first = out === '';
      out += chunk.toString();
      if (first && killAfter !== undefined) setTimeout(() => child.kill('SIGKILL'), killAfter);
    });
    child.once('error', reject);
    child.once('close', () => {
      clearTimeout(timer);
      resolve(out.trim().split('\n').at(-1) ?? '');
    });
  });
}

test('is gone on with until every company is at the head once', async () => {
  const made = await makeMixedFleet(server, { sqlite: 6, schema: 6, database: 3 });
  fleet = made;
  const kills: number[] = [];
  let last = '';
  let cut = 0;
  for (let turn = 0; turn < 5 && last !== 'succeeded'; turn += 1) {
    kills.push(Math.floor(30 + Math.random() * 300));
    last = await runChild(made.config, kills.at(-1));
    if (last === 'running') cut += 1;
  }
  if (last !== 'succeeded') last = await runChild(made.config, undefined);
  const told = `killed after ${kills.join(', ')} ms`;
  expect(last, told).toBe('succeeded');
  expect(cut, told).toBeGreaterThan(0);
  const kernel = await made.open([nextRelease]);
  expect(await kernel.fleet.counts(), told).toMatchObject({ behind: 0, failed: 0 });
  const runs = await kernel.fleet.list(10);
  expect(runs, told).toHaveLength(1);
  expect(runs[0], told).toMatchObject({ status: 'succeeded', total: 15, done: 15, failed: 0, skipped: 0 });
  for (const record of made.records) {
    expect(await made.marks(record), `${record.name}, ${told}`).toEqual(applied);
    expect(await migrateVerbs(kernel, record.id), `${record.name}, ${told}`).toEqual(['succeeded']);
  }
  expect(await kernel.doctor.examine({ repair: false }), told).toEqual([]);
}, 120_000);

test('is gone on with by another process of the same control database, once the lease is over', async () => {
  const controlUrl = await server.newDatabase('control_killed');
  const made = await makeMixedFleet(server, { schema: 6 }, { controlUrl });
  fleet = made;
  expect(await runChild(made.config, 200)).toBe('running');
  // A minute later.
  const kernel = await made.open([nextRelease], { clock: shiftedClock(() => 60_000) });
  const [run] = await kernel.fleet.list(1);
  expect(await kernel.fleet.wait(run!.id)).toMatchObject({ status: 'succeeded', done: 6 });
  for (const record of made.records) {
    expect(await made.marks(record)).toEqual(applied);
    expect(await migrateVerbs(kernel, record.id)).toEqual(['succeeded']);
  }
}, 60_000);
