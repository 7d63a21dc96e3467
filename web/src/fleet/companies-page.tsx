/** Every company: found, filtered and ordered by the server, drawn a window at a time. All of it stands in the address. */
import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { memo, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { Company } from '../../../src/modules/fleet/contract.ts';
import { DataState } from '../kit/data-state.tsx';
import { type Formats, useFormats } from '../kit/formats.ts';
import { Icon } from '../kit/icon.tsx';
import { NextPageFailed, useNextPage } from '../kit/next-page.tsx';
import { Page, PageHeader } from '../kit/page-header.tsx';
import { useShortcut } from '../kit/shortcuts.ts';
import { type Translate, useTexts } from '../kit/texts.ts';
import { type Column, VirtualTable } from '../kit/virtual-table.tsx';
import { CompanyLink, StateBadge } from './badges.tsx';
import classes from './fleet.module.css';
import { type CompanyListSearch, companySorts, companyStates, oneOf, placements } from './kinds.ts';
import { companiesQuery } from './queries.ts';
import { companiesRoute } from './routes.ts';
import { type FleetKey, fleetTexts } from './texts.ts';

const columnsOf = (t: Translate<FleetKey>, formats: Formats): readonly Column<Company>[] => [
  {
    id: 'name',
    title: t('company.name'),
    width: 'minmax(8rem, 2fr)',
    sort: 'name',
    cell: ({ id, name }) => <CompanyLink id={id} name={name} />,
  },
  { id: 'state', title: t('company.state'), width: '8rem', cell: ({ status }) => <StateBadge state={status} /> },
  {
    id: 'slug',
    title: t('company.slug'),
    width: 'minmax(8rem, 1fr)',
    wideOnly: 'laptop',
    cell: ({ slug }) => <bdi>{slug}</bdi>,
  },
  {
    id: 'placement',
    title: t('company.placement'),
    width: '9.5rem',
    wideOnly: true,
    cell: ({ placement }) => t(`placement.${placement}`),
  },
  {
    id: 'quota',
    title: t('company.quota'),
    width: '7rem',
    align: 'end',
    wideOnly: 'laptop',
    cell: ({ quota_bytes }) => (quota_bytes === null ? t('company.noQuota') : formats.size(quota_bytes)),
  },
  {
    id: 'schema',
    title: t('company.schemaShort'),
    width: '5.5rem',
    align: 'end',
    wideOnly: 'laptop',
    cell: ({ schema_version }) => formats.number(schema_version),
  },
  {
    id: 'created',
    title: t('company.created'),
    width: '8rem',
    sort: 'created_at',
    wideOnly: true,
    cell: ({ created_at }) => <time dateTime={created_at}>{formats.date(created_at)}</time>,
  },
];

const rowKey = ({ id }: Company): string => id;

export function CompaniesPage() {
  const t = useTexts(fleetTexts);
  const formats = useFormats();
  const navigate = useNavigate();
  const search = companiesRoute.useSearch();
  const list = useInfiniteQuery({ ...companiesQuery(search), placeholderData: keepPreviousData });
  const rows = useMemo(() => list.data?.pages.flatMap(({ items }) => items) ?? [], [list.data]);
  const total = list.data?.pages[0]?.total;
  const columns = useMemo(() => columnsOf(t, formats), [t, formats]);
  const change = useCallback(
    (next: CompanyListSearch) =>
      void navigate({ to: '/operator/companies', search: next, replace: true, resetScroll: false }),
    [navigate],
  );
  const filtered = search.q !== undefined || search.status !== undefined || search.placement !== undefined;
  const onEnd = useNextPage(list);
  return (
    <Page>
      <PageHeader
        title={t('nav.companies')}
        about={<span role="status">{total === undefined ? '' : t('companies.count', { count: total })}</span>}
        actions={
          <Button component={Link} to="/operator/companies/new" leftSection={<Icon name="plus" />}>
            {t('nav.create')}
          </Button>
        }
      />
      <Filters search={search} onChange={change} />
      <DataState
        what={t('nav.companies')}
        loading={list.isPending}
        error={list.error}
        onRetry={() => void list.refetch()}
        count={rows.length}
        onClearFilters={filtered ? () => change(search.sort === undefined ? {} : { sort: search.sort }) : undefined}
        empty={{
          icon: 'building',
          title: t('companies.empty'),
          hint: t('companies.emptyHint'),
          action: (
            <Button component={Link} to="/operator/companies/new">
              {t('nav.create')}
            </Button>
          ),
        }}
        rows={10}
      >
        <VirtualTable
          label={t('nav.companies')}
          columns={columns}
          rows={rows}
          rowKey={rowKey}
          total={total}
          sort={search.sort ?? '-created_at'}
          list={JSON.stringify(search)}
          onSort={(name) => {
            const sort = oneOf(companySorts, name);
            if (sort !== undefined) change({ ...search, sort });
          }}
          onOpen={({ id }) => void navigate({ to: `/operator/companies/${id}` })}
          onEnd={onEnd}
        />
        <NextPageFailed list={list} />
      </DataState>
    </Page>
  );
}

function without(search: CompanyListSearch, name: keyof CompanyListSearch): CompanyListSearch {
  const { [name]: _, ...rest } = search;
  return rest;
}

/** Drawn anew for another search alone, and not for every page of rows that arrives. */
const Filters = memo(function Filters(props: {
  search: CompanyListSearch;
  onChange: (search: CompanyListSearch) => void;
}) {
  const { search, onChange } = props;
  const t = useTexts(fleetTexts);
  const field = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState(search.q ?? '');
  const latest = useRef(search);
  latest.current = search;
  const apply = useDebouncedCallback((q: string) => {
    onChange(q.trim() === '' ? without(latest.current, 'q') : { ...latest.current, q: q.trim() });
  }, 250);
  // What the address says counts: "back" and "clear filters" change it too.
  useEffect(() => setTyped((now) => (now.trim() === (search.q ?? '') ? now : (search.q ?? ''))), [search.q]);
  useShortcut({ keys: '/', label: t('companies.search'), scope: 'page', run: () => field.current?.focus() });
  return (
    <search className={classes.filters}>
      <TextInput
        ref={field}
        className={classes.search ?? ''}
        label={t('companies.search')}
        placeholder={t('companies.searchHint')}
        leftSection={<Icon name="search" size={16} />}
        type="search"
        maxLength={200}
        value={typed}
        onChange={({ currentTarget: { value } }) => {
          setTyped(value);
          apply(value);
        }}
      />
      <NativeSelect
        label={t('company.state')}
        value={search.status ?? ''}
        onChange={({ currentTarget: { value } }) => {
          const status = oneOf(companyStates, value);
          onChange(status === undefined ? without(search, 'status') : { ...search, status });
        }}
        data={[
          { value: '', label: t('companies.all') },
          ...companyStates.map((value) => ({ value, label: t(`state.${value}`) })),
        ]}
      />
      <NativeSelect
        label={t('company.placement')}
        value={search.placement ?? ''}
        onChange={({ currentTarget: { value } }) => {
          const placement = oneOf(placements, value);
          onChange(placement === undefined ? without(search, 'placement') : { ...search, placement });
        }}
        data={[
          { value: '', label: t('companies.all') },
          ...placements.map((value) => ({ value, label: t(`placement.${value}`) })),
        ]}
      />
    </search>
  );
});
