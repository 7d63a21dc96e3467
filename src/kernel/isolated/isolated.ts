/**
 * Work on bytes that nobody vouches for, in processes that can be killed: parsers of pictures, PDFs, mail, archives.
 *
 * Guarantees
 * - Each piece of work has a process of its own, which ends with it: a crash hurts nobody, and no two files meet.
 * - It is killed when it takes longer, holds more memory, or gives more bytes than it may, and when this process dies.
 *   Its processor time is watched from inside alone: who takes it over gains what the clock leaves.
 * - It has no environment, may write no file, start no program, and read only the product's own code.
 * - At most `concurrency` run at once, at a lower priority than this process; others wait for their turn.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism, constants, setPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';

/** What a program (a file that calls `serveIsolated`) does in its process. */
export type IsolatedWork = (input: Uint8Array, task: unknown) => Promise<IsolatedResult>;

export interface IsolatedResult {
  /** JSON. From a process that may have been taken over: whoever reads it checks its shape. */
  readonly facts: unknown;
  readonly blobs: readonly Uint8Array[];
}

export interface IsolatedLimits {
  /** Of processor time, all its threads together. */
  readonly processorMilliseconds: number;
  /** By the clock; more than the other, since on a busy machine it waits, and that is no fault of the file's. */
  readonly milliseconds: number;
  /** Of the whole process, code included (about 100 MB). */
  readonly memoryBytes: number;
  readonly inputBytes: number;
  readonly outputBytes: number;
}

/**
 * `time`, `memory`, `input`, `output`: a limit. `crashed`: the process ended without an answer. `refused`: the program
 * says that it cannot; `detail` is its word for why. `busy`: no turn came. `stopped`: the caller's signal.
 */
export type IsolatedReason = 'time' | 'memory' | 'input' | 'output' | 'crashed' | 'refused' | 'busy' | 'stopped';

export class IsolatedFailure extends Error {
  override readonly name = 'IsolatedFailure';
  readonly reason: IsolatedReason;
  readonly detail: string | undefined;
  constructor(reason: IsolatedReason, detail?: string) {
    super(`isolated work ended: ${reason}${detail === undefined ? '' : ` (${detail})`}`);
    this.reason = reason;
    this.detail = detail;
  }
}

export interface IsolatedTask {
  readonly program: URL;
  /** JSON. */
  readonly task: unknown;
  /** Asked for when it is this work's turn. */
  readonly input: () => Promise<Readable>;
  readonly limits: IsolatedLimits;
  readonly signal: AbortSignal;
  /** How long to wait for a turn (ms). */
  readonly patience: number;
}

export interface Isolated {
  /** @throws IsolatedFailure, and what `input` throws */
  run(task: IsolatedTask): Promise<IsolatedResult>;
}

const here = dirname(fileURLToPath(import.meta.url));
/** Longest head of an answer: facts are few. */
const longestHead = 256 * 1024;

export function createIsolated(options: { readonly concurrency?: number } = {}): Isolated {
  const { concurrency = Math.max(1, Math.min(4, Math.floor(availableParallelism() / 2))) } = options;
  const turns = createTurns(concurrency);
  return {
    async run(task) {
      const release = await turns.take(task.patience, task.signal);
      try {
        return await runOnce(task);
      } finally {
        release();
      }
    },
  };
}

function createTurns(most: number) {
  let running = 0;
  const waiting = new Set<() => void>();
  const release = () => {
    running -= 1;
    const next = waiting.values().next().value;
    next?.();
  };
  return {
    async take(patience: number, signal: AbortSignal): Promise<() => void> {
      if (signal.aborted) throw new IsolatedFailure('stopped');
      if (running >= most) {
        await new Promise<void>((resolve, reject) => {
          const end = (failure?: IsolatedFailure) => {
            clearTimeout(timer);
            signal.removeEventListener('abort', stop);
            waiting.delete(go);
            if (failure === undefined) resolve();
            else reject(failure);
          };
          const go = () => {
            running += 1;
            end();
          };
          const stop = () => end(new IsolatedFailure('stopped'));
          const timer = setTimeout(() => end(new IsolatedFailure('busy')), patience);
          signal.addEventListener('abort', stop, { once: true });
          waiting.add(go);
        });
      } else running += 1;
      let done = false;
      return () => {
        if (!done) release();
        done = true;
      };
    },
  };
}

async function runOnce({ program, task, input, limits, signal }: IsolatedTask): Promise<IsolatedResult> {
  const child = start(program, task, limits);
  const source = await input().catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  let failure: IsolatedFailure | undefined;
  const kill = (reason: IsolatedReason) => {
    failure ??= new IsolatedFailure(reason);
    child.kill('SIGKILL');
  };
  const timer = setTimeout(() => kill('time'), limits.milliseconds);
  const stop = () => kill('stopped');
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    const ended = new Promise<void>((resolve) => {
      child.once('close', () => resolve());
      child.once('error', () => resolve());
    });
    const [sent, answer, words] = await Promise.all([
      pipeline(
        source,
        counted(limits.inputBytes, () => kill('input')),
        child.stdin!,
      ).catch((error: unknown) => error),
      collected(child.stdio[3] as Readable, limits.outputBytes + longestHead, () => kill('output')),
      wordsOf(child),
      ended,
    ]);
    if (failure !== undefined) throw failure;
    if (words.reason !== undefined) throw new IsolatedFailure(words.reason);
    // A source that broke: no fault of the file's. (EPIPE is the process's own end.)
    if (sent instanceof Error && (sent as NodeJS.ErrnoException).code !== 'EPIPE' && answer.length === 0) throw sent;
    return parsed(answer);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    source.destroy();
    child.kill('SIGKILL');
  }
}

function start(program: URL, task: unknown, limits: IsolatedLimits): ChildProcess {
  const heap = Math.max(32, Math.floor(limits.memoryBytes / 2 / 1024 / 1024));
  const child = spawn(
    process.execPath,
    [
      '--permission',
      ...readable().map((folder) => `--allow-fs-read=${folder}`),
      // The watchdog is a thread, and the decoders of pictures are native.
      '--allow-worker',
      '--allow-addons',
      '--disable-warning=SecurityWarning',
      '--disallow-code-generation-from-strings',
      `--max-old-space-size=${heap}`,
      fileURLToPath(program),
      JSON.stringify(task),
      JSON.stringify(limits),
    ],
    { env: {}, cwd: here, stdio: ['pipe', 'ignore', 'pipe', 'pipe', 'pipe'], windowsHide: true },
  );
  child.on('error', () => undefined);
  child.stdin?.on('error', () => undefined);
  if (child.pid !== undefined) lower(child.pid);
  return child;
}

/** Nobody waits for this work. */
function lower(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It has ended already, or the system does not allow it.
  }
}

/** The product's own code and that of its packages, wherever npm has put them; never the data folder. */
function readable(): string[] {
  const source = dirname(dirname(here));
  const folders = [source, join(dirname(source), 'package.json')];
  for (let folder = source; folder !== dirname(folder); folder = dirname(folder)) {
    const packages = join(folder, 'node_modules');
    if (existsSync(packages)) folders.push(packages);
  }
  return folders;
}

function counted(most: number, beyond: () => void): Transform {
  let size = 0;
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      size += chunk.length;
      if (size > most) {
        beyond();
        done(new IsolatedFailure('input'));
      } else done(null, chunk);
    },
  });
}

async function collected(stream: Readable, most: number, beyond: () => void): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > most) {
        beyond();
        break;
      }
      chunks.push(chunk);
    }
  } catch {
    // The process ended while it wrote: what came is no whole answer, and is found so.
  }
  return Buffer.concat(chunks);
}

/** What the watchdog wrote before it killed, or what the engine says when its heap is full. */
async function wordsOf(child: ChildProcess): Promise<{ reason?: IsolatedReason }> {
  const [said, cried] = await Promise.all([
    collected(child.stdio[4] as Readable, 1_024, () => undefined),
    collected(child.stderr!, 64 * 1024, () => child.kill('SIGKILL')),
  ]);
  const word = said.toString('latin1');
  if (word === 'memory' || word === 'time') return { reason: word };
  return cried.includes('heap out of memory') ? { reason: 'memory' } : {};
}

function parsed(answer: Buffer): IsolatedResult {
  const end = answer.subarray(0, longestHead).indexOf(10);
  if (end < 0) throw new IsolatedFailure('crashed');
  let head: { facts?: unknown; sizes?: unknown; refused?: unknown };
  try {
    head = JSON.parse(answer.toString('utf8', 0, end)) as typeof head;
  } catch {
    throw new IsolatedFailure('crashed');
  }
  if (typeof head.refused === 'string') {
    throw new IsolatedFailure('refused', /^[a-z_]{1,40}$/.test(head.refused) ? head.refused : 'unreadable');
  }
  const sizes = Array.isArray(head.sizes) ? (head.sizes as unknown[]) : undefined;
  if (!sizes?.every((size): size is number => Number.isSafeInteger(size) && (size as number) >= 0)) {
    throw new IsolatedFailure('crashed');
  }
  const total = sizes.reduce((sum, size) => sum + size, end + 1);
  if (total !== answer.length) throw new IsolatedFailure('crashed');
  let at = end + 1;
  const blobs = sizes.map((size) => {
    at += size;
    return answer.subarray(at - size, at);
  });
  return { facts: head.facts, blobs };
}
