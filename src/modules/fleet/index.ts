/** The fleet: the operator's front of the kernel's tenants. Keeps nothing of its own; the journal is the kernel's. */

import { createCursors } from '../../kernel/cursors.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { BoundRoutes, Module } from '../../kernel/module.ts';
import { type Companies, createCompanies } from './companies.ts';
import { hostRoutes } from './host.ts';
import { hostTwinContract, hostTwinName } from './host-contract.ts';
import { fleetMigrations } from './migrations/index.ts';
import type { FleetParts } from './ports.ts';
import { fleetRoutes } from './routes.ts';
import { createSystem, type System } from './system.ts';

export type { Companies } from './companies.ts';
export { fleetMigrations } from './migrations/index.ts';
export type { AccountsPort, DocumentStats, FleetParts, ImportedPerson, Invitation } from './ports.ts';
export { version } from './version.ts';

export interface FleetModule extends Module {
  readonly companies: Companies;
  readonly system: System;
}

/**
 * @param parts what the fleet needs of other modules; `stats` may be set later, when the documents module is made
 */
export function createFleet(kernel: Kernel, parts: FleetParts): FleetModule {
  const companies = createCompanies(kernel, parts);
  const system = createSystem(kernel);
  const cursors = createCursors(kernel.secrets);
  const invitationUrl = (token: string) => parts.accounts.invitationUrl(token);
  const operators = fleetRoutes({ kernel, companies, system, cursors, invitationUrl });
  return {
    name: 'fleet',
    routes: merge(operators, hostTwins(operators), hostRoutes(kernel, parts, companies)),
    controlMigrations: fleetMigrations.control,
    tenantMigrations: fleetMigrations.tenant,
    companies,
    system,
  };
}

/** The same handlers for the socket: they ask for the caller's actor alone, which a host caller has too. */
function hostTwins({ handlers }: BoundRoutes): BoundRoutes {
  const twins = Object.entries(handlers).map(([name, handler]) => [hostTwinName(name), handler] as const);
  return {
    contract: hostTwinContract,
    handlers: Object.fromEntries(twins.filter(([name]) => Object.hasOwn(hostTwinContract, name))),
  };
}

function merge(...routes: readonly BoundRoutes[]): BoundRoutes {
  return {
    contract: Object.assign({}, ...routes.map((each) => each.contract)) as BoundRoutes['contract'],
    handlers: Object.assign({}, ...routes.map((each) => each.handlers)) as BoundRoutes['handlers'],
  };
}
