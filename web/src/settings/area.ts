/** Settings of the company: addresses, navigation, commands. */
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import type { Area } from '../app/area.ts';
import { companyLayout, needs } from '../app/layouts.ts';
import { translate } from '../kit/texts.ts';
import { settingsTexts } from './texts.ts';

const mayManage = ['MANAGE_COMPANY_USERS'] as const;

const list = createRoute({
  getParentRoute: () => companyLayout,
  path: '/settings',
  beforeLoad: needs(...mayManage),
  component: lazyRouteComponent(() => import('./settings-page.tsx'), 'SettingsPage'),
});

export const settingsArea: Area = {
  name: 'settings',
  routes: { company: [list] },
  nav: [
    {
      label: (language) => translate(settingsTexts, language, 'nav'),
      icon: 'settings',
      to: '/settings',
      audience: { who: 'member', anyOf: mayManage },
      order: 40,
    },
  ],
};
