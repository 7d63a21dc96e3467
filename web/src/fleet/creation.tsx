/** The creation of a company while it goes on, and what is to be done after it: hand on the first administrator's link. */
import { Alert, Button, Group, Stack, Text, VisuallyHidden } from '@mantine/core';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { z } from 'zod';
import type { FirstInvitation } from '../../../src/modules/fleet/contract.ts';
import { DataState } from '../kit/data-state.tsx';
import { Icon } from '../kit/icon.tsx';
import { Section } from '../kit/section.tsx';
import { useTexts } from '../kit/texts.ts';
import { OneTimeLink } from './one-time-link.tsx';
import { companyQuery, operationsQuery } from './queries.ts';
import { Steps, useStepName } from './steps.tsx';
import { fleetTexts } from './texts.ts';

export interface Begun {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly operationId: string | undefined;
  readonly invitation: z.output<typeof FirstInvitation> | undefined;
  readonly invited: string;
}

export function Creation({ begun, onAnother }: { begun: Begun; onAnother: () => void }) {
  const t = useTexts(fleetTexts);
  const nameOf = useStepName();
  const { data: company } = useQuery(companyQuery(begun.id));
  const journal = useInfiniteQuery({
    ...operationsQuery(begun.id),
    refetchInterval: ({ state: { data } }) =>
      data?.pages[0]?.items.some(({ status }) => status !== 'running') === true ? false : 300,
  });
  const operations = journal.data?.pages.flatMap(({ items }) => items) ?? [];
  const operation =
    operations.find(({ id }) => id === begun.operationId) ?? operations.find(({ verb }) => verb === 'create');
  const running = operation?.steps.find(({ status }) => status === 'running');
  const said =
    operation === undefined || operation.status === 'running'
      ? t('create.running', { step: running === undefined ? '' : nameOf(running.name) })
      : t(operation.status === 'succeeded' ? 'create.done' : 'create.failed');
  return (
    <Stack gap="lg">
      <VisuallyHidden role="status">{said}</VisuallyHidden>
      {operation?.status === 'succeeded' ? (
        <Alert color="teal" variant="light" icon={<Icon name="check" />} title={t('create.done')}>
          {t('create.doneHint')}
        </Alert>
      ) : null}
      {operation !== undefined && (operation.status === 'failed' || operation.status === 'undone') ? (
        <Alert color="red" variant="light" icon={<Icon name="alert" />} title={t('create.failed')}>
          <Text size="sm">{operation.reason}</Text>
          <Text size="sm">{t('create.failedHint')}</Text>
        </Alert>
      ) : null}
      {begun.invitation === undefined || operation?.status !== 'succeeded' ? null : (
        <OneTimeLink url={begun.invitation.setup_url} expiresAt={begun.invitation.expires_at} email={begun.invited} />
      )}
      <Section title={t('create.steps')}>
        <DataState
          what={t('create.steps')}
          loading={journal.isPending || operation === undefined}
          error={journal.error}
          onRetry={() => void journal.refetch()}
          count={operation === undefined ? 0 : 1}
          empty={{ icon: 'history', title: t('journal.empty') }}
        >
          {operation === undefined ? null : <Steps operation={operation} />}
        </DataState>
      </Section>
      <Group>
        <Button component={Link} to={`/operator/companies/${begun.id}`}>
          {t('create.open')}
        </Button>
        {company?.status === 'active' ? (
          <Button variant="default" onClick={onAnother}>
            {t('create.another')}
          </Button>
        ) : null}
      </Group>
    </Stack>
  );
}
