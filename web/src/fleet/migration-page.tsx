/** One run of a fleet migration, company by company, live; with stop, and again for what failed. */
import { Alert, Button, NativeSelect, Progress, Stack, Text } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import type { MigrationRun } from '../../../src/modules/fleet/contract.ts';
import { client } from '../app/session.ts';
import { DataState } from '../kit/data-state.tsx';
import { FactList } from '../kit/fact-list.tsx';
import { useFormats } from '../kit/formats.ts';
import { Icon } from '../kit/icon.tsx';
import { Page, PageHeader } from '../kit/page-header.tsx';
import { Section } from '../kit/section.tsx';
import { useTexts } from '../kit/texts.ts';
import { showDone, showProblem } from '../kit/toast.tsx';
import { type Column, VirtualTable } from '../kit/virtual-table.tsx';
import { CompanyLink, StateBadge } from './badges.tsx';
import classes from './fleet.module.css';
import { itemStatuses, oneOf } from './kinds.ts';
import { migrationQuery, refreshFleet } from './queries.ts';
import { migrationRoute } from './routes.ts';
import { fleetTexts } from './texts.ts';

type Item = MigrationRun['items'][number];
/** So many companies can be named in one request. */
const mostNamed = 1_000;

export function MigrationPage() {
  const t = useTexts(fleetTexts);
  const { id } = migrationRoute.useParams();
  const query = useQuery(migrationQuery(id));
  const { data: run } = query;
  return (
    <Page>
      <PageHeader
        title={t('migration.title')}
        about={run === undefined ? undefined : <StateBadge state={run.status} />}
        actions={
          <>
            <Button component={Link} to="/operator/migrations" variant="default" leftSection={<Icon name="back" />}>
              {t('nav.migrations')}
            </Button>
            {run === undefined ? null : <RunActions run={run} />}
          </>
        }
      />
      <DataState
        what={t('migration.title')}
        loading={query.isPending}
        error={query.error}
        onRetry={() => void query.refetch()}
        count={run === undefined ? 0 : 1}
        empty={{ icon: 'database', title: t('migration.gone') }}
      >
        {run === undefined ? null : (
          <Stack gap="lg">
            <RunProgress run={run} />
            <Items run={run} />
          </Stack>
        )}
      </DataState>
    </Page>
  );
}

function RunActions({ run }: { run: MigrationRun }) {
  const t = useTexts(fleetTexts);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [busy, setBusy] = useState(false);
  const doing = async (work: () => Promise<unknown>) => {
    setBusy(true);
    try {
      await work();
    } catch (error) {
      showProblem(error);
    } finally {
      setBusy(false);
      await refreshFleet(queries);
    }
  };
  const stop = async () => {
    await client.fleet.stopMigration({ params: { id: run.id } });
    showDone(t('migration.stopping'));
  };
  const again = async () => {
    const left = run.items.filter(({ status }) => status === 'failed' || status === 'skipped');
    // More than one request can name: everything that is behind, which they are.
    const only = left.length > mostNamed ? {} : { only: left.map(({ company_id }) => company_id) };
    const next = await client.fleet.startMigration({ body: only });
    if ('id' in next) await navigate({ to: `/operator/migrations/${next.id}` });
  };
  if (run.status === 'running') {
    return (
      <Button color="red" loading={busy} leftSection={<Icon name="pause" />} onClick={() => void doing(stop)}>
        {t('migration.stop')}
      </Button>
    );
  }
  return run.failed + run.skipped === 0 ? null : (
    <Button loading={busy} leftSection={<Icon name="refresh" />} onClick={() => void doing(again)}>
      {t('migration.again')}
    </Button>
  );
}

function RunProgress({ run }: { run: MigrationRun }) {
  const t = useTexts(fleetTexts);
  const formats = useFormats();
  const share = run.total === 0 ? 1 : (run.done + run.failed) / run.total;
  return (
    <Section title={t('migration.progress')}>
      <Stack gap="md">
        <Progress.Root size="lg">
          <Progress.Section
            value={run.total === 0 ? 100 : (run.done / run.total) * 100}
            color="teal"
            aria-label={t('state.done')}
          />
          <Progress.Section
            value={run.total === 0 ? 0 : (run.failed / run.total) * 100}
            color="red"
            aria-label={t('state.failed')}
          />
        </Progress.Root>
        <Text size="sm" role="status">
          {t('migration.said', {
            share: formats.percent(share),
            done: run.done,
            total: run.total,
            failed: run.failed,
            skipped: run.skipped,
          })}
        </Text>
        {run.reason === null ? null : (
          <Alert color={run.status === 'failed' ? 'red' : 'blue'} variant="light" icon={<Icon name="info" />}>
            {run.reason}
          </Alert>
        )}
        <FactList
          columns={{ base: 2, md: 3 }}
          facts={[
            [t('company.schema'), formats.number(run.head)],
            [t('migrations.started'), formats.time(run.started_at)],
            [t('migration.finished'), run.finished_at === null ? '–' : formats.time(run.finished_at)],
          ]}
        />
      </Stack>
    </Section>
  );
}

function Items({ run }: { run: MigrationRun }) {
  const t = useTexts(fleetTexts);
  const navigate = useNavigate();
  const { status } = migrationRoute.useSearch();
  const rows = useMemo(
    () => (status === undefined ? run.items : run.items.filter((item) => item.status === status)),
    [run.items, status],
  );
  const filter = (value: string) => {
    const next = oneOf(itemStatuses, value);
    void navigate({
      to: `/operator/migrations/${run.id}`,
      search: next === undefined ? {} : { status: next },
      replace: true,
    });
  };
  const columns: readonly Column<Item>[] = [
    {
      id: 'company',
      title: t('company.one'),
      width: 'minmax(5rem, 1fr)',
      cell: ({ company_id, slug }) => <CompanyLink id={company_id} name={slug} />,
    },
    { id: 'state', title: t('company.state'), width: '6.5rem', cell: (item) => <StateBadge state={item.status} /> },
    {
      id: 'placement',
      title: t('company.placement'),
      width: '9rem',
      wideOnly: true,
      cell: ({ placement }) => (placement === null ? '–' : t(`placement.${placement}`)),
    },
    {
      id: 'from',
      title: t('migrations.from'),
      width: '5rem',
      align: 'end',
      wideOnly: 'laptop',
      cell: (item) => item.from_version,
    },
    {
      id: 'reason',
      title: t('migration.reason'),
      width: 'minmax(7rem, 2fr)',
      cell: ({ reason }) => (
        <span className={classes.reason} title={reason ?? undefined}>
          {reason ?? ''}
        </span>
      ),
    },
  ];
  return (
    <Section
      title={t('nav.companies')}
      about={t('migration.driftAbout')}
      actions={
        <NativeSelect
          aria-label={t('company.state')}
          value={status ?? ''}
          onChange={({ currentTarget: { value } }) => filter(value)}
          data={[
            { value: '', label: t('companies.all') },
            ...itemStatuses.map((value) => ({ value, label: t(`state.${value}`) })),
          ]}
        />
      }
    >
      <DataState
        what={t('nav.companies')}
        loading={false}
        error={null}
        onRetry={() => undefined}
        count={rows.length}
        onClearFilters={status === undefined ? undefined : () => filter('')}
        empty={{ icon: 'building', title: t('migration.none') }}
      >
        <VirtualTable
          label={t('nav.companies')}
          columns={columns}
          rows={rows}
          rowKey={({ company_id }) => company_id}
          rowHeight={56}
          height="32rem"
        />
      </DataState>
    </Section>
  );
}
