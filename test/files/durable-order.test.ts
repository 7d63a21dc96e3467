/**
 * The order of system calls that makes an acknowledged upload survive a power loss: write → fsync of the file → rename
 * → fsync of the folder, and only then the answer. Taken from a real process by strace; without strace it is skipped.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ChildResult, ChildWork } from './disk-child.ts';
import { appendMistakes, type Call, readTrace, renameMistakes } from './trace.ts';

const traceable = spawnSync('strace', ['-f', '-o', '/dev/null', 'true']).status === 0;
if (!traceable) console.warn('strace is not here or may not trace: the order of system calls is not checked.');

const bucket = 'strongroom-01hzzzzzzzzzzzzzzzzzzzzzzz';
const id = 'upl_01hzzzzzzzzzzzzzzzzzzzzzzz';
const work: ChildWork[][] = [
  [{ do: 'put', bytes: 1_000 }],
  [{ do: 'put', bytes: 3_000_000 }],
  Array.from({ length: 12 }, (_, index) => ({ do: 'put', bytes: 20_000 * index, times: 10 })),
  [{ do: 'put', bytes: 0 }],
  [{ do: 'append', id, at: 0, bytes: 700_000 }],
  [{ do: 'append', id, at: 700_000, bytes: 10 }],
  [{ do: 'finish', id }],
];
const puts = [0, 1, 2, 3];
const appends = [4, 5];
const finish = 6;

describe.skipIf(!traceable)('the durable order', () => {
  let dataDir: string;
  let calls: readonly Call[];
  beforeAll(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'strongroom-trace-'));
    const out = join(dataDir, 'trace');
    const wanted =
      'trace=write,writev,pwrite64,pwritev,pwritev2,fsync,fdatasync,rename,renameat,renameat2,mkdir,mkdirat';
    const child = join(import.meta.dirname, 'disk-child.ts');
    // Slow fsyncs, so that many renames end while one is running: those must wait for the next.
    const slow = 'inject=fsync:delay_exit=2000';
    const args = [
      '-f',
      '-y',
      '-s',
      '64',
      '-e',
      wanted,
      '-e',
      slow,
      '-o',
      out,
      process.execPath,
      child,
      dataDir,
      bucket,
    ];
    const { status, stdout } = spawnSync('strace', [...args, JSON.stringify(work)], { encoding: 'utf8' });
    expect(status).toBe(0);
    const groups = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { results?: ChildResult[] })
      .filter((line) => line.results !== undefined);
    expect(groups).toHaveLength(work.length + 1);
    expect(groups.flatMap(({ results }) => results!).filter((result) => !('ok' in result))).toEqual([]);
    calls = readTrace(readFileSync(out, 'utf8'));
  });
  afterAll(() => rmSync(dataDir, { recursive: true }));

  test.each(puts)('of puts, group %i', (group) => {
    expect(renameMistakes(calls, group)).toEqual([]);
  });
  test.each(appends)('of appends, group %i', (group) => {
    expect(appendMistakes(calls, group)).toEqual([]);
  });
  test('of finish', () => {
    expect(renameMistakes(calls, finish)).toEqual([]);
  });

  test('every put of the group of many was seen to answer by itself', () => {
    expect(calls.filter((call) => call.name === 'write' && call.text.includes('{\\"put\\"'))).toHaveLength(123);
  });

  test('many puts at once share the fsyncs of their folder', () => {
    const folderSyncs = (from: readonly Call[]) =>
      from.filter((call) => call.name === 'fsync' && !/\.(put|part)$/.test(call.paths[0]!));
    const renames = calls.filter((call) => call.name.startsWith('rename'));
    expect(folderSyncs(calls).length).toBeLessThan(renames.length);
  });

  describe('the check itself sees', () => {
    const without = (drop: (call: Call) => boolean) => calls.filter((call) => !drop(call));
    const synced = (call: Call) => /^f(data)?sync$/.test(call.name);
    test('a file that was not fsynced', () => {
      const found = renameMistakes(
        without((call) => synced(call) && call.paths[0]!.endsWith('.put')),
        1,
      );
      expect(found).toContain('renamed before the file was fsynced');
    });
    test('a folder that was not fsynced', () => {
      const found = renameMistakes(
        without((call) => synced(call) && /\/[0-9a-f]{2}$/.test(call.paths[0]!)),
        1,
      );
      expect(found).toContain('answered before the folder of the rename was fsynced');
    });
    test('a new folder that was not fsynced in the one above', () => {
      const found = renameMistakes(
        without((call) => synced(call) && call.paths[0]!.endsWith(bucket)),
        0,
      );
      expect(found).toContain('answered before a new folder was fsynced in the one above');
    });
    test('appended bytes that were not fsynced', () => {
      const found = appendMistakes(
        without((call) => synced(call) && call.paths[0]!.endsWith('.part')),
        5,
      );
      expect(found).toEqual(['answered before the appended bytes were fsynced']);
    });
    test('a trace of nothing', () => {
      const found = renameMistakes(
        without((call) => call.name.startsWith('rename')),
        1,
      );
      expect(found).toEqual(['nothing was renamed']);
    });
  });
});
