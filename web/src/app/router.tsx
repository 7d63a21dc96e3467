/** The router: every area's routes under the layouts, and a page for each way in which an address can fail. */
import { createRoute, createRouter, redirect } from '@tanstack/react-router';
import { areas } from './areas.ts';
import { companyLayout, everybodyLayout, operatorLayout, rootRoute, visitorLayout } from './layouts.ts';
import { currentSession } from './session.ts';
import { Failed, NotFound, Pending } from './states.tsx';

/** Where somebody starts. */
export function homeOf(): string {
  const session = currentSession();
  if (session.status !== 'signed-in') return '/sign-in';
  return session.company === null ? '/operator' : '/documents';
}

const home = createRoute({
  getParentRoute: () => everybodyLayout,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: homeOf(), replace: true });
  },
});

/** Any other address: inside the shell for those who are signed in. */
const elsewhere = createRoute({ getParentRoute: () => everybodyLayout, path: '$', component: NotFound });

const of = (place: keyof (typeof areas)[number]['routes']) => areas.flatMap((area) => area.routes[place] ?? []);

const routeTree = rootRoute.addChildren([
  visitorLayout.addChildren([...of('visitor')]),
  everybodyLayout.addChildren([
    home,
    elsewhere,
    ...of('everybody'),
    companyLayout.addChildren([...of('company')]),
    operatorLayout.addChildren([...of('operator')]),
  ]),
]);

export const router = createRouter({
  routeTree,
  defaultPreload: 'intent',
  defaultPreloadStaleTime: 0,
  defaultPendingMs: 300,
  defaultPendingComponent: Pending,
  defaultErrorComponent: Failed,
  defaultNotFoundComponent: NotFound,
  scrollRestoration: true,
});
