/** Two companies of the embedded default: files of SQLite and folders. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type RunningProcess, startProcess } from '../support/process.ts';
import { setUpOperator } from '../support/story.ts';
import { openWorldReader } from '../support/world.ts';
import { accessSuite, leakEnvironment, leakSuite, type UnderTest } from './suite.ts';
import { makeWorld } from './worlds.ts';

const folder = mkdtempSync(join(tmpdir(), 'strongroom-leaks-'));
let server: RunningProcess;
let under: UnderTest;

beforeAll(async () => {
  server = await startProcess(folder, { env: leakEnvironment });
  const { url } = server;
  const operator = (await setUpOperator(url, server.setupToken!)).access_token;
  const own = await makeWorld(url, operator, 'Own Works');
  const other = await makeWorld(url, operator, 'Other Works', 'sqlite', false);
  under = { url, reader: openWorldReader({ dataDir: folder }), worlds: { operator, own, other } };
}, 300_000);

afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

leakSuite('files of SQLite, and folders', () => under);
accessSuite(() => under);
