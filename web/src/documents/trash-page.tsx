/** The trash: what was put there, back again or gone for good. */
import { Button } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useRef } from 'react';
import type { Document } from '../../../src/modules/documents/contract.ts';
import { useSignedIn } from '../app/session.ts';
import { DataState } from '../kit/data-state.tsx';
import { Icon } from '../kit/icon.tsx';
import { NextPageFailed } from '../kit/next-page.tsx';
import { Page, PageHeader } from '../kit/page-header.tsx';
import { useTexts } from '../kit/texts.ts';
import { VirtualTable } from '../kit/virtual-table.tsx';
import { useBaskets } from './baskets/use-baskets.ts';
import { useColumns } from './list/columns.tsx';
import { SearchField } from './list/filter-bar.tsx';
import classes from './list/list.module.css';
import { mayOwn } from './list/rights.ts';
import { keepFocus } from './list/row-keys.ts';
import { type RowAction, RowMenu } from './list/row-menu.tsx';
import { type DocumentsSearch, filterOf, type ListFilter } from './list/search.ts';
import { countOf, type Target, useSelection } from './list/selection.ts';
import { SelectionBar } from './list/selection-bar.tsx';
import { type DocumentActions, useDocumentActions } from './list/use-actions.ts';
import { useDocuments } from './list/use-documents.ts';
import { useListKeys } from './list/use-list-keys.ts';
import { useDocumentsSearch } from './list/use-search.ts';
import { withDialogs } from './list/with-dialogs.ts';
import { documentsTexts } from './texts.ts';

/** What changed last stands first: putting into the trash is a change. */
const trashSort = '-updated_at';

export function TrashPage() {
  const t = useTexts(documentsTexts);
  return (
    <Page>
      <PageHeader
        title={t('trash.nav')}
        about={t('trash.about')}
        actions={
          <Button
            component={Link}
            to="/documents"
            variant="subtle"
            color="gray"
            leftSection={<Icon name="document" size={16} />}
          >
            {t('nav')}
          </Button>
        }
      />
      <Trash />
    </Page>
  );
}

function Trash() {
  const t = useTexts(documentsTexts);
  const [search, change] = useDocumentsSearch('/documents/trash');
  const filter: ListFilter = { ...filterOf({ sort: trashSort, ...search }), trashed: 'true' };
  const { list, rows, more, total } = useDocuments(filter);
  const { byId } = useBaskets();
  const selection = useSelection(filter, rows, total);
  const frame = useRef<HTMLDivElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const acts = useDocumentActions(selection.clear);
  const { of, purge } = useTrashActions(acts, frame);
  const deleteLabel = t('action.purge');
  useListKeys({ frame, field, rows, selection, across: 1, onDelete: purge, deleteLabel });
  const menu = (row: Document) => <RowMenu row={row} actions={(one) => of({ kind: 'rows', rows: [one] })} />;
  const columns = useColumns({ selection, rows, baskets: byId, menu, trash: true });
  return (
    <div ref={frame}>
      {selection.count > 0 || acts.running !== undefined ? (
        <SelectionBar selection={selection} total={total} actions={of(selection.target)} running={acts.running} />
      ) : (
        <div className={`${classes.bar} ${classes.alone}`}>
          <SearchField q={search.q} change={change} field={field} />
        </div>
      )}
      <DataState
        what={t('trash.nav')}
        loading={list.isPending}
        error={list.error}
        onRetry={() => void list.refetch()}
        count={rows.length}
        onClearFilters={search.q === undefined ? undefined : () => change({ q: undefined })}
        empty={{ icon: 'trash', title: t('trash.empty'), hint: t('trash.emptyHint') }}
      >
        <VirtualTable
          label={t('trash.nav')}
          columns={columns}
          rows={rows}
          rowKey={({ id }) => id}
          total={total}
          list={JSON.stringify(search)}
          sort={search.sort ?? trashSort}
          onSort={(sort) => change({ sort: sort as NonNullable<DocumentsSearch['sort']> })}
          rowHeight={48}
          isSelected={selection.has}
          onEnd={more}
        />
        <NextPageFailed list={list} />
      </DataState>
    </div>
  );
}

function useTrashActions(acts: DocumentActions, frame: React.RefObject<HTMLElement | null>) {
  const t = useTexts(documentsTexts);
  const session = useSignedIn();
  const purge = (target: Target) => {
    const first = target.kind === 'rows' ? target.rows[0]?.filename : undefined;
    withDialogs(({ confirmPurge }) => confirmPurge(t, countOf(target), first, () => acts.purge(target)));
  };
  const of = (target: Target): RowAction[] => {
    const restore: RowAction = {
      label: t('action.restore'),
      icon: 'restore',
      run: () => void acts.restore(target).then(keepFocus(frame.current)),
    };
    if (target.kind === 'rows' && !target.rows.some((row) => mayOwn(session, row))) return [restore];
    return [restore, { label: t('action.purge'), icon: 'trash', danger: true, run: () => purge(target) }];
  };
  return { of, purge };
}
