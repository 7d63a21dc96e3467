/**
 * The Neon API, through the official client, with what its documentation leaves to the caller.
 *
 * - All calls of a process share one token bucket; what is locked (423), limited (429) or not there (503) is asked again,
 *   after the time that the answer names. Reads are asked again after anything that may pass.
 * - A change without a certain answer (the connection broke, another 5xx) is never sent again here: it comes back as
 *   `unknown`, 409 as `taken`, and the caller looks at what is there. Creating is not idempotent.
 * - Errors carry no request: the client's own would carry the key.
 */
import type { Api, Operation } from '@neondatabase/api-client';
import { type StrongroomError, unavailable } from '../errors.ts';
import type { Logger } from '../log.ts';
import { type NeonTimes, pauseOf, wait } from './neon-times.ts';

export interface NeonApiOptions {
  readonly key: string;
  readonly url: string;
  readonly organisation: string | null;
  readonly region: string | null;
  /** Of this process; Neon allows 700 a minute for an account, and bursts of 40 a second on one route. */
  readonly callsPerSecond: number;
  readonly times: NeonTimes;
  readonly log: Logger;
}

export interface NeonProject {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
}

/** What came of a change. `taken`: something stands in its way; `absent`: what it was about is not there. */
export type Outcome<T> =
  | { readonly outcome: 'done'; readonly value: T }
  | { readonly outcome: 'taken' | 'absent' | 'unknown' };

export interface NeonApi {
  /** Projects whose name begins with this text, oldest first. */
  projects(prefix: string): Promise<readonly NeonProject[]>;
  project(id: string): Promise<NeonProject | undefined>;
  /** Whether the API says at once that there is no such project. */
  isGone(id: string): Promise<boolean>;
  /** The new project's id, as soon as it has one; `settle` waits until it can be used. */
  createProject(input: {
    readonly name: string;
    readonly database: string;
    readonly role: string;
  }): Promise<Outcome<string>>;
  deleteProject(id: string): Promise<Outcome<unknown>>;
  /** Waits for every operation of a project. @throws unavailable `provisioning_failed` where it takes too long */
  settle(projectId: string): Promise<void>;
  /** Databases of the project's default branch; undefined where there is no such project. */
  databases(projectId: string): Promise<readonly string[] | undefined>;
  createDatabase(projectId: string, name: string, owner: string): Promise<Outcome<unknown>>;
  deleteDatabase(projectId: string, name: string): Promise<Outcome<unknown>>;
  /** Address of a database with login and password of a role that the API made; undefined where there is none. */
  address(projectId: string, database: string, role: string, pooled: boolean): Promise<URL | undefined>;
}

/** Seconds whose calls may come at once after a rest. */
const burst = 2;
const answerMs = 30_000;
const shortMs = 3_000;
/** PostgreSQL of new projects. */
const postgresVersion = 17;
const pageSize = 400;

/** Lets `perSecond` pass, and `burst` at once after a rest. */
export function createTokenBucket(perSecond: number, burst: number, now: () => number = Date.now) {
  const interval = 1_000 / perSecond;
  let next = 0;
  return {
    take(): Promise<void> | undefined {
      const time = now();
      next = Math.max(next, time - (burst - 1) * interval);
      const pause = next - time;
      next += interval;
      return pause > 0 ? wait(pause) : undefined;
    },
    /** The other side wants to hear nothing for so long. */
    pause(ms: number): void {
      next = Math.max(next, now() + ms);
    },
  };
}

interface Answer<T> {
  /** 0 where none came. */
  readonly status: number;
  readonly data: T;
  readonly headers: Readonly<Record<string, unknown>>;
}

type Call<T> = (client: Api<unknown>) => Promise<{ status: number; data: T; headers: unknown }>;

const again = new Set([423, 429, 503]);
const mayPass = (status: number) => status === 0 || status === 408 || status >= 500;

const ended: readonly string[] = ['finished', 'skipped', 'error', 'cancelled'] satisfies `${Operation['status']}`[];

/** One that failed is tried again by Neon where it says when. */
const isOpen = (operation: Operation) =>
  !ended.includes(operation.status) && (`${operation.status}` !== 'failed' || operation.retry_at !== undefined);

function createCaller(options: NeonApiOptions) {
  const bucket = createTokenBucket(options.callsPerSecond, options.callsPerSecond * burst);
  let client: Promise<Api<unknown>> | undefined;
  // Loaded with the first call: most installations never make one.
  const connect = () => {
    client ??= import('@neondatabase/api-client').then(({ createApiClient }) =>
      createApiClient({
        apiKey: options.key,
        baseURL: options.url.replace(/\/+$/, ''),
        timeout: answerMs,
        maxRedirects: 0,
        validateStatus: () => true,
      }),
    );
    return client;
  };

  async function once<T>(call: Call<T>): Promise<Answer<T>> {
    // A process that leaves the lifecycle to others is given no key.
    if (options.key === '') return { status: 401, data: undefined as T, headers: {} };
    const api = await connect();
    await bucket.take();
    try {
      const { status, data, headers } = await call(api);
      return { status, data, headers: headers as Answer<T>['headers'] };
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      options.log.warn({ code: typeof code === 'string' ? code : 'none' }, 'the Neon API gave no answer');
      return { status: 0, data: undefined as T, headers: {} };
    }
  }

  /** The first answer that says something. */
  async function send<T>(kind: 'read' | 'change', call: Call<T>): Promise<Outcome<T>> {
    const until = Date.now() + options.times.patienceMs;
    for (let attempt = 0; ; attempt += 1) {
      const { status, data, headers } = await once(call);
      if (status >= 200 && status < 300) return { outcome: 'done', value: data };
      if (status === 404 || status === 410) return { outcome: 'absent' };
      if (status === 409) return { outcome: 'taken' };
      if (!again.has(status)) {
        if (!mayPass(status)) throw refusal(status, data);
        if (kind === 'change') return { outcome: 'unknown' };
      }
      const seconds = Number(headers['retry-after']);
      const pause = Math.max(Number.isFinite(seconds) ? seconds * 1_000 : 0, pauseOf(options.times, attempt));
      if (Date.now() + pause > until) {
        throw unavailable('provisioner_unreachable', 'The database provider does not answer.', 30);
      }
      // One limit counts for all calls; a lock only for its project.
      if (status === 429) bucket.pause(pause);
      else await wait(pause);
    }
  }

  function refusal(status: number, data: unknown): StrongroomError {
    const { code, message, request_id: request } = (data ?? {}) as Readonly<Record<string, unknown>>;
    options.log.error({ status, code, message, request }, 'the Neon API refused a call');
    return unavailable('provisioning_failed', 'The database provider refused a step.', 60);
  }

  return {
    once,
    change: <T>(call: Call<T>) => send('change', call),
    async read<T>(call: Call<T>): Promise<T | undefined> {
      const answer = await send('read', call);
      return answer.outcome === 'done' ? answer.value : undefined;
    },
  };
}

type Caller = ReturnType<typeof createCaller>;

export function createNeonApi(options: NeonApiOptions): NeonApi {
  const caller = createCaller(options);
  const { read, change } = caller;

  async function branchOf(projectId: string): Promise<string | undefined> {
    const answer = await read((client) => client.listProjectBranches({ projectId }));
    return answer?.branches.find((branch) => branch.default)?.id;
  }

  async function onBranch<T>(
    projectId: string,
    call: (client: Api<unknown>, branch: string) => ReturnType<Call<T>>,
  ): Promise<Outcome<T>> {
    const branch = await branchOf(projectId);
    if (branch === undefined) return { outcome: 'absent' };
    return change((client) => call(client, branch));
  }

  return {
    projects: (prefix) => listProjects(caller, options.organisation, prefix),
    async project(id) {
      const answer = await read((client) => client.getProject(id));
      return answer === undefined ? undefined : projectOf(answer.project);
    },
    isGone: async (id) => (await caller.once((client) => client.getProject(id, { timeout: shortMs }))).status === 404,
    async createProject({ name, database, role }) {
      const project = {
        name,
        pg_version: postgresVersion,
        store_passwords: true,
        branch: { name: 'main', role_name: role, database_name: database },
        ...(options.region === null ? {} : { region_id: options.region }),
        ...(options.organisation === null ? {} : { org_id: options.organisation }),
      };
      const answer = await change((client) => client.createProject({ project }));
      return answer.outcome === 'done' ? { outcome: 'done', value: answer.value.project.id } : answer;
    },
    deleteProject: (id) => change((client) => client.deleteProject(id)),
    settle: (projectId) => settleOperations(caller, options.times, projectId),
    async databases(projectId) {
      const branch = await branchOf(projectId);
      if (branch === undefined) return undefined;
      const answer = await read((client) => client.listProjectBranchDatabases(projectId, branch));
      return answer?.databases.map(({ name }) => name);
    },
    createDatabase: (projectId, name, owner) =>
      onBranch(projectId, (client, branch) =>
        client.createProjectBranchDatabase(projectId, branch, { database: { name, owner_name: owner } }),
      ),
    deleteDatabase: (projectId, name) =>
      onBranch(projectId, (client, branch) => client.deleteProjectBranchDatabase(projectId, branch, name)),
    async address(projectId, database, role, pooled) {
      const query = { projectId, database_name: database, role_name: role, pooled };
      const answer = await read((client) => client.getConnectionUri(query));
      return answer === undefined ? undefined : new URL(answer.uri);
    },
  };
}

function projectOf(project: { id: string; name: string; created_at: string }): NeonProject {
  return { id: project.id, name: project.name, createdAt: project.created_at };
}

async function listProjects(
  { read }: Caller,
  organisation: string | null,
  prefix: string,
): Promise<readonly NeonProject[]> {
  const found = new Map<string, NeonProject>();
  let cursor: string | undefined;
  for (;;) {
    const query = {
      search: prefix,
      limit: pageSize,
      ...(cursor === undefined ? {} : { cursor }),
      ...(organisation === null ? {} : { org_id: organisation }),
    };
    const answer = await read((client) => client.listProjects(query));
    if (answer === undefined) throw unavailable('provisioning_failed', 'The database provider refused a step.', 60);
    const before = found.size;
    for (const project of answer.projects) {
      // The search finds parts of names, and ids.
      if (project.name.startsWith(prefix)) found.set(project.id, projectOf(project));
    }
    const next = answer.pagination?.cursor;
    // The last page has a cursor too.
    if (next === undefined || next === cursor || answer.projects.length === 0 || found.size === before) break;
    cursor = next;
  }
  return [...found.values()].sort((a, b) => (`${a.createdAt} ${a.id}` < `${b.createdAt} ${b.id}` ? -1 : 1));
}

async function settleOperations({ read }: Caller, times: NeonTimes, projectId: string): Promise<void> {
  const until = Date.now() + times.operationsMs;
  const listed = await read((client) => client.listProjectOperations({ projectId, limit: 100 }));
  for (const { id } of (listed?.operations ?? []).filter(isOpen)) {
    for (let attempt = 0; ; attempt += 1) {
      const answer = await read((client) => client.getProjectOperation(projectId, id));
      // Whether it did what it should shows when what it made is used.
      if (answer === undefined || !isOpen(answer.operation)) break;
      if (Date.now() > until) throw unavailable('provisioning_failed', 'The database provider takes too long.', 30);
      await wait(pauseOf(times, attempt));
    }
  }
}
