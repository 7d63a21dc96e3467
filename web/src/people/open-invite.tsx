/** Opens the invitation dialog, from a page or from the palette; it loads when it is opened. */
import { modals } from '@mantine/modals';
import { lazy, Suspense } from 'react';
import { currentLanguage } from '../kit/language.ts';
import { translate } from '../kit/texts.ts';
import { peopleTexts } from './texts.ts';

const InviteForm = lazy(async () => ({ default: (await import('./invite-form.tsx')).InviteForm }));

export function openInvite(): void {
  const modalId = 'invite';
  modals.open({
    modalId,
    size: 'xl',
    title: translate(peopleTexts, currentLanguage(), 'invite.title'),
    // What is typed is not thrown away by a click beside it.
    closeOnClickOutside: false,
    children: (
      <Suspense fallback={null}>
        <InviteForm close={() => modals.close(modalId)} />
      </Suspense>
    ),
  });
}
