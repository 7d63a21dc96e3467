/** What the console asks of the server, and how often: quick while something is under way, else calmly. */
import { infiniteQueryOptions, type QueryClient, queryOptions } from '@tanstack/react-query';
import { client } from '../app/session.ts';
import type { CompanyListSearch, CompanyState } from './kinds.ts';

const quickMs = 700;
const calmMs = 15_000;
const passing: readonly CompanyState[] = ['creating', 'purging'];

const from = (cursor: string) => (cursor === '' ? {} : { cursor });
const pages = {
  // Comparing every page loaded so far with itself, for each page that comes, takes longer than drawing them.
  structuralSharing: false,
  initialPageParam: '',
  getNextPageParam: ({ next_cursor }: { next_cursor: string | null }) => next_cursor,
} as const;

export const statusQuery = queryOptions({
  queryKey: ['fleet', 'status'],
  queryFn: ({ signal }) => client.fleet.getSystemStatus({ signal }),
  refetchInterval: calmMs,
});

export const companiesQuery = (search: CompanyListSearch) =>
  infiniteQueryOptions({
    queryKey: ['fleet', 'companies', search],
    queryFn: ({ pageParam, signal }) =>
      client.fleet.listCompanies({
        // The count is the same on every page: it is asked for once.
        query: { ...search, limit: '200', ...(pageParam === '' ? { total: 'true' } : { cursor: pageParam }) },
        signal,
      }),
    ...pages,
  });

export const companyQuery = (id: string) =>
  queryOptions({
    queryKey: ['fleet', 'company', id],
    queryFn: ({ signal }) => client.fleet.getCompany({ params: { id }, signal }),
    refetchInterval: ({ state: { data } }) => (data !== undefined && passing.includes(data.status) ? quickMs : calmMs),
  });

/** The same without asking again: for names in lists. */
export const companyNameQuery = (id: string) =>
  queryOptions({
    queryKey: ['fleet', 'company', id],
    queryFn: ({ signal }) => client.fleet.getCompany({ params: { id }, signal }),
    staleTime: 60_000,
    retry: false,
  });

export const statsQuery = (id: string) =>
  queryOptions({
    queryKey: ['fleet', 'stats', id],
    queryFn: ({ signal }) => client.fleet.getCompanyStats({ params: { id }, signal }),
    staleTime: 30_000,
    retry: false,
  });

export const figuresQuery = queryOptions({
  queryKey: ['fleet', 'figures'],
  queryFn: ({ signal }) => client.fleet.getSystemFigures({ query: { days: '30' }, signal }),
  refetchInterval: calmMs,
});

/** A year: what is shown begins with the last count before it. */
export const companyFiguresQuery = (id: string) =>
  queryOptions({
    queryKey: ['fleet', 'figures', id],
    queryFn: ({ signal }) => client.fleet.getCompanyFigures({ params: { id }, query: { days: '366' }, signal }),
    refetchInterval: calmMs,
  });

export const operationsQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: ['fleet', 'operations', id],
    queryFn: ({ pageParam, signal }) =>
      client.fleet.listCompanyOperations({ params: { id }, query: { limit: '20', ...from(pageParam) }, signal }),
    ...pages,
    refetchInterval: ({ state: { data } }) =>
      data?.pages[0]?.items.some(({ status }) => status === 'running') === true ? quickMs : calmMs,
  });

export const migrationsQuery = infiniteQueryOptions({
  queryKey: ['fleet', 'migrations'],
  queryFn: ({ pageParam, signal }) =>
    client.fleet.listMigrations({ query: { limit: '20', ...from(pageParam) }, signal }),
  ...pages,
  refetchInterval: ({ state: { data } }) =>
    data?.pages[0]?.items.some(({ status }) => status === 'running') === true ? 2_000 : calmMs,
});

export const migrationQuery = (id: string) =>
  queryOptions({
    queryKey: ['fleet', 'migration', id],
    queryFn: ({ signal }) => client.fleet.getMigration({ params: { id }, signal }),
    refetchInterval: ({ state: { data } }) => (data?.status === 'running' ? quickMs : false),
  });

export const connectionsQuery = infiniteQueryOptions({
  queryKey: ['fleet', 'connections'],
  queryFn: ({ pageParam, signal }) =>
    client.fleet.listConnections({ query: { limit: '200', ...from(pageParam) }, signal }),
  ...pages,
});

export const auditQuery = infiniteQueryOptions({
  queryKey: ['fleet', 'audit'],
  queryFn: ({ pageParam, signal }) =>
    client.fleet.listSystemAudit({ query: { limit: '100', ...from(pageParam) }, signal }),
  ...pages,
});

export const operatorsQuery = infiniteQueryOptions({
  queryKey: ['fleet', 'operators'],
  queryFn: ({ pageParam, signal }) =>
    client.accounts.listOperators({ query: { limit: '100', ...from(pageParam) }, signal }),
  ...pages,
});

/** After something was changed: whatever the console shows may be another. */
export const refreshFleet = (queries: QueryClient): Promise<void> => queries.invalidateQueries({ queryKey: ['fleet'] });
