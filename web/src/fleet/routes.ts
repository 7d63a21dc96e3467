/** The addresses of the operator console. Filters and orders stand in them, so that a link shows what its sender saw. */
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { operatorLayout } from '../app/layouts.ts';
import {
  type CompanyListSearch,
  companySorts,
  companyStates,
  type ItemStatus,
  itemStatuses,
  oneOf,
  placements,
} from './kinds.ts';

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value.slice(0, 200) : undefined;

/** Without the members that have no value. */
function present<T extends object>(search: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as T;
}

export const overviewRoute = createRoute({
  getParentRoute: () => operatorLayout,
  path: '/operator',
  component: lazyRouteComponent(() => import('./overview-page.tsx'), 'OverviewPage'),
});

export const companiesRoute = createRoute({
  getParentRoute: () => operatorLayout,
  path: '/operator/companies',
  validateSearch: (search: Record<string, unknown>): CompanyListSearch =>
    present<CompanyListSearch>({
      q: text(search.q),
      status: oneOf(companyStates, search.status),
      placement: oneOf(placements, search.placement),
      sort: oneOf(companySorts, search.sort),
    }),
  component: lazyRouteComponent(() => import('./companies-page.tsx'), 'CompaniesPage'),
});

export const createCompanyRoute = createRoute({
  getParentRoute: () => operatorLayout,
  path: '/operator/companies/new',
  component: lazyRouteComponent(() => import('./create-company-page.tsx'), 'CreateCompanyPage'),
});

export const companyRoute = createRoute({
  getParentRoute: () => operatorLayout,
  path: '/operator/companies/$id',
  component: lazyRouteComponent(() => import('./company-page.tsx'), 'CompanyPage'),
});

export const migrationsRoute = createRoute({
  getParentRoute: () => operatorLayout,
  path: '/operator/migrations',
  component: lazyRouteComponent(() => import('./migrations-page.tsx'), 'MigrationsPage'),
});

export const migrationRoute = createRoute({
  getParentRoute: () => operatorLayout,
  path: '/operator/migrations/$id',
  validateSearch: (search: Record<string, unknown>): { status?: ItemStatus } =>
    present<{ status?: ItemStatus }>({ status: oneOf(itemStatuses, search.status) }),
  component: lazyRouteComponent(() => import('./migration-page.tsx'), 'MigrationPage'),
});

export const connectionsRoute = createRoute({
  getParentRoute: () => operatorLayout,
  path: '/operator/connections',
  component: lazyRouteComponent(() => import('./connections-page.tsx'), 'ConnectionsPage'),
});

export const auditRoute = createRoute({
  getParentRoute: () => operatorLayout,
  path: '/operator/audit',
  component: lazyRouteComponent(() => import('./audit-page.tsx'), 'AuditPage'),
});

export const operatorsRoute = createRoute({
  getParentRoute: () => operatorLayout,
  path: '/operator/operators',
  component: lazyRouteComponent(() => import('./operators-page.tsx'), 'OperatorsPage'),
});
