/**
 * Storage by company. The API counts one company at a time, so that the chart is of the newest active ones and says
 * so: asking ten thousand would open ten thousand databases.
 */
import { useQueries, useQuery } from '@tanstack/react-query';
import type { ComponentType } from 'react';
import { DataState } from '../kit/data-state.tsx';
import { useFormats } from '../kit/formats.ts';
import { useTexts } from '../kit/texts.ts';
import type { BarChartProps } from './charts.tsx';
import { newestCompaniesQuery, statsQuery } from './queries.ts';
import { Section } from './section.tsx';
import { fleetTexts } from './texts.ts';

export function StorageChart({ Chart }: { Chart: ComponentType<BarChartProps> }) {
  const t = useTexts(fleetTexts);
  const formats = useFormats();
  const newest = useQuery(newestCompaniesQuery);
  const companies = newest.data?.items ?? [];
  const stats = useQueries({ queries: companies.map(({ id }) => statsQuery(id)) });
  const bars = companies.map(({ id, name }, at) => {
    const { data, isPending } = stats[at] ?? { data: undefined, isPending: true };
    return {
      id,
      label: name,
      value: data?.bytes ?? 0,
      shown: data === undefined ? t(isPending ? 'overview.counting' : 'overview.unknown') : formats.size(data.bytes),
    };
  });
  return (
    <Section title={t('overview.byStorage')} about={t('overview.byStorageAbout')}>
      <DataState
        what={t('overview.byStorage')}
        loading={newest.isPending}
        error={newest.error}
        onRetry={() => void newest.refetch()}
        count={bars.length}
        empty={{ icon: 'database', title: t('overview.noActive') }}
        rows={3}
      >
        <Chart
          title={t('overview.byStorage')}
          heads={[t('company.one'), t('overview.storage')]}
          bars={bars.sort((left, right) => right.value - left.value)}
        />
      </DataState>
    </Section>
  );
}
