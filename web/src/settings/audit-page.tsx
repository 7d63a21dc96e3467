/** The company's audit trail, the newest first; each row opens, and the whole can be checked for being untouched. */
import { Alert, Anchor, Badge, Button, Code, Drawer, Stack, Text } from '@mantine/core';
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../app/session.ts';
import { appTexts } from '../kit/app-texts.ts';
import { DataState } from '../kit/data-state.tsx';
import { type Fact, FactList } from '../kit/fact-list.tsx';
import { useFormats } from '../kit/formats.ts';
import { Icon } from '../kit/icon.tsx';
import { NextPageFailed, useNextPage } from '../kit/next-page.tsx';
import { ProblemAlert } from '../kit/problem.tsx';
import { useTexts } from '../kit/texts.ts';
import { type Column, VirtualTable } from '../kit/virtual-table.tsx';
import { SettingsFrame } from './settings-frame.tsx';
import { settingsTexts } from './texts.ts';

type Row = Awaited<ReturnType<typeof client.accounts.listAudit>>['items'][number];

export function AuditPage() {
  const t = useTexts(settingsTexts);
  const app = useTexts(appTexts);
  const [open, setOpen] = useState<Row>();
  const list = useInfiniteQuery({
    queryKey: ['audit'],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      client.accounts.listAudit({
        query: { limit: '100', ...(pageParam === '' ? {} : { cursor: pageParam }) },
        signal,
      }),
    getNextPageParam: ({ next_cursor }) => next_cursor,
    // What one has just done stands there.
    staleTime: 0,
  });
  const onEnd = useNextPage(list);
  const columns = useColumns(setOpen);
  const rows = list.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <SettingsFrame tab="audit">
      <Stack gap="md">
        <Text size="sm" c="dimmed">
          {t('audit.about')}
        </Text>
        <Verification />
        <DataState
          what={t('tab.audit')}
          loading={list.isPending}
          error={list.error}
          onRetry={() => void list.refetch()}
          count={rows.length}
          empty={{ icon: 'audit', title: t('audit.empty') }}
        >
          <VirtualTable
            label={t('tab.audit')}
            columns={columns}
            rows={rows}
            rowKey={({ id }) => id}
            onOpen={setOpen}
            isSelected={({ id }) => id === open?.id}
            onEnd={onEnd}
            height="calc(100dvh - 21rem)"
          />
          <NextPageFailed list={list} />
        </DataState>
      </Stack>
      <Drawer
        opened={open !== undefined}
        onClose={() => setOpen(undefined)}
        position="right"
        title={
          <Text span fw={650}>
            {t('audit.row', { seq: open?.seq ?? 0 })}
          </Text>
        }
        closeButtonProps={{ 'aria-label': app('app.close') }}
      >
        {open === undefined ? null : <RowFacts row={open} />}
      </Drawer>
    </SettingsFrame>
  );
}

function Verification() {
  const t = useTexts(settingsTexts);
  const check = useMutation({
    mutationFn: async () => (await client.accounts.listAudit({ query: { limit: '1', verify: 'true' } })).verification,
  });
  const { data, error } = check;
  return (
    <Stack gap="xs" align="flex-start">
      <Button
        variant="default"
        leftSection={<Icon name="check" size={16} />}
        loading={check.isPending}
        onClick={() => check.mutate()}
      >
        {t('audit.verify')}
      </Button>
      <ProblemAlert error={error} />
      {data === undefined ? null : (
        <Alert
          role={data.ok ? 'status' : 'alert'}
          color={data.ok ? 'teal' : 'red'}
          variant="light"
          icon={<Icon name={data.ok ? 'check' : 'alert'} />}
          p="sm"
        >
          {data.ok
            ? t('audit.ok', { rows: data.rows })
            : t('audit.bad', { seq: data.first_bad?.seq ?? 0, reason: data.first_bad?.reason ?? '' })}
        </Alert>
      )}
    </Stack>
  );
}

const actorKinds = ['system', 'operator', 'anonymous', 'host'] as const;

/** Whoever did it by name, where it is somebody of the company. */
function Actor({ actor }: { actor: string }) {
  const t = useTexts(settingsTexts);
  const [kind, id] = actor.split(':');
  const person = useQuery({
    queryKey: ['people', 'one', id],
    queryFn: ({ signal }) => client.accounts.getUser({ params: { id: id! }, signal }),
    enabled: kind === 'user' && id !== undefined,
    staleTime: 300_000,
  });
  const known = actorKinds.find((one) => one === kind);
  if (known !== undefined) return <>{t(`actor.${known}`)}</>;
  return <bdi>{person.data?.full_name ?? actor}</bdi>;
}

function Outcome({ outcome }: { outcome: string }) {
  const t = useTexts(settingsTexts);
  const known = (['success', 'refused', 'failed'] as const).find((one) => one === outcome);
  return (
    <Badge variant={outcome === 'success' ? 'default' : 'light'} color="red" radius="sm" tt="none">
      {known === undefined ? outcome : t(`outcome.${known}`)}
    </Badge>
  );
}

function useColumns(open: (row: Row) => void): readonly Column<Row>[] {
  const t = useTexts(settingsTexts);
  const formats = useFormats();
  return [
    {
      id: 'action',
      title: t('audit.action'),
      width: 'minmax(9rem, 1.5fr)',
      cell: (row) => (
        <Anchor
          component="button"
          type="button"
          size="sm"
          onClick={() => open(row)}
          aria-label={t('audit.open', { action: row.action, seq: row.seq })}
        >
          <bdi>{row.action}</bdi>
        </Anchor>
      ),
    },
    {
      id: 'actor',
      title: t('audit.actor'),
      width: 'minmax(5rem, 1fr)',
      cell: ({ actor }) => <Actor actor={actor} />,
    },
    {
      id: 'at',
      title: t('audit.at'),
      width: 'minmax(11rem, 1fr)',
      wideOnly: true,
      cell: ({ at }) => <time dateTime={at}>{formats.time(at)}</time>,
    },
    {
      id: 'target',
      title: t('audit.target'),
      width: 'minmax(10rem, 1fr)',
      wideOnly: true,
      cell: ({ target }) => <bdi>{target ?? '–'}</bdi>,
    },
    {
      id: 'outcome',
      title: t('audit.outcome'),
      width: 'minmax(6.25rem, 0.5fr)',
      cell: ({ outcome }) => <Outcome outcome={outcome} />,
    },
  ];
}

function RowFacts({ row }: { row: Row }) {
  const t = useTexts(settingsTexts);
  const formats = useFormats();
  const details = Object.keys(row.details).length === 0 ? undefined : JSON.stringify(row.details, null, 2);
  const facts: readonly Fact[] = [
    [t('audit.action'), <bdi key="action">{row.action}</bdi>],
    [t('audit.actor'), <Actor key="actor" actor={row.actor} />],
    [t('audit.at'), formats.exact(row.at)],
    [t('audit.target'), <bdi key="target">{row.target ?? '–'}</bdi>],
    [t('audit.outcome'), <Outcome key="outcome" outcome={row.outcome} />],
    [t('audit.ip'), row.ip ?? '–'],
    [t('audit.request'), <bdi key="request">{row.request_id ?? '–'}</bdi>],
    [
      t('audit.details'),
      details === undefined ? (
        '–'
      ) : (
        <Code key="details" block tabIndex={0}>
          {details}
        </Code>
      ),
    ],
  ];
  return <FactList facts={facts} />;
}
