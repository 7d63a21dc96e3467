/**
 * I1 and R1, made from the contract: every route, every caller, every kind of id. What belongs to another company is
 * answered exactly as what never existed (status, body, headers), and nothing of the other company changes.
 *
 * A route that this suite does not know fails it; so does a parameter for which no caller ever gets through with an own
 * id, because then the comparison would compare refusals alone.
 */
import { describe, expect, test } from 'vitest';
import type { RouteSpec } from '../../src/kernel/contract.ts';
import { accountsContract } from '../../src/modules/accounts/contract.ts';
import { documentsContract } from '../../src/modules/documents/contract.ts';
import { uploadsContract } from '../../src/modules/documents/upload-contract.ts';
import { fleetContract } from '../../src/modules/fleet/contract.ts';
import { type Answer, call } from '../support/story.ts';
import { atRest, type WorldReader } from '../support/world.ts';
import { bodies, endsOwnSession, parametersOf, queries, type Thing } from './inputs.ts';
import { type IdSource, idFrom, roles, type Worlds } from './worlds.ts';

/** One process with companies in it. */
export interface UnderTest {
  readonly url: string;
  readonly reader: WorldReader;
  readonly worlds: Worlds;
}

/** Settings under which nothing but the answers themselves is in the way. */
export const leakEnvironment = {
  STRONGROOM_LOG_LEVEL: 'error',
  STRONGROOM_SIGN_IN_ADDRESS_LIMIT: '1000000',
  STRONGROOM_SIGN_IN_ACCOUNT_LIMIT: '1000000',
  STRONGROOM_INVITE_LIMIT: '1000000',
  STRONGROOM_ACCESS_TOKEN_SECONDS: '7200',
} as const;

const routes: [string, RouteSpec][] = Object.entries({
  ...accountsContract,
  ...fleetContract,
  ...documentsContract,
  ...uploadsContract,
});
let serial = 0;

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

function tokenOf(worlds: Worlds, caller: string): string | null {
  if (caller === 'anonymous') return null;
  return caller === 'system_admin' ? worlds.operator : worlds.own.people[caller as (typeof roles)[number]].token;
}

interface Attempt {
  readonly name: string;
  readonly route: RouteSpec;
  readonly caller: string;
  readonly source: IdSource | 'own';
  /** Limits the source to these ids, the others being the caller's own. */
  readonly only?: Thing;
}

/** Sends one route with ids of one source. */
async function send({ url, worlds }: UnderTest, { name, route, caller, source, only }: Attempt) {
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
  const answer = await call(url, route.method, path, { token: tokenOf(worlds, caller), ...extra });
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
const withThings = routes.filter(([name, route]) => thingsOf(name, route).size > 0 && route.access.who !== 'host');

interface Extent {
  readonly callers: readonly string[];
  readonly sources: readonly IdSource[];
}
const everything: Extent = {
  callers: ['anonymous', 'system_admin', ...roles],
  sources: ['other', 'deleted', 'malformed'],
};
/** Who may do the most and who may do little, with what lives in the other company. */
const theMost: Extent = { callers: ['hr_admin', 'employee'], sources: ['other'] };

/** What one route answers otherwise for another company's id than for one that never existed. */
async function differencesOf(under: UnderTest, [name, route]: [string, RouteSpec], extent: Extent): Promise<unknown[]> {
  const differences: unknown[] = [];
  for (const caller of extent.callers) {
    if (caller === 'system_admin' && operatorsOwn(route)) continue;
    for (const only of thingsOf(name, route)) {
      const random = await send(under, { name, route, caller, source: 'random', only });
      const expected = comparable(random.answer, random.used);
      expect(random.answer.status, `${caller} with a random id`).toBeLessThan(500);
      for (const source of extent.sources) {
        const { answer, used } = await send(under, { name, route, caller, source, only });
        const got = comparable(answer, used);
        if (JSON.stringify(got) === JSON.stringify(expected)) continue;
        differences.push({ name, caller, thing: only, source, got, expected });
      }
    }
  }
  return differences;
}

function otherWorld({ reader, worlds: { other } }: UnderTest): Promise<string[]> {
  return reader.world({ id: other.company.id, bucket: other.company.bucket, placement: other.placement });
}

/** Every route, every caller, every kind of id; the other company's world is compared after each route. */
export function leakSuite(name: string, under: () => UnderTest): void {
  describe(name, () => {
    test('the contract is read, and every route that takes a body is known here', () => {
      expect(routes.length).toBeGreaterThan(60);
      expect(routes.filter(([each, route]) => wantsBody(route) && !(each in bodies)).map(([each]) => each)).toEqual([]);
    });

    test.each(withThings)('%s answers another company’s id as one that never existed', async (each, route) => {
      const before = await atRest(() => otherWorld(under()));
      expect(await differencesOf(under(), [each, route], everything)).toEqual([]);
      expect(await otherWorld(under())).toEqual(before);
    });

    test('an own id is answered otherwise than a random one, so the comparison compares something', async () => {
      const neverThrough: string[] = [];
      for (const [each, route] of withThings) {
        // What these name is a secret, or is refused to the very end without one: sign-in with a wrong password.
        if (['anyone'].includes(route.access.who) || route.method === 'DELETE') continue;
        if (!(await someoneGetsThrough(under(), each, route))) neverThrough.push(each);
      }
      // `switchCompany` wants the other company's password; a running migration has no id of its own here; a company
      // that is not being deleted cannot be restored, and one that is not on Citus has no node.
      const cannot = ['switchCompany', 'getMigration', 'restoreCompany', 'moveCompanyNode'];
      expect(neverThrough.filter((each) => !cannot.includes(each))).toEqual([]);
    });
  });
}

/** What is refused before any look-up is refused alike wherever companies lie: once is enough. */
export function accessSuite(under: () => UnderTest): void {
  test('routes for operators refuse members before any look-up, and the other way round', async () => {
    const wrong: string[] = [];
    for (const [each, route] of routes) {
      if (endsOwnSession.has(each)) continue;
      for (const caller of everything.callers) {
        const expected = refusalBefore(route, caller);
        if (expected === undefined) continue;
        for (const source of ['own', 'other', 'random', 'malformed'] as const) {
          const { answer } = await send(under(), { name: each, route, caller, source });
          if (answer.status !== expected) wrong.push(`${each} as ${caller} with ${source}: ${answer.status}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });
}

/** Every route between two companies, tried by those who may do the most; the other's world is compared at the end. */
export function shortLeakSuite(name: string, under: () => UnderTest): void {
  test(name, async () => {
    const before = await atRest(() => otherWorld(under()));
    expect(before.length).toBeGreaterThan(20);
    const differences: unknown[] = [];
    let through = 0;
    for (const route of withThings) {
      // Those that ask for no sign-in find the company by its name, whatever it lies on.
      if (route[1].access.who === 'anyone') continue;
      differences.push(...(await differencesOf(under(), route, theMost)));
      if (route[0] === 'getDocument' || route[0] === 'getBasket') {
        if (await someoneGetsThrough(under(), ...route)) through += 1;
      }
    }
    expect(differences).toEqual([]);
    expect(through).toBe(2);
    expect(await otherWorld(under())).toEqual(before);
  });
}

async function someoneGetsThrough(under: UnderTest, name: string, route: RouteSpec): Promise<boolean> {
  for (const caller of ['system_admin', ...roles]) {
    const own = await send(under, { name, route, caller, source: 'own' });
    const random = await send(under, { name, route, caller, source: 'random' });
    // 302: to where the storage serves a download.
    if (own.answer.status <= 302 && own.answer.status !== random.answer.status) return true;
    if (queries[name] && own.answer.status === 200) return true;
  }
  return false;
}

/** The refusal that a caller of the wrong kind gets whatever the ids are. */
function refusalBefore(route: RouteSpec, caller: string): 401 | 403 | undefined {
  const { who } = route.access;
  if (who !== 'operator' && who !== 'member') return undefined;
  if (caller === 'anonymous') return 401;
  return (who === 'operator') === (caller === 'system_admin') ? undefined : 403;
}
