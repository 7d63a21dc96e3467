/** `strongroom companies move-node`: a company's schema to another node of its Citus cluster, while it is used. */
import type { Command } from 'commander';
import { fleetContract } from '../../modules/fleet/contract.ts';
import { overHost } from '../../modules/fleet/host-contract.ts';
import { findCompany } from '../company-lookup.ts';
import { type CommonOptions, withCommon } from '../options.ts';
import type { Tools } from '../tools.ts';

export function registerCompanyMoveNode(companies: Command, { terminal, withHost }: Tools): void {
  const command = companies
    .command('move-node <company> <node>')
    .description('move a company’s database to another node (host:port) of its Citus cluster');
  withCommon(command).action(async (name: string, node: string, options: CommonOptions) => {
    const { status, body } = await withHost(options, async (host) => {
      const { id } = await findCompany(host, name);
      return host.call(overHost(fleetContract.moveCompanyNode), { params: { id }, body: { node } });
    });
    if (options.json === true) terminal.printJson(body);
    else if (status === 200) terminal.print(`${body.slug} is on ${body.node}.`);
    else terminal.print(`${body.slug} is being moved to ${body.node}; that goes on in the background.`);
  });
}
