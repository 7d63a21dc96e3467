/** `strongroom companies show`: one company with its counts and its last operations. */
import type { Command } from 'commander';
import { fleetContract } from '../../modules/fleet/contract.ts';
import { overHost } from '../../modules/fleet/host-contract.ts';
import { findCompany } from '../company-lookup.ts';
import { exitCodes } from '../exit-codes.ts';
import { CommandFailure } from '../failure.ts';
import { type CommonOptions, withCommon } from '../options.ts';
import type { Remote } from '../remote.ts';
import { humanBytes, renderFields } from '../table.ts';
import type { Tools } from '../tools.ts';

const withStats = ['active', 'suspended', 'deleting'];

async function statsOf(host: Remote, { id, status }: { readonly id: string; readonly status: string }) {
  if (!withStats.includes(status)) return undefined;
  try {
    return (await host.call(overHost(fleetContract.getCompanyStats), { params: { id } })).body;
  } catch (error) {
    // A company whose database does not answer is still shown.
    if (error instanceof CommandFailure && error.exitCode === exitCodes.unavailable) return undefined;
    throw error;
  }
}

export function registerCompanyShow(companies: Command, { terminal, withHost }: Tools): void {
  withCommon(companies.command('show <company>').description('one company, by id or slug')).action(
    async (name: string, options: CommonOptions) => {
      const { company, stats, operations } = await withHost(options, async (host) => {
        const found = await findCompany(host, name);
        const params = { id: found.id };
        return {
          company: (await host.call(overHost(fleetContract.getCompany), { params })).body,
          stats: await statsOf(host, found),
          operations: (
            await host.call(overHost(fleetContract.listCompanyOperations), { params, query: { limit: '5' } })
          ).body.items,
        };
      });
      if (options.json === true) {
        terminal.printJson({ ...company, stats: stats ?? null, operations });
        return;
      }
      terminal.print(
        renderFields([
          ['id', company.id],
          ['name', company.name],
          ['slug', company.slug],
          ['e-mail', company.email],
          ['status', company.status],
          ['placement', company.placement],
          ['database', company.database_name],
          ...(company.node === null ? [] : ([['node', company.node]] as const)),
          ['bucket', company.bucket],
          ['roles', company.roles],
          ['registration', company.registration],
          ['quota', company.quota_bytes === null ? 'none' : humanBytes(company.quota_bytes)],
          ['schema version', company.schema_version],
          ['created', company.created_at],
          ...(company.purge_after === null ? [] : ([['restorable until', company.purge_after]] as const)),
          ...(stats === undefined
            ? ([['statistics', withStats.includes(company.status) ? 'the database does not answer' : 'none']] as const)
            : ([
                ['users', stats.users],
                ['documents', stats.documents],
                ['bytes', humanBytes(stats.bytes)],
                ['database size', humanBytes(stats.database_bytes)],
                ['last activity', stats.last_activity_at],
              ] as const)),
        ]),
      );
      terminal.print('');
      terminal.printTable(
        operations,
        [
          { title: 'OPERATION', value: (operation) => operation.id },
          { title: 'VERB', value: (operation) => operation.verb },
          { title: 'STATUS', value: (operation) => operation.status },
          { title: 'STARTED', value: (operation) => operation.started_at },
          { title: 'REASON', value: (operation) => operation.reason, flexible: true },
        ],
        'No operations.',
      );
    },
  );
}
