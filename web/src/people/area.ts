/** People and invitations: addresses, navigation, commands. */
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import type { Area } from '../app/area.ts';
import { companyLayout, needs } from '../app/layouts.ts';
import { translate } from '../kit/texts.ts';
import { PeopleBeside } from './beside.tsx';
import { invitationsSearch, peopleSearch } from './search.ts';
import { peopleTexts } from './texts.ts';

const mayManage = ['MANAGE_COMPANY_USERS', 'MANAGE_USERS', 'MANAGE_CUSTOMERS'] as const;

const list = createRoute({
  getParentRoute: () => companyLayout,
  path: '/people',
  validateSearch: peopleSearch,
  beforeLoad: needs(...mayManage),
  component: lazyRouteComponent(() => import('./people-page.tsx'), 'PeoplePage'),
});

const invitations = createRoute({
  getParentRoute: () => companyLayout,
  path: '/people/invitations',
  validateSearch: invitationsSearch,
  beforeLoad: needs(...mayManage),
  component: lazyRouteComponent(() => import('./invitations-page.tsx'), 'InvitationsPage'),
});

export const peopleArea: Area = {
  name: 'people',
  routes: { company: [list, invitations] },
  nav: [
    {
      label: (language) => translate(peopleTexts, language, 'nav'),
      icon: 'people',
      to: '/people',
      audience: { who: 'member', anyOf: mayManage },
      order: 30,
    },
  ],
  commands: [
    {
      id: 'people invitations',
      label: (language) => translate(peopleTexts, language, 'tab.invitations'),
      icon: 'mail',
      audience: { who: 'member', anyOf: mayManage },
      to: '/people/invitations',
    },
  ],
  beside: { component: PeopleBeside, audience: { who: 'member', anyOf: mayManage } },
};
