/** Settings of the company: addresses, navigation, commands. */
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import type { Area } from '../app/area.ts';
import { companyLayout, needs } from '../app/layouts.ts';
import { translate } from '../kit/texts.ts';
import { settingsTexts } from './texts.ts';

const mayManage = ['MANAGE_COMPANY_USERS'] as const;
const audience = { who: 'member', anyOf: mayManage } as const;

const general = createRoute({
  getParentRoute: () => companyLayout,
  path: '/settings',
  beforeLoad: needs(...mayManage),
  component: lazyRouteComponent(() => import('./settings-page.tsx'), 'SettingsPage'),
});

const roles = createRoute({
  getParentRoute: () => companyLayout,
  path: '/settings/roles',
  beforeLoad: needs(...mayManage),
  component: lazyRouteComponent(() => import('./roles-page.tsx'), 'RolesPage'),
});

const audit = createRoute({
  getParentRoute: () => companyLayout,
  path: '/settings/audit',
  beforeLoad: needs(...mayManage),
  component: lazyRouteComponent(() => import('./audit-page.tsx'), 'AuditPage'),
});

export const settingsArea: Area = {
  name: 'settings',
  routes: { company: [general, roles, audit] },
  nav: [
    {
      label: (language) => translate(settingsTexts, language, 'nav'),
      icon: 'settings',
      to: '/settings',
      audience,
      order: 40,
    },
  ],
  commands: [
    {
      id: 'settings roles',
      label: (language) => translate(settingsTexts, language, 'tab.roles'),
      icon: 'key',
      audience,
      to: '/settings/roles',
    },
    {
      id: 'settings audit',
      label: (language) => translate(settingsTexts, language, 'tab.audit'),
      icon: 'audit',
      audience,
      to: '/settings/audit',
    },
  ],
};
