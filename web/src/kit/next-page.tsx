/**
 * What a list has behind its last row. A page that does not come is not asked for again by itself, or a list whose end
 * is in sight would ask without end: it says why, and is asked for by hand.
 */
import { Button, Group, type MantineSpacing } from '@mantine/core';
import { useCallback } from 'react';
import { appTexts } from './app-texts.ts';
import { ProblemAlert } from './problem.tsx';
import { useTexts } from './texts.ts';

/** Of a query that is read page by page. */
export interface Pages {
  readonly hasNextPage: boolean;
  readonly isFetching: boolean;
  readonly isFetchingNextPage: boolean;
  readonly isFetchNextPageError: boolean;
  readonly isError: boolean;
  readonly error: unknown;
  readonly fetchNextPage: () => Promise<unknown>;
}

/** Also while what is there is asked for anew: only when that has come, the rest may be tried again. */
const hasFailed = ({ hasNextPage, isFetching, isFetchNextPageError, isError }: Pages): boolean =>
  isFetchNextPageError || (hasNextPage && isError && isFetching);

/** @returns what a list calls when its end comes into sight; the same function until it would do something else */
export function useNextPage(list: Pages): () => void {
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  const failed = hasFailed(list);
  return useCallback(() => {
    if (hasNextPage && !isFetchingNextPage && !failed) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, failed, fetchNextPage]);
}

/** Nothing, as long as nothing failed. */
export function NextPageFailed({ list, mt = 'sm' }: { list: Pages; mt?: MantineSpacing }) {
  const t = useTexts(appTexts);
  if (!hasFailed(list)) return null;
  return (
    <Group mt={mt}>
      <ProblemAlert error={list.error} />
      <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
        {t('app.retry')}
      </Button>
    </Group>
  );
}

/** For lists that grow when they are told to. */
export function MoreButton({ list, mt }: { list: Pages; mt?: MantineSpacing }) {
  const t = useTexts(appTexts);
  if (hasFailed(list)) return <NextPageFailed list={list} mt={mt ?? 0} />;
  if (!list.hasNextPage) return null;
  return (
    <Button
      {...(mt === undefined ? {} : { mt })}
      variant="default"
      loading={list.isFetchingNextPage}
      onClick={() => void list.fetchNextPage()}
    >
      {t('app.more')}
    </Button>
  );
}
