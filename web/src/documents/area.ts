/** The documents workspace: addresses, navigation, commands. */
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import type { Area } from '../app/area.ts';
import { companyLayout } from '../app/layouts.ts';
import { translate } from '../kit/texts.ts';
import { documentsTexts } from './texts.ts';

const list = createRoute({
  getParentRoute: () => companyLayout,
  path: '/documents',
  component: lazyRouteComponent(() => import('./documents-page.tsx'), 'DocumentsPage'),
});

export const documentsArea: Area = {
  name: 'documents',
  routes: { company: [list] },
  nav: [
    {
      label: (language) => translate(documentsTexts, language, 'nav'),
      icon: 'document',
      to: '/documents',
      audience: { who: 'member' },
      order: 10,
    },
  ],
};
