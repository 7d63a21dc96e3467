/** `strongroom companies test`: does a company's database answer, and is it its own. */
import type { Command } from 'commander';
import { fleetContract } from '../../modules/fleet/contract.ts';
import { overHost } from '../../modules/fleet/host-contract.ts';
import { findCompany } from '../company-lookup.ts';
import { exitCodes } from '../exit-codes.ts';
import { endWith } from '../failure.ts';
import { type CommonOptions, withCommon } from '../options.ts';
import type { Tools } from '../tools.ts';

export function registerCompanyTest(companies: Command, { terminal, withHost }: Tools): void {
  withCommon(companies.command('test <company>').description('test a company’s database')).action(
    async (name: string, options: CommonOptions) => {
      const { company, result } = await withHost(options, async (host) => {
        const found = await findCompany(host, name);
        const { body } = await host.call(overHost(fleetContract.testCompanyDatabase), { params: { id: found.id } });
        return { company: found, result: body };
      });
      if (options.json === true) terminal.printJson(result);
      else if (result.ok) {
        terminal.print(
          `${company.slug}: the database answers in ${result.latency_ms.toFixed(1)} ms and is its own ` +
            `(${result.placement}, schema ${result.schema_version}).`,
        );
      } else terminal.print(`${company.slug}: ${result.reason ?? 'The database does not answer.'}`);
      if (!result.ok) throw endWith(exitCodes.unavailable);
    },
  );
}
