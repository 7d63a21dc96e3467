/** Uploads: addresses, navigation, commands. */
import { createRoute, lazyRouteComponent } from '@tanstack/react-router';
import { createElement, lazy, Suspense } from 'react';
import type { Area } from '../app/area.ts';
import { companyLayout, needs } from '../app/layouts.ts';
import { translate } from '../kit/texts.ts';
import { uploadsTexts } from './texts.ts';

const mayManage = ['UPLOAD_DOCUMENTS'] as const;

const list = createRoute({
  getParentRoute: () => companyLayout,
  path: '/uploads',
  beforeLoad: needs(...mayManage),
  component: lazyRouteComponent(() => import('./uploads-page.tsx'), 'UploadsPage'),
});

const Beside = lazy(async () => ({ default: (await import('./beside.tsx')).UploadsBeside }));

export const uploadsArea: Area = {
  name: 'uploads',
  routes: { company: [list] },
  nav: [
    {
      label: (language) => translate(uploadsTexts, language, 'nav'),
      icon: 'upload',
      to: '/uploads',
      audience: { who: 'member', anyOf: mayManage },
      order: 20,
    },
  ],
  // Also for those who may upload only into what is shared with them.
  beside: {
    component: () => createElement(Suspense, { fallback: null }, createElement(Beside)),
    audience: { who: 'member' },
  },
};
