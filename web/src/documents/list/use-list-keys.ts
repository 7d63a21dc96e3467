/** The keys of a list: search, choose, go through rows, trash. Listed by `?`. */
import { type RefObject, useCallback, useEffect, useRef } from 'react';
import type { Document } from '../../../../src/modules/documents/contract.ts';
import { useShortcut } from '../../kit/shortcuts.ts';
import { useTexts } from '../../kit/texts.ts';
import { documentsTexts } from '../texts.ts';
import { focusedRow, moveFocus } from './row-keys.ts';
import type { Selection, Target } from './selection.ts';

export interface ListKeys {
  readonly frame: RefObject<HTMLElement | null>;
  readonly field: RefObject<HTMLInputElement | null>;
  readonly rows: readonly Document[];
  readonly selection: Selection;
  /** Rows that stand beside each other; 1 in a table. */
  readonly across: number;
  readonly onDelete: (target: Target) => void;
  readonly deleteLabel: string;
}

export function useListKeys({ frame, field, rows, selection, across, onDelete, deleteLabel }: ListKeys) {
  const t = useTexts(documentsTexts);
  const current = useCallback(() => {
    const id = focusedRow(frame.current);
    return rows.find((row) => row.id === id);
  }, [frame, rows]);
  const page = { scope: 'page' } as const;
  const toggle = (range = false) => {
    const row = current();
    if (row !== undefined) selection.toggle(row, range);
  };
  useShortcut({ ...page, keys: '/', label: t('keys.search'), run: () => field.current?.focus() });
  useShortcut({ ...page, keys: 'a', label: t('keys.all'), run: selection.all });
  useShortcut({ ...page, keys: 'p', label: t('keys.page'), run: selection.page });
  useShortcut({ ...page, keys: 'x', label: t('keys.row'), run: () => toggle() });
  useShortcut({ ...page, keys: 'arrowdown', label: t('keys.next'), run: () => moveFocus(frame.current, across) });
  useShortcut({ ...page, keys: 'arrowup', label: t('keys.previous'), run: () => moveFocus(frame.current, -across) });
  useShortcut({
    ...page,
    keys: 'delete',
    label: deleteLabel,
    run: () => {
      const row = current();
      if (selection.count > 0) onDelete(selection.target);
      else if (row !== undefined) onDelete({ kind: 'rows', rows: [row] });
    },
  });
  useShortcut(
    selection.count === 0 ? undefined : { ...page, keys: 'escape', label: t('select.clear'), run: selection.clear },
  );
  const onKey = (event: KeyboardEvent) => {
    const onRow = event.target instanceof HTMLElement && event.target.dataset.row !== undefined;
    if (!onRow || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === ' ') toggle(event.shiftKey);
    else if (across > 1 && event.key === 'ArrowRight') moveFocus(frame.current, isRtl() ? -1 : 1);
    else if (across > 1 && event.key === 'ArrowLeft') moveFocus(frame.current, isRtl() ? 1 : -1);
    else return;
    event.preventDefault();
  };
  const latest = useRef(onKey);
  latest.current = onKey;
  useEffect(() => {
    const element = frame.current;
    const listener = (event: KeyboardEvent) => latest.current(event);
    element?.addEventListener('keydown', listener);
    return () => element?.removeEventListener('keydown', listener);
  }, [frame]);
}

const isRtl = (): boolean => document.documentElement.dir === 'rtl';
