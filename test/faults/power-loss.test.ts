/**
 * D1 under power loss (F3): the data folder lies on an ext4 image with a long commit interval; under upload load the file
 * system is shut down without flushing its log (ioctl 0x8004587d, argument 2), so everything that was not fsynced is
 * gone. After a remount every acknowledged upload must be there. Take the fsync out of the disk store, or FULL out of
 * SQLite, and this fails.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { missingAfterCrash, newAckLog, uploadLoad } from '../support/ack-log.ts';
import { type RunningProcess, startProcess } from '../support/process.ts';
import { logIn, newCompany, setUpOperator } from '../support/story.ts';

const rounds = Number(process.env.STRONGROOM_TEST_POWER_ROUNDS ?? 6);
const folder = mkdtempSync(join(tmpdir(), 'strongroom-power-'));
const image = join(folder, 'disk.img');
const mountPoint = join(folder, 'disk');
const dataDir = join(mountPoint, 'data');
let server: RunningProcess | undefined;

function run(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'pipe' }).status === 0;
}

const mount = () => run('mount', '-o', 'loop,commit=300', image, mountPoint);

function powerOff(): boolean {
  const script =
    'import fcntl,os,struct,sys; fcntl.ioctl(os.open(sys.argv[1],os.O_RDONLY),0x8004587d,struct.pack("I",2))';
  return run('python3', '-c', script, mountPoint);
}

/** Whether this machine can lose power on demand: root, a loop device, ext4, python3 for the ioctl. */
function possible(): boolean {
  mkdirSync(mountPoint);
  const made = run('truncate', '-s', '512M', image) && run('mkfs.ext4', '-q', image) && mount();
  if (!made) return false;
  const off = powerOff();
  run('umount', mountPoint);
  return off && run('mkfs.ext4', '-q', '-F', image) && mount();
}

const can = possible();
if (!can) console.warn('power-loss test skipped: it wants root, a loop device, mkfs.ext4 and python3');

afterAll(async () => {
  await server?.kill();
  run('umount', mountPoint);
  rmSync(folder, { recursive: true, force: true });
});

test.runIf(can)(
  `${rounds} power losses under load lose nothing that was acknowledged`,
  { timeout: 15 * 60_000 },
  async () => {
    server = await startProcess(dataDir);
    const operator = await setUpOperator(server.url, server.setupToken!);
    const company = await newCompany(server.url, operator.access_token, 'Power Works');
    const log = newAckLog();
    let token = company.admin.token;
    for (let round = 0; round < rounds; round += 1) {
      let over = false;
      const load = uploadLoad(server.url, [token], log, {
        lanes: 4,
        until: () => over,
        size: () => 200 + Math.floor(Math.random() * 60_000),
      });
      await new Promise((resolve) => setTimeout(resolve, 300 + Math.random() * 900));
      const acknowledgedBefore = log.acknowledged.length;
      expect(acknowledgedBefore).toBeGreaterThan(0);
      expect(powerOff()).toBe(true);
      await server.kill();
      over = true;
      await load;
      expect(run('umount', mountPoint)).toBe(true);
      expect(mount()).toBe(true);
      server = await startProcess(dataDir);
      token = (await logIn(server.url, company.admin.username, company.id)).access_token;
      expect(await missingAfterCrash(server.url, log, () => token)).toEqual([]);
    }
  },
);
