/** The pages that stand where a page cannot: on its way, broken, not for this role, not there. */
import { Button, Center, CopyButton, Group, Loader, Stack, Text, Title } from '@mantine/core';
import { type ErrorComponentProps, Link, useRouter } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { workspaceRoleNames } from '../../../src/kernel/roles.ts';
import { appTexts } from '../kit/app-texts.ts';
import { Icon, type IconName } from '../kit/icon.tsx';
import { ProblemNote } from '../kit/problem.tsx';
import { useTexts } from '../kit/texts.ts';
import { ForbiddenError } from './forbidden.ts';
import { roleTitle } from './role-title.ts';
import { useSession } from './session.ts';

export function Pending() {
  const t = useTexts(appTexts);
  return (
    <Center py={96}>
      <Loader type="dots" role="status" aria-label={t('app.loading')} />
    </Center>
  );
}

function Statement(props: { icon: IconName; title: string; action?: ReactNode; children: ReactNode }) {
  const { icon, title, action, children } = props;
  const t = useTexts(appTexts);
  return (
    <Center py={64} px="md">
      <Stack align="center" gap="md" maw={520}>
        <Icon name={icon} size={40} />
        <Title order={1} size="h3" ta="center">
          {title}
        </Title>
        {children}
        <Group>
          <Button component={Link} to="/" variant="light">
            {t('app.home')}
          </Button>
          {action}
        </Group>
      </Stack>
    </Center>
  );
}

export function NotFound() {
  const t = useTexts(appTexts);
  return (
    <Statement icon="search" title={t('error.notFound')}>
      <Text ta="center">{t('error.notFoundHint')}</Text>
    </Statement>
  );
}

export function Forbidden() {
  const t = useTexts(appTexts);
  const session = useSession();
  if (session.status !== 'signed-in') return null;
  const { company, user } = session;
  const [why, ask] =
    company === null
      ? [t('error.forbiddenOperator'), t('error.forbiddenOperatorAsk')]
      : location.pathname.startsWith('/operator')
        ? [t('error.forbiddenMember', { company: company.name }), t('error.forbiddenMemberAsk')]
        : [
            t('error.forbiddenHint', { role: roleTitle(t, user.role), company: company.name }),
            t('error.forbiddenAsk', { preset: presetOf(user.role), company: company.name }),
          ];
  return (
    <Statement icon="lock" title={t('error.forbidden')} action={<CopyAddress />}>
      <Text ta="center">{why}</Text>
      <Text ta="center">{ask}</Text>
    </Statement>
  );
}

const presetOf = (role: string): string => (workspaceRoleNames.some((name) => name === role) ? 'workspace' : 'company');

/** To send along with the question. */
function CopyAddress() {
  const t = useTexts(appTexts);
  return (
    <CopyButton value={location.href}>
      {({ copied, copy }) => (
        <Button variant="default" onClick={copy} leftSection={<Icon name={copied ? 'check' : 'copy'} size={16} />}>
          {t(copied ? 'app.copied' : 'error.copyAddress')}
        </Button>
      )}
    </CopyButton>
  );
}

export function Failed({ error, reset }: ErrorComponentProps) {
  const t = useTexts(appTexts);
  const router = useRouter();
  if (error instanceof ForbiddenError) return <Forbidden />;
  return (
    <Statement icon="alert" title={t('error.title')}>
      <Text ta="center">{t('error.hint')}</Text>
      <ProblemNote error={error} />
      <Button
        onClick={() => {
          reset();
          void router.invalidate();
        }}
      >
        {t('app.retry')}
      </Button>
    </Statement>
  );
}
