/** `strongroom companies delete`: into the grace period, or with --purge for good and at once. */
import type { Command } from 'commander';
import { fleetContract } from '../../modules/fleet/contract.ts';
import { overHost } from '../../modules/fleet/host-contract.ts';
import { findCompany } from '../company-lookup.ts';
import { type CommonOptions, withCommon } from '../options.ts';
import type { Tools } from '../tools.ts';

interface Options extends CommonOptions {
  readonly confirm?: string;
  readonly purge?: boolean;
}

export function registerCompanyDelete(companies: Command, { terminal, withHost }: Tools): void {
  const command = companies
    .command('delete <company>')
    .description('delete a company; it can be restored during the grace period')
    .option('--confirm <slug>', 'the slug once more; needed while the company has active users')
    .option('--purge', 'remove database, bucket, keys and files now; nothing can be restored');
  withCommon(command).action(async (name: string, options: Options) => {
    const answer = await withHost(options, async (host) => {
      const company = await findCompany(host, name);
      const deleted = await host.call(overHost(fleetContract.deleteCompany), {
        params: { id: company.id },
        query: {
          ...(options.confirm === undefined ? {} : { confirm: options.confirm }),
          ...(options.purge === true ? { purge: 'now' as const } : {}),
        },
      });
      if (deleted.status === 204) return { id: company.id, slug: company.slug, status: 'deleted' };
      const after = await host.call(overHost(fleetContract.getCompany), { params: { id: company.id } });
      return { ...deleted.body, purge_after: after.body.purge_after };
    });
    if (options.json === true) terminal.printJson(answer);
    else if (answer.status === 'deleted') terminal.print(`${answer.slug} is gone: database, bucket, keys and files.`);
    else if (options.purge === true) terminal.print(`${answer.slug} is being removed; that goes on in the background.`);
    else {
      const until = 'purge_after' in answer ? answer.purge_after : null;
      terminal.print(`${answer.slug} is deleted. It can be restored until ${until ?? 'the grace period ends'}.`);
    }
  });
}
