/**
 * A table of any number of rows of which only those in sight are drawn. Semantics of a table for screen readers (with
 * the count of all rows), sorting by the heads, one row one tab stop.
 */
import { Text, UnstyledButton } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, type ReactNode, useCallback, useEffect, useRef } from 'react';
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
  /** Left out on phones. */
  readonly wideOnly?: boolean;
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
  readonly rowHeight?: number;
  readonly onOpen?: (row: Row) => void;
  readonly isSelected?: (row: Row) => boolean;
  /** Called as the end comes into sight. */
  readonly onEnd?: (() => void) | undefined;
  /** Height of the scrolled part. Default: what is left of the window. */
  readonly height?: string;
}

export function VirtualTable<Row>(props: VirtualTableProps<Row>) {
  const { label, columns, rows, rowKey, total = rows.length, rowHeight = 44, onEnd, height } = props;
  const scroller = useRef<HTMLDivElement>(null);
  // The same function while the rows are the same: another one has every row measured anew.
  const getItemKey = useCallback((at: number) => rowKey(rows[at]!), [rows, rowKey]);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey,
    overscan: 8,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (rows.length > 0 && last >= rows.length - 10) onEnd?.();
  }, [last, rows.length, onEnd]);
  const template = columns.map(({ width }) => width).join(' ');
  const narrow = columns.filter(({ wideOnly }) => wideOnly !== true);
  const tracks = {
    '--columns': template,
    '--columns-narrow': narrow.map(({ width }) => width).join(' '),
  } as Record<string, string>;
  return (
    <div
      ref={scroller}
      className={classes.scroller}
      // Rows that do not open may have nothing to focus: then the keyboard scrolls here.
      tabIndex={props.onOpen === undefined ? 0 : undefined}
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
        <div role="rowgroup" className={classes.body} style={{ blockSize: virtual.getTotalSize() }}>
          {items.map((item) => (
            <BodyRow
              key={item.key}
              row={rows[item.index]!}
              columns={columns}
              onOpen={props.onOpen}
              selected={props.isSelected?.(rows[item.index]!)}
              at={item.index}
              start={item.start}
              size={rowHeight}
            />
          ))}
        </div>
      </div>
    </div>
  );
}

const cellClass = (column: Column<never>): string =>
  [classes.cell, column.align === 'end' ? classes.end : '', column.wideOnly === true ? classes.wide : ''].join(' ');

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
    <div role="columnheader" className={cellClass(column as Column<never>)} aria-sort={ordered}>
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
  readonly row: Row;
  readonly columns: readonly Column<Row>[];
  readonly onOpen: ((row: Row) => void) | undefined;
  readonly selected: boolean | undefined;
  readonly at: number;
  readonly start: number;
  readonly size: number;
}

/** Drawn anew only where something of it changed, and not for each step of scrolling. */
const BodyRow = memo(PlainRow) as typeof PlainRow;

function PlainRow<Row>({ row, columns, onOpen, selected, at, start, size }: BodyRowProps<Row>) {
  const open = onOpen === undefined ? undefined : () => onOpen(row);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the link or button inside the row is the keyboard's way.
    <div
      role="row"
      aria-rowindex={at + 2}
      aria-selected={selected}
      className={`${classes.row} ${classes.drawn} ${open === undefined ? '' : classes.opens}`}
      style={{ blockSize: size, transform: `translateY(${start}px)` }}
      onClick={(event) => {
        const inside = event.target as HTMLElement;
        if (inside.closest('a,button,input,label,[role="menu"],[role="menuitem"]') === null) open?.();
      }}
    >
      {columns.map((column) => (
        <div key={column.id} role="cell" className={cellClass(column as Column<never>)}>
          {column.cell(row)}
        </div>
      ))}
    </div>
  );
}
