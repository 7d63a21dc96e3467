/**
 * The disk store on a broken disk: full, limited, failing. A refusal each time, nothing left, and work goes on when the
 * trouble is over. Real faults from the kernel: limits of the process, a small file system, errors put in by strace.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ChildResult, ChildWork } from './disk-child.ts';

const bucket = 'strongroom-01hzzzzzzzzzzzzzzzzzzzzzzz';
const id = 'upl_01hzzzzzzzzzzzzzzzzzzzzzzz';
const child = join(import.meta.dirname, 'disk-child.ts');

let dataDir: string;
beforeEach(() => {
  dataDir = fs.mkdtempSync(join(tmpdir(), 'strongroom-faults-'));
});
afterEach(() => fs.rmSync(dataDir, { recursive: true, force: true }));

/** Runs work in a process below `before` (a command that takes another) and gives the results of each group. */
function run(before: readonly string[], work: readonly (readonly ChildWork[])[]): readonly (readonly ChildResult[])[] {
  const [command = '', ...args] = [...before, process.execPath, child, dataDir, bucket, JSON.stringify(work)];
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { done?: number; results: ChildResult[] });
  return lines.filter(({ done }) => done !== undefined && done >= 0).map(({ results }) => results);
}

const temporary = () => fs.readdirSync(join(dataDir, 'buckets', bucket, 'tmp'));
function objects(): readonly string[] {
  const folder = join(dataDir, 'buckets', bucket);
  return fs
    .readdirSync(folder)
    .filter((name) => name !== 'tmp')
    .flatMap((name) => fs.readdirSync(join(folder, name)));
}
const code = (result: ChildResult | undefined) => (result !== undefined && 'code' in result ? result.code : 'ok');

test('a limit on the size of files is too_large, and smaller files go on', () => {
  const work: ChildWork[][] = [
    [{ do: 'put', bytes: 3_000_000 }],
    [{ do: 'put', bytes: 1_000 }],
    [{ do: 'append', id, at: 0, bytes: 3_000_000 }],
    [{ do: 'offset', id }],
  ];
  const results = run(['bash', '-c', 'ulimit -f 1000; exec "$@"', 'bash'], work);
  expect(results.flat().map(code)).toEqual(['file_too_large', 'ok', 'file_too_large', 'ok']);
  expect(results[0]![0]).toMatchObject({ kind: 'too_large' });
  expect(results[3]![0]).toEqual({ ok: 0 });
  expect(objects()).toHaveLength(1);
  expect(temporary().filter((name) => name.endsWith('.put'))).toEqual([]);
});

test('too few descriptors: some are told to come again, nothing breaks, nothing is left', () => {
  const many: ChildWork[] = Array.from({ length: 200 }, () => ({ do: 'put', bytes: 600_000 }));
  const [first, later] = run(['bash', '-c', 'ulimit -n 40; exec "$@"', 'bash'], [many, [{ do: 'put', bytes: 10 }]]);
  const codes = first!.map(code);
  expect(codes).toContain('too_many_files');
  expect(codes.filter((one) => one !== 'ok' && one !== 'too_many_files')).toEqual([]);
  expect(later!.map(code)).toEqual(['ok']);
  expect(objects()).toHaveLength(codes.filter((one) => one === 'ok').length + 1);
  expect(temporary()).toEqual([]);
});

const mountable = process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0;
if (!mountable) console.warn('File systems may not be mounted here: the full disk is not tried.');

test.skipIf(!mountable)('a full disk is disk_full and leaves nothing; small files go on in what is left', () => {
  const script = `mount -t tmpfs -o size=4m none ${dataDir} && "$@"; code=$?; find ${dataDir} -name '*.put' -o -name '*.part' -size +0 >&2; exit $code`;
  const work: ChildWork[][] = [
    [{ do: 'put', bytes: 10_000_000 }],
    [{ do: 'append', id, at: 0, bytes: 10_000_000 }],
    [{ do: 'offset', id }],
    [{ do: 'put', bytes: 1_000_000 }],
    [{ do: 'append', id, at: 0, bytes: 1_000_000 }],
    [{ do: 'put', bytes: 3_000_000 }],
    [{ do: 'finish', id }],
  ];
  const results = run(['unshare', '-m', 'bash', '-c', script, 'bash'], work).flat();
  expect(results.map(code)).toEqual(['disk_full', 'disk_full', 'ok', 'ok', 'ok', 'disk_full', 'ok']);
  expect(results[0]).toMatchObject({ kind: 'no_space' });
  expect(results[2]).toEqual({ ok: 0 });
});

test.skipIf(!mountable)('no inodes left is disk_full too', () => {
  const script = `mount -t tmpfs -o nr_inodes=12 none ${dataDir} && exec "$@"`;
  const work: ChildWork[][] = [[{ do: 'put', bytes: 10, times: 20 }]];
  expect(run(['unshare', '-m', 'bash', '-c', script, 'bash'], work).flat().map(code)).toEqual(['disk_full']);
});

const traceable = spawnSync('strace', ['-f', '-o', '/dev/null', 'true']).status === 0;
if (!traceable) console.warn('strace is not here or may not trace: failing system calls are not tried.');

describe.skipIf(!traceable)('a system call that fails', () => {
  /** Lets one call fail, which must refuse the work and leave nothing; what comes then goes well. */
  function withFault(fault: string, work: ChildWork): ChildResult {
    // Made before, so that the fault meets the upload.
    fs.mkdirSync(join(dataDir, 'buckets', bucket, 'tmp'), { recursive: true });
    const trace = join(dataDir, 'trace');
    const calls = fault.replace(/:.*$/, '');
    // strace counts calls by thread: with one thread for files, the first is the first.
    const strace = ['strace', '-f', '-qq', '-o', trace, '-E', 'UV_THREADPOOL_SIZE=1'];
    const faulty = [...strace, '-e', `trace=${calls}`, '-e', `inject=${fault}`];
    const results = run(faulty, [[work], [{ do: 'put', bytes: 10 }]]).flat();
    expect(code(results[1]), 'the next one').toBe('ok');
    expect(objects().length).toBe(1);
    expect(temporary()).toEqual([]);
    expect(JSON.stringify(results)).not.toContain(dataDir);
    expect(fs.readFileSync(trace, 'utf8')).toMatch(/\(INJECTED\)/);
    return results[0]!;
  }

  test.each([
    ['write of a small file: no space', 'pwrite64,pwritev:error=ENOSPC:when=1', 100, 'disk_full'],
    ['write of a small file: over a quota', 'pwrite64,pwritev:error=EDQUOT:when=1', 100, 'disk_full'],
    ['a later write of a large file', 'pwrite64,pwritev:error=ENOSPC:when=4', 3_000_000, 'disk_full'],
    ['write: an error of the device', 'pwrite64,pwritev:error=EIO:when=1', 100, 'storage_failed'],
    ['rename', 'rename,renameat,renameat2:error=EIO:when=1', 100, 'storage_failed'],
  ])('%s', (_, fault, bytes, expected) => {
    expect(code(withFault(fault, { do: 'put', bytes }))).toBe(expected);
  });

  // The new folder in the one above, the file, and the folder of the rename.
  test.each([1, 2, 3])('fsync number %i of a put', (nth) => {
    expect(code(withFault(`fsync:error=EIO:when=${nth}`, { do: 'put', bytes: 100 }))).toBe('storage_failed');
  });

  // It begins after 32 MiB: with those alone it fails beside the last fsync, with more beside a later write.
  test.each([32, 40])('an early fdatasync of a file of %i MiB: its error is not lost', (size) => {
    const fault = 'fdatasync:error=EIO:when=1';
    expect(code(withFault(fault, { do: 'put', bytes: size * 1024 * 1024 }))).toBe('storage_failed');
  });
});

test('a process that is killed in the middle leaves only what the sweep removes', async () => {
  const work: ChildWork[][] = [Array.from({ length: 4 }, () => ({ do: 'put', bytes: 4_000_000_000 }))];
  const running = spawn(process.execPath, [child, dataDir, bucket, JSON.stringify(work)], { stdio: 'ignore' });
  const ended = new Promise((resolve) => running.once('exit', resolve));
  const folder = join(dataDir, 'buckets', bucket, 'tmp');
  const written = () => (fs.existsSync(folder) ? temporary().map((name) => fs.statSync(join(folder, name)).size) : []);
  await expect.poll(() => written().filter((size) => size > 2_000_000).length, { timeout: 20_000 }).toBeGreaterThan(0);
  running.kill('SIGKILL');
  await ended;
  expect(objects()).toEqual([]);
  expect(temporary().every((name) => name.endsWith('.put'))).toBe(true);
  execFileSync(process.execPath, ['-e', sweepScript, dataDir, bucket]);
  expect(temporary()).toEqual([]);
});

const source = (path: string) => JSON.stringify(join(import.meta.dirname, '../../src/kernel', path));
const sweepScript = `
  const { createDiskStores } = await import(${source('files/disk.ts')});
  const { testConfig } = await import(${source('config.ts')});
  const [dataDir, bucket] = process.argv.slice(1);
  const stores = createDiskStores({ config: testConfig({ dataDir }) });
  await stores.open(bucket).sweepTemporary(Date.now() + 1_000);
`;
