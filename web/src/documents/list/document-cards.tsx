/** Documents as cards with their pictures, as many beside each other as fit; only the lines in sight are drawn. */
import { Anchor, Text } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { Link } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useEffect, useRef } from 'react';
import type { Document } from '../../../../src/modules/documents/contract.ts';
import { useFormats } from '../../kit/formats.ts';
import { RowBox } from './columns.tsx';
import classes from './list.module.css';
import type { Selection } from './selection.ts';
import { Thumbnail } from './thumbnail.tsx';

const cardWidth = 160;
const lineHeight = 232;

export interface DocumentCardsProps {
  readonly label: string;
  readonly rows: readonly Document[];
  readonly total: number;
  readonly selection: Selection;
  readonly menu: (row: Document) => ReactNode;
  readonly onEnd: () => void;
  /** Told how many stand beside each other, for the arrow keys. */
  readonly onAcross: (across: number) => void;
}

export function DocumentCards({ label, rows, total, selection, menu, onEnd, onAcross }: DocumentCardsProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const { ref, width } = useElementSize<HTMLDivElement>();
  const across = Math.max(1, Math.floor((width + 12) / (cardWidth + 12)));
  const lines = Math.ceil(rows.length / across);
  const virtual = useVirtualizer({
    count: lines,
    getScrollElement: () => scroller.current,
    estimateSize: () => lineHeight,
    overscan: 2,
  });
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (lines > 0 && last >= lines - 3) onEnd();
  }, [last, lines, onEnd]);
  useEffect(() => onAcross(across), [across, onAcross]);
  return (
    <div ref={scroller} className={classes.cards} data-scroller>
      <div ref={ref} className={classes.lines} style={{ blockSize: virtual.getTotalSize() }}>
        <ul aria-label={label} style={{ margin: 0, padding: 0, display: 'contents' }}>
          {items.flatMap(({ index, start }) =>
            rows.slice(index * across, (index + 1) * across).map((row, at) => (
              <Card
                key={row.id}
                row={row}
                selection={selection}
                menu={menu}
                position={index * across + at + 1}
                total={total}
                place={{
                  position: 'absolute',
                  blockSize: lineHeight - 12,
                  inlineSize: `calc((100% - ${(across - 1) * 12}px) / ${across})`,
                  insetBlockStart: start,
                  insetInlineStart: `calc((100% + 12px) / ${across} * ${at})`,
                }}
              />
            )),
          )}
        </ul>
      </div>
    </div>
  );
}

interface CardProps {
  readonly row: Document;
  readonly selection: Selection;
  readonly menu: (row: Document) => ReactNode;
  readonly position: number;
  readonly total: number;
  readonly place: React.CSSProperties;
}

function Card({ row, selection, menu, position, total, place }: CardProps) {
  const formats = useFormats();
  return (
    <li
      className={classes.card}
      style={place}
      data-chosen={selection.has(row)}
      aria-posinset={position}
      aria-setsize={total}
    >
      <div className={classes.picture}>
        <Thumbnail of={row} />
      </div>
      <div className={classes.box}>
        <RowBox row={row} selection={selection} />
      </div>
      <div className={classes.foot}>
        <div className={classes.name}>
          <Anchor
            component={Link}
            to={`/documents/${row.id}`}
            preload={false}
            data-row={row.id}
            className={classes.link ?? ''}
            c="inherit"
            size="sm"
            title={row.filename}
          >
            <bdi>{row.filename}</bdi>
          </Anchor>
          <Text size="xs" c="dimmed" truncate>
            {formats.size(row.size_bytes)} · {formats.date(row.created_at)}
          </Text>
        </div>
        {menu(row)}
      </div>
    </li>
  );
}
