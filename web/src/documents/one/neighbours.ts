/**
 * The documents before and behind this one in the list that one came from, where that is known: found in the lists that
 * were loaded, and kept for the tab, so that a reload does not lose the place.
 */
import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';

export interface Neighbours {
  readonly previous: string | undefined;
  readonly next: string | undefined;
  /** From 1; 0 where no list is known. */
  readonly place: number;
  readonly count: number;
}

const key = 'strongroom.document-list';
const none: Neighbours = { previous: undefined, next: undefined, place: 0, count: 0 };

/** Keeps the order of a list for the page of one document. */
export function rememberList(ids: readonly string[]): void {
  try {
    sessionStorage.setItem(key, JSON.stringify(ids));
  } catch {
    // Then there is no next and previous.
  }
}

function remembered(): readonly string[] {
  try {
    const ids: unknown = JSON.parse(sessionStorage.getItem(key) ?? '[]');
    return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : [];
  } catch {
    return [];
  }
}

/** Ids of documents in one cached answer: of a list, or of the pages of one. */
function idsOf(data: unknown): readonly string[] {
  const { items, pages } = (data ?? {}) as { items?: unknown; pages?: unknown };
  if (Array.isArray(pages)) return pages.flatMap(idsOf);
  if (!Array.isArray(items)) return [];
  const ids = items.map((item) => (item as { id?: unknown } | null)?.id);
  return ids.filter((id): id is string => typeof id === 'string' && id.startsWith('doc_'));
}

/** The list that was drawn last and has it. */
function loadedList(queries: QueryClient, id: string): readonly string[] | undefined {
  const lists = queries.getQueryCache().findAll({ predicate: ({ queryKey }) => queryKey[0] !== 'document' });
  const having = lists
    .map(({ state }) => ({ ids: idsOf(state.data), at: state.dataUpdatedAt }))
    .filter(({ ids }) => ids.includes(id));
  return having.sort((left, right) => right.at - left.at)[0]?.ids;
}

export function useNeighbours(id: string): Neighbours {
  const queries = useQueryClient();
  return useMemo(() => {
    const before = remembered();
    const ids = loadedList(queries, id) ?? before;
    const at = ids.indexOf(id);
    if (at < 0) return none;
    if (ids !== before) rememberList(ids);
    return { previous: ids[at - 1], next: ids[at + 1], place: at + 1, count: ids.length };
  }, [queries, id]);
}
