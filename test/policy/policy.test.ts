/**
 * A7: default-deny, and complete. `policy.txt` says for every route what each kind of caller gets; it is made from the
 * contract, reviewed as a file, and every cell is tried against the running server in both presets.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RouteSpec } from '../../src/kernel/contract.ts';
import { type Preset, presets, roleDefinition } from '../../src/kernel/roles.ts';
import { accountsContract } from '../../src/modules/accounts/contract.ts';
import { documentsContract } from '../../src/modules/documents/contract.ts';
import { uploadsContract } from '../../src/modules/documents/upload-contract.ts';
import { fleetContract } from '../../src/modules/fleet/contract.ts';
import { bodies, endsOwnSession, parametersOf } from '../leaks/inputs.ts';
import { type RunningProcess, startProcess } from '../support/process.ts';
import { call, invitePerson, newCompany, setUpOperator } from '../support/story.ts';

type Cell = 'yes' | '401' | '403';
interface Column {
  readonly caller: string;
  readonly preset: Preset | undefined;
}

const routes: [string, RouteSpec][] = Object.entries({
  ...accountsContract,
  ...fleetContract,
  ...documentsContract,
  ...uploadsContract,
});

const columns: Column[] = [
  { caller: 'anonymous', preset: undefined },
  { caller: 'system_admin', preset: undefined },
  ...(Object.keys(presets) as Preset[]).flatMap((preset) =>
    Object.keys(presets[preset]).map((caller) => ({ caller, preset })),
  ),
];

/** What the contract and the table of roles say; written apart from the server's own check. */
function expected(route: RouteSpec, column: Column): Cell {
  const { access } = route;
  if (access.who === 'anyone') return 'yes';
  if (column.caller === 'anonymous') return '401';
  if (access.who === 'signed_in') return 'yes';
  if (access.who === 'operator') return column.caller === 'system_admin' ? 'yes' : '403';
  if (column.preset === undefined || access.who !== 'member') return '403';
  const held = roleDefinition(column.preset, column.caller)!.permissions;
  return access.anyOf.some((permission) => held.includes(permission)) ? 'yes' : '403';
}

function table(): string {
  const head = `${'route'.padEnd(58)}${columns.map((column) => column.caller.padEnd(14)).join('')}`;
  const lines = routes.map(([, route]) => {
    const cells = columns.map((column) => expected(route, column).padEnd(14)).join('');
    return `${`${route.method} ${route.path}`.padEnd(58)}${cells}`.trimEnd();
  });
  return `${[head.trimEnd(), ...lines].join('\n')}\n`;
}

const folder = mkdtempSync(join(tmpdir(), 'strongroom-policy-'));
const tokens = new Map<string, string | null>();
let server: RunningProcess;

beforeAll(async () => {
  server = await startProcess(folder, {
    env: {
      STRONGROOM_LOG_LEVEL: 'error',
      STRONGROOM_SIGN_IN_ADDRESS_LIMIT: '1000000',
      STRONGROOM_SIGN_IN_ACCOUNT_LIMIT: '1000000',
      STRONGROOM_ACCESS_TOKEN_SECONDS: '7200',
    },
  });
  const operator = (await setUpOperator(server.url, server.setupToken!)).access_token;
  tokens.set('anonymous', null);
  tokens.set('system_admin', operator);
  for (const preset of Object.keys(presets) as Preset[]) {
    const company = await newCompany(server.url, operator, `Policy ${preset}`, { roles: preset });
    const [highest, ...others] = Object.keys(presets[preset]);
    tokens.set(highest!, company.admin.token);
    for (const role of others) {
      tokens.set(role, (await invitePerson(server.url, company.admin, role, `${role.replace('_', '-')}-one`)).token);
    }
  }
}, 120_000);

afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test('the table is the one that was reviewed', async () => {
  expect(routes.length).toBeGreaterThan(60);
  await expect(table()).toMatchFileSnapshot('policy.txt');
});

/** Refusals that come from the route's access alone, by their text; those of ownership read otherwise. */
const byAccess = /^(Only operators|Only users of a company|Your role does not allow)/;

test.each(columns)('$caller gets what the table says', async (column) => {
  const wrong: string[] = [];
  let serial = 0;
  for (const [name, route] of routes) {
    if (endsOwnSession.has(name) || name === 'createCompany') continue;
    const path = parametersOf(route.path).reduce(
      (text, parameter) => text.replace(`{${parameter.name}}`, 'malformed'),
      route.path,
    );
    serial += 1;
    const extra = bodies[name]?.(() => 'malformed', `policy-${column.caller.replace('_', '-')}-${serial}`) ?? {};
    const answer = await call(server.url, route.method, path, { token: tokens.get(column.caller)!, ...extra });
    const cell = expected(route, column);
    const denied = answer.status === 403 && byAccess.test(String(answer.body.detail));
    // Sign-in routes answer 401 to everybody who brings a wrong password, whatever the access.
    const got =
      denied || (route.method === 'HEAD' && answer.status === 403)
        ? '403'
        : answer.status === 401 && route.access.who !== 'anyone' && !route.guarded
          ? '401'
          : 'yes';
    const wanted = cell === '401' && route.guarded ? 'yes' : cell;
    if (got !== wanted || answer.status >= 500)
      wrong.push(`${route.method} ${route.path}: ${answer.status}, the table says ${cell}`);
  }
  expect(wrong).toEqual([]);
});
