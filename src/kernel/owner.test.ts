import { fork } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimDataFolder } from './owner.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'strongroom-owner-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A process that claims the folder, says what came of it, and stays. */
function otherProcess(folder: string) {
  const script = join(dir, 'claim.ts');
  const module = new URL('./owner.ts', import.meta.url).href;
  writeFileSync(
    script,
    `import { claimDataFolder } from ${JSON.stringify(module)};
     const claim = await claimDataFolder(process.argv[2]);
     process.send(claim !== undefined);
     setInterval(() => claim, 1000);`,
  );
  const child = fork(script, [folder], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const claimed = new Promise<boolean>((resolve, reject) => {
    child.once('message', (message) => resolve(message === true));
    child.once('error', reject);
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    claimed,
    kill() {
      child.kill('SIGKILL');
      return ended;
    },
  };
}

test('one process owns a folder; the next may as soon as it was killed', async () => {
  const folder = join(dir, 'data');
  const other = otherProcess(folder);
  try {
    expect(await other.claimed).toBe(true);
    const asked = performance.now();
    expect(await claimDataFolder(folder)).toBeUndefined();
    expect(performance.now() - asked).toBeLessThan(1_000);
  } finally {
    await other.kill();
  }
  const claim = await claimDataFolder(folder);
  expect(claim).toBeDefined();
  const late = otherProcess(folder);
  expect(await late.claimed).toBe(false);
  await late.kill();
  claim!.release();
});

test('the same process cannot own it twice, and can again after the release', async () => {
  const first = await claimDataFolder(dir);
  expect(await claimDataFolder(join(dir, '.', ''))).toBeUndefined();
  first!.release();
  first!.release();
  const again = await claimDataFolder(dir);
  expect(again).toBeDefined();
  again!.release();
});
