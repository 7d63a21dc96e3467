/**
 * A7: default-deny, and complete. `policy.txt` says for every route what each kind of caller gets; it is made from the
 * contract, reviewed as a file, and every cell is tried against the running server in both presets.
 */
import type { RouteSpec } from '../../src/kernel/contract.ts';
import { type Preset, presets, roleDefinition } from '../../src/kernel/roles.ts';
import { accountsContract } from '../../src/modules/accounts/contract.ts';
import { documentsContract } from '../../src/modules/documents/contract.ts';
import { uploadsContract } from '../../src/modules/documents/upload-contract.ts';
import { fleetContract } from '../../src/modules/fleet/contract.ts';
import { bodies, endsOwnSession, parametersOf } from '../leaks/inputs.ts';
import { call, invitePerson, newCompany } from '../support/story.ts';

/** Settings under which nothing but the policy is in the way. */
export const policyEnvironment = {
  STRONGROOM_LOG_LEVEL: 'error',
  STRONGROOM_SIGN_IN_ADDRESS_LIMIT: '1000000',
  STRONGROOM_SIGN_IN_ACCOUNT_LIMIT: '1000000',
  STRONGROOM_ACCESS_TOKEN_SECONDS: '7200',
} as const;

type Cell = 'yes' | '401' | '403';
export interface Column {
  readonly caller: string;
  readonly preset: Preset | undefined;
}

export const routes: [string, RouteSpec][] = Object.entries({
  ...accountsContract,
  ...fleetContract,
  ...documentsContract,
  ...uploadsContract,
});

export const columns: readonly Column[] = [
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

export function table(): string {
  const head = `${'route'.padEnd(58)}${columns.map((column) => column.caller.padEnd(14)).join('')}`;
  const lines = routes.map(([, route]) => {
    const cells = columns.map((column) => expected(route, column).padEnd(14)).join('');
    return `${`${route.method} ${route.path}`.padEnd(58)}${cells}`.trimEnd();
  });
  return `${[head.trimEnd(), ...lines].join('\n')}\n`;
}

/** A company of a preset with a person in every role: their tokens by role. */
export async function companyOf(
  url: string,
  operator: string,
  preset: Preset,
  placement = 'sqlite',
): Promise<ReadonlyMap<string, string>> {
  const company = await newCompany(url, operator, `Policy ${preset} ${placement}`, { roles: preset, placement });
  const [highest, ...others] = Object.keys(presets[preset]);
  const tokens = new Map([[highest!, company.admin.token]]);
  for (const role of others) {
    const name = `${role.replace('_', '-')}-${placement}`;
    tokens.set(role, (await invitePerson(url, company.admin, role, name)).token);
  }
  return tokens;
}

/** Refusals that come from the route's access alone, by their text; those of ownership read otherwise. */
const byAccess = /^(Only operators|Only users of a company|Your role does not allow)/;

/** What the server answers otherwise than the table says. */
export async function wrongCells(url: string, token: string | null, column: Column): Promise<string[]> {
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
    const answer = await call(url, route.method, path, { token: token, ...extra });
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
  return wrong;
}
