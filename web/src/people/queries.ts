/** What people and invitations are asked of the server, and what is out of date after a change. */
import { keepPreviousData, type QueryClient, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import type { UserAnswer, UserSort } from '../../../src/modules/accounts/contract.ts';
import { client, useSignedIn } from '../app/session.ts';
import type { InvitationsSearch, PeopleSearch, RoleName } from './search.ts';

export type RoleAnswer = Awaited<ReturnType<typeof client.accounts.listRoles>>['items'][number];

const pageSize = '100';

/** Roles of the company, the highest first. */
export function useRoles() {
  return useQuery({
    queryKey: ['roles'],
    queryFn: ({ signal }) => client.accounts.listRoles({ signal }),
    staleTime: 300_000,
    select: ({ items }) => items,
  });
}

export function usePerson(id: string | undefined) {
  return useQuery({
    queryKey: ['people', 'one', id],
    queryFn: ({ signal }) => client.accounts.getUser({ params: { id: id! }, signal }),
    enabled: id !== undefined,
  });
}

type Filters = Pick<PeopleSearch, 'q' | 'role' | 'state'>;

const filterQuery = ({ q, role, state }: Filters) => ({
  ...(q === undefined ? {} : { q }),
  ...(role === undefined ? {} : { role }),
  ...(state === undefined ? {} : { is_active: state === 'active' ? ('true' as const) : ('false' as const) }),
});

interface PeopleFrom {
  /** Which of the roles is being read, where the order is that of rank. */
  readonly at: number;
  readonly cursor?: string;
}

/**
 * People in the order asked for. The server knows no order of rank, so by rank the roles are read one after another:
 * no page is without people while there are more.
 */
export function usePeople(search: PeopleSearch, roles: readonly RoleAnswer[] | undefined) {
  const { q, role, state, sort = 'role' } = search;
  const byRank = sort === 'role' || sort === '-role';
  const names = (role === undefined ? (roles ?? []).map(({ name }) => name) : [role]) as RoleName[];
  const inTurn: readonly (RoleName | undefined)[] = byRank ? (sort === 'role' ? names : names.toReversed()) : [role];
  const order: UserSort = byRank ? 'full_name' : (sort as UserSort);
  return useInfiniteQuery({
    queryKey: ['people', 'list', { q, role, state, sort }],
    enabled: !byRank || roles !== undefined,
    initialPageParam: { at: 0 } as PeopleFrom,
    queryFn: async ({ pageParam, signal }) => {
      const items: UserAnswer[] = [];
      let { at, cursor }: { at: number; cursor?: string | undefined } = pageParam;
      for (; at < inTurn.length; at += 1, cursor = undefined) {
        const filters = filterQuery({ ...search, role: inTurn[at] } as Filters);
        const query = { ...filters, sort: order, limit: pageSize, ...(cursor === undefined ? {} : { cursor }) };
        const page = await client.accounts.listUsers({ query, signal });
        items.push(...page.items);
        if (page.next_cursor !== null) return { items, next: { at, cursor: page.next_cursor } };
        if (items.length >= Number(pageSize)) return { items, next: at + 1 < inTurn.length ? { at: at + 1 } : null };
      }
      return { items, next: null };
    },
    getNextPageParam: ({ next }) => next,
    placeholderData: keepPreviousData,
    // People join by invitations that others accept: whoever comes to the page sees them.
    staleTime: 0,
  });
}

/** How many people the filters leave. */
export function usePeopleCount({ q, role, state }: PeopleSearch) {
  return useQuery({
    queryKey: ['people', 'count', { q, role, state }],
    queryFn: ({ signal }) =>
      client.accounts.listUsers({
        query: { ...filterQuery({ q, role, state } as Filters), limit: '1', total: 'true' },
        signal,
      }),
    select: ({ total }) => total,
    placeholderData: keepPreviousData,
    staleTime: 0,
  });
}

export function useInvitations({ status }: InvitationsSearch) {
  return useInfiniteQuery({
    queryKey: ['invitations', { status }],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      client.accounts.listInvitations({
        query: {
          limit: pageSize,
          total: 'true',
          ...(status === undefined ? {} : { status }),
          ...(pageParam === '' ? {} : { cursor: pageParam }),
        },
        signal,
      }),
    getNextPageParam: ({ next_cursor }) => next_cursor,
    placeholderData: keepPreviousData,
    staleTime: 0,
  });
}

/** After any change of a person or an invitation. */
export async function peopleChanged(queries: QueryClient): Promise<void> {
  await Promise.all([
    queries.invalidateQueries({ queryKey: ['people'] }),
    queries.invalidateQueries({ queryKey: ['invitations'] }),
  ]);
}

/** What the signed-in person may do with somebody: only below oneself, and only roles that one may give. */
export function useRightsOver(person: Pick<UserAnswer, 'id' | 'role'> | undefined) {
  const { user } = useSignedIn();
  const { data: roles = [] } = useRoles();
  const rankOf = (role: string) => roles.find(({ name }) => name === role)?.rank ?? 0;
  const self = person?.id === user.id;
  const below = person !== undefined && !self && roles.length > 0 && rankOf(person.role) < rankOf(user.role);
  return { self, below, grantable: roles.filter(({ may_grant }) => may_grant), roles };
}
