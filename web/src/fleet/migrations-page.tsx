/** Fleet migrations: what is behind, a run over it, and the runs so far. */
import { Alert, Button, Fieldset, NumberInput, SimpleGrid, Stack, Text } from '@mantine/core';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import type { z } from 'zod';
import type { MigrationPlan, MigrationRun } from '../../../src/modules/fleet/contract.ts';
import { client } from '../app/session.ts';
import { DataState } from '../kit/data-state.tsx';
import { FormFoot, useServerForm } from '../kit/form.tsx';
import { Icon } from '../kit/icon.tsx';
import { MoreButton, type Pages } from '../kit/next-page.tsx';
import { Page, PageHeader } from '../kit/page-header.tsx';
import { Section } from '../kit/section.tsx';
import { useTexts } from '../kit/texts.ts';
import { Time } from '../kit/time.tsx';
import { type Column, VirtualTable } from '../kit/virtual-table.tsx';
import { CompanyLink, StateBadge } from './badges.tsx';
import { migrationsQuery, refreshFleet } from './queries.ts';
import { fleetTexts } from './texts.ts';

type Run = Omit<MigrationRun, 'items'>;
type PlanItem = z.output<typeof MigrationPlan>['items'][number];

export function MigrationsPage() {
  const t = useTexts(fleetTexts);
  const list = useInfiniteQuery(migrationsQuery);
  const plan = list.data?.pages[0]?.plan;
  const runs = list.data?.pages.flatMap(({ items }) => items) ?? [];
  const running = runs.find(({ status }) => status === 'running');
  return (
    <Page>
      <PageHeader title={t('nav.migrations')} about={t('migrations.about')} />
      <Stack gap="lg">
        <DataState
          what={t('migrations.plan')}
          loading={list.isPending}
          error={list.error}
          onRetry={() => void list.refetch()}
          count={plan === undefined ? 0 : 1}
          empty={{ icon: 'database', title: t('migrations.upToDate') }}
        >
          {plan === undefined ? null : <Plan plan={plan} running={running} />}
          <Runs runs={runs} list={list} />
        </DataState>
      </Stack>
    </Page>
  );
}

function Plan({ plan, running }: { plan: MigrationPlan; running: Run | undefined }) {
  const t = useTexts(fleetTexts);
  return (
    <Section title={t('migrations.plan')} about={t('overview.head', { head: plan.head })}>
      {running === undefined ? null : (
        <Alert variant="light" color="blue" mb="md" icon={<Icon name="info" />} title={t('migrations.running')}>
          <Button component={Link} to={`/operator/migrations/${running.id}`} size="xs">
            {t('migrations.watch')}
          </Button>
        </Alert>
      )}
      {plan.behind === 0 ? (
        <Text size="sm" role="status">
          {t('migrations.upToDate')}
        </Text>
      ) : (
        <Stack gap="md">
          <Text size="sm" fw={600} role="status">
            {t('migrations.behind', { count: plan.behind })}
          </Text>
          <PlanTable items={plan.items} />
          {running === undefined ? <StartForm /> : null}
        </Stack>
      )}
    </Section>
  );
}

function PlanTable({ items }: { items: readonly PlanItem[] }) {
  const t = useTexts(fleetTexts);
  const columns: readonly Column<PlanItem>[] = [
    {
      id: 'company',
      title: t('company.one'),
      width: 'minmax(6rem, 2fr)',
      cell: ({ company_id, slug }) => <CompanyLink id={company_id} name={slug} />,
    },
    { id: 'from', title: t('migrations.from'), width: '4.5rem', align: 'end', cell: ({ from }) => from },
    { id: 'to', title: t('migrations.to'), width: '4.5rem', align: 'end', cell: ({ to }) => to },
  ];
  return (
    <VirtualTable
      label={t('migrations.plan')}
      columns={columns}
      rows={items}
      rowKey={({ company_id }) => company_id}
      height="20rem"
    />
  );
}

const given = <Name extends string>(name: Name, value: number | string) =>
  (typeof value === 'number' ? { [name]: value } : {}) as { readonly [N in Name]?: number };

function StartForm() {
  const t = useTexts(fleetTexts);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const none = '' as number | string;
  const start = useServerForm({
    initialValues: { concurrency: none, canary: none, max_failures: none, max_failure_percent: none },
    send: async (values) => {
      const run = await client.fleet.startMigration({
        body: {
          ...given('concurrency', values.concurrency),
          ...given('canary', values.canary),
          ...given('max_failures', values.max_failures),
          ...given('max_failure_percent', values.max_failure_percent),
        },
      });
      await refreshFleet(queries);
      if ('id' in run) await navigate({ to: `/operator/migrations/${run.id}` });
    },
  });
  const { form } = start;
  return (
    <form onSubmit={start.onSubmit} noValidate>
      <Fieldset legend={t('migrations.options')}>
        <Stack gap="md">
          <SimpleGrid cols={{ base: 1, xs: 2, lg: 4 }}>
            {(['concurrency', 'canary', 'max_failures', 'max_failure_percent'] as const).map((name) => (
              <NumberInput
                key={name}
                label={t(`migrations.${name}`)}
                description={t(`migrations.${name}Hint`)}
                min={0}
                {...form.getInputProps(name)}
              />
            ))}
          </SimpleGrid>
          <FormFoot of={start} label={t('migrations.start')} />
        </Stack>
      </Fieldset>
    </form>
  );
}

function Runs({ runs, list }: { runs: readonly Run[]; list: Pages }) {
  const t = useTexts(fleetTexts);
  const navigate = useNavigate();
  const columns: readonly Column<Run>[] = [
    {
      id: 'started',
      title: t('migrations.started'),
      width: 'minmax(6rem, 1fr)',
      cell: ({ id, started_at }) => (
        <Text component={Link} to={`/operator/migrations/${id}`} size="sm" c="var(--mantine-color-anchor)">
          <Time value={started_at} />
        </Text>
      ),
    },
    { id: 'state', title: t('company.state'), width: '7rem', cell: ({ status }) => <StateBadge state={status} /> },
    { id: 'head', title: t('migrations.to'), width: '6rem', align: 'end', wideOnly: true, cell: ({ head }) => head },
    { id: 'done', title: t('state.done'), width: '5rem', align: 'end', cell: ({ done, total }) => `${done}/${total}` },
    { id: 'failed', title: t('state.failed'), width: '6rem', align: 'end', wideOnly: true, cell: (run) => run.failed },
  ];
  return (
    <Section title={t('migrations.runs')}>
      <DataState
        what={t('migrations.runs')}
        loading={false}
        error={null}
        onRetry={() => undefined}
        count={runs.length}
        empty={{ icon: 'history', title: t('migrations.noRuns'), hint: t('migrations.noRunsHint') }}
      >
        <VirtualTable
          label={t('migrations.runs')}
          columns={columns}
          rows={runs}
          rowKey={({ id }) => id}
          onOpen={({ id }) => void navigate({ to: `/operator/migrations/${id}` })}
          height="24rem"
        />
        <MoreButton list={list} mt="md" />
      </DataState>
    </Section>
  );
}
