/** The address of one document: `/documents/$id`, with the tab that is open and an earlier version that is shown. */
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { companyLayout } from '../../app/layouts.ts';
import type { DocumentSearch } from './document-page.tsx';

const tabs = ['info', 'versions', 'activity', 'sharing'] as const;

function searchOf(search: Record<string, unknown>): DocumentSearch {
  const tab = tabs.find((name) => name === search.tab);
  const version = Number(search.version);
  return {
    ...(tab === undefined ? {} : { tab }),
    ...(Number.isSafeInteger(version) && version > 0 ? { version } : {}),
  };
}

export const documentRoute = createRoute({
  getParentRoute: () => companyLayout,
  path: '/documents/$id',
  validateSearch: searchOf,
  component: lazyRouteComponent(() => import('./document-page.tsx'), 'DocumentPage'),
});
