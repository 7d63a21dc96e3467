/** Round every page: the banner that tells when nobody answers, and the page itself. */
import { Button, Center, Loader, Stack, Text } from '@mantine/core';
import { Outlet } from '@tanstack/react-router';
import { appTexts } from '../kit/app-texts.ts';
import { Icon } from '../kit/icon.tsx';
import { useTexts } from '../kit/texts.ts';
import { currentReach, onReach, useReach } from './reach.ts';
import classes from './root-frame.module.css';
import { currentSession, identityOf, start, useSession } from './session.ts';

// A page that was opened while the server was away begins when it is back.
onReach(() => {
  if (currentReach() === 'up' && currentSession().status === 'unreachable') {
    void start(true);
  }
});

export function RootFrame() {
  const session = useSession();
  return (
    <>
      <ReachBanner />
      {session.status === 'unreachable' ? (
        <Unreachable />
      ) : session.status === 'starting' ? (
        <Starting />
      ) : (
        <Fresh key={identityOf(session)} />
      )}
    </>
  );
}

/** Begins anew with whoever is there: what a page keeps for itself goes with the former. */
function Fresh() {
  return <Outlet />;
}

function ReachBanner() {
  const reach = useReach();
  const t = useTexts(appTexts);
  return (
    <div role="status" className={classes.live}>
      {reach === 'up' ? null : (
        <div className={classes.banner}>
          <Icon name="offline" />
          {t(reach === 'offline' ? 'app.offline' : 'app.down')}
        </div>
      )}
    </div>
  );
}

function Starting() {
  const t = useTexts(appTexts);
  return (
    <Center h="100dvh">
      <Loader type="dots" role="status" aria-label={t('app.loading')} />
    </Center>
  );
}

function Unreachable() {
  const t = useTexts(appTexts);
  return (
    <Center component="main" h="90dvh" p="md">
      <Stack align="center" gap="md" maw={420}>
        <Icon name="offline" size={40} />
        <Text ta="center">{t('error.network')}</Text>
        <Button variant="light" onClick={() => void start(true)}>
          {t('app.retry')}
        </Button>
      </Stack>
    </Center>
  );
}
