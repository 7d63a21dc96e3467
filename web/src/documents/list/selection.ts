/** Which rows are chosen: one by one, a range, all that are loaded, or all that the filter finds, loaded or not. */
import { useCallback, useMemo, useRef, useState } from 'react';
import type { Document } from '../../../../src/modules/documents/contract.ts';
import type { ListFilter } from './search.ts';

export type Target =
  | { readonly kind: 'rows'; readonly rows: readonly Document[] }
  | { readonly kind: 'matching'; readonly filter: ListFilter; readonly count: number };

export interface Selection {
  readonly count: number;
  /** All that the filter finds, and not only what is loaded. */
  readonly matching: boolean;
  readonly has: (row: Document) => boolean;
  /** @param range also what lies between this row and the one chosen before */
  readonly toggle: (row: Document, range?: boolean) => void;
  readonly page: () => void;
  readonly all: () => void;
  readonly clear: () => void;
  readonly target: Target;
}

export function useSelection(filter: ListFilter, rows: readonly Document[], total: number): Selection {
  const key = JSON.stringify(filter);
  const [chosen, setChosen] = useState<{ key: string; ids: ReadonlySet<string>; matching: boolean }>();
  const last = useRef<string>(undefined);
  // What was chosen under another filter is not chosen here.
  const current = chosen?.key === key ? chosen : undefined;
  const picked = useMemo(() => rows.filter(({ id }) => current?.ids.has(id) === true), [rows, current]);
  const matching = current?.matching === true;
  const set = useCallback(
    (ids: Iterable<string>, all = false) => setChosen({ key, ids: new Set(ids), matching: all }),
    [key],
  );
  const toggle = (row: Document, range = false) => {
    const ids = new Set(matching ? rows.map(({ id }) => id) : picked.map(({ id }) => id));
    const on = !ids.has(row.id);
    const from = range ? rows.findIndex(({ id }) => id === last.current) : -1;
    const to = rows.findIndex(({ id }) => id === row.id);
    const between = from < 0 ? [row] : rows.slice(Math.min(from, to), Math.max(from, to) + 1);
    for (const { id } of between) {
      if (on) ids.add(id);
      else ids.delete(id);
    }
    last.current = row.id;
    set(ids);
  };
  return {
    count: matching ? total : picked.length,
    matching,
    has: (row) => matching || current?.ids.has(row.id) === true,
    toggle,
    page: () => set(rows.map(({ id }) => id)),
    all: () => set([], true),
    clear: () => setChosen(undefined),
    target: matching ? { kind: 'matching', filter, count: total } : { kind: 'rows', rows: picked },
  };
}

/** The rows themselves, of all that a filter finds only once somebody asks. */
export const countOf = (target: Target): number => (target.kind === 'rows' ? target.rows.length : target.count);
