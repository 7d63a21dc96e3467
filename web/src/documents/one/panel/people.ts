/** People and roles by the names that people know: whom one may see, by search, and who a share belongs to. */
import { useQueries, useQuery } from '@tanstack/react-query';
import { roleTitle } from '../../../app/role-title.ts';
import { client, useSignedIn } from '../../../app/session.ts';
import { appTexts } from '../../../kit/app-texts.ts';
import { useTexts } from '../../../kit/texts.ts';
import { documentTexts } from '../texts.ts';

export const isPerson = (grantee: string): boolean => grantee.startsWith('user_');

/** Names of these people and roles; of whom one cannot see, a phrase. */
export function useNames(grantees: readonly string[]): (grantee: string) => string {
  const t = useTexts(documentTexts);
  const app = useTexts(appTexts);
  const { user } = useSignedIn();
  const people = [...new Set(grantees.filter(isPerson))].filter((id) => id !== user.id);
  const found = useQueries({
    queries: people.map((id) => ({
      queryKey: ['people', 'name', id],
      queryFn: () => client.accounts.getUser({ params: { id } }),
      staleTime: 300_000,
      retry: false,
    })),
  });
  const names = new Map<string, string>([[user.id, user.full_name]]);
  people.forEach((id, at) => {
    const answer = found[at];
    if (answer?.data !== undefined) names.set(id, answer.data.full_name);
    else names.set(id, answer?.isError === true ? t('sharing.unknown') : '…');
  });
  return (grantee) =>
    isPerson(grantee)
      ? (names.get(grantee) ?? t('sharing.unknown'))
      : t('sharing.everybody', { role: roleTitle(app, grantee) });
}

export interface Grantee {
  readonly id: string;
  readonly name: string;
}

/** Whom a share can be given to: people that fit the search, and roles below one's own (administrators: all). */
export function useGrantees(search: string): {
  readonly people: readonly Grantee[];
  readonly roles: readonly Grantee[];
  readonly loading: boolean;
} {
  const app = useTexts(appTexts);
  const t = useTexts(documentTexts);
  const { user } = useSignedIn();
  const people = useQuery({
    queryKey: ['people', 'choice', search],
    queryFn: ({ signal }) =>
      client.accounts.listUsers({
        query: { limit: '20', is_active: 'true', ...(search === '' ? {} : { q: search }) },
        signal,
      }),
    placeholderData: (before) => before,
  });
  const roles = useQuery({
    queryKey: ['people', 'roles'],
    queryFn: ({ signal }) => client.accounts.listRoles({ signal }),
    staleTime: 300_000,
  });
  const all = roles.data?.items ?? [];
  const rank = all.find(({ name }) => name === user.role)?.rank ?? 0;
  const administrator = user.permissions.includes('MANAGE_COMPANY_USERS');
  return {
    people: (people.data?.items ?? [])
      .filter(({ id }) => id !== user.id)
      .map(({ id, full_name, email }) => ({ id, name: `${full_name} (${email})` })),
    roles: all
      .filter((role) => administrator || role.rank < rank)
      .map(({ name }) => ({ id: name, name: t('sharing.everybody', { role: roleTitle(app, name) }) })),
    loading: people.isFetching,
  };
}
