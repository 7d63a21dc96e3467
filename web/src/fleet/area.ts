/** The operator console: addresses, navigation, commands. */
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import type { Area } from '../app/area.ts';
import { operatorLayout } from '../app/layouts.ts';
import { translate } from '../kit/texts.ts';
import { fleetTexts } from './texts.ts';

const list = createRoute({
  getParentRoute: () => operatorLayout,
  path: '/operator',
  component: lazyRouteComponent(() => import('./fleet-page.tsx'), 'FleetPage'),
});

export const fleetArea: Area = {
  name: 'fleet',
  routes: { operator: [list] },
  nav: [
    {
      label: (language) => translate(fleetTexts, language, 'nav'),
      icon: 'dashboard',
      to: '/operator',
      audience: { who: 'operator' },
      order: 10,
    },
  ],
};
