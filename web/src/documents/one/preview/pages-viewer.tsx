/**
 * Pages of a PDF and pictures: drawn by the server, shown by an address of this tab alone. Page box, zoom, turning; the
 * text of a PDF for those who read or copy it.
 */
import { ActionIcon, Group, NumberInput, SegmentedControl, Select, Skeleton, Text, Tooltip } from '@mantine/core';
import { useResizeObserver } from '@mantine/hooks';
import { type RefObject, useEffect, useRef, useState } from 'react';
import { useFormats } from '../../../kit/formats.ts';
import { Icon, type IconName } from '../../../kit/icon.tsx';
import { useTexts } from '../../../kit/texts.ts';
import { documentTexts } from '../texts.ts';
import classes from './preview.module.css';
import { type Ready, useObjectUrl, useRendition } from './rendition.ts';
import { PdfText, type ViewerProps } from './text-viewer.tsx';

const steps = [0.25, 0.5, 0.75, 1, 1.5, 2, 3] as const;
type Zoom = 'page' | 'width' | number;

export function PagesViewer({ document, version, ready }: ViewerProps) {
  const t = useTexts(documentTexts);
  const [page, setPage] = useState(1);
  const [zoom, setZoom] = useState<Zoom>(ready.kind === 'image' ? 'page' : 'width');
  const [turns, setTurns] = useState(0);
  const scale = useRef(1);
  const [as, setAs] = useState('pages');
  const pdf = ready.kind === 'pdf';
  const last = Math.min(ready.pages, ready.shownPages);
  return (
    <div className={classes.frame}>
      <div className={classes.bar} role="toolbar" aria-label={t('preview.title')}>
        {pdf ? (
          <SegmentedControl
            size="xs"
            value={as}
            onChange={setAs}
            aria-label={t('preview.as')}
            data={[
              { value: 'pages', label: t('preview.pages') },
              { value: 'text', label: t('preview.text') },
            ]}
          />
        ) : null}
        {pdf && as === 'pages' ? <PageBox page={page} last={last} pages={ready.pages} onPage={setPage} /> : null}
        <span className={classes.spread} />
        {as === 'pages' ? <ZoomBox zoom={zoom} scale={scale} onZoom={setZoom} /> : null}
        {as === 'pages' ? (
          <Tool icon="refresh" label={t('preview.rotate')} onClick={() => setTurns((turns + 1) % 4)} />
        ) : null}
      </div>
      {pdf && last < ready.pages ? (
        <p className={classes.notice}>{t('preview.firstPages', { shown: last, pages: ready.pages })}</p>
      ) : null}
      {as === 'text' ? (
        <PdfText document={document} version={version} />
      ) : (
        <OnePage {...{ document, version, ready, page, zoom, turns, scale }} />
      )}
    </div>
  );
}

interface ToolProps {
  readonly icon: IconName;
  readonly label: string;
  readonly onClick: () => void;
  readonly disabled?: boolean;
}

function Tool({ icon, label, onClick, disabled = false }: ToolProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" size="md" aria-label={label} onClick={onClick} disabled={disabled}>
        <Icon name={icon} />
      </ActionIcon>
    </Tooltip>
  );
}

interface PageBoxProps {
  readonly page: number;
  readonly last: number;
  readonly pages: number;
  readonly onPage: (page: number) => void;
}

function PageBox({ page, last, pages, onPage }: PageBoxProps) {
  const t = useTexts(documentTexts);
  const go = (to: number) => onPage(Math.max(1, Math.min(last, to)));
  return (
    <Group gap={4} wrap="nowrap">
      <Tool icon="chevron-up" label={t('preview.previousPage')} onClick={() => go(page - 1)} disabled={page <= 1} />
      <NumberInput
        size="xs"
        className={classes.page ?? ''}
        aria-label={t('preview.page')}
        value={page}
        min={1}
        max={last}
        hideControls
        allowDecimal={false}
        onChange={(value) => {
          if (typeof value === 'number' && value >= 1) go(value);
        }}
      />
      <Text size="xs" c="dimmed">
        {t('preview.ofPages', { pages })}
      </Text>
      <Tool icon="chevron" label={t('preview.nextPage')} onClick={() => go(page + 1)} disabled={page >= last} />
    </Group>
  );
}

interface ZoomBoxProps {
  readonly zoom: Zoom;
  /** How large it is drawn now: what the next step begins at. */
  readonly scale: RefObject<number>;
  readonly onZoom: (zoom: Zoom) => void;
}

function ZoomBox({ zoom, scale, onZoom }: ZoomBoxProps) {
  const t = useTexts(documentTexts);
  const formats = useFormats();
  return (
    <Group gap={2} wrap="nowrap">
      <Select
        size="xs"
        className={classes.zoom ?? ''}
        aria-label={t('preview.zoom')}
        allowDeselect={false}
        value={String(zoom)}
        onChange={(value) => onZoom(value === 'page' || value === 'width' ? value : Number(value ?? 1))}
        data={[
          { value: 'page', label: t('preview.zoom.page') },
          { value: 'width', label: t('preview.zoom.width') },
          ...steps.map((step) => ({ value: String(step), label: formats.percent(step) })),
        ]}
      />
      <Tool
        icon="plus"
        label={t('preview.zoomIn')}
        disabled={zoom === steps.at(-1)}
        onClick={() => onZoom(steps.find((step) => step > scale.current + 0.01) ?? steps.at(-1)!)}
      />
      <Tool
        icon="minus"
        label={t('preview.zoomOut')}
        disabled={zoom === steps[0]}
        onClick={() => onZoom(steps.findLast((step) => step < scale.current - 0.01) ?? steps[0])}
      />
    </Group>
  );
}

interface OnePageProps extends ViewerProps {
  readonly page: number;
  readonly zoom: Zoom;
  readonly turns: number;
  readonly scale: RefObject<number>;
}

function OnePage({ document, version, ready, page, zoom, turns, scale: drawn }: OnePageProps) {
  const t = useTexts(documentTexts);
  const [ref, room] = useResizeObserver();
  // Within the padding, and beside what scrolls.
  const [width, height] = [room.right - room.left, room.bottom - room.top];
  const other = useRendition({ document, version, page }, page > 1);
  const shown: Ready | undefined = page === 1 ? ready : other.data?.status === 'ready' ? other.data : undefined;
  const url = useObjectUrl(shown?.content);
  const [natural, setNatural] = useState<{ readonly width: number; readonly height: number }>();
  const name = document.filename;
  const alt = ready.kind === 'pdf' ? t('preview.pageImage', { page, name }) : t('preview.image', { name });
  const across = turns % 2 === 1;
  const wide = natural === undefined ? 1 : across ? natural.height : natural.width;
  const high = natural === undefined ? 1 : across ? natural.width : natural.height;
  const toWidth = width / wide;
  const scale = typeof zoom === 'number' ? zoom : zoom === 'width' ? toWidth : Math.min(toWidth, height / high, 1);
  useEffect(() => {
    if (natural !== undefined) drawn.current = scale;
  }, [natural, scale, drawn]);
  return (
    <section
      ref={ref}
      className={`${classes.scroller} ${classes.desk}`}
      aria-label={t('preview.content', { name })}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by the keyboard.
      tabIndex={0}
    >
      {url === undefined ? (
        <Skeleton height="60%" />
      ) : (
        <div
          className={classes.sheet}
          style={natural === undefined ? { visibility: 'hidden' } : { width: wide * scale, height: high * scale }}
        >
          <img
            src={url}
            alt={alt}
            style={{
              transform: `translate(-50%, -50%) rotate(${turns * 90}deg)`,
              ...(natural === undefined ? {} : { width: natural.width * scale, height: natural.height * scale }),
            }}
            onLoad={({ currentTarget }) =>
              setNatural({ width: currentTarget.naturalWidth, height: currentTarget.naturalHeight })
            }
          />
        </div>
      )}
    </section>
  );
}
