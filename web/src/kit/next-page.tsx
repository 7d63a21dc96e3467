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
  readonly isFetchingNextPage: boolean;
  readonly isFetchNextPageError: boolean;
  readonly error: unknown;
  readonly fetchNextPage: () => Promise<unknown>;
}

/** @returns what a list calls when its end comes into sight; the same function until it would do something else */
export function useNextPage({ hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage }: Pages) {
  return useCallback(() => {
    if (hasNextPage && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage]);
}

/** Nothing, as long as nothing failed. */
export function NextPageFailed({ list }: { list: Pages }) {
  const t = useTexts(appTexts);
  if (!list.isFetchNextPageError) return null;
  return (
    <Group mt="sm">
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
  if (list.isFetchNextPageError) return <NextPageFailed list={list} />;
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
