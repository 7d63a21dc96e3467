/** What was done to a company, newest first: each operation with its steps, live while one runs. */
import { Accordion, Group, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { DataState } from '../kit/data-state.tsx';
import { MoreButton } from '../kit/next-page.tsx';
import { Section } from '../kit/section.tsx';
import { useTexts } from '../kit/texts.ts';
import { Time } from '../kit/time.tsx';
import { StateBadge } from './badges.tsx';
import { operationsQuery } from './queries.ts';
import { type Operation, Steps } from './steps.tsx';
import { fleetTexts } from './texts.ts';

export function CompanyJournal({ id }: { id: string }) {
  const t = useTexts(fleetTexts);
  const list = useInfiniteQuery(operationsQuery(id));
  const operations = list.data?.pages.flatMap(({ items }) => items) ?? [];
  const [chosen, setChosen] = useState<string[]>([]);
  // What runs is open by itself.
  const open = [...chosen, ...operations.filter(({ status }) => status === 'running').map((one) => one.id)];
  return (
    <Section title={t('journal.title')} about={t('journal.about')}>
      <DataState
        what={t('journal.title')}
        loading={list.isPending}
        error={list.error}
        onRetry={() => void list.refetch()}
        count={operations.length}
        empty={{ icon: 'history', title: t('journal.empty') }}
        rows={3}
      >
        <Accordion multiple variant="separated" value={open} onChange={setChosen}>
          {operations.map((operation) => (
            <Entry key={operation.id} operation={operation} />
          ))}
        </Accordion>
        <MoreButton list={list} mt="md" />
      </DataState>
    </Section>
  );
}

function Entry({ operation }: { operation: Operation }) {
  const t = useTexts(fleetTexts);
  const { id, verb, status, started_at: began, attempts, actor, reason } = operation;
  return (
    <Accordion.Item value={id} data-verb={verb}>
      <Accordion.Control>
        <Group gap="sm">
          <Text size="sm" fw={600} component="span">
            {t(`operation.${verb}`)}
          </Text>
          <StateBadge state={status} />
          <Text size="xs" c="dimmed" component="span">
            <Time value={began} />
          </Text>
        </Group>
      </Accordion.Control>
      <Accordion.Panel>
        <Text size="xs" c="dimmed">
          {t('journal.by', { actor, attempts })}
        </Text>
        {reason === null ? null : (
          <Text size="sm" c="var(--mantine-color-error)">
            {reason}
          </Text>
        )}
        <Steps operation={operation} />
      </Accordion.Panel>
    </Accordion.Item>
  );
}
