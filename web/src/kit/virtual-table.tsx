/**
 * A table of any number of rows of which only those in sight are drawn. Semantics of a table for screen readers (with
 * the count of all rows), sorting by the heads, one row one tab stop.
 */
import { Text, UnstyledButton } from '@mantine/core';
import { memo, type ReactNode, type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { appTexts } from './app-texts.ts';
import { Icon } from './icon.tsx';
import { useTexts } from './texts.ts';
import classes from './virtual-table.module.css';

export interface Column<Row> {
  readonly id: string;
  readonly title: string;
  /** Width as a track of a CSS grid: `minmax(12rem, 2fr)`, `8rem`. */
  readonly width: string;
  readonly cell: (row: Row) => ReactNode;
  /** Name by which the server sorts; descending is `-name`. */
  readonly sort?: string;
  readonly align?: 'end';
  /** Left out on phones; with `laptop` on tablets too. */
  readonly wideOnly?: boolean | 'laptop';
  /** The head is only spoken (a column of boxes or menus). */
  readonly hiddenTitle?: boolean;
  /** Stands in the head instead of the title (a box that chooses all). */
  readonly head?: ReactNode;
}

export interface VirtualTableProps<Row> {
  /** Name of the table. */
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly rowKey: (row: Row) => string;
  /** All that there are, also those not loaded. */
  readonly total?: number | undefined;
  /** The present order as in the address: `name`, `-name`. */
  readonly sort?: string | undefined;
  readonly onSort?: (sort: string) => void;
  /**
   * Another one, as another order, begins at the top again. Whoever changes the address for it says
   * `resetScroll: false`: the router would put the box back to where it was.
   */
  readonly list?: string;
  readonly rowHeight?: number;
  readonly onOpen?: (row: Row) => void;
  readonly isSelected?: (row: Row) => boolean;
  /** Called as the end comes into sight. */
  readonly onEnd?: (() => void) | undefined;
  /** Height of the scrolled part. Default: what is left of the window. */
  readonly height?: string;
}

/** Drawn beyond the sight on each side; and so many at a time, so that most steps of scrolling draw nothing. */
const beyond = 4;
const block = 4;
/** Before the box has been measured. */
const atFirst = 32;

interface Window {
  readonly from: number;
  readonly to: number;
}

/** Which rows are to be drawn, from how far the box is scrolled and how high it is. */
function useWindow(scroller: RefObject<HTMLDivElement | null>, rowHeight: number, count: number): Window {
  const [seen, setSeen] = useState<Window>({ from: 0, to: atFirst });
  useLayoutEffect(() => {
    const box = scroller.current;
    if (box === null) return;
    const look = () => {
      const first = Math.floor(box.scrollTop / rowHeight);
      const last = Math.ceil((box.scrollTop + box.clientHeight) / rowHeight);
      const from = Math.max(0, Math.floor((first - beyond) / block) * block);
      const to = Math.ceil((last + beyond) / block) * block;
      setSeen((before) => (before.from === from && before.to === to ? before : { from, to }));
    };
    look();
    const observer = new ResizeObserver(look);
    observer.observe(box);
    box.addEventListener('scroll', look, { passive: true });
    return () => {
      observer.disconnect();
      box.removeEventListener('scroll', look);
    };
  }, [scroller, rowHeight]);
  // A list that became shorter is drawn from where it still has rows, before the box has told that it was scrolled back.
  const to = Math.min(seen.to, count);
  return { from: Math.min(seen.from, Math.max(0, to - atFirst)), to };
}

export function VirtualTable<Row>(props: VirtualTableProps<Row>) {
  const { label, columns, rows, rowKey, total = rows.length, rowHeight = 44, onEnd, height, isSelected } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const { from, to } = useWindow(scroller, rowHeight, rows.length);
  // In another list nobody looks for what stood in the middle.
  // biome-ignore lint/correctness/useExhaustiveDependencies: that it is another one is the reason.
  useLayoutEffect(() => {
    scroller.current?.scrollTo(0, 0);
  }, [props.sort, props.list]);
  useEffect(() => {
    if (rows.length > 0 && to + 10 >= rows.length) onEnd?.();
  }, [to, rows.length, onEnd]);
  // Rows keep the same function, whatever the page gives: only what they show makes them new.
  const latest = useRef(props.onOpen);
  latest.current = props.onOpen;
  const open = useCallback((row: Row) => latest.current?.(row), []);
  const opens = props.onOpen !== undefined;
  const template = columns.map(({ width }) => width).join(' ');
  const middle = columns.filter(({ wideOnly }) => wideOnly !== 'laptop');
  const narrow = middle.filter(({ wideOnly }) => wideOnly !== true);
  const tracks = {
    '--columns': template,
    '--columns-middle': middle.map(({ width }) => width).join(' '),
    '--columns-narrow': narrow.map(({ width }) => width).join(' '),
    '--row': `${rowHeight}px`,
  } as Record<string, string>;
  return (
    <div
      ref={scroller}
      className={classes.scroller}
      // Rows that do not open may have nothing to focus: then the keyboard scrolls here.
      tabIndex={opens ? undefined : 0}
      style={{ ...tracks, ...(height === undefined ? {} : { maxBlockSize: height }) }}
    >
      <div role="table" aria-label={label} aria-rowcount={total + 1} className={classes.table}>
        <div role="rowgroup" className={classes.head}>
          <div role="row" className={classes.row} aria-rowindex={1}>
            {columns.map((column) => (
              <Head key={column.id} column={column} sort={props.sort} onSort={props.onSort} />
            ))}
          </div>
        </div>
        <div
          role="rowgroup"
          className={classes.body}
          style={{ blockSize: rows.length * rowHeight, paddingBlockStart: from * rowHeight }}
        >
          {rows.slice(from, to).map((row, at) => (
            <BodyRow
              key={rowKey(row)}
              columns={columns}
              row={row}
              index={from + at + 2}
              selected={isSelected?.(row)}
              onOpen={opens ? open : undefined}
            />
          ))}
        </div>
      </div>
    </div>
  );
}

const cellClass = ({ align, wideOnly }: Pick<Column<never>, 'align' | 'wideOnly'>): string => {
  const wide = wideOnly === 'laptop' ? classes.wider : wideOnly === true ? classes.wide : '';
  return `${classes.cell} ${align === 'end' ? classes.end : ''} ${wide}`;
};

function Head<Row>({
  column,
  sort,
  onSort,
}: {
  column: Column<Row>;
  sort: string | undefined;
  onSort: ((sort: string) => void) | undefined;
}) {
  const t = useTexts(appTexts);
  const { title, sort: name } = column;
  const up = name !== undefined && sort === name;
  const down = name !== undefined && sort === `-${name}`;
  const ordered = up ? 'ascending' : down ? 'descending' : undefined;
  const text = (
    <Text span size="xs" fw={600} c="dimmed" truncate>
      {title}
    </Text>
  );
  return (
    <div role="columnheader" className={cellClass(column)} aria-sort={ordered}>
      {column.head !== undefined ? (
        column.head
      ) : column.hiddenTitle === true ? (
        <span className={classes.spoken}>{title}</span>
      ) : name === undefined || onSort === undefined ? (
        text
      ) : (
        <UnstyledButton
          className={classes.sort}
          onClick={() => onSort(up ? `-${name}` : name)}
          aria-label={t('table.sortBy', { column: title })}
        >
          {text}
          {ordered === undefined ? null : <Icon name={up ? 'chevron-up' : 'chevron'} size={14} />}
        </UnstyledButton>
      )}
    </div>
  );
}

interface BodyRowProps<Row> {
  readonly columns: readonly Column<Row>[];
  readonly row: Row;
  /** Among all rows, from 1, with the head. */
  readonly index: number;
  readonly selected: boolean | undefined;
  readonly onOpen: ((row: Row) => void) | undefined;
}

/** Drawn anew only where the row, its columns or its selection are others: scrolling touches the rows that come. */
const BodyRow = memo(function BodyRow<Row>({ columns, row, index, selected, onOpen }: BodyRowProps<Row>) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the link or button inside the row is the keyboard's way.
    <div
      role="row"
      aria-rowindex={index}
      aria-selected={selected}
      className={`${classes.row} ${classes.drawn} ${onOpen === undefined ? '' : classes.opens}`}
      onClick={(event) => {
        const inside = event.target as HTMLElement;
        if (inside.closest('a,button,input,label,[role="menu"],[role="menuitem"]') === null) onOpen?.(row);
      }}
    >
      {columns.map((column) => (
        <div key={column.id} role="cell" className={cellClass(column)}>
          {column.cell(row)}
        </div>
      ))}
    </div>
  );
}) as <Row>(props: BodyRowProps<Row> & { key?: string }) => ReactNode;
