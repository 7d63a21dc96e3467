/** How a company grew: its bytes on each of the last days, as they stood when it was last counted on or before that day. */
import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense } from 'react';
import type { CompanyFigures } from '../../../src/modules/fleet/contract.ts';
import { DataState } from '../kit/data-state.tsx';
import { useFormats } from '../kit/formats.ts';
import { Section } from '../kit/section.tsx';
import { useTexts } from '../kit/texts.ts';
import { atDay, lastDays } from './days.ts';
import { companyFiguresQuery } from './queries.ts';
import { fleetTexts } from './texts.ts';

const DayChart = lazy(async () => ({ default: (await import('./charts.tsx')).DayChart }));
const shownDays = 30;

/** The last known size before each day counts until the next one. @param known from before the days too */
export function sizesOf(known: CompanyFigures['days'], days: readonly string[]): readonly number[] {
  const counted = known.filter(({ bytes }) => bytes !== null);
  return days.map((day) => counted.findLast((one) => one.day <= day)?.bytes ?? 0);
}

export function SizeOverTime({ id }: { id: string }) {
  const t = useTexts(fleetTexts);
  const formats = useFormats();
  const figures = useQuery(companyFiguresQuery(id));
  const known = figures.data?.days ?? [];
  const days = lastDays(shownDays, Date.now());
  const sizes = sizesOf(known, days);
  return (
    <Section title={t('size.overTime')} about={t('size.overTimeAbout')}>
      <DataState
        what={t('size.overTime')}
        loading={figures.isPending}
        error={figures.error}
        onRetry={() => void figures.refetch()}
        count={known.length}
        empty={{ icon: 'history', title: t('overview.notCounted'), hint: t('overview.notCountedHint') }}
        rows={2}
      >
        <Suspense fallback={<Skeleton height={140} radius="md" />}>
          <DayChart
            title={t('size.overTime')}
            heads={[t('overview.day'), t('size.bytes')]}
            most={t('size.most', { size: formats.size(Math.max(...sizes)) })}
            days={days.map((day, at) => ({
              id: day,
              label: formats.date(atDay(day)),
              value: sizes[at] ?? 0,
              shown: formats.size(sizes[at] ?? 0),
            }))}
          />
        </Suspense>
      </DataState>
    </Section>
  );
}
