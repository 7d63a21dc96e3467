/** `strongroom companies create`: a company with a database and a bucket of its own, and its first invitation. */
import type { Command } from 'commander';
import { fleetContract } from '../../modules/fleet/contract.ts';
import { overHost } from '../../modules/fleet/host-contract.ts';
import { exitCodes } from '../exit-codes.ts';
import { CommandFailure } from '../failure.ts';
import { type CommonOptions, withCommon } from '../options.ts';
import { renderFields } from '../table.ts';
import type { Tools } from '../tools.ts';

interface Options extends CommonOptions {
  readonly email: string;
  readonly slug?: string;
  readonly placement?: 'sqlite' | 'schema' | 'database' | 'neon';
  readonly region?: string;
  readonly quotaBytes?: string;
  readonly roles?: 'company' | 'workspace';
  readonly adminEmail?: string;
  readonly adminName?: string;
}

function quotaOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const bytes = Number(text);
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(bytes)) {
    throw new CommandFailure(exitCodes.invalid, '--quota-bytes must be a whole number of bytes.');
  }
  return bytes;
}

export function registerCompanyCreate(companies: Command, { terminal, withHost }: Tools): void {
  const command = companies
    .command('create <name>')
    .description('create a company; prints the link for its first administrator')
    .requiredOption('--email <address>', 'where the company is reached')
    .option('--slug <slug>', 'short name in addresses (default: made from the name)')
    .option('--placement <kind>', 'sqlite, schema, database or neon')
    .option('--region <region>', 'region of the database server')
    .option('--quota-bytes <bytes>', 'most bytes of documents')
    .option('--roles <preset>', 'company or workspace')
    .option('--admin-email <address>', 'first administrator; gets an invitation')
    .option('--admin-name <name>', 'full name of the first administrator');
  withCommon(command).action(async (name: string, options: Options) => {
    if ((options.adminEmail === undefined) !== (options.adminName === undefined)) {
      throw new CommandFailure(exitCodes.invalid, 'Give --admin-email and --admin-name together, or neither.');
    }
    const quota = quotaOf(options.quotaBytes);
    const admin =
      options.adminEmail === undefined ? {} : { admin: { email: options.adminEmail, full_name: options.adminName! } };
    const { body } = await withHost(options, (host) =>
      host.call(overHost(fleetContract.createCompany), {
        body: {
          name,
          email: options.email,
          ...(options.slug === undefined ? {} : { slug: options.slug }),
          ...(options.placement === undefined ? {} : { placement: options.placement }),
          ...(options.region === undefined ? {} : { region: options.region }),
          ...(quota === undefined ? {} : { quota_bytes: quota }),
          ...(options.roles === undefined ? {} : { roles: options.roles }),
          ...admin,
        },
      }),
    );
    if (options.json === true) {
      terminal.printJson(body);
      return;
    }
    terminal.print(
      renderFields([
        ['id', body.id],
        ['slug', body.slug],
        ['status', body.status],
        ...('database_name' in body
          ? ([
              ['placement', body.placement],
              ['database', body.database_name],
              ['bucket', body.bucket],
            ] as const)
          : []),
        ...(body.invitation === undefined
          ? []
          : ([
              ['invitation', body.invitation.setup_url],
              ['valid until', body.invitation.expires_at],
            ] as const)),
      ]),
    );
  });
}
