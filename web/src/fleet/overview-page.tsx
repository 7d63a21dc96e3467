/** The first page of the console: what there is, whether it works, and what waits for somebody. */
import { Alert, Button, SimpleGrid, Skeleton, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import type { z } from 'zod';
import type { SystemStatus } from '../../../src/modules/fleet/contract.ts';
import { DataState } from '../kit/data-state.tsx';
import { FactList } from '../kit/fact-list.tsx';
import { useFormats } from '../kit/formats.ts';
import { Icon } from '../kit/icon.tsx';
import { Page, PageHeader } from '../kit/page-header.tsx';
import { Section } from '../kit/section.tsx';
import { useTexts } from '../kit/texts.ts';
import { DocumentsByDay, StorageByCompany } from './figures-charts.tsx';
import { companyStates, placements } from './kinds.ts';
import { statusQuery } from './queries.ts';
import { fleetTexts } from './texts.ts';

type Status = z.output<typeof SystemStatus>;

const BarChart = lazy(async () => ({ default: (await import('./charts.tsx')).BarChart }));
const tones = { active: 'good', suspended: 'warn', failed: 'bad', deleting: 'warn', purging: 'warn' } as const;

export function OverviewPage() {
  const t = useTexts(fleetTexts);
  const status = useQuery(statusQuery);
  const { data } = status;
  return (
    <Page>
      <PageHeader
        title={t('nav.overview')}
        about={data?.version === undefined ? undefined : t('overview.version', { version: data.version })}
        actions={
          <Button component={Link} to="/operator/companies/new" leftSection={<Icon name="plus" />}>
            {t('nav.create')}
          </Button>
        }
      />
      <DataState
        what={t('nav.overview')}
        loading={status.isPending}
        error={status.error}
        onRetry={() => void status.refetch()}
        count={data === undefined ? 0 : 1}
        empty={{ icon: 'dashboard', title: t('overview.nothing') }}
      >
        {data === undefined ? null : <Overview status={data} />}
      </DataState>
    </Page>
  );
}

function Overview({ status }: { status: Status }) {
  const t = useTexts(fleetTexts);
  const { companies = {}, migrations } = status;
  const total = Object.values(companies).reduce((sum, count) => sum + count, 0);
  const broken = status.storage?.ok === false || (companies.failed ?? 0) > 0 || (migrations?.failed ?? 0) > 0;
  return (
    <Stack gap="lg">
      {broken ? <Troubles status={status} /> : null}
      {total === 0 ? (
        <Section title={t('overview.welcome')} about={t('companies.emptyHint')}>
          <Button component={Link} to="/operator/companies/new" variant="light">
            {t('nav.create')}
          </Button>
        </Section>
      ) : null}
      <Numbers status={status} total={total} />
      <Suspense fallback={<Skeleton height={260} radius="md" />}>
        <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
          <ByState companies={companies} />
          {total === 0 ? <ByPlacement status={status} /> : <DocumentsByDay />}
        </SimpleGrid>
        <SimpleGrid cols={{ base: 1, md: total === 0 ? 2 : 3 }} spacing="lg">
          {total === 0 ? null : <ByPlacement status={status} />}
          <Connections status={status} />
          <Migrations status={status} total={total} />
        </SimpleGrid>
      </Suspense>
      {total === 0 ? null : <StorageByCompany />}
    </Stack>
  );
}

function Troubles({ status }: { status: Status }) {
  const t = useTexts(fleetTexts);
  const failed = status.companies?.failed ?? 0;
  const behind = status.migrations?.failed ?? 0;
  return (
    <Alert color="red" variant="light" icon={<Icon name="alert" />} title={t('overview.trouble')}>
      <Stack gap={4} align="flex-start">
        {status.storage?.ok === false ? (
          <Text size="sm">{t('overview.storageDown', { reason: status.storage.reason ?? '' })}</Text>
        ) : null}
        {failed === 0 ? null : (
          <Text size="sm" component={Link} to="/operator/companies?status=failed">
            {t('overview.failedCompanies', { count: failed })}
          </Text>
        )}
        {behind === 0 ? null : (
          <Text size="sm" component={Link} to="/operator/migrations">
            {t('overview.failedMigrations', { count: behind })}
          </Text>
        )}
      </Stack>
    </Alert>
  );
}

function Numbers({ status, total }: { status: Status; total: number }) {
  const t = useTexts(fleetTexts);
  const formats = useFormats();
  const { storage, uptime_s: uptime } = status;
  return (
    <Section title={t('overview.installation')}>
      <FactList
        columns={{ base: 2, md: 4 }}
        facts={[
          [t('nav.companies'), formats.number(total)],
          [t('overview.state'), t(status.status === 'ok' ? 'overview.ok' : 'overview.degraded')],
          [
            t('overview.storage'),
            storage === undefined ? '–' : t(storage.kind === 'disk' ? 'overview.disk' : 'overview.s3'),
          ],
          [t('overview.started'), uptime === undefined ? '–' : formats.relative(Date.now() - uptime * 1_000)],
        ]}
      />
    </Section>
  );
}

function ByState({ companies }: { companies: Readonly<Record<string, number>> }) {
  const t = useTexts(fleetTexts);
  const formats = useFormats();
  const bars = companyStates.map((state) => ({
    id: state,
    label: t(`state.${state}`),
    value: companies[state] ?? 0,
    shown: formats.number(companies[state] ?? 0),
    ...(state in tones ? { tone: tones[state as keyof typeof tones] } : {}),
  }));
  return (
    <Section title={t('overview.byState')}>
      <BarChart title={t('overview.byState')} heads={[t('company.state'), t('nav.companies')]} bars={bars} />
    </Section>
  );
}

/** Where companies are, and where they could be here. */
function ByPlacement({ status: { placements: placed = {}, offered } }: { status: Status }) {
  const t = useTexts(fleetTexts);
  const formats = useFormats();
  const possible = new Set(offered?.placements.map(({ placement }) => placement));
  const shown = placements.filter((placement) => possible.has(placement) || (placed[placement] ?? 0) > 0);
  const bars = shown.map((placement) => ({
    id: placement,
    label: t(`placement.${placement}`),
    value: placed[placement] ?? 0,
    shown: formats.number(placed[placement] ?? 0),
  }));
  return (
    <Section title={t('overview.byPlacement')}>
      <BarChart title={t('overview.byPlacement')} heads={[t('company.placement'), t('nav.companies')]} bars={bars} />
    </Section>
  );
}

function Connections({ status }: { status: Status }) {
  const t = useTexts(fleetTexts);
  const formats = useFormats();
  const { open, budget, waiting } = status.connections ?? { open: 0, budget: 0, waiting: 0 };
  const tone = open >= budget ? 'bad' : open > budget * 0.8 ? 'warn' : 'good';
  return (
    <Section title={t('overview.connections')} about={t('overview.connectionsAbout')}>
      <BarChart
        title={t('overview.connections')}
        heads={[t('overview.kind'), t('overview.count')]}
        full={budget}
        bars={[
          {
            id: 'open',
            label: t('connections.open'),
            value: open,
            shown: t('overview.ofBudget', { open, budget }),
            tone,
          },
          {
            id: 'waiting',
            label: t('overview.waiting'),
            value: waiting,
            shown: formats.number(waiting),
            tone: 'warn',
          },
        ]}
      />
    </Section>
  );
}

function Migrations({ status, total }: { status: Status; total: number }) {
  const t = useTexts(fleetTexts);
  const formats = useFormats();
  const { head, behind, failed } = status.migrations ?? { head: 0, behind: 0, failed: 0 };
  return (
    <Section title={t('overview.migrations')} about={t('overview.head', { head })}>
      <BarChart
        title={t('overview.migrations')}
        heads={[t('company.state'), t('nav.companies')]}
        full={total}
        bars={[
          { id: 'behind', label: t('overview.behind'), value: behind, shown: formats.number(behind), tone: 'warn' },
          { id: 'failed', label: t('state.failed'), value: failed, shown: formats.number(failed), tone: 'bad' },
        ]}
      />
    </Section>
  );
}
