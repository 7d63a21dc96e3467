/** The columns of the table, and which of them a browser keeps in sight. */
import { Badge, Checkbox, Group, Text } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useMemo } from 'react';
import type { Basket, Document } from '../../../../src/modules/documents/contract.ts';
import { useSignedIn } from '../../app/session.ts';
import { type Formats, useFormats } from '../../kit/formats.ts';
import { Icon } from '../../kit/icon.tsx';
import { useStored } from '../../kit/stored.ts';
import { type Translate, useTexts } from '../../kit/texts.ts';
import { Time } from '../../kit/time.tsx';
import type { Column } from '../../kit/virtual-table.tsx';
import { type DocumentsKey, documentsTexts } from '../texts.ts';
import { typeIcon, typeTitle } from './kinds.ts';
import classes from './list.module.css';
import { seesOthers } from './rights.ts';
import type { Selection } from './selection.ts';

/** Those that can be chosen; the name always stands there. */
export const columnNames = ['type', 'owner', 'basket', 'tags', 'version', 'size', 'added', 'changed'] as const;
export type ColumnName = (typeof columnNames)[number];

/** Where there is room for two, the first of the chosen ones in this order. */
const firstColumns: readonly ColumnName[] = ['size', 'added', 'changed', 'owner', 'basket', 'tags', 'type', 'version'];

export function useColumnChoice(): readonly [readonly ColumnName[], (names: readonly ColumnName[]) => void] {
  const session = useSignedIn();
  const [kept, keep] = useStored('documents.columns');
  const usual: readonly ColumnName[] = seesOthers(session)
    ? ['owner', 'tags', 'size', 'added']
    : ['tags', 'size', 'added'];
  const names = kept === undefined ? undefined : kept.split(',');
  return [
    names === undefined ? usual : columnNames.filter((name) => names.includes(name)),
    (next) => keep(columnNames.filter((name) => next.includes(name)).join(',')),
  ];
}

export interface ColumnParts {
  readonly selection: Selection;
  readonly rows: readonly Document[];
  readonly baskets: ReadonlyMap<string, Basket>;
  readonly menu: (row: Document) => ReactNode;
  /** In the trash: nothing opens, and the time of the trash stands there. */
  readonly trash?: boolean;
}

export function useColumns({
  selection,
  rows,
  baskets,
  menu,
  trash = false,
}: ColumnParts): readonly Column<Document>[] {
  const t = useTexts(documentsTexts);
  const formats = useFormats();
  const [chosen] = useColumnChoice();
  const tight = useMediaQuery('(max-width: 62em)') === true;
  const shown = tight ? firstColumns.filter((name) => chosen.includes(name)).slice(0, 2) : chosen;
  const middle = useMemo(() => middleColumns(t, formats, baskets), [t, formats, baskets]);
  return [
    boxColumn(t, selection, rows),
    {
      id: 'name',
      title: t('column.name'),
      width: 'minmax(10rem, 3fr)',
      sort: 'filename',
      cell: (row) => <Name row={row} opens={!trash} />,
    },
    ...(trash
      ? [...(tight ? [] : [middle.owner]), middle.size, trashedColumn(t)]
      : columnNames.filter((name) => shown.includes(name)).map((name) => middle[name])),
    { id: 'menu', title: t('column.actions'), width: '3.25rem', hiddenTitle: true, align: 'end', cell: menu },
  ];
}

function boxColumn(t: Translate<DocumentsKey>, selection: Selection, rows: readonly Document[]): Column<Document> {
  const all = rows.length > 0 && rows.every(selection.has);
  return {
    id: 'box',
    title: t('column.select'),
    width: '2.75rem',
    head: (
      <Checkbox
        size="xs"
        aria-label={t('select.page')}
        checked={all}
        indeterminate={!all && selection.count > 0}
        onChange={() => (all ? selection.clear() : selection.page())}
      />
    ),
    cell: (row) => <RowBox row={row} selection={selection} />,
  };
}

/** The keyboard's way is the space bar on the row, so that a row is one stop. */
export function RowBox({ row, selection }: { row: Document; selection: Selection }) {
  const t = useTexts(documentsTexts);
  return (
    <Checkbox
      size="xs"
      tabIndex={-1}
      aria-label={t('select.row', { name: row.filename })}
      checked={selection.has(row)}
      onChange={() => undefined}
      onClick={(event) => selection.toggle(row, event.shiftKey)}
    />
  );
}

function Name({ row, opens }: { row: Document; opens: boolean }) {
  const formats = useFormats();
  // Plain elements: thousands of them are drawn while somebody scrolls.
  return (
    <div className={classes.named}>
      <span className={classes.kind}>
        <Icon name={typeIcon(row.mime_type)} />
      </span>
      <div className={classes.name}>
        {opens ? (
          <Link
            to={`/documents/${row.id}`}
            preload={false}
            data-row={row.id}
            className={classes.link}
            title={row.filename}
          >
            <bdi>{row.filename}</bdi>
          </Link>
        ) : (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: the row's one stop, from which keys restore and choose it.
          <span data-row={row.id} tabIndex={0} className={classes.link} title={row.filename}>
            <bdi>{row.filename}</bdi>
          </span>
        )}
        <div className={classes.under}>
          {formats.size(row.size_bytes)} · {formats.date(row.trashed_at ?? row.created_at)}
        </div>
      </div>
    </div>
  );
}

const trashedColumn = (t: Translate<DocumentsKey>): Column<Document> => ({
  id: 'trashed',
  title: t('column.trashed'),
  width: '10rem',
  wideOnly: true,
  cell: ({ trashed_at }) => (trashed_at === null ? null : <Time value={trashed_at} />),
});

function middleColumns(
  t: Translate<DocumentsKey>,
  formats: Formats,
  baskets: ReadonlyMap<string, Basket>,
): Record<ColumnName, Column<Document>> {
  const wideOnly = true;
  const basketOf = (id: string | null) => (id === null ? '' : (baskets.get(id)?.name ?? '…'));
  return {
    type: { id: 'type', title: t('column.type'), width: '7rem', wideOnly, cell: (row) => typeTitle(t, row.mime_type) },
    owner: {
      id: 'owner',
      title: t('column.owner'),
      width: 'minmax(7rem, 1fr)',
      wideOnly,
      cell: ({ owner }) => <bdi>{owner.full_name}</bdi>,
    },
    basket: {
      id: 'basket',
      title: t('column.basket'),
      width: 'minmax(7rem, 1fr)',
      wideOnly,
      cell: (row) => <bdi>{basketOf(row.basket_id)}</bdi>,
    },
    tags: {
      id: 'tags',
      title: t('column.tags'),
      width: 'minmax(7rem, 1fr)',
      wideOnly,
      cell: (row) => <Tags of={row} />,
    },
    version: {
      id: 'version',
      title: t('column.version'),
      width: '5.5rem',
      wideOnly,
      align: 'end',
      cell: ({ version }) => formats.number(version),
    },
    size: {
      id: 'size',
      title: t('column.size'),
      width: '6.5rem',
      wideOnly,
      align: 'end',
      sort: 'size_bytes',
      cell: (row) => formats.size(row.size_bytes),
    },
    added: {
      id: 'added',
      title: t('column.added'),
      width: '9.5rem',
      wideOnly,
      sort: 'created_at',
      cell: (row) => <Time value={row.created_at} />,
    },
    changed: {
      id: 'changed',
      title: t('column.changed'),
      width: '9.5rem',
      wideOnly,
      sort: 'updated_at',
      cell: (row) => <Time value={row.updated_at} />,
    },
  };
}

const tagsShown = 2;

export function Tags({ of: { tags } }: { of: Pick<Document, 'tags'> }) {
  if (tags.length === 0) return null;
  return (
    <Group gap={4} wrap="nowrap" title={tags.join(', ')}>
      {tags.slice(0, tagsShown).map((tag) => (
        <Badge key={tag} size="sm" radius="sm" variant="default" tt="none" className={classes.tag ?? ''}>
          <bdi>{tag}</bdi>
        </Badge>
      ))}
      {tags.length > tagsShown ? <Text size="xs">+{tags.length - tagsShown}</Text> : null}
    </Group>
  );
}
