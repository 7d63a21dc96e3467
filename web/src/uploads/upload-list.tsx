/** Uploads one below the other; of thousands only those in sight are drawn. */
import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';
import type { UploadItem } from './item.ts';
import classes from './upload-list.module.css';
import { UploadRow } from './upload-row.tsx';

/** Fewer are simply drawn. */
const few = 40;

export function UploadList({ items, label, height }: { items: readonly UploadItem[]; label: string; height: string }) {
  if (items.length > few) return <LongList items={items} label={label} height={height} />;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be scrolled by keys.
    <section className={classes.scroller} style={{ maxBlockSize: height }} aria-label={label} tabIndex={0}>
      <ul className={classes.list}>
        {items.map((item) => (
          <li key={item.key}>
            <UploadRow item={item} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function LongList({ items, label, height }: { items: readonly UploadItem[]; label: string; height: string }) {
  const scroller = useRef<HTMLElement>(null);
  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => 68,
    getItemKey: (at) => items[at]!.key,
    overscan: 6,
  });
  return (
    <section
      ref={scroller}
      className={classes.scroller}
      style={{ maxBlockSize: height }}
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be scrolled by keys.
      tabIndex={0}
    >
      <ul className={classes.list} style={{ blockSize: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ key, index, start }) => (
          <li
            key={key}
            data-index={index}
            ref={virtual.measureElement}
            className={classes.drawn}
            style={{ transform: `translateY(${start}px)` }}
            aria-setsize={items.length}
            aria-posinset={index + 1}
          >
            <UploadRow item={items[index]!} />
          </li>
        ))}
      </ul>
    </section>
  );
}
