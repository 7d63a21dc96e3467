import { Readable } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { createIsolated, type IsolatedFailure, type IsolatedLimits } from './isolated.ts';

const MiB = 1024 * 1024;
const limits: IsolatedLimits = {
  processorMilliseconds: 30_000,
  milliseconds: 60_000,
  memoryBytes: 256 * MiB,
  inputBytes: MiB,
  outputBytes: MiB,
};
const program = new URL('testing.ts', import.meta.url);

function run(
  isolated: ReturnType<typeof createIsolated>,
  deed: string,
  options: Partial<IsolatedLimits> & { output?: number; input?: string; signal?: AbortSignal; patience?: number } = {},
) {
  const { output = 0, input = 'bytes', signal = new AbortController().signal, patience = 20_000, ...own } = options;
  return isolated.run({
    program,
    task: { deed, output },
    input: async () => Readable.from([Buffer.from(input)]),
    limits: { ...limits, ...own },
    signal,
    patience,
  });
}

async function reasonOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    return (error as IsolatedFailure).reason;
  }
}

// At its low priority a process takes its time beside busy ones.
vi.setConfig({ testTimeout: 120_000 });

const isolated = createIsolated({ concurrency: 2 });

test('work gets its bytes and gives back facts and bytes', async () => {
  const { facts, blobs } = await run(isolated, 'echo', { output: 3 });
  expect(facts).toBe(5);
  expect(blobs.map((blob) => Buffer.from(blob).toString('latin1'))).toEqual(['\x07\x07\x07', 'bytes']);
});

test('each limit ends it, and says which one it was', async () => {
  const began = performance.now();
  // Of its work, by the watchdog inside.
  expect(await reasonOf(run(isolated, 'spin', { processorMilliseconds: 700 }))).toBe('time');
  expect(performance.now() - began).toBeLessThan(50_000);
  // Of the clock, by the one who wants the work; the watchdog comes two seconds later.
  const waited = performance.now();
  expect(await reasonOf(run(isolated, 'wait', { milliseconds: 700 }))).toBe('time');
  expect(performance.now() - waited).toBeLessThan(2_500);
  expect(await reasonOf(run(isolated, 'buffers'))).toBe('memory');
  expect(await reasonOf(run(isolated, 'heap'))).toBe('memory');
  expect(await reasonOf(run(isolated, 'echo', { output: 2 * MiB }))).toBe('output');
  expect(await reasonOf(run(isolated, 'echo', { input: 'x'.repeat(2 * MiB) }))).toBe('input');
});

test('a crash, an early end and a refusal are told apart, and the next work is done', async () => {
  expect(await reasonOf(run(isolated, 'crash'))).toBe('crashed');
  expect(await reasonOf(run(isolated, 'exit'))).toBe('crashed');
  const refused = await run(isolated, 'throw').catch((error: unknown) => error as IsolatedFailure);
  expect(refused).toMatchObject({ reason: 'refused', detail: 'unreadable' });
  expect(String(refused)).not.toContain('secret');
  expect((await run(isolated, 'echo')).facts).toBe(5);
});

test('it has no environment, reads nothing of the machine, writes nothing, starts nothing', async () => {
  expect((await run(isolated, 'environment')).facts).toBe(0);
  for (const deed of ['hostname', 'write', 'start']) expect(await reasonOf(run(isolated, deed))).toBe('refused');
});

test('no more than its turns run at once; who waits too long is told, and a stop ends what runs', async () => {
  const one = createIsolated({ concurrency: 1 });
  const stop = new AbortController();
  const first = reasonOf(run(one, 'spin', { signal: stop.signal }));
  expect(await reasonOf(run(one, 'echo', { patience: 200 }))).toBe('busy');
  const third = run(one, 'echo');
  stop.abort();
  expect(await first).toBe('stopped');
  expect((await third).facts).toBe(5);
});
