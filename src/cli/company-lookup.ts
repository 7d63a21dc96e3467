/** People name a company by slug; routes want its id. */
import { isId } from '../kernel/ids.ts';
import { type Company, fleetContract } from '../modules/fleet/contract.ts';
import { overHost } from '../modules/fleet/host-contract.ts';
import { exitCodes } from './exit-codes.ts';
import { CommandFailure } from './failure.ts';
import type { Remote } from './remote.ts';

/** @throws CommandFailure where no company has this id or slug */
export async function findCompany(host: Remote, idOrSlug: string): Promise<Company> {
  if (isId('company', idOrSlug)) {
    const { body } = await host.call(overHost(fleetContract.getCompany), { params: { id: idOrSlug } });
    return body;
  }
  let cursor: string | undefined;
  do {
    const { body } = await host.call(overHost(fleetContract.listCompanies), {
      query: { q: idOrSlug.slice(0, 200), limit: '200', total: 'false', ...(cursor === undefined ? {} : { cursor }) },
    });
    const found = body.items.find((company) => company.slug === idOrSlug);
    if (found !== undefined) return found;
    cursor = body.next_cursor ?? undefined;
  } while (cursor !== undefined);
  throw new CommandFailure(
    exitCodes.notFound,
    `There is no company "${idOrSlug}". See \`strongroom companies list\` for ids and slugs.`,
  );
}
