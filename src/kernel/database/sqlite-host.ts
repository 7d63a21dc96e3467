/**
 * The main side of the SQLite threads: starts them, pins paths to them, replaces one that hangs.
 *
 * Promises: a statement that runs longer than its limit fails with `database_timeout`, together with whatever waits on
 * the same thread; other threads are untouched, and the next request on that thread's tenants finds a new one. Native
 * SQLite code cannot be interrupted from outside, so the old thread is abandoned: at the lowest priority, never spoken
 * to again, gone as soon as its statement returns.
 */
import { setPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { threadEnvironment } from '../compile-cache.ts';
import { unavailable } from '../errors.ts';
import type { Logger } from '../log.ts';
import { sqliteError } from './sqlite-errors.ts';
import {
  type Answer,
  answer,
  type CopyRequest,
  type OpenRequest,
  op,
  type Request,
  type ThreadData,
} from './sqlite-protocol.ts';
import { createSqliteSession, type SqliteSession } from './sqlite-session.ts';

export interface SqliteHostOptions {
  /** Threads for tenants; control, maintenance and migrations have their own besides. */
  readonly workers: number;
  readonly statementSeconds: number;
  readonly log: Logger;
}

/**
 * Which thread serves a connection: `control`, `maintenance`, the one of a tenant, or one of those that migrate: two, so
 * that one computes while the other waits for the disk.
 */
export type ThreadChoice = 'control' | 'maintenance' | { readonly tenant: string } | { readonly migrate: string };

export interface SqliteHost {
  /** @throws StrongroomError unavailable `database_missing` | `database_unreadable` | `identity_mismatch` … */
  open(thread: ThreadChoice, request: OpenRequest): Promise<SqliteSession>;
  /** Makes a file from a template, whole and durable, in the maintenance thread: see `sqlite-copy.ts`. */
  copy(request: CopyRequest): Promise<void>;
  /** The name of the thread that serves a choice. */
  threadOf(thread: ThreadChoice): string;
  /** Threads that were given up and whose statement has not yet returned. */
  readonly abandoned: number;
  close(): Promise<void>;
}

/** A thread as its sessions use it. */
export interface ThreadLink {
  readonly alive: boolean;
  /** Sends a request with the others of this tick. Rejects with the product's errors. */
  send(request: Request): Promise<Answer>;
}

/** Threads that migrate; each is there once a company of its share was migrated. */
const migrating = 2;
/** How many given-up threads may still be running before no replacement is started. */
const maxAbandoned = 8;

export function createSqliteHost(options: SqliteHostOptions): SqliteHost {
  const threads = new Map<string, Thread>();
  const abandoned = new Set<Worker>();
  /** Files with sessions that may change their structure, and how many. */
  const changing = new Map<string, number>();
  let connections = 0;
  let closed = false;

  const threadOf = (choice: ThreadChoice) => {
    if (typeof choice === 'string') return choice;
    if ('migrate' in choice) return `migrate-${hash(choice.migrate) % migrating}`;
    return `tenants-${hash(choice.tenant) % options.workers}`;
  };

  function threadFor(choice: ThreadChoice): Thread {
    const name = threadOf(choice);
    const running = threads.get(name);
    if (running?.alive) return running;
    if (closed) throw unavailable('shutting_down', 'The server is shutting down.');
    if (abandoned.size >= maxAbandoned) {
      throw unavailable('database_unreachable', 'The database cannot be opened now.', 30);
    }
    const started: Thread = startThread(name, options, (worker) => {
      abandoned.add(worker);
      worker.once('exit', () => abandoned.delete(worker));
      guardExit(worker);
    });
    threads.set(name, started);
    for (const path of changing.keys()) void started.send([op.changing, 0, path, true]).catch(() => {});
    return started;
  }

  /** Tells every thread, and waits until it knows, so that no row is read with the names of columns that were. */
  async function tell(path: string, value: boolean): Promise<void> {
    const alive = [...threads.values()].filter((thread) => thread.alive);
    // One that dies meanwhile takes what it remembered with it.
    await Promise.all(alive.map((thread) => thread.send([op.changing, 0, path, value]).catch(() => {})));
  }

  async function beginChange(path: string): Promise<void> {
    changing.set(path, (changing.get(path) ?? 0) + 1);
    await tell(path, true);
  }

  async function endChange(path: string): Promise<void> {
    const left = changing.get(path)! - 1;
    if (left > 0) {
      changing.set(path, left);
      return;
    }
    changing.delete(path);
    await tell(path, false);
  }

  async function openSession(choice: ThreadChoice, request: OpenRequest): Promise<SqliteSession> {
    const thread = threadFor(choice);
    connections += 1;
    const id = connections;
    await thread.send([op.open, id, request]);
    return createSqliteSession(thread, id, request.purpose);
  }

  async function openChanging(choice: ThreadChoice, request: OpenRequest): Promise<SqliteSession> {
    await beginChange(request.path);
    let session: SqliteSession;
    try {
      session = await openSession(choice, request);
    } catch (error) {
      await endChange(request.path);
      throw error;
    }
    const closeSession = session.close;
    let open = true;
    session.close = async () => {
      try {
        await closeSession();
      } finally {
        const last = open;
        open = false;
        if (last) await endChange(request.path);
      }
    };
    return session;
  }

  return {
    threadOf,
    get abandoned() {
      return abandoned.size;
    },
    open(choice, request) {
      const changes = request.purpose === 'migrate' || request.purpose === 'maintain';
      return changes ? openChanging(choice, request) : openSession(choice, request);
    },
    async copy(request) {
      await threadFor('maintenance').send([op.copy, 0, request]);
    },
    async close() {
      closed = true;
      await Promise.all([...threads.values()].map((thread) => thread.stop()));
      threads.clear();
    },
  };
}

/** FNV-1a, 32 bits: the same tenant goes to the same thread for as long as the process lives. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}

/** Given-up threads of every host in this process. */
const stuck = new Set<Worker>();
let exitGuarded = false;
/** Node waits for its threads when it exits; one that is stuck in native code would keep the process for ever. */
function guardExit(worker: Worker): void {
  stuck.add(worker);
  worker.once('exit', () => stuck.delete(worker));
  if (exitGuarded) return;
  exitGuarded = true;
  process.on('exit', () => {
    if (stuck.size > 0) process.kill(process.pid, 'SIGKILL');
  });
}

interface Thread extends ThreadLink {
  /** Resolves when the thread has ended; it has answered everything before. */
  stop(): Promise<void>;
}
interface Waiting {
  resolve(value: Answer): void;
  reject(error: Error): void;
}

function startThread(name: string, options: SqliteHostOptions, abandon: (worker: Worker) => void): Thread {
  const progress = new Int32Array(new SharedArrayBuffer(4));
  const threadId = new Int32Array(new SharedArrayBuffer(4));
  const file = import.meta.url.endsWith('.ts') ? './sqlite-thread.ts' : './sqlite-thread.js';
  const worker = new Worker(new URL(file, import.meta.url), {
    name: `sqlite-${name}`,
    workerData: { progress, threadId } satisfies ThreadData,
    execArgv: [],
    env: threadEnvironment(),
  });
  // Requests alone keep the process alive, not the thread that waits for them.
  worker.unref();
  let alive = true;
  let outbox: Request[] = [];
  let flushing = false;
  /** First in, first out: `waiting[answered]` is the request that is answered next. */
  let waiting: Waiting[] = [];
  let answered = 0;
  const watch = createWatch(progress, options.statementSeconds * 1_000, onHang);

  function flush(): void {
    flushing = false;
    if (!alive || outbox.length === 0) return;
    const batch = outbox;
    outbox = [];
    worker.postMessage(batch);
  }

  function fail(error: Error): void {
    if (!alive) return;
    alive = false;
    watch.stop();
    worker.unref();
    const lost = waiting.slice(answered);
    waiting = [];
    answered = 0;
    outbox = [];
    for (const request of lost) request.reject(error);
  }

  function onHang(): void {
    options.log.error({ thread: name }, 'a statement took too long; its thread is replaced');
    try {
      if (threadId[0]! > 0) setPriority(threadId[0]!, 19);
    } catch {
      // Lowering it is a kindness to the others, not a condition.
    }
    abandon(worker);
    fail(unavailable('database_timeout', 'The database took too long to answer.', 5));
    void worker.terminate();
  }

  worker.on('message', (answers: readonly Answer[]) => {
    if (!alive) return;
    for (const item of answers) {
      const request = waiting[answered]!;
      waiting[answered] = undefined as unknown as Waiting;
      answered += 1;
      if (item[0] === answer.error) request.reject(sqliteError(item[1]));
      else request.resolve(item);
    }
    if (answered === waiting.length) {
      waiting = [];
      answered = 0;
      watch.stop();
      worker.unref();
    } else if (answered > 4_096) {
      waiting = waiting.slice(answered);
      answered = 0;
    }
  });
  worker.on('error', (error) => {
    options.log.error({ thread: name, err: error }, 'a database thread failed');
    fail(unavailable('database_unreachable', 'The database does not answer.', 1, error));
  });
  worker.on('exit', () => fail(unavailable('database_unreachable', 'The database does not answer.', 1)));

  return {
    get alive() {
      return alive;
    },
    send(request) {
      if (!alive) return Promise.reject(unavailable('database_unreachable', 'The database does not answer.', 1));
      return new Promise((resolve, reject) => {
        if (waiting.length === 0) {
          worker.ref();
          watch.start();
        }
        waiting.push({ resolve, reject });
        outbox.push(request);
        if (!flushing) {
          flushing = true;
          setImmediate(flush);
        }
      });
    },
    async stop() {
      if (!alive) return;
      while (alive && waiting.length > 0) await new Promise((resolve) => setTimeout(resolve, 5));
      fail(unavailable('shutting_down', 'The server is shutting down.'));
      await worker.terminate();
    },
  };
}

/** Calls `onHang` once a watched statement has been running for `limitMs`. Costs a timer only while requests wait. */
function createWatch(progress: Int32Array, limitMs: number, onHang: () => void) {
  const every = Math.max(20, Math.min(500, limitMs / 4));
  let timer: NodeJS.Timeout | undefined;
  let pending = false;
  let seen = 0;
  let since = 0;
  function look(): void {
    if (!pending) {
      // Nothing waited for a whole interval: the timer ends. It is not restarted with each request.
      clearInterval(timer);
      timer = undefined;
      return;
    }
    const count = Atomics.load(progress, 0);
    const now = performance.now();
    if (count !== seen || count % 2 === 0) {
      seen = count;
      since = now;
    } else if (now - since >= limitMs) {
      clearInterval(timer);
      timer = undefined;
      onHang();
    }
  }
  return {
    start() {
      pending = true;
      if (timer !== undefined) return;
      seen = -1;
      since = performance.now();
      timer = setInterval(look, every);
      timer.unref();
    },
    stop() {
      pending = false;
    },
  };
}
