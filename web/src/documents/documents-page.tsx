/** The list of documents: search, filters, table or cards, baskets at the side, actions on one and on many. */
import { Button, Drawer } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Link, useNavigate } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import type { Document } from '../../../src/modules/documents/contract.ts';
import { useSignedIn } from '../app/session.ts';
import { DataState } from '../kit/data-state.tsx';
import { Icon } from '../kit/icon.tsx';
import { NextPageFailed } from '../kit/next-page.tsx';
import { Page, PageHeader } from '../kit/page-header.tsx';
import { useStored } from '../kit/stored.ts';
import { useTexts } from '../kit/texts.ts';
import { VirtualTable } from '../kit/virtual-table.tsx';
import { useUploadTarget } from '../uploads/target.ts';
import { UploadButtons, useChooseUploads } from '../uploads/upload-buttons.tsx';
import { BasketList } from './baskets/basket-list.tsx';
import { useBaskets } from './baskets/use-baskets.ts';
import { useColumns } from './list/columns.tsx';
import { DocumentCards } from './list/document-cards.tsx';
import { type ChangeSearch, FilterBar } from './list/filter-bar.tsx';
import { FilterChips, withoutFilters } from './list/filter-chips.tsx';
import classes from './list/list.module.css';
import { mayManage } from './list/rights.ts';
import { keepFocus } from './list/row-keys.ts';
import { type RowAction, RowMenu } from './list/row-menu.tsx';
import { type DocumentsSearch, defaultSort, filterOf, isNarrowed, type View } from './list/search.ts';
import { countOf, type Selection, type Target, useSelection } from './list/selection.ts';
import { SelectionBar } from './list/selection-bar.tsx';
import { type DocumentActions, useDocumentActions } from './list/use-actions.ts';
import { useDocuments } from './list/use-documents.ts';
import { useListKeys } from './list/use-list-keys.ts';
import { useDocumentsSearch } from './list/use-search.ts';
import { withDialogs } from './list/with-dialogs.ts';
import { listInSight } from './one/neighbours.ts';
import { documentsTexts } from './texts.ts';

export function DocumentsPage() {
  const t = useTexts(documentsTexts);
  const [search, change] = useDocumentsSearch('/documents');
  const baskets = useBaskets();
  const [drawer, { open, close }] = useDisclosure(false);
  const name = search.basket === undefined ? undefined : baskets.byId.get(search.basket)?.name;
  const choose = (basket: string | undefined) => {
    close();
    change({ basket });
  };
  const side = <BasketList current={search.basket} onChoose={choose} />;
  return (
    <Page>
      <PageHeader
        title={name ?? t('nav')}
        actions={
          <>
            <Button
              component={Link}
              to="/documents/trash"
              variant="subtle"
              color="gray"
              leftSection={<Icon name="trash" size={16} />}
            >
              {t('trash.nav')}
            </Button>
            <UploadButtons folder={false} />
          </>
        }
      />
      <div className={classes.frame}>
        <div className={classes.aside}>{side}</div>
        <List search={search} change={change} onBaskets={open} />
      </div>
      <Drawer opened={drawer} onClose={close} title={t('baskets.title')} size="xs">
        {side}
      </Drawer>
    </Page>
  );
}

interface ListProps {
  readonly search: DocumentsSearch;
  readonly change: ChangeSearch;
  readonly onBaskets: () => void;
}

/** The view of the address, else the one this browser chose last. */
function useView(search: DocumentsSearch): View {
  const [kept, keep] = useStored('documents.view');
  useEffect(() => {
    if (search.view !== undefined) keep(search.view);
  }, [search.view, keep]);
  return search.view ?? (kept === 'cards' ? 'cards' : 'table');
}

function List({ search, change, onBaskets }: ListProps) {
  const t = useTexts(documentsTexts);
  const filter = filterOf(search);
  const { list, rows, more, total } = useDocuments(filter);
  const baskets = useBaskets();
  const selection = useSelection(filter, rows, total);
  const view = useView(search);
  useEffect(() => listInSight(filter));
  const frame = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const [across, setAcross] = useState(1);
  const acts = useDocumentActions(selection.clear);
  const actions = useListActions(acts, rows, frame);
  useListKeys({
    frame,
    field,
    rows,
    selection,
    across: view === 'table' ? 1 : across,
    onDelete: actions.trash,
    deleteLabel: t('action.trash'),
  });
  const menu = (row: Document) => <RowMenu row={row} actions={actions.ofRow} />;
  return (
    <div ref={frame}>
      {selection.count > 0 || acts.running !== undefined ? (
        <SelectionBar
          selection={selection}
          total={total}
          actions={actions.of(selection.target)}
          running={acts.running}
        />
      ) : (
        <FilterBar
          search={search}
          change={change}
          view={view}
          field={field}
          rows={rows}
          baskets={baskets.list}
          before={
            <Button
              hiddenFrom="md"
              variant="default"
              leftSection={<Icon name="basket" size={16} />}
              onClick={onBaskets}
            >
              {t('baskets.title')}
            </Button>
          }
        />
      )}
      <FilterChips
        search={search}
        change={change}
        rows={rows}
        baskets={baskets.byId}
        total={list.data === undefined ? undefined : total}
      />
      <DataState
        what={t('nav')}
        loading={list.isPending}
        error={list.error}
        onRetry={() => void list.refetch()}
        count={rows.length}
        onClearFilters={isNarrowed(search) ? () => change(withoutFilters) : undefined}
        empty={useEmpty(search.basket !== undefined)}
      >
        <div className={list.isPlaceholderData ? classes.old : undefined}>
          {view === 'table' ? (
            <Table {...{ search, change, rows, total, selection, menu }} onEnd={more} />
          ) : (
            <DocumentCards {...{ rows, total, selection, menu }} label={t('nav')} onEnd={more} onAcross={setAcross} />
          )}
          <NextPageFailed list={list} />
        </div>
      </DataState>
    </div>
  );
}

function useEmpty(basket: boolean) {
  const t = useTexts(documentsTexts);
  const choose = useChooseUploads();
  // Into a basket also those may upload who may not elsewhere.
  const { allowed } = useUploadTarget();
  const icon = basket ? 'basket' : 'document';
  const title = t(basket ? 'empty.basket' : 'empty.title');
  if (!allowed) return { icon, title, hint: t('empty.reader') } as const;
  const action = (
    <Button leftSection={<Icon name="upload" size={16} />} onClick={() => choose('files')}>
      {t('empty.action')}
    </Button>
  );
  return { icon, title, hint: t('empty.hint'), action } as const;
}

interface TableProps {
  readonly search: DocumentsSearch;
  readonly change: ChangeSearch;
  readonly rows: readonly Document[];
  readonly total: number;
  readonly selection: Selection;
  readonly menu: (row: Document) => React.ReactNode;
  readonly onEnd: () => void;
}

function Table({ search, change, rows, total, selection, menu, onEnd }: TableProps) {
  const t = useTexts(documentsTexts);
  const navigate = useNavigate();
  const { byId } = useBaskets();
  const columns = useColumns({ selection, rows, baskets: byId, menu });
  return (
    <VirtualTable
      label={t('nav')}
      columns={columns}
      rows={rows}
      rowKey={({ id }) => id}
      total={total}
      list={JSON.stringify(filterOf(search))}
      sort={search.sort ?? defaultSort}
      onSort={(sort) => change({ sort: sort as NonNullable<DocumentsSearch['sort']> })}
      rowHeight={48}
      isSelected={selection.has}
      onOpen={({ id }) => void navigate({ to: `/documents/${id}` })}
      onEnd={onEnd}
      height="calc(100dvh - 14.5rem)"
    />
  );
}

/** What can be done with a row, or with what is chosen; rights decide what is offered. */
function useListActions(acts: DocumentActions, rows: readonly Document[], frame: React.RefObject<HTMLElement | null>) {
  const t = useTexts(documentsTexts);
  const session = useSignedIn();
  const navigate = useNavigate();
  const baskets = useBaskets();
  const tags = () => [...new Set(rows.flatMap((row) => row.tags))].sort();
  const tagsOf = (target: Target) =>
    target.kind === 'rows' ? [...new Set(target.rows.flatMap((row) => row.tags))].sort() : tags();
  const trash = (target: Target) => {
    const keep = keepFocus(frame.current);
    void acts.trash(target).then(keep);
  };
  const of = (target: Target): RowAction[] => {
    const count = countOf(target);
    const download: RowAction = {
      label: t('action.download'),
      icon: 'download',
      run: () => void acts.download(target),
    };
    if (target.kind === 'rows' && !target.rows.some((row) => mayManage(session, row))) return [download];
    return [
      {
        label: t('action.move'),
        icon: 'move',
        run: () =>
          withDialogs(({ askForBasket }) =>
            askForBasket(t('move.title', { count }), baskets.list, (id) => void acts.move(target, id)),
          ),
      },
      {
        label: t('action.tag'),
        icon: 'tag',
        run: () =>
          withDialogs(({ askForTags }) =>
            askForTags(t('tags.title', { count }), tags(), tagsOf(target), (next) => void acts.tag(target, next)),
          ),
      },
      download,
      { label: t('action.trash'), icon: 'trash', danger: true, run: () => trash(target) },
    ];
  };
  const ofRow = (row: Document): RowAction[] => [
    { label: t('action.open'), icon: 'external', run: () => void navigate({ to: `/documents/${row.id}` }) },
    ...of({ kind: 'rows', rows: [row] }),
  ];
  return { of, ofRow, trash };
}
