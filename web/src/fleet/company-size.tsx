/** How much a company holds, as its own database counts it now. */
import { Progress, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Company } from '../../../src/modules/fleet/contract.ts';
import { DataState } from '../kit/data-state.tsx';
import { FactList } from '../kit/fact-list.tsx';
import { useFormats } from '../kit/formats.ts';
import { Section } from '../kit/section.tsx';
import { useTexts } from '../kit/texts.ts';
import { Time } from '../kit/time.tsx';
import { statsQuery } from './queries.ts';
import { fleetTexts } from './texts.ts';

export function CompanySize({ company }: { company: Company }) {
  const t = useTexts(fleetTexts);
  const formats = useFormats();
  // A company that is not there yet, or no longer, cannot count.
  const counts = company.status === 'active' || company.status === 'suspended';
  const stats = useQuery({ ...statsQuery(company.id), enabled: counts });
  const { data } = stats;
  const { quota_bytes: quota } = company;
  return (
    <Section title={t('size.title')}>
      {!counts ? (
        <Text size="sm" c="dimmed">
          {t('size.notNow')}
        </Text>
      ) : (
        <DataState
          what={t('size.title')}
          loading={stats.isPending}
          error={stats.error}
          onRetry={() => void stats.refetch()}
          count={data === undefined ? 0 : 1}
          empty={{ icon: 'database', title: t('size.notNow') }}
          rows={2}
        >
          {data === undefined ? null : (
            <>
              <FactList
                columns={{ base: 2, md: 3 }}
                facts={[
                  [t('size.users'), formats.number(data.users)],
                  [t('size.documents'), formats.number(data.documents)],
                  [t('size.files'), formats.number(data.files)],
                  [
                    t('size.bytes'),
                    quota === null
                      ? formats.size(data.bytes)
                      : t('size.ofQuota', { bytes: formats.size(data.bytes), quota: formats.size(quota) }),
                  ],
                  [t('size.database'), formats.size(data.database_bytes)],
                  [
                    t('size.lastActivity'),
                    data.last_activity_at === null ? (
                      t('size.never')
                    ) : (
                      <Time key="last" value={data.last_activity_at} />
                    ),
                  ],
                ]}
              />
              {quota === null || quota === 0 ? null : (
                <Progress mt="md" value={(data.bytes / quota) * 100} aria-label={t('size.quotaUsed')} />
              )}
            </>
          )}
        </DataState>
      )}
    </Section>
  );
}
