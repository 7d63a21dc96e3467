/**
 * Which account a sign-in name means. The same look-ups are made whether or not there is one, and the caller checks one
 * hash in any case, so that neither answer nor time tells who is known.
 */

import { isStrongroomError } from '../../kernel/errors.ts';
import type { Tenant } from '../../kernel/handles.ts';
import type { TenantId } from '../../kernel/ids.ts';
import { isEmail, isUsername } from '../../kernel/shapes.ts';
import type { DirectoryRow } from './directory.ts';
import type { Parts } from './parts.ts';
import { type UserRow, userByName } from './repository.ts';
import type { OperatorTable } from './tables.ts';

export type Account =
  | { readonly kind: 'operator'; readonly operator: OperatorTable }
  | { readonly kind: 'member'; readonly tenant: Tenant; readonly user: UserRow };

/** Memberships tried for one name: stale hints are passed over, but never many. */
const tries = 3;
const companyHint = /^[a-z0-9][a-z0-9_-]{0,99}$/;

export function createFinder(parts: Pick<Parts, 'kernel' | 'directory' | 'background'>) {
  const { kernel, directory } = parts;

  /** A handle for an active company; undefined where it is suspended, gone or being made. */
  async function openCompany(id: TenantId): Promise<Tenant | undefined> {
    try {
      return await kernel.tenants.open(id, { kind: 'anonymous' });
    } catch (error) {
      if (isStrongroomError(error, 'unauthenticated') || isStrongroomError(error, 'not_found')) return undefined;
      throw error;
    }
  }

  async function operatorByName(name: string): Promise<OperatorTable | undefined> {
    const column = name.includes('@') ? 'email' : 'username';
    return kernel.control.read.selectFrom('operators').selectAll().where(column, '=', name).executeTakeFirst();
  }

  async function memberOf(name: string, row: DirectoryRow): Promise<Account | undefined> {
    const tenant = await openCompany(row.tenant_id);
    if (tenant === undefined) return undefined;
    const user = await userByName(tenant.db.read, name);
    parts.background.run('settling a directory row', () => directory.settle(name, row, user !== undefined));
    return user === undefined ? undefined : { kind: 'member', tenant, user };
  }

  /** One row a company, in order. */
  function distinct(rows: readonly DirectoryRow[]): DirectoryRow[] {
    const seen = new Set<string>();
    return rows.filter((row) => !seen.has(row.tenant_id) && seen.add(row.tenant_id));
  }

  return {
    openCompany,
    /** By id or slug; undefined where it is no active one. */
    async openNamed(company: string): Promise<Tenant | undefined> {
      const named = companyHint.test(company) ? await kernel.tenants.find(company) : undefined;
      return named === undefined ? undefined : openCompany(named.id);
    },
    operatorByName,
    /** `company` is an id or a slug. Disabled people are found too: whether they may enter is decided after the hash. */
    async find(given: string, company: string | undefined): Promise<Account | undefined> {
      // What can be no name is looked for as one that nobody has: the same work, and no odd text reaches a database.
      const name = isEmail(given) || isUsername(given) ? given.toLowerCase() : '-';
      const hint = company === undefined || companyHint.test(company) ? company : '-';
      const [named, operator, found] = await Promise.all([
        hint === undefined ? undefined : kernel.tenants.find(hint),
        operatorByName(name),
        directory.find(name),
      ]);
      const rows = distinct(found);
      if (company !== undefined) {
        const row = rows.find((one) => one.tenant_id === named?.id);
        return row === undefined ? undefined : memberOf(name, row);
      }
      if (operator !== undefined && operator.is_active === 1) return { kind: 'operator', operator };
      for (const row of rows.slice(0, tries)) {
        const account = await memberOf(name, row);
        if (account !== undefined) return account;
      }
      return operator === undefined ? undefined : { kind: 'operator', operator };
    },
  };
}
export type Finder = ReturnType<typeof createFinder>;
