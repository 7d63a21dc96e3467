/** `strongroom companies list` */
import type { Command } from 'commander';
import { type Company, fleetContract } from '../../modules/fleet/contract.ts';
import { overHost } from '../../modules/fleet/host-contract.ts';
import { type CommonOptions, withCommon } from '../options.ts';
import type { Tools } from '../tools.ts';

interface Options extends CommonOptions {
  readonly q?: string;
  readonly status?: Company['status'];
}

export function registerCompanyList(companies: Command, { terminal, withHost }: Tools): void {
  const command = companies
    .command('list')
    .description('all companies, oldest first')
    .option('--q <text>', 'part of name, slug or e-mail')
    .option('--status <status>', 'active, suspended, deleting, creating, purging or failed');
  withCommon(command).action(async (options: Options) => {
    const items: Company[] = [];
    await withHost(options, async (host) => {
      let cursor: string | undefined;
      do {
        const { body } = await host.call(overHost(fleetContract.listCompanies), {
          query: {
            limit: '200',
            sort: 'created_at',
            total: 'false',
            ...(options.q === undefined ? {} : { q: options.q }),
            ...(options.status === undefined ? {} : { status: options.status }),
            ...(cursor === undefined ? {} : { cursor }),
          },
        });
        items.push(...body.items);
        cursor = body.next_cursor ?? undefined;
      } while (cursor !== undefined);
    });
    if (options.json === true) {
      terminal.printJson(items);
      return;
    }
    terminal.printTable(
      items,
      [
        { title: 'ID', value: (company) => company.id },
        { title: 'SLUG', value: (company) => company.slug },
        { title: 'NAME', value: (company) => company.name, flexible: true },
        { title: 'STATUS', value: (company) => company.status },
        { title: 'PLACEMENT', value: (company) => company.placement },
        { title: 'CREATED', value: (company) => company.created_at.slice(0, 10) },
      ],
      'There are no companies. Create one with `strongroom companies create <name> --email <address>`.',
    );
  });
}
