/**
 * The four places where an area hangs its routes: for visitors, for everybody who is signed in, for members of a
 * company, for operators. Each guards itself: nobody sees a page of another one.
 */
import { createRootRoute, createRoute, lazyRouteComponent, redirect } from '@tanstack/react-router';
import type { Permission } from '../../../src/kernel/roles.ts';
import { ForbiddenError } from './forbidden.ts';
import { RootFrame } from './root-frame.tsx';
import { currentSession, start } from './session.ts';

export const rootRoute = createRootRoute({
  component: RootFrame,
  beforeLoad: async () => {
    await start();
  },
});

/** Pages with no navigation: sign in, invitations, links of mails. */
export const visitorLayout = createRoute({
  getParentRoute: () => rootRoute,
  id: 'visitor',
  component: lazyRouteComponent(() => import('./visitor-frame.tsx'), 'VisitorFrame'),
});

export const everybodyLayout = createRoute({
  getParentRoute: () => rootRoute,
  id: 'everybody',
  beforeLoad: ({ location }) => {
    const session = currentSession();
    if (session.status !== 'anonymous') return;
    const next = location.href === '/' ? undefined : location.href;
    throw redirect({ to: '/sign-in', search: next === undefined ? {} : { next }, replace: true });
  },
  component: lazyRouteComponent(() => import('./shell.tsx'), 'Shell'),
});

export const companyLayout = createRoute({
  getParentRoute: () => everybodyLayout,
  id: 'company',
  beforeLoad: () => {
    const session = currentSession();
    if (session.status === 'signed-in' && session.company === null) throw new ForbiddenError();
  },
});

export const operatorLayout = createRoute({
  getParentRoute: () => everybodyLayout,
  id: 'operator',
  beforeLoad: () => {
    const session = currentSession();
    if (session.status === 'signed-in' && session.company !== null) throw new ForbiddenError();
  },
});

/** `beforeLoad` of a route that only some roles may see. */
export function needs(...anyOf: readonly Permission[]): () => void {
  return () => {
    const session = currentSession();
    if (session.status !== 'signed-in') return;
    if (!anyOf.some((permission) => session.user.permissions.includes(permission))) throw new ForbiddenError();
  };
}
