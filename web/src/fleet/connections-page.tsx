/** Open connections to company databases, each with its end. */
import { Button } from '@mantine/core';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type { z } from 'zod';
import type { Connection } from '../../../src/modules/fleet/contract.ts';
import { client } from '../app/session.ts';
import { DataState } from '../kit/data-state.tsx';
import { useFormats } from '../kit/formats.ts';
import { Icon } from '../kit/icon.tsx';
import { NextPageFailed, useNextPage } from '../kit/next-page.tsx';
import { Page, PageHeader } from '../kit/page-header.tsx';
import { useTexts } from '../kit/texts.ts';
import { Time } from '../kit/time.tsx';
import { showDone, showProblem } from '../kit/toast.tsx';
import { type Column, VirtualTable } from '../kit/virtual-table.tsx';
import { CompanyLink } from './badges.tsx';
import { connectionsQuery } from './queries.ts';
import { fleetTexts } from './texts.ts';

type Row = z.output<typeof Connection>;

export function ConnectionsPage() {
  const t = useTexts(fleetTexts);
  const queries = useQueryClient();
  const [closing, setClosing] = useState<string>();
  const list = useInfiniteQuery({ ...connectionsQuery, refetchInterval: 5_000 });
  const onEnd = useNextPage(list);
  const rows = useMemo(() => list.data?.pages.flatMap(({ items }) => items) ?? [], [list.data]);
  const close = async (id: string, run: () => Promise<unknown>) => {
    setClosing(id);
    try {
      await run();
      showDone(t('connections.closed'));
    } catch (error) {
      showProblem(error);
    } finally {
      setClosing(undefined);
      await queries.invalidateQueries({ queryKey: ['fleet', 'connections'] });
    }
  };
  const columns = useColumns(
    closing,
    (id) => void close(id, () => client.fleet.closeCompanyConnections({ params: { company_id: id } })),
  );
  return (
    <Page>
      <PageHeader
        title={t('nav.connections')}
        about={t('connections.about')}
        actions={
          <>
            <Button variant="default" leftSection={<Icon name="refresh" />} onClick={() => void list.refetch()}>
              {t('app.refresh')}
            </Button>
            <Button
              variant="default"
              disabled={rows.length === 0}
              loading={closing === 'all'}
              onClick={() => void close('all', () => client.fleet.closeConnections())}
            >
              {t('connections.closeAll')}
            </Button>
          </>
        }
      />
      <DataState
        what={t('nav.connections')}
        loading={list.isPending}
        error={list.error}
        onRetry={() => void list.refetch()}
        count={rows.length}
        empty={{ icon: 'plug', title: t('connections.empty'), hint: t('connections.emptyHint') }}
      >
        <VirtualTable
          label={t('nav.connections')}
          columns={columns}
          rows={rows}
          rowKey={({ company_id }) => company_id}
          onEnd={onEnd}
        />
        <NextPageFailed list={list} />
      </DataState>
    </Page>
  );
}

function useColumns(closing: string | undefined, onClose: (id: string) => void): readonly Column<Row>[] {
  const t = useTexts(fleetTexts);
  const formats = useFormats();
  return [
    {
      id: 'company',
      title: t('company.one'),
      width: 'minmax(9rem, 2fr)',
      cell: ({ company_id }) => <CompanyLink id={company_id} />,
    },
    {
      id: 'idle',
      title: t('connections.idle'),
      width: '10rem',
      wideOnly: true,
      cell: ({ idle_since }) => (idle_since === null ? t('connections.busy') : <Time value={idle_since} />),
    },
    {
      id: 'open',
      title: t('connections.open'),
      width: '5.5rem',
      align: 'end',
      cell: ({ open }) => formats.number(open),
    },
    {
      id: 'leased',
      title: t('connections.leased'),
      width: '7rem',
      align: 'end',
      wideOnly: true,
      cell: ({ leased }) => formats.number(leased),
    },
    {
      id: 'close',
      title: t('connections.close'),
      width: '7.5rem',
      hiddenTitle: true,
      align: 'end',
      cell: ({ company_id }) => (
        <Button size="compact-sm" variant="subtle" loading={closing === company_id} onClick={() => onClose(company_id)}>
          {t('connections.close')}
        </Button>
      ),
    },
  ];
}
