/**
 * What companies hold, and what came to them by day: as each was counted when its documents last changed. The control
 * database is asked, so that no company is opened for the sake of a chart.
 */
import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { lazy, type ReactNode, Suspense } from 'react';
import type { FleetFigures } from '../../../src/modules/fleet/contract.ts';
import { DataState } from '../kit/data-state.tsx';
import { useFormats } from '../kit/formats.ts';
import type { IconName } from '../kit/icon.tsx';
import { Section } from '../kit/section.tsx';
import { useTexts } from '../kit/texts.ts';
import { atDay } from './days.ts';
import { figuresQuery } from './queries.ts';
import { fleetTexts } from './texts.ts';

const BarChart = lazy(async () => ({ default: (await import('./charts.tsx')).BarChart }));
const DayChart = lazy(async () => ({ default: (await import('./charts.tsx')).DayChart }));

interface Chart {
  readonly title: string;
  readonly about: string;
  readonly icon: IconName;
  readonly count: (figures: FleetFigures) => number;
  readonly draw: (figures: FleetFigures) => ReactNode;
}

function FiguresSection({ title, about, icon, count, draw }: Chart) {
  const t = useTexts(fleetTexts);
  const figures = useQuery(figuresQuery);
  const { data } = figures;
  return (
    <Section title={title} about={about}>
      <DataState
        what={title}
        loading={figures.isPending}
        error={figures.error}
        onRetry={() => void figures.refetch()}
        count={data === undefined ? 0 : count(data)}
        empty={{ icon, title: t('overview.notCounted'), hint: t('overview.notCountedHint') }}
        rows={3}
      >
        {data === undefined ? null : <Suspense fallback={<Skeleton height={140} radius="md" />}>{draw(data)}</Suspense>}
      </DataState>
    </Section>
  );
}

export function DocumentsByDay() {
  const t = useTexts(fleetTexts);
  return (
    <FiguresSection
      title={t('overview.byDay')}
      about={t('overview.byDayAbout')}
      icon="history"
      count={({ companies }) => companies}
      draw={({ days }) => <ByDay days={days} />}
    />
  );
}

export function StorageByCompany() {
  const t = useTexts(fleetTexts);
  return (
    <FiguresSection
      title={t('overview.byStorage')}
      about={t('overview.byStorageAbout')}
      icon="database"
      count={({ largest }) => largest.length}
      draw={({ largest }) => <ByCompany largest={largest} />}
    />
  );
}

function ByDay({ days }: { days: FleetFigures['days'] }) {
  const t = useTexts(fleetTexts);
  const formats = useFormats();
  const most = Math.max(...days.map(({ documents }) => documents), 0);
  return (
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
  );
}

function ByCompany({ largest }: { largest: FleetFigures['largest'] }) {
  const t = useTexts(fleetTexts);
  const formats = useFormats();
  return (
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
  );
}
