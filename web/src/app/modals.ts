/** Dialogs that load when they are opened. */
import { modals } from '@mantine/modals';
import { createElement, lazy, Suspense } from 'react';

const OtherCompany = lazy(async () => ({ default: (await import('../accounts/other-company.tsx')).OtherCompany }));

export const openModal = {
  otherCompany(title: string): void {
    const id = 'other-company';
    const body = createElement(OtherCompany, { onDone: () => modals.close(id) });
    modals.open({ modalId: id, title, children: createElement(Suspense, { fallback: null }, body) });
  },
};
