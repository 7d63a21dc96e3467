/** `strongroom companies suspend | resume | restore` */
import type { Command } from 'commander';
import { fleetContract } from '../../modules/fleet/contract.ts';
import { overHost } from '../../modules/fleet/host-contract.ts';
import { findCompany } from '../company-lookup.ts';
import { type CommonOptions, withCommon } from '../options.ts';
import type { Tools } from '../tools.ts';

const verbs = [
  ['suspend', fleetContract.suspendCompany, 'refuse every sign-in and token of a company'],
  ['resume', fleetContract.resumeCompany, 'let a suspended company work again'],
  ['restore', fleetContract.restoreCompany, 'take a deletion back within the grace period'],
] as const;

export function registerCompanyState(companies: Command, { terminal, withHost }: Tools): void {
  for (const [verb, route, about] of verbs) {
    withCommon(companies.command(`${verb} <company>`).description(about)).action(
      async (name: string, options: CommonOptions) => {
        const body = await withHost(options, async (host) => {
          const { id } = await findCompany(host, name);
          return (await host.call(overHost(route), { params: { id } })).body;
        });
        if (options.json === true) terminal.printJson(body);
        else terminal.print(`${body.slug} is ${body.status}.`);
      },
    );
  }
}
