/**
 * What companies hold, and what came to them by day: as each was counted when its documents last changed. The control
 * database is asked, so that no company is opened for the sake of a chart.
 */
import { SimpleGrid, Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import type { FleetFigures } from '../../../src/modules/fleet/contract.ts';
import { DataState } from '../kit/data-state.tsx';
import { useFormats } from '../kit/formats.ts';
import { useTexts } from '../kit/texts.ts';
import { atDay } from './days.ts';
import { figuresQuery } from './queries.ts';
import { Section } from './section.tsx';
import { fleetTexts } from './texts.ts';

const BarChart = lazy(async () => ({ default: (await import('./charts.tsx')).BarChart }));
const DayChart = lazy(async () => ({ default: (await import('./charts.tsx')).DayChart }));

export function FiguresCharts() {
  const t = useTexts(fleetTexts);
  const figures = useQuery(figuresQuery);
  const { data } = figures;
  const state = {
    loading: figures.isPending,
    error: figures.error,
    onRetry: () => void figures.refetch(),
    rows: 3,
  };
  return (
    <SimpleGrid cols={{ base: 1, md: 2 }} spacing="lg">
      <Section title={t('overview.byDay')} about={t('overview.byDayAbout')}>
        <DataState
          {...state}
          what={t('overview.byDay')}
          count={data?.companies ?? 0}
          empty={{ icon: 'history', title: t('overview.notCounted'), hint: t('overview.notCountedHint') }}
        >
          {data === undefined ? null : <ByDay days={data.days} />}
        </DataState>
      </Section>
      <Section title={t('overview.byStorage')} about={t('overview.byStorageAbout')}>
        <DataState
          {...state}
          what={t('overview.byStorage')}
          count={data?.largest.length ?? 0}
          empty={{ icon: 'database', title: t('overview.notCounted'), hint: t('overview.notCountedHint') }}
        >
          {data === undefined ? null : <ByCompany largest={data.largest} />}
        </DataState>
      </Section>
    </SimpleGrid>
  );
}

function ByDay({ days }: { days: FleetFigures['days'] }) {
  const t = useTexts(fleetTexts);
  const formats = useFormats();
  const most = Math.max(...days.map(({ documents }) => documents), 0);
  return (
    <Suspense fallback={<Skeleton height={140} radius="md" />}>
      <DayChart
        title={t('overview.byDay')}
        heads={[t('overview.day'), t('size.documents')]}
        most={t('overview.most', { count: most })}
        days={days.map(({ day, documents }) => ({
          id: day,
          label: formats.date(atDay(day)),
          value: documents,
          shown: formats.number(documents),
        }))}
      />
    </Suspense>
  );
}

function ByCompany({ largest }: { largest: FleetFigures['largest'] }) {
  const t = useTexts(fleetTexts);
  const formats = useFormats();
  return (
    <Suspense fallback={<Skeleton height={140} radius="md" />}>
      <BarChart
        title={t('overview.byStorage')}
        heads={[t('company.one'), t('overview.storage')]}
        bars={largest.map(({ company_id, name, bytes }) => ({
          id: company_id,
          label: name,
          value: bytes,
          shown: formats.size(bytes),
        }))}
      />
    </Suspense>
  );
}
