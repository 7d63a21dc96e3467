/** The app's outermost parts: theme, direction, cache, messages, dialogs, router. */
import { DirectionProvider, MantineProvider } from '@mantine/core';
import { ModalsProvider } from '@mantine/modals';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useEffect } from 'react';
import { appTexts } from '../kit/app-texts.ts';
import { directionOf, useLanguage } from '../kit/language.ts';
import { useTexts } from '../kit/texts.ts';
import { queryClient } from './query.ts';
import { router } from './router.tsx';
import { onSession, useSession } from './session.ts';
import { colorSchemeManager, companyTheme, operatorTheme, variables } from './theme.ts';

// Whoever is there decides what may be seen: the guards run again.
onSession(() => void router.invalidate());

const nonce = () => document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')?.nonce ?? '';

export function App() {
  const session = useSession();
  const language = useLanguage();
  const t = useTexts(appTexts);
  const direction = directionOf(language);
  const operator = session.status === 'signed-in' && session.company === null;
  useEffect(() => {
    document.documentElement.lang = language.startsWith('qps') ? 'en' : language;
    document.documentElement.dir = direction;
  }, [language, direction]);
  return (
    <DirectionProvider key={direction} initialDirection={direction} detectDirection={false}>
      <MantineProvider
        theme={operator ? operatorTheme : companyTheme}
        cssVariablesResolver={variables}
        colorSchemeManager={colorSchemeManager}
        defaultColorScheme="auto"
        getStyleNonce={nonce}
      >
        <QueryClientProvider client={queryClient}>
          <ModalsProvider labels={{ confirm: t('app.save'), cancel: t('app.cancel') }}>
            <Notifications position="bottom-left" limit={4} />
            <RouterProvider router={router} />
          </ModalsProvider>
        </QueryClientProvider>
      </MantineProvider>
    </DirectionProvider>
  );
}
