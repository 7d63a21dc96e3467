/** The app's outermost parts: theme, direction, cache, messages, dialogs, router. */
import { DirectionProvider, MantineProvider, mergeThemeOverrides } from '@mantine/core';
import { ModalsProvider, modals } from '@mantine/modals';
import { Notifications, notifications } from '@mantine/notifications';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useEffect, useMemo } from 'react';
import { appTexts } from '../kit/app-texts.ts';
import { directionOf, useLanguage } from '../kit/language.ts';
import { useTexts } from '../kit/texts.ts';
import { queryClient } from './query.ts';
import { router } from './router.tsx';
import { isEntering, onIdentity, onSession, useSession } from './session.ts';
import { colorSchemeManager, companyTheme, operatorTheme, variables } from './theme.ts';

// Whoever is there decides what may be seen: the guards run again.
onSession(() => {
  if (!isEntering()) void router.invalidate();
});

// What was said and asked belongs to whoever was there: an undo of one company must not be offered in another.
onIdentity(() => {
  notifications.clean();
  modals.closeAll();
});

const nonce = () => document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')?.nonce ?? '';

export function App() {
  const session = useSession();
  const language = useLanguage();
  const t = useTexts(appTexts);
  const direction = directionOf(language);
  const operator = session.status === 'signed-in' && session.company === null;
  const theme = useMemo(() => {
    const close = { defaultProps: { 'aria-label': t('app.close') } };
    return mergeThemeOverrides(operator ? operatorTheme : companyTheme, { components: { CloseButton: close } });
  }, [operator, t]);
  useEffect(() => {
    document.documentElement.lang = language.startsWith('qps') ? 'en' : language;
    document.documentElement.dir = direction;
  }, [language, direction]);
  return (
    <DirectionProvider key={direction} initialDirection={direction} detectDirection={false}>
      <MantineProvider
        theme={theme}
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
