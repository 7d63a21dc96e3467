/** The table of rights, and every cell of it on the embedded default. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Preset, presets } from '../../src/kernel/roles.ts';
import { type RunningProcess, startProcess } from '../support/process.ts';
import { setUpOperator } from '../support/story.ts';
import { columns, companyOf, policyEnvironment, routes, table, wrongCells } from './suite.ts';

const folder = mkdtempSync(join(tmpdir(), 'strongroom-policy-'));
const tokens = new Map<string, string | null>([['anonymous', null]]);
let server: RunningProcess;

beforeAll(async () => {
  server = await startProcess(folder, { env: policyEnvironment });
  const operator = (await setUpOperator(server.url, server.setupToken!)).access_token;
  tokens.set('system_admin', operator);
  for (const preset of Object.keys(presets) as Preset[]) {
    for (const [role, token] of await companyOf(server.url, operator, preset)) tokens.set(role, token);
  }
}, 120_000);

afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('the table is the one that was reviewed', async () => {
  expect(routes.length).toBeGreaterThan(60);
  await expect(table()).toMatchFileSnapshot('policy.txt');
});

test.each(columns)('$caller gets what the table says', async (column) => {
  expect(await wrongCells(server.url, tokens.get(column.caller)!, column)).toEqual([]);
});
