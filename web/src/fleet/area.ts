/** The operator console: addresses, navigation, commands. */
import { lazy } from 'react';
import type { Area, NavEntry } from '../app/area.ts';
import type { IconName } from '../kit/icon.tsx';
import { translate } from '../kit/texts.ts';
import {
  auditRoute,
  companiesRoute,
  companyRoute,
  connectionsRoute,
  createCompanyRoute,
  migrationRoute,
  migrationsRoute,
  operatorsRoute,
  overviewRoute,
} from './routes.ts';
import { fleetTexts } from './texts.ts';

type NavKey =
  | 'nav.overview'
  | 'nav.companies'
  | 'nav.migrations'
  | 'nav.connections'
  | 'nav.audit'
  | 'nav.operators'
  | 'nav.create';

const label =
  (key: NavKey): NavEntry['label'] =>
  (language) =>
    translate(fleetTexts, language, key);
const audience = { who: 'operator' } as const;

const entry = (key: NavKey, icon: IconName, to: string, order: number): NavEntry => ({
  label: label(key),
  icon,
  to,
  audience,
  order,
});

export const fleetArea: Area = {
  name: 'fleet',
  routes: {
    operator: [
      overviewRoute,
      companiesRoute,
      createCompanyRoute,
      companyRoute,
      migrationsRoute,
      migrationRoute,
      connectionsRoute,
      auditRoute,
      operatorsRoute,
    ],
  },
  nav: [
    entry('nav.overview', 'dashboard', '/operator', 10),
    entry('nav.companies', 'building', '/operator/companies', 20),
    entry('nav.migrations', 'database', '/operator/migrations', 30),
    entry('nav.connections', 'plug', '/operator/connections', 40),
    entry('nav.audit', 'audit', '/operator/audit', 50),
    entry('nav.operators', 'people', '/operator/operators', 60),
  ],
  commands: [
    { id: 'create-company', label: label('nav.create'), icon: 'plus', audience, to: '/operator/companies/new' },
  ],
  beside: {
    component: lazy(async () => ({ default: (await import('./find-companies.tsx')).FindCompanies })),
    audience,
  },
};
