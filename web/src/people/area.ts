/** People and invitations: addresses, navigation, commands. */
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import type { Area } from '../app/area.ts';
import { companyLayout, needs } from '../app/layouts.ts';
import { translate } from '../kit/texts.ts';
import { peopleTexts } from './texts.ts';

const mayManage = ['MANAGE_COMPANY_USERS', 'MANAGE_USERS', 'MANAGE_CUSTOMERS'] as const;

const list = createRoute({
  getParentRoute: () => companyLayout,
  path: '/people',
  beforeLoad: needs(...mayManage),
  component: lazyRouteComponent(() => import('./people-page.tsx'), 'PeoplePage'),
});

export const peopleArea: Area = {
  name: 'people',
  routes: { company: [list] },
  nav: [
    {
      label: (language) => translate(peopleTexts, language, 'nav'),
      icon: 'people',
      to: '/people',
      audience: { who: 'member', anyOf: mayManage },
      order: 30,
    },
  ],
};
