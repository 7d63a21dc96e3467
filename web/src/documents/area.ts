/** The documents workspace: addresses, navigation, commands. */
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import type { Area } from '../app/area.ts';
import { companyLayout } from '../app/layouts.ts';
import { translate } from '../kit/texts.ts';
import { DocumentFinder } from './beside.tsx';
import { parseSearch } from './list/search.ts';
import { documentRoute } from './one/route.ts';
import { documentsTexts } from './texts.ts';

const list = createRoute({
  getParentRoute: () => companyLayout,
  path: '/documents',
  validateSearch: parseSearch,
  component: lazyRouteComponent(() => import('./documents-page.tsx'), 'DocumentsPage'),
});

const trash = createRoute({
  getParentRoute: () => companyLayout,
  path: '/documents/trash',
  validateSearch: parseSearch,
  component: lazyRouteComponent(() => import('./trash-page.tsx'), 'TrashPage'),
});

export const documentsArea: Area = {
  name: 'documents',
  routes: { company: [list, trash, documentRoute] },
  nav: [
    {
      label: (language) => translate(documentsTexts, language, 'nav'),
      icon: 'document',
      to: '/documents',
      audience: { who: 'member' },
      order: 10,
    },
  ],
  commands: [
    {
      id: 'documents trash',
      label: (language) => translate(documentsTexts, language, 'trash.nav'),
      icon: 'trash',
      audience: { who: 'member' },
      to: '/documents/trash',
    },
  ],
  beside: { component: DocumentFinder, audience: { who: 'member' } },
};
