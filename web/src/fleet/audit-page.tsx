/** The audit trail of the installation, newest first, with a check of its chain. */
import { Alert, Button, Code, Stack, UnstyledButton } from '@mantine/core';
import { modals } from '@mantine/modals';
import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { z } from 'zod';
import type { AuditRow } from '../../../src/kernel/contract.ts';
import { client } from '../app/session.ts';
import { DataState } from '../kit/data-state.tsx';
import { FactList } from '../kit/fact-list.tsx';
import { useFormats } from '../kit/formats.ts';
import { Icon } from '../kit/icon.tsx';
import { NextPageFailed, useNextPage } from '../kit/next-page.tsx';
import { Page, PageHeader } from '../kit/page-header.tsx';
import { ProblemAlert } from '../kit/problem.tsx';
import { useTexts } from '../kit/texts.ts';
import { type Column, VirtualTable } from '../kit/virtual-table.tsx';
import { CompanyLink } from './badges.tsx';
import classes from './fleet.module.css';
import { auditQuery, operatorsQuery } from './queries.ts';
import { fleetTexts } from './texts.ts';

type Row = z.output<typeof AuditRow>;

export function AuditPage() {
  const t = useTexts(fleetTexts);
  const list = useInfiniteQuery(auditQuery);
  const onEnd = useNextPage(list);
  const rows = useMemo(() => list.data?.pages.flatMap(({ items }) => items) ?? [], [list.data]);
  const verify = useMutation({
    mutationFn: () => client.fleet.listSystemAudit({ query: { limit: '1', verify: 'true' } }),
  });
  const found = verify.data?.verification;
  const columns = useColumns();
  return (
    <Page>
      <PageHeader
        title={t('nav.audit')}
        about={t('audit.about')}
        actions={
          <>
            <Button variant="default" leftSection={<Icon name="refresh" />} onClick={() => void list.refetch()}>
              {t('app.refresh')}
            </Button>
            <Button loading={verify.isPending} onClick={() => verify.mutate()}>
              {t('audit.verify')}
            </Button>
          </>
        }
      />
      <Stack gap="md">
        <div aria-live="polite">
          <ProblemAlert error={verify.error} />
          {found === undefined ? null : (
            <Alert
              color={found.ok ? 'teal' : 'red'}
              variant="light"
              icon={<Icon name={found.ok ? 'check' : 'alert'} />}
              title={t(found.ok ? 'audit.whole' : 'audit.broken')}
            >
              {t('audit.counted', { rows: found.rows, sealed: found.sealed, unsealed: found.unsealed })}
              {found.first_bad === undefined ? null : ` ${t('audit.firstBad', found.first_bad)}`}
            </Alert>
          )}
        </div>
        <DataState
          what={t('nav.audit')}
          loading={list.isPending}
          error={list.error}
          onRetry={() => void list.refetch()}
          count={rows.length}
          empty={{ icon: 'audit', title: t('audit.empty') }}
          rows={10}
        >
          <VirtualTable
            label={t('nav.audit')}
            columns={columns}
            rows={rows}
            rowKey={({ id }) => id}
            total={list.hasNextPage ? -2 : rows.length}
            onOpen={(row) => openRow(t('audit.details'), row)}
            onEnd={onEnd}
          />
          <NextPageFailed list={list} />
        </DataState>
      </Stack>
    </Page>
  );
}

const openRow = (title: string, row: Row): void => {
  modals.open({ title, size: 'lg', children: <Details row={row} /> });
};

/** Companies have pages to go to. */
const isCompany = (target: string | null, action: string): target is string =>
  target?.startsWith('comp_') === true && action.startsWith('company.');

/** Operators by the names they sign in with; anybody else as the trail writes it. */
function useActorName(): (actor: string) => string {
  const { data } = useInfiniteQuery(operatorsQuery);
  const names = new Map(data?.pages.flatMap(({ items }) => items.map((one) => [`operator:${one.id}`, one.username])));
  return (actor) => names.get(actor) ?? actor;
}

const outcomes = ['success', 'refused', 'failed'] as const;

function outcomeOf(t: ReturnType<typeof useTexts<keyof typeof fleetTexts.en & string>>, outcome: string): string {
  const known = outcomes.find((one) => one === outcome);
  return known === undefined ? outcome : t(`outcome.${known}`);
}

function useColumns(): readonly Column<Row>[] {
  const t = useTexts(fleetTexts);
  const nameOf = useActorName();
  const formats = useFormats();
  return [
    {
      id: 'action',
      title: t('audit.action'),
      width: 'minmax(10rem, 1.5fr)',
      cell: (row) => (
        <UnstyledButton c="var(--mantine-color-anchor)" fz="sm" onClick={() => openRow(t('audit.details'), row)}>
          <bdi>{row.action}</bdi>
        </UnstyledButton>
      ),
    },
    { id: 'at', title: t('audit.at'), width: '11rem', cell: ({ at }) => formats.time(at) },
    {
      id: 'actor',
      title: t('audit.actor'),
      width: 'minmax(9rem, 1fr)',
      wideOnly: 'laptop',
      cell: ({ actor }) => <bdi>{nameOf(actor)}</bdi>,
    },
    {
      id: 'target',
      title: t('audit.target'),
      width: 'minmax(9rem, 1fr)',
      wideOnly: true,
      cell: ({ target, action }) =>
        isCompany(target, action) ? <CompanyLink id={target} /> : <bdi>{target ?? '–'}</bdi>,
    },
    {
      id: 'outcome',
      title: t('audit.outcome'),
      width: '7rem',
      wideOnly: 'laptop',
      cell: ({ outcome }) => outcomeOf(t, outcome),
    },
  ];
}

function Details({ row }: { row: Row }) {
  const t = useTexts(fleetTexts);
  const formats = useFormats();
  return (
    <Stack gap="md">
      <FactList
        columns={{ base: 2, md: 2 }}
        facts={[
          [t('audit.action'), <bdi key="action">{row.action}</bdi>],
          [t('audit.outcome'), outcomeOf(t, row.outcome)],
          [t('audit.at'), formats.exact(row.at)],
          [t('audit.actor'), <bdi key="actor">{row.actor}</bdi>],
          [t('audit.target'), <bdi key="target">{row.target ?? '–'}</bdi>],
          [t('audit.ip'), <bdi key="ip">{row.ip ?? '–'}</bdi>],
          [t('audit.seq'), formats.number(row.seq)],
          [t('audit.request'), <bdi key="request">{row.request_id ?? '–'}</bdi>],
        ]}
      />
      <Code block className={classes.details ?? ''} tabIndex={0}>
        {JSON.stringify(row.details, null, 2)}
      </Code>
    </Stack>
  );
}
