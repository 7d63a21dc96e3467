/**
 * A stand-in of the documented Neon API on loopback: projects, branches, roles, databases, endpoints, operations and
 * connection addresses. Its projects are real databases (`stand-in-projects.ts`). On demand it answers 409, 423, 429 and
 * 5xx, with or without having done the work, and cuts connections before, after or long before the work is done.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PostgresServer } from '../support/postgres.ts';
import {
  createStandInProjects,
  type ProjectInput,
  type StandInOperation,
  type StandInProject,
  type StandInProjects,
} from './stand-in-projects.ts';

export const standInKey = 'napi_only_for_this_test';

export interface Fault {
  /** Which calls: `POST /projects`, `DELETE /projects/{}`. */
  readonly on: string;
  /** A status, a connection that is cut, or one on which nothing comes. */
  readonly answer: 409 | 423 | 429 | 500 | 502 | 503 | 'cut' | 'none';
  /** Whether what was asked for is done all the same; so many ms later, or when `finish` is called. Default false. */
  readonly works?: boolean | number | 'when told';
  /** Default 1. */
  readonly times?: number;
}

export interface StandIn {
  readonly url: string;
  readonly projects: StandInProjects;
  /** Every call: `POST /projects 201`. Ids stand as `{}`. */
  readonly calls: string[];
  /** When projects were asked for (ms). */
  readonly asked: number[];
  /** Longest list of projects in one answer. */
  pageSize: number;
  /** Looks at an operation until it has ended. */
  looks: number;
  /** Seconds after which a call that met a limit (429) may come again. */
  retryAfter: number;
  /** Calls from now on go wrong so; later ones with the same `on` follow. */
  fault(...faults: Fault[]): void;
  /** Faults that no call met. They are forgotten. */
  unmet(): readonly string[];
  /** Does what was left until it is told, and waits for all work that is done later than its answer. */
  finish(): Promise<void>;
  /** Removes every project. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Call {
  readonly ids: readonly string[];
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
}

type Route = (call: Call) => Promise<Reply> | Reply;

const failure = (status: number, code: string): Reply => ({
  status,
  body: { code, message: code, request_id: '00000000-0000-4000-8000-000000000000' },
});
const time = () => new Date().toISOString();

const projectBody = (project: StandInProject) => ({
  id: project.id,
  name: project.name,
  platform_id: 'aws',
  region_id: 'aws-eu-central-1',
  pg_version: 17,
  store_passwords: true,
  created_at: project.createdAt,
  updated_at: project.createdAt,
});

const operationBody = (project: StandInProject, { id, action, looks }: StandInOperation) => ({
  id,
  project_id: project.id,
  branch_id: project.branch,
  action,
  status: looks > 1 ? 'scheduling' : looks === 1 ? 'running' : 'finished',
  failures_count: 0,
  created_at: time(),
  updated_at: time(),
  total_duration_ms: 10,
});

const databaseBody = (project: StandInProject, database: StandInProject['databases'][number]) => ({
  id: database.id,
  branch_id: project.branch,
  name: database.name,
  owner_name: database.owner,
  created_at: time(),
  updated_at: time(),
});

/** The routes about projects as a whole. */
function projectRoutes(projects: StandInProjects, options: { readonly pageSize: () => number }): Record<string, Route> {
  const withProject =
    (work: (project: StandInProject, call: Call) => Promise<Reply> | Reply): Route =>
    (call) => {
      const project = projects.find(call.ids[0] ?? '');
      return project === undefined ? failure(404, 'project_not_found') : work(project, call);
    };
  return {
    'GET /projects': ({ query }) => {
      const search = query.get('search') ?? '';
      const matching = projects.all().filter(({ id, name }) => name.includes(search) || id.includes(search));
      const from = matching.findIndex(({ id }) => id === query.get('cursor')) + 1;
      const limit = Math.min(Number(query.get('limit') ?? 10), options.pageSize());
      const page = matching.slice(from, from + limit);
      const cursor = page.at(-1)?.id ?? query.get('cursor');
      return {
        status: 200,
        body: { projects: page.map(projectBody), pagination: cursor === null ? undefined : { cursor } },
      };
    },
    'POST /projects': async ({ body }) => {
      const project = await projects.create(body.project as ProjectInput);
      return {
        status: 201,
        body: {
          project: projectBody(project),
          operations: project.operations.map((operation) => operationBody(project, operation)),
          databases: project.databases.map((database) => databaseBody(project, database)),
          branch: { id: project.branch, project_id: project.id, name: 'main', default: true },
          connection_uris: [{ connection_uri: projects.address(project, project.databases[0]!.name) }],
        },
      };
    },
    'GET /projects/{}': withProject((project) => ({ status: 200, body: { project: projectBody(project) } })),
    'DELETE /projects/{}': withProject(async (project) => {
      if (await projects.refuses(project)) return failure(423, 'project_locked');
      await projects.remove(project);
      return { status: 200, body: { project: projectBody(project) } };
    }),
    'GET /projects/{}/operations': withProject((project) => ({
      status: 200,
      body: { operations: project.operations.map((operation) => operationBody(project, operation)) },
    })),
    'GET /projects/{}/operations/{}': withProject(async (project, { ids }) => {
      const operation = project.operations.find(({ id }) => id === ids[1]);
      if (operation === undefined) return failure(404, 'operation_not_found');
      await projects.look(project, operation);
      return { status: 200, body: { operation: operationBody(project, operation) } };
    }),
    'GET /projects/{}/connection_uri': withProject((project, { query }) => {
      const database = project.databases.find(({ name }) => name === query.get('database_name'));
      if (database === undefined || query.get('role_name') !== project.role) return failure(404, 'not_found');
      return { status: 200, body: { uri: projects.address(project, database.name) } };
    }),
  };
}

/** The routes about what is in a branch. */
function branchRoutes(projects: StandInProjects): Record<string, Route> {
  const onBranch =
    (work: (project: StandInProject, call: Call) => Promise<Reply> | Reply): Route =>
    (call) => {
      const project = projects.find(call.ids[0] ?? '');
      const there = project !== undefined && (call.ids[1] === undefined || call.ids[1] === project.branch);
      return there ? work(project, call) : failure(404, 'branch_not_found');
    };
  const changed = (project: StandInProject, operations: readonly StandInOperation[], status: number, rest: object) => ({
    status,
    body: { ...rest, operations: operations.map((operation) => operationBody(project, operation)) },
  });
  return {
    'GET /projects/{}/branches': onBranch((project) => ({
      status: 200,
      body: { branches: [{ id: project.branch, project_id: project.id, name: 'main', default: true }] },
    })),
    'GET /projects/{}/endpoints': onBranch((project) => ({
      status: 200,
      body: { endpoints: [{ id: `ep-${project.id}`, project_id: project.id, branch_id: project.branch }] },
    })),
    'GET /projects/{}/branches/{}/roles': onBranch((project) => ({
      status: 200,
      body: { roles: [{ name: project.role, branch_id: project.branch, created_at: time(), updated_at: time() }] },
    })),
    'GET /projects/{}/branches/{}/databases': onBranch((project) => ({
      status: 200,
      body: { databases: project.databases.map((database) => databaseBody(project, database)) },
    })),
    'POST /projects/{}/branches/{}/databases': onBranch(async (project, { body }) => {
      if (await projects.refuses(project)) return failure(423, 'project_locked');
      const { name } = body.database as { name: string };
      if (project.databases.some((one) => one.name === name)) return failure(409, 'database_already_exists');
      const operations = await projects.createDatabase(project, name);
      return changed(project, operations, 201, { database: databaseBody(project, project.databases.at(-1)!) });
    }),
    'DELETE /projects/{}/branches/{}/databases/{}': onBranch(async (project, { ids }) => {
      if (await projects.refuses(project)) return failure(423, 'project_locked');
      const database = project.databases.find(({ name }) => name === ids[2]);
      if (database === undefined) return { status: 204 };
      const operations = await projects.deleteDatabase(project, database.name);
      return changed(project, operations, 200, { database: databaseBody(project, database) });
    }),
  };
}

/** `/projects/abc/branches/def` as `/projects/{}/branches/{}` and its ids. */
function placesOf(path: string): { readonly form: string; readonly ids: readonly string[] } {
  const parts = path.split('/').slice(1);
  const ids = parts.filter((_, index) => index % 2 === 1).map(decodeURIComponent);
  return { form: parts.map((part, index) => `/${index % 2 === 1 ? '{}' : part}`).join(''), ids };
}

async function jsonOf(request: IncomingMessage): Promise<Call['body']> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text === '' ? {} : (JSON.parse(text) as Call['body']);
}

function send(response: ServerResponse, { status, body, headers }: Reply): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

export async function startStandIn(postgres: PostgresServer): Promise<StandIn> {
  const settings = { pageSize: 400, looks: 2, retryAfter: 1 };
  const faults: { -readonly [K in keyof Required<Fault>]: Required<Fault>[K] }[] = [];
  const calls: string[] = [];
  const asked: number[] = [];
  const late = new Set<Promise<unknown>>();
  const untold: (() => Promise<unknown>)[] = [];
  const projects = createStandInProjects(postgres, () => settings.looks);
  const routes = { ...projectRoutes(projects, { pageSize: () => settings.pageSize }), ...branchRoutes(projects) };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://stand-in');
    const { form, ids } = placesOf(url.pathname.replace(/^\/api\/v2/, ''));
    const key = `${request.method} ${form}`;
    const body = await jsonOf(request);
    const route = routes[key];
    if (key === 'POST /projects') asked.push(Date.now());
    const run = async (): Promise<Reply> => {
      if (request.headers.authorization !== `Bearer ${standInKey}`) return failure(401, 'unauthorized');
      return route === undefined ? failure(404, 'no_such_route') : route({ ids, query: url.searchParams, body });
    };
    const fault = faults.find(({ on, times }) => on === key && times > 0);
    if (fault === undefined) {
      const reply = await run();
      calls.push(`${key} ${reply.status}`);
      send(response, reply);
      return;
    }
    fault.times -= 1;
    calls.push(`${key} ${fault.answer}`);
    if (typeof fault.works === 'number') {
      const work: Promise<unknown> = new Promise((resolve) => setTimeout(resolve, fault.works as number))
        .then(run)
        .finally(() => late.delete(work));
      late.add(work);
    } else if (fault.works === 'when told') untold.push(run);
    else if (fault.works) await run();
    if (fault.answer === 'none') return;
    if (fault.answer === 'cut') request.socket.destroy();
    else
      send(response, {
        ...failure(fault.answer, 'on_demand'),
        ...(fault.answer === 429 ? { headers: { 'retry-after': String(settings.retryAfter) } } : {}),
      });
  }

  const http = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      calls.push(`${request.method} ${request.url} broke: ${String(error)}`);
      if (!response.headersSent) send(response, failure(500, 'broke'));
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const finish = async () => {
    const left = untold.splice(0);
    for (const run of left) await run();
    // Whoever asked is gone: what they do not look at ends all the same.
    for (const project of left.length === 0 ? [] : projects.all()) {
      for (const operation of project.operations) while (operation.looks > 0) await projects.look(project, operation);
    }
    while (late.size > 0) await Promise.all(late);
  };
  const clear = async () => {
    await finish();
    for (const project of projects.all()) await projects.remove(project);
  };
  return Object.assign(settings, {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/api/v2`,
    projects,
    calls,
    asked,
    fault(...added: Fault[]) {
      faults.push(...added.map((one) => ({ works: false, times: 1, ...one })));
    },
    unmet: () =>
      faults
        .splice(0)
        .filter(({ times }) => times > 0)
        .map(({ on, answer: status }) => `${on} ${status}`),
    finish,
    clear,
    async stop() {
      await clear();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  });
}
