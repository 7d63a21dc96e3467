/**
 * I1 and R1, made from the contract: every route, every caller, every kind of id. What belongs to another company is
 * answered exactly as what never existed (status, body, headers), and nothing of the other company changes.
 *
 * A route that this test does not know fails it; so does a parameter for which no caller ever gets through with an own
 * id, because then the comparison would compare refusals alone.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RouteSpec } from '../../src/kernel/contract.ts';
import { accountsContract } from '../../src/modules/accounts/contract.ts';
import { documentsContract } from '../../src/modules/documents/contract.ts';
import { uploadsContract } from '../../src/modules/documents/upload-contract.ts';
import { fleetContract } from '../../src/modules/fleet/contract.ts';
import { type RunningProcess, startProcess } from '../support/process.ts';
import { type Answer, call } from '../support/story.ts';
import { companyWorld } from '../support/world.ts';
import { bodies, endsOwnSession, parametersOf, queries, type Thing } from './inputs.ts';
import { type IdSource, idFrom, makeWorlds, roles, type Worlds } from './worlds.ts';

const folder = mkdtempSync(join(tmpdir(), 'strongroom-leaks-'));
const routes: [string, RouteSpec][] = Object.entries({
  ...accountsContract,
  ...fleetContract,
  ...documentsContract,
  ...uploadsContract,
});
let server: RunningProcess;
let worlds: Worlds;
let serial = 0;

beforeAll(async () => {
  server = await startProcess(folder, {
    env: {
      STRONGROOM_LOG_LEVEL: 'error',
      STRONGROOM_SIGN_IN_ADDRESS_LIMIT: '1000000',
      STRONGROOM_SIGN_IN_ACCOUNT_LIMIT: '1000000',
      STRONGROOM_INVITE_LIMIT: '1000000',
      STRONGROOM_ACCESS_TOKEN_SECONDS: '7200',
    },
  });
  worlds = await makeWorlds(server.url, server.setupToken!);
}, 120_000);

afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Headers that differ between any two answers, whoever asks. */
const passing = new Set(['date', 'x-request-id', 'keep-alive', 'connection']);

/** An answer without what differs between any two requests, and with the tried ids taken out. */
function comparable(answer: Answer, ids: readonly string[]): unknown {
  let text = answer.text;
  for (const id of ids) text = text.replaceAll(id, '<id>');
  text = text.replace(/"instance":"[^"]*"/, '"instance":""');
  const headers = [...answer.headers].filter(([name]) => !passing.has(name)).sort();
  return {
    status: answer.status,
    text,
    headers: headers.map(([name, value]) => (name === 'content-length' ? name : `${name}: ${value}`)),
  };
}

function tokenOf(caller: string): string | null {
  if (caller === 'anonymous') return null;
  return caller === 'system_admin' ? worlds.operator : worlds.own.people[caller as (typeof roles)[number]].token;
}

/** Sends one route with ids of one source; `things` limits that source to some, the others being the caller's own. */
async function send(name: string, route: RouteSpec, caller: string, source: IdSource | 'own', only?: Thing) {
  const used: string[] = [];
  const id = (thing: Thing) => {
    const value = idFrom(worlds, only === undefined || only === thing ? source : 'own', thing);
    used.push(value);
    return value;
  };
  let path = route.path;
  for (const { name: parameter, thing, fixed } of parametersOf(route.path)) {
    path = path.replace(`{${parameter}}`, thing ? id(thing) : fixed!);
  }
  const query = Object.entries(queries[name] ?? {}).map(([key, thing]) => `${key}=${id(thing)}`);
  if (query.length > 0) path += `?${query.join('&')}`;
  serial += 1;
  const extra = bodies[name]?.(id, `leak-${serial}`) ?? {};
  const answer = await call(server.url, route.method, path, { token: tokenOf(caller), ...extra });
  return { answer, used };
}

/** Things that a route names in its path, its body or its query. */
function thingsOf(name: string, route: RouteSpec): Set<Thing> {
  const things = new Set<Thing>();
  for (const { thing } of parametersOf(route.path)) if (thing) things.add(thing);
  bodies[name]?.((thing) => {
    things.add(thing);
    return 'none';
  }, 'none');
  for (const thing of Object.values(queries[name] ?? {})) things.add(thing);
  return things;
}

const wantsBody = (route: RouteSpec) => route.body !== undefined || route.bodyKind !== undefined;
/** Operators are meant to reach every company through these. */
const operatorsOwn = (route: RouteSpec) => route.access.who === 'operator';

test('the contract is read, and every route that takes a body is known here', () => {
  expect(routes.length).toBeGreaterThan(60);
  expect(routes.filter(([name, route]) => wantsBody(route) && !(name in bodies)).map(([name]) => name)).toEqual([]);
});

const withThings = routes.filter(([name, route]) => thingsOf(name, route).size > 0 && route.access.who !== 'host');

test.each(withThings)('%s answers another company’s id as one that never existed', async (name, route) => {
  const before = companyWorld(folder, worlds.other.company.id, worlds.other.company.bucket);
  const differences: unknown[] = [];
  for (const caller of ['anonymous', 'system_admin', ...roles]) {
    if (caller === 'system_admin' && operatorsOwn(route)) continue;
    for (const thing of thingsOf(name, route)) {
      const random = await send(name, route, caller, 'random', thing);
      const expected = comparable(random.answer, random.used);
      expect(random.answer.status, `${caller} with a random id`).toBeLessThan(500);
      for (const source of ['other', 'deleted', 'malformed'] as const) {
        const { answer, used } = await send(name, route, caller, source, thing);
        const got = comparable(answer, used);
        if (JSON.stringify(got) !== JSON.stringify(expected))
          differences.push({ caller, thing, source, got, expected });
      }
    }
  }
  expect(differences).toEqual([]);
  expect(companyWorld(folder, worlds.other.company.id, worlds.other.company.bucket)).toEqual(before);
});

test('an own id is answered otherwise than a random one, so the comparison compares something', async () => {
  const neverThrough: string[] = [];
  for (const [name, route] of withThings) {
    // What these name is a secret, or is refused to the very end without one: sign-in with a wrong password.
    if (['anyone'].includes(route.access.who) || route.method === 'DELETE') continue;
    let through = false;
    for (const caller of ['system_admin', ...roles]) {
      const own = await send(name, route, caller, 'own');
      const random = await send(name, route, caller, 'random');
      if (own.answer.status < 300 && own.answer.status !== random.answer.status) through = true;
      if (queries[name] && own.answer.status === 200) through = true;
      if (through) break;
    }
    if (!through) neverThrough.push(name);
  }
  // `switchCompany` wants the other company's password; a running migration has no id of its own here; a company that
  // is not being deleted cannot be restored.
  expect(neverThrough.filter((name) => !['switchCompany', 'getMigration', 'restoreCompany'].includes(name))).toEqual(
    [],
  );
});

test('routes for operators refuse members before any look-up, and the other way round', async () => {
  const wrong: string[] = [];
  for (const [name, route] of routes) {
    if (endsOwnSession.has(name)) continue;
    for (const caller of ['anonymous', 'system_admin', ...roles]) {
      const expected =
        route.access.who === 'operator' && caller !== 'system_admin'
          ? caller === 'anonymous'
            ? 401
            : 403
          : route.access.who === 'member' && (caller === 'system_admin' || caller === 'anonymous')
            ? caller === 'anonymous'
              ? 401
              : 403
            : undefined;
      if (expected === undefined) continue;
      for (const source of ['own', 'other', 'random', 'malformed'] as const) {
        const { answer } = await send(name, route, caller, source);
        if (answer.status !== expected) wrong.push(`${name} as ${caller} with ${source}: ${answer.status}`);
      }
    }
  }
  expect(wrong).toEqual([]);
});
