/**
 * D1, D2: kill -9 of the server at random moments under upload load, again and again on one data folder. Nothing that
 * was acknowledged is lost; what was not is whole or absent; nothing temporary stays, without anybody's doing; doctor
 * finds nothing.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { listAll, missingAfterCrash, newAckLog, uploadLoad } from '../support/ack-log.ts';
import { type RunningProcess, root, startProcess } from '../support/process.ts';
import { logIn, newCompany, setUpOperator } from '../support/story.ts';

const rounds = Number(process.env.STRONGROOM_TEST_KILL_ROUNDS ?? 25);
const folder = mkdtempSync(join(tmpdir(), 'strongroom-kill-'));
let server: RunningProcess | undefined;

afterAll(async () => {
  await server?.kill();
  rmSync(folder, { recursive: true, force: true });
});

/** Files under tmp/ of any bucket: objects that never became durable. */
function temporaryFiles(): string[] {
  return (readdirSync(join(folder, 'buckets'), { recursive: true }) as string[]).filter(
    (path) => path.includes('tmp/') && statSync(join(folder, 'buckets', path)).isFile(),
  );
}

test(`${rounds} kills under load lose nothing that was acknowledged`, { timeout: 20 * 60_000 }, async () => {
  const env = { STRONGROOM_OBJECT_GRACE_SECONDS: '0' };
  server = await startProcess(folder, { env });
  const operator = await setUpOperator(server.url, server.setupToken!);
  const companies = [
    await newCompany(server.url, operator.access_token, 'North Works'),
    await newCompany(server.url, operator.access_token, 'South Works'),
  ];
  const log = newAckLog();
  let tokens = companies.map((company) => company.admin.token);
  const owners = new Map(tokens.map((token, index) => [token, index]));

  for (let round = 0; round < rounds; round += 1) {
    let over = false;
    const sizes = [100, 3_000, 70_000, 900_000];
    const load = uploadLoad(server.url, tokens, log, {
      lanes: 6,
      until: () => over,
      size: () => sizes[Math.floor(Math.random() * sizes.length)]!,
    });
    await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 900));
    await server.kill();
    over = true;
    await load;
    server = await startProcess(folder, { env });
    const fresh = await Promise.all(companies.map((company) => logIn(server!.url, company.admin.username, company.id)));
    tokens = fresh.map((answer) => answer.access_token);
    for (const [index, token] of tokens.entries()) owners.set(token, index);
  }

  const current = (token: string) => tokens[owners.get(token)!]!;
  expect(log.acknowledged.length).toBeGreaterThan(rounds);
  expect(await missingAfterCrash(server.url, log, current)).toEqual([]);
  // What was never answered may be there, but then as a whole: its digest is one that was sent.
  const listed = (await Promise.all(tokens.map((token) => listAll(server!.url, token)))).flat();
  expect(listed.filter((one) => !log.attempted.has(one.sha256))).toEqual([]);
  expect(listed.length).toBeGreaterThanOrEqual(log.acknowledged.length);
  await expect.poll(temporaryFiles, { timeout: 20_000 }).toEqual([]);
  await server.stop();
  server = undefined;

  const doctor = spawnSync(process.execPath, [join(root, 'bin/strongroom.js'), 'doctor', '--json'], {
    env: { ...process.env, ...env, STRONGROOM_DATA_DIR: folder, STRONGROOM_LOG_LEVEL: 'error' },
  });
  expect(doctor.stderr.toString()).toBe('');
  expect(JSON.parse(doctor.stdout.toString())).toEqual([]);
});
