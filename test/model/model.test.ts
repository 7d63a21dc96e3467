/**
 * Random sequences of what operators, HR staff, employees and customers do, on the reference model and on the running
 * server at once. A failure prints the shortest sequence found and its seed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, test } from 'vitest';
import { type RunningProcess, startProcess } from '../support/process.ts';
import { setUpOperator } from '../support/story.ts';
import { commands, type Real } from './commands.ts';
import { newModel } from './model.ts';

const runs = Number(process.env.STRONGROOM_TEST_MODEL_RUNS ?? 25);
const folder = mkdtempSync(join(tmpdir(), 'strongroom-model-'));
let server: RunningProcess;
let operator = '';

beforeAll(async () => {
  server = await startProcess(folder, {
    env: { STRONGROOM_LOG_LEVEL: 'warn', STRONGROOM_ACCESS_TOKEN_SECONDS: '7200' },
  });
  operator = (await setUpOperator(server.url, server.setupToken!)).access_token;
});

afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test(`${runs} random lives of a fleet agree with the model`, { timeout: 15 * 60_000 }, async () => {
  let serial = 0;
  await fc.assert(
    fc.asyncProperty(commands(60), async (sequence) => {
      const setup = () => {
        serial += 1_000;
        const real: Real = { url: server.url, operator, companies: [], people: [], documents: [], serial };
        return { model: newModel(), real };
      };
      await fc.asyncModelRun(setup, sequence);
    }),
    { numRuns: runs, endOnFailure: false, interruptAfterTimeLimit: 14 * 60_000 },
  );
});
