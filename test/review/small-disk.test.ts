/** A small file system, filled up for real: writing is refused, reading goes on, and writing resumes by itself. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startProgram } from '../../src/server/program.ts';
import { call, fileForm, newCompany, type Person, setUpOperator, uploadFile } from '../support/story.ts';
import { temporaryConfig } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'strongroom-small-'));
const mounted = mount();
const { config, remove } = temporaryConfig({ dataDir: join(folder, 'data'), freeSpaceFloorBytes: 64 * 1024 * 1024 });
let program: Awaited<ReturnType<typeof startProgram>>;
let url: string;
let admin: Person;

/** Only root may mount; elsewhere the disk store's own faults are tested in test/files. */
function mount(): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

beforeAll(async () => {
  if (!mounted) return;
  mkdirSync(config.dataDir);
  program = await startProgram(config);
  url = program.address;
  const operator = await setUpOperator(url, program.setupToken!);
  admin = (await newCompany(url, operator.access_token, 'Small disk')).admin;
});

afterAll(async () => {
  await program?.close();
  if (mounted) execFileSync('umount', ['-l', folder]);
  remove();
  rmSync(folder, { recursive: true, force: true });
});

const upload = (name: string, size = 10) =>
  call(url, 'POST', '/api/documents/upload', { token: admin.token, raw: fileForm(name, Buffer.alloc(size, name)) });

test.skipIf(!mounted)(
  'a file system smaller than the floor takes uploads, and keeps room for the databases',
  async () => {
    const statuses: number[] = [];
    for (let number = 0; number < 110; number += 1) statuses.push((await upload(`file-${number}`, 500_000)).status);
    expect(statuses.filter((status) => status === 201).length).toBeGreaterThan(10);
    expect(new Set(statuses)).toEqual(new Set([201, 507]));
    // Small ones may still have found a place beside the large ones that did not.
    for (let number = 0; (await upload(`small-${number}`)).status === 201; number += 1)
      expect(number).toBeLessThan(300);
    const { bavail, bsize } = statfsSync(folder);
    expect(bavail * bsize).toBeGreaterThan(100_000);
  },
);

test.skipIf(!mounted)('on a disk without a byte left, documents are still read', async () => {
  const path = '/api/documents?limit=200';
  const list = await call<{ items: { id: string; size_bytes: number }[] }>(url, 'GET', path, { token: admin.token });
  const { id } = list.body.items.find(({ size_bytes }) => size_bytes === 500_000)!;
  const ballast = join(folder, 'ballast');
  try {
    writeFileSync(ballast, Buffer.alloc(32 * 1024 * 1024));
  } catch {
    // It is full: that is what was wanted.
  }
  expect((await upload('one-more')).status).toBe(507);
  // What the database had room for already, it takes; then it says that it has none.
  const change = async (number: number) =>
    (await call(url, 'PATCH', `/api/documents/${id}`, { token: admin.token, body: { tags: [`x${number}`] } })).status;
  for (let number = 0, status = 200; status !== 507; number += 1) {
    expect(number).toBeLessThan(1_000);
    status = await change(number);
    expect([200, 507]).toContain(status);
  }
  const download = await call(url, 'GET', `/api/documents/${id}/download`, { token: admin.token });
  expect([download.status, download.text.length]).toEqual([200, 500_000]);
  expect((await call(url, 'GET', '/api/documents', { token: admin.token })).status).toBe(200);
  rmSync(ballast);
  const document = `/api/documents/${id}`;
  expect((await call(url, 'PATCH', document, { token: admin.token, body: { tags: ['x'] } })).status).toBe(200);
  await expect(uploadFile(url, admin.token, 'after.txt', 'after')).rejects.toThrow('507');
  await call(url, 'DELETE', `${document}?purge=true`, { token: admin.token });
});
