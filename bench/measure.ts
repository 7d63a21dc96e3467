/**
 * The few things every measurement needs: medians, quantiles, alternating pairs, process figures, the cost of an fsync.
 * Machines are shared and noisy, so a figure is always printed beside its bare twin from the same run.
 */
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export interface Row {
  readonly what: string;
  /** The bare thing, in `unit`; null where there is none. */
  readonly bare: number | null;
  readonly ours: number;
  readonly unit: string;
  /** The aim in words, and whether this run met it. */
  readonly aim: string;
  readonly met: boolean | null;
  readonly note?: string;
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Medians of rates, where ours is to be at least so much of the bare one. */
export function atLeast(
  what: string,
  rates: { readonly bare: readonly number[]; readonly ours: readonly number[] },
  share: number,
  than = 'bare',
): Row {
  const [bare, ours] = [median(rates.bare), median(rates.ours)];
  return { what, bare, ours, unit: '/s', aim: `>= ${share} of ${than}`, met: ours >= share * bare };
}

/** Runs both sides in turn, `pairs` times, and gives the results of each. The side that begins changes every time. */
export async function alternate<T>(
  pairs: number,
  bare: () => Promise<T>,
  ours: () => Promise<T>,
): Promise<{ bare: T[]; ours: T[] }> {
  const result = { bare: [] as T[], ours: [] as T[] };
  for (let pair = 0; pair < pairs; pair += 1) {
    const first = pair % 2 === 0;
    if (first) result.bare.push(await bare());
    result.ours.push(await ours());
    if (!first) result.bare.push(await bare());
  }
  return result;
}

/** Milliseconds that one call took. */
export async function timed(work: () => Promise<unknown> | unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Median milliseconds of one fsync of a 4 KiB append in this folder. */
export function fsyncCost(folder: string): number {
  const path = join(folder, 'fsync-probe');
  const file = openSync(path, 'w');
  const times: number[] = [];
  const block = Buffer.alloc(4_096, 1);
  for (let index = 0; index < 60; index += 1) {
    writeSync(file, block);
    const start = performance.now();
    fsyncSync(file);
    times.push(performance.now() - start);
  }
  closeSync(file);
  rmSync(path);
  return median(times);
}

/** Resident memory of a process in MB, and its open files. */
export function processFigures(pid: number): { rssMb: number; peakMb: number; openFiles: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
  return {
    rssMb: kilobytes('VmRSS') / 1_024,
    peakMb: kilobytes('VmHWM') / 1_024,
    openFiles: readdirSync(`/proc/${pid}/fd`).length,
  };
}

/** Forgets the peak of resident memory, so that the next reading is of what comes now. */
export function resetPeak(pid: number): void {
  const file = openSync(`/proc/${pid}/clear_refs`, 'w');
  writeSync(file, '5');
  closeSync(file);
}

const cell = (value: number) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

export function printRows(rows: readonly Row[]): void {
  for (const row of rows) {
    const ratio = row.bare === null ? '' : ` ratio ${(row.ours / row.bare).toFixed(2)}`;
    const bare = row.bare === null ? '' : ` bare ${cell(row.bare)} ${row.unit},`;
    const mark = row.met === null ? '    ' : row.met ? 'met ' : 'MISS';
    console.log(`${mark} ${row.what}: ours ${cell(row.ours)} ${row.unit},${bare}${ratio}  [aim: ${row.aim}]`);
    if (row.note) console.log(`     ${row.note}`);
  }
}
