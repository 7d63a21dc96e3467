/**
 * The pages of a list of documents, kept by filter and order, and how what was done shows in them: at once in every
 * list that is kept, without asking for a hundred pages again.
 */
import { type InfiniteData, keepPreviousData, type QueryClient, useInfiniteQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { Document } from '../../../../src/modules/documents/contract.ts';
import { staleMs } from '../../app/query.ts';
import { client } from '../../app/session.ts';
import { useNextPage } from '../../kit/next-page.tsx';
import type { ListFilter } from './search.ts';

export interface ListPage {
  readonly items: Document[];
  readonly next_cursor: string | null;
  readonly total?: number | undefined;
}

/** Every list of documents; `documentsKey` alone stands for whatever is kept of documents. */
export const documentsKey = ['documents'] as const;
export const listsKey = [...documentsKey, 'list'] as const;

const pageSize = 100;
/** Pages that are asked for again after something came back; those behind them load as they come into sight. */
const pagesKept = 5;

/** One page of a list: the first one, which tells how many there are in all, or the one behind a cursor. */
export const pageOf = (filter: ListFilter, cursor: string) => ({
  ...filter,
  limit: String(pageSize),
  ...(cursor === '' ? { total: 'true' as const } : { cursor }),
});

export function useDocuments(filter: ListFilter) {
  const list = useInfiniteQuery({
    queryKey: [...listsKey, filter],
    queryFn: ({ pageParam, signal }): Promise<ListPage> =>
      client.documents.listDocuments({ query: pageOf(filter, pageParam), signal }),
    initialPageParam: '',
    getNextPageParam: ({ next_cursor }) => next_cursor,
    placeholderData: keepPreviousData,
    // Whoever goes to a list is shown what is kept, and then what others did meanwhile; a long one is asked for less often.
    staleTime: ({ state }) => ((state.data?.pages.length ?? 0) > pagesKept ? staleMs : 0),
    // Ten thousand rows are not compared member by member for each page that comes.
    structuralSharing: false,
    refetchOnWindowFocus: false,
  });
  const { data } = list;
  const rows = useMemo(() => data?.pages.flatMap(({ items }) => items) ?? [], [data]);
  return { list, rows, more: useNextPage(list), total: data?.pages[0]?.total ?? rows.length };
}

/** Shows a change in every list: the document as it is now, or nothing where it left. @param change none: it is gone */
export function patchDocuments(
  queries: QueryClient,
  ids: ReadonlySet<string>,
  change: ((document: Document) => Document) | undefined,
): void {
  for (const [key] of queries.getQueriesData<InfiniteData<ListPage>>({ queryKey: listsKey })) {
    const filter = key[listsKey.length] as ListFilter;
    queries.setQueryData<InfiniteData<ListPage>>(key, (data) => {
      if (data === undefined) return data;
      let left = 0;
      const pages = data.pages.map((page) => {
        if (!page.items.some(({ id }) => ids.has(id))) return page;
        const items = page.items.flatMap((item) => {
          if (!ids.has(item.id)) return [item];
          const now = change?.(item);
          return now !== undefined && staysIn(now, filter) ? [now] : [];
        });
        left += page.items.length - items.length;
        return { ...page, items };
      });
      const [first, ...others] = pages;
      if (first === undefined) return data;
      const total = first.total === undefined ? undefined : Math.max(0, first.total - left);
      return { ...data, pages: [{ ...first, total }, ...others] };
    });
  }
}

/** Whether a document that was changed still belongs to a list. */
function staysIn(document: Document, filter: ListFilter): boolean {
  if ((document.trashed_at !== null) !== (filter.trashed === 'true')) return false;
  if (filter.basket_id !== undefined && document.basket_id !== filter.basket_id) return false;
  return filter.tag === undefined || document.tags.includes(filter.tag);
}

/** Asks again for the lists, of long ones for their beginning. */
export async function refreshDocuments(queries: QueryClient): Promise<void> {
  queries.setQueriesData<InfiniteData<ListPage>>({ queryKey: listsKey }, (data) =>
    data === undefined || data.pages.length <= pagesKept
      ? data
      : { pages: data.pages.slice(0, pagesKept), pageParams: data.pageParams.slice(0, pagesKept) },
  );
  await queries.invalidateQueries({ queryKey: listsKey });
}

/** Every document that a filter finds, page by page, or the first so many. */
export async function everyDocument(
  filter: ListFilter,
  signal: AbortSignal,
  most = Number.POSITIVE_INFINITY,
): Promise<Document[]> {
  const all: Document[] = [];
  let cursor: string | null = '';
  while (cursor !== null && all.length < most) {
    const page: ListPage = await client.documents.listDocuments({
      query: { ...filter, limit: '200', ...(cursor === '' ? {} : { cursor }) },
      signal,
    });
    all.push(...page.items);
    cursor = page.next_cursor;
  }
  return all;
}
