/** The address of the list, read and changed. What is typed replaces the entry of the history; a choice adds one. */
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo } from 'react';
import type { ChangeSearch } from './filter-bar.tsx';
import { type DocumentsSearch, parseSearch } from './search.ts';

export function useDocumentsSearch(to: string): readonly [DocumentsSearch, ChangeSearch] {
  const raw = useSearch({ strict: false }) as Record<string, unknown>;
  const search = useMemo(() => parseSearch(raw), [raw]);
  const navigate = useNavigate();
  const change: ChangeSearch = useCallback(
    (next) =>
      void navigate({
        to,
        search: (before: Record<string, unknown>) => parseSearch({ ...before, ...next }),
        // Another list begins at its top, which the table sees to itself.
        resetScroll: false,
        replace: Object.keys(next).every((name) => name === 'q' || name === 'tag'),
      } as Parameters<typeof navigate>[0]),
    [navigate, to],
  );
  return [search, change];
}
