/**
 * The documents before and behind this one in the list that one came from. The list says which one it is while it is in
 * sight; its pages are in the cache, and further ones are asked for as one comes to their end. Kept for the tab too, so
 * that a reload does not lose the place.
 */
import { type InfiniteData, type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { client } from '../../app/session.ts';
import type { ListFilter } from '../list/search.ts';
import { type ListPage, listsKey, pageOf } from '../list/use-documents.ts';

export interface Neighbours {
  readonly previous: string | undefined;
  readonly next: string | undefined;
  /** From 1; 0 where no list is known. */
  readonly place: number;
  readonly count: number;
}

interface Walk {
  readonly ids: readonly string[];
  /** All that the list finds, also those not loaded. */
  readonly total: number;
  /** Undefined where it is only remembered. */
  readonly filter?: ListFilter;
}

const key = 'strongroom.document-list';
const none: Neighbours = { previous: undefined, next: undefined, place: 0, count: 0 };
/** So near to the end of what is loaded, more is asked for. */
const ahead = 3;

/** Filter and order of the list that was in sight last. */
let inSight: ListFilter | undefined;

export function listInSight(filter: ListFilter): void {
  inSight = filter;
}

function keep({ ids, total }: Walk): void {
  try {
    sessionStorage.setItem(key, JSON.stringify({ ids, total }));
  } catch {
    // Then there is no next and previous after a reload.
  }
}

function kept(): Walk {
  try {
    const { ids, total } = JSON.parse(sessionStorage.getItem(key) ?? '{}') as Record<string, unknown>;
    const known = Array.isArray(ids) ? ids.filter((id): id is string => typeof id === 'string') : [];
    return { ids: known, total: typeof total === 'number' ? total : known.length };
  } catch {
    return { ids: [], total: 0 };
  }
}

type Pages = InfiniteData<ListPage>;

function walkThrough(queries: QueryClient, filter: ListFilter): Walk | undefined {
  const data = queries.getQueryData<Pages>([...listsKey, filter]);
  if (data === undefined) return undefined;
  const ids = data.pages.flatMap(({ items }) => items.map(({ id }) => id));
  return { ids, total: data.pages[0]?.total ?? ids.length, filter };
}

/** The list that was in sight where it has the document, else the one loaded last that has it. */
function loadedWalk(queries: QueryClient, id: string): Walk | undefined {
  const current = inSight === undefined ? undefined : walkThrough(queries, inSight);
  if (current?.ids.includes(id)) return current;
  const lists = queries.getQueryCache().findAll({ queryKey: listsKey });
  return lists
    .toSorted((left, right) => right.state.dataUpdatedAt - left.state.dataUpdatedAt)
    .map(({ queryKey }) => walkThrough(queries, queryKey[listsKey.length] as ListFilter))
    .find((walk) => walk?.ids.includes(id));
}

/** One page more of a list, put behind those that are kept. @returns whether there was one */
async function loadFurther(queries: QueryClient, filter: ListFilter): Promise<boolean> {
  const queryKey = [...listsKey, filter];
  const cursor = queries.getQueryData<Pages>(queryKey)?.pages.at(-1)?.next_cursor ?? null;
  if (cursor === null) return false;
  const page = await client.documents.listDocuments({ query: pageOf(filter, cursor) });
  queries.setQueryData<Pages>(queryKey, (data) =>
    data === undefined || data.pages.at(-1)?.next_cursor !== cursor
      ? data
      : { pages: [...data.pages, page], pageParams: [...data.pageParams, cursor] },
  );
  return true;
}

export function useNeighbours(id: string): Neighbours {
  const queries = useQueryClient();
  const [loaded, setLoaded] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: read anew when a page came.
  const walk = useMemo(() => loadedWalk(queries, id) ?? kept(), [queries, id, loaded]);
  const at = walk.ids.indexOf(id);
  const { filter } = walk;
  const nearEnd = at >= 0 && at >= walk.ids.length - ahead && walk.ids.length < walk.total;
  useEffect(() => {
    if (at >= 0) keep(walk);
  }, [at, walk]);
  useEffect(() => {
    if (!nearEnd || filter === undefined) return;
    let here = true;
    loadFurther(queries, filter).then(
      (more) => {
        if (more && here) setLoaded((count) => count + 1);
      },
      // The next step asks again.
      () => undefined,
    );
    return () => {
      here = false;
    };
  }, [nearEnd, queries, filter]);
  if (at < 0) return none;
  return { previous: walk.ids[at - 1], next: walk.ids[at + 1], place: at + 1, count: walk.total };
}
