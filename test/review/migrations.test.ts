/** A fleet migration of everything needs no body. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startProgram } from '../../src/server/program.ts';
import { call, setUpOperator } from '../support/story.ts';
import { temporaryConfig } from './support.ts';

const { config, remove } = temporaryConfig();
let program: Awaited<ReturnType<typeof startProgram>>;
let token: string;

beforeAll(async () => {
  program = await startProgram(config);
  token = (await setUpOperator(program.address, program.setupToken!)).access_token;
});

afterAll(async () => {
  await program.close();
  remove();
});

test('a run starts without a body, with an empty one, and not with an unknown field', async () => {
  const start = (body?: unknown) => call(program.address, 'POST', '/api/system/migrations', { token, body });
  expect((await start()).status).toBe(202);
  expect((await start({})).status).toBe(202);
  expect((await start({ everything: true })).status).toBe(422);
});
