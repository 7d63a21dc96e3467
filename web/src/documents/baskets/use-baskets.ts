/** The baskets that the person may see, all of them: they are few, and names are needed everywhere. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { Basket } from '../../../../src/modules/documents/contract.ts';
import { client } from '../../app/session.ts';
import { useLanguage } from '../../kit/language.ts';

export const basketsKey = ['baskets'] as const;

async function everyBasket(signal: AbortSignal): Promise<Basket[]> {
  const all: Basket[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query = { limit: '200', ...(cursor === '' ? {} : { cursor }) };
    const page: { items: Basket[]; next_cursor: string | null } = await client.documents.listBaskets({ query, signal });
    all.push(...page.items);
    cursor = page.next_cursor;
  }
  return all;
}

export function useBaskets() {
  const language = useLanguage();
  const query = useQuery({ queryKey: basketsKey, queryFn: ({ signal }) => everyBasket(signal) });
  const list = useMemo(
    () => (query.data ?? []).toSorted((a, b) => a.name.localeCompare(b.name, language)),
    [query.data, language],
  );
  const byId = useMemo(() => new Map(list.map((basket) => [basket.id, basket])), [list]);
  return { query, list, byId };
}
