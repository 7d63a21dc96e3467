/** Signing in and out, invitations, passwords, the own account: addresses and commands. */
import { createRoute, lazyRouteComponent, type RouteComponent, redirect } from '@tanstack/react-router';
import type { Area } from '../app/area.ts';
import { everybodyLayout, visitorLayout } from '../app/layouts.ts';
import { currentSession } from '../app/session.ts';
import { translate } from '../kit/texts.ts';
import { accountsTexts } from './texts.ts';

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** An address of ours to go on at; never one of another site. */
export function nextOf(value: unknown): string | undefined {
  const next = text(value);
  return next?.startsWith('/') === true && !/^\/[/\\]/.test(next) ? next : undefined;
}

const signIn = createRoute({
  getParentRoute: () => visitorLayout,
  path: '/sign-in',
  validateSearch: (search: Record<string, unknown>): { next?: string } => {
    const next = nextOf(search.next);
    return next === undefined ? {} : { next };
  },
  beforeLoad: ({ search }) => {
    if (currentSession().status === 'signed-in') throw redirect({ href: search.next ?? '/', replace: true });
  },
  component: lazyRouteComponent(() => import('./sign-in-page.tsx'), 'SignInPage'),
});

const chooseCompany = createRoute({
  getParentRoute: () => visitorLayout,
  path: '/choose-company',
  validateSearch: (search: Record<string, unknown>): { next?: string } => {
    const next = nextOf(search.next);
    return next === undefined ? {} : { next };
  },
  beforeLoad: () => {
    if (currentSession().status === 'anonymous') throw redirect({ to: '/sign-in', replace: true });
  },
  component: lazyRouteComponent(() => import('./choose-company-page.tsx'), 'ChooseCompanyPage'),
});

/** Pages of one-time links take their token from the query or, in old links, from the path. */
const linked = (path: '/setup' | '/invitation' | '/reset-password', component: RouteComponent) =>
  [path, `${path}/$token`].map((one) => createRoute({ getParentRoute: () => visitorLayout, path: one, component }));

const forgot = createRoute({
  getParentRoute: () => visitorLayout,
  path: '/forgot',
  component: lazyRouteComponent(() => import('./forgot-page.tsx'), 'ForgotPage'),
});

const account = createRoute({
  getParentRoute: () => everybodyLayout,
  path: '/account',
  component: lazyRouteComponent(() => import('./account-page.tsx'), 'AccountPage'),
});

export const accountsArea: Area = {
  name: 'accounts',
  routes: {
    visitor: [
      signIn,
      chooseCompany,
      forgot,
      ...linked(
        '/setup',
        lazyRouteComponent(() => import('./setup-page.tsx'), 'SetupPage'),
      ),
      ...linked(
        '/invitation',
        lazyRouteComponent(() => import('./invitation-page.tsx'), 'InvitationPage'),
      ),
      ...linked(
        '/reset-password',
        lazyRouteComponent(() => import('./reset-password-page.tsx'), 'ResetPasswordPage'),
      ),
    ],
    everybody: [account],
  },
  commands: [
    {
      id: 'account',
      label: (language) => translate(accountsTexts, language, 'command.account'),
      icon: 'person',
      audience: { who: 'everybody' },
      to: '/account',
    },
  ],
};
