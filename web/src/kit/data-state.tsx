/**
 * The four states that every list has beside its rows: loading (a skeleton, never a jumping spinner), empty at first
 * (one sentence, one button), empty by filter (with the way out of it), error (what, again, request id).
 */
import { Alert, Button, Center, Group, Skeleton, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { appTexts } from './app-texts.ts';
import { Icon, type IconName } from './icon.tsx';
import { ProblemNote } from './problem.tsx';
import { useTexts } from './texts.ts';

export interface DataStateProps {
  /** What is listed, for those who hear the page: "Documents". */
  readonly what: string;
  readonly loading: boolean;
  readonly error: unknown;
  readonly onRetry: () => void;
  /** How many there are, of what is shown. */
  readonly count: number;
  /** Set where a filter is on. */
  readonly onClearFilters?: (() => void) | undefined;
  readonly empty: {
    readonly icon: IconName;
    readonly title: string;
    readonly hint?: string;
    readonly action?: ReactNode;
  };
  /** Rows of the skeleton. */
  readonly rows?: number;
  readonly children: ReactNode;
}

export function DataState(props: DataStateProps) {
  const { what, loading, error, onRetry, count, onClearFilters, empty, rows = 6, children } = props;
  const t = useTexts(appTexts);
  if (error !== null && error !== undefined && count === 0) {
    return (
      <Alert role="alert" color="red" variant="light" icon={<Icon name="alert" />} title={t('state.error')}>
        <ProblemNote error={error} />
        <Button mt="sm" size="xs" variant="light" color="red" onClick={onRetry}>
          {t('app.retry')}
        </Button>
      </Alert>
    );
  }
  if (loading && count === 0) {
    return (
      <Stack gap={8} role="status" aria-label={t('state.loading', { what })}>
        {Array.from({ length: rows }, (_, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: nothing but its place tells one from another.
          <Skeleton key={at} height={36} radius="sm" style={{ opacity: 1 - at / (rows + 2) }} />
        ))}
      </Stack>
    );
  }
  if (count > 0) return children;
  const filtered = onClearFilters !== undefined;
  return (
    <Center py={56} px="md" role="status">
      <Stack align="center" gap="sm" maw={440}>
        <Text c="dimmed" component="span" lh={0}>
          <Icon name={filtered ? 'filter' : empty.icon} size={36} />
        </Text>
        <Text fw={600} ta="center">
          {filtered ? t('state.filtered') : empty.title}
        </Text>
        <Text c="dimmed" size="sm" ta="center">
          {filtered ? t('state.filteredHint') : empty.hint}
        </Text>
        <Group>
          {filtered ? (
            <Button variant="light" onClick={onClearFilters}>
              {t('state.clearFilters')}
            </Button>
          ) : (
            empty.action
          )}
        </Group>
      </Stack>
    </Center>
  );
}
