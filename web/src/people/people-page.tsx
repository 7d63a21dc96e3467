/** People by rank: search, filters and order stand in the address, and so does the person whose drawer is open. */
import { Anchor, Badge, Button, Group, Select, Text, TextInput } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { roleNames } from '../../../src/kernel/roles.ts';
import type { UserAnswer } from '../../../src/modules/accounts/contract.ts';
import { roleTitle } from '../app/role-title.ts';
import { useSignedIn } from '../app/session.ts';
import { appTexts } from '../kit/app-texts.ts';
import { DataState } from '../kit/data-state.tsx';
import { Icon } from '../kit/icon.tsx';
import { NextPageFailed, useNextPage } from '../kit/next-page.tsx';
import { useShortcut } from '../kit/shortcuts.ts';
import { useTexts } from '../kit/texts.ts';
import { Time } from '../kit/time.tsx';
import { type Column, VirtualTable } from '../kit/virtual-table.tsx';
import { RoleBadge, StateBadge } from './badges.tsx';
import classes from './people.module.css';
import { InviteButton, PeopleFrame } from './people-frame.tsx';
import { PersonDrawer } from './person-drawer.tsx';
import { PersonMenu } from './person-menu.tsx';
import { usePeople, usePeopleCount, useRoles } from './queries.ts';
import { type PeopleSearch, peopleSearch } from './search.ts';
import { peopleTexts } from './texts.ts';

/** The search of the address and how to change parts of it. */
function usePeopleSearch() {
  const search: PeopleSearch = peopleSearch(useSearch({ strict: false }));
  const navigate = useNavigate();
  const change = (part: { readonly [Key in keyof PeopleSearch]?: PeopleSearch[Key] | undefined }, replace = true) =>
    void navigate({ to: '/people', search: peopleSearch({ ...search, ...part }), replace, resetScroll: false });
  return { search, change };
}

export function PeoplePage() {
  const t = useTexts(peopleTexts);
  const { user } = useSignedIn();
  const { search, change } = usePeopleSearch();
  const roles = useRoles();
  const list = usePeople(search, roles.data);
  const onEnd = useNextPage(list);
  const count = usePeopleCount(search);
  const people = list.data?.pages.flatMap(({ items }) => items) ?? [];
  const filtered = search.q !== undefined || search.role !== undefined || search.state !== undefined;
  const columns = useColumns((person) => change({ person: person.id }, false));
  const seesAll = user.permissions.includes('MANAGE_COMPANY_USERS');
  return (
    <PeopleFrame tab="people" about={t(seesAll ? 'aboutAll' : 'about')}>
      <Filters search={search} change={change} />
      <Text size="xs" c="dimmed" mb="xs" aria-live="polite">
        {count.data === undefined ? ' ' : t('count', { count: count.data })}
      </Text>
      <DataState
        what={t('nav')}
        loading={list.isPending}
        error={list.error ?? roles.error}
        onRetry={() => void Promise.all([roles.refetch(), list.refetch()])}
        count={people.length}
        onClearFilters={filtered ? () => change({ q: undefined, role: undefined, state: undefined }) : undefined}
        empty={{ icon: 'people', title: t('empty'), hint: t('emptyHint'), action: <InviteButton /> }}
      >
        <VirtualTable
          label={t('nav')}
          columns={columns}
          rows={people}
          rowKey={({ id }) => id}
          total={count.data}
          list={JSON.stringify({ ...search, person: undefined })}
          sort={search.sort ?? 'role'}
          onSort={(sort) => change({ sort })}
          onOpen={({ id }) => change({ person: id }, false)}
          isSelected={({ id }) => id === search.person}
          onEnd={onEnd}
          rowHeight={52}
        />
        <NextPageFailed list={list} />
      </DataState>
      <PersonDrawer id={search.person} onClose={() => change({ person: undefined })} />
    </PeopleFrame>
  );
}

function useColumns(open: (person: UserAnswer) => void): readonly Column<UserAnswer>[] {
  const t = useTexts(peopleTexts);
  const { user } = useSignedIn();
  return [
    {
      id: 'name',
      title: t('column.name'),
      width: 'minmax(8rem, 2fr)',
      sort: 'full_name',
      cell: (person) => (
        <Group gap="xs" wrap="nowrap">
          <Anchor
            component="button"
            type="button"
            className={classes.name ?? ''}
            size="sm"
            fw={500}
            onClick={() => open(person)}
            aria-label={t('open', { name: person.full_name })}
          >
            <bdi>{person.full_name}</bdi>
          </Anchor>
          {person.id === user.id ? (
            <Badge variant="default" tt="none">
              {t('you')}
            </Badge>
          ) : null}
        </Group>
      ),
    },
    {
      id: 'email',
      title: t('column.email'),
      width: 'minmax(12rem, 2fr)',
      sort: 'email',
      wideOnly: true,
      cell: ({ email }) => <bdi>{email}</bdi>,
    },
    {
      id: 'role',
      title: t('column.role'),
      width: 'minmax(8.5rem, 1fr)',
      sort: 'role',
      cell: ({ role }) => <RoleBadge role={role} />,
    },
    {
      id: 'state',
      title: t('column.state'),
      width: 'minmax(6rem, 0.75fr)',
      wideOnly: true,
      cell: ({ is_active: active }) => <StateBadge active={active} />,
    },
    {
      id: 'last',
      title: t('column.lastSignIn'),
      width: 'minmax(8rem, 1fr)',
      wideOnly: true,
      cell: ({ last_sign_in_at: last }) => (last === null ? t('never') : <Time value={last} />),
    },
    {
      id: 'joined',
      title: t('column.joined'),
      width: 'minmax(8rem, 1fr)',
      sort: 'created_at',
      wideOnly: true,
      cell: ({ created_at: at }) => <Time value={at} />,
    },
    {
      id: 'actions',
      title: t('column.actions'),
      width: '3rem',
      hiddenTitle: true,
      cell: (person) => <PersonMenu person={person} />,
    },
  ];
}

type Change = ReturnType<typeof usePeopleSearch>['change'];

function Filters({ search, change }: { search: PeopleSearch; change: Change }) {
  const t = useTexts(peopleTexts);
  const app = useTexts(appTexts);
  const { data: roles = [] } = useRoles();
  const filtered = search.q !== undefined || search.role !== undefined || search.state !== undefined;
  const known = roles.map(({ name }) => name).filter((name) => roleNames.some((one) => one === name));
  return (
    <Group mb="sm" gap="sm" align="flex-end" role="search" aria-label={t('search')}>
      <SearchField value={search.q ?? ''} onSearch={(q) => change({ q: q === '' ? undefined : q })} />
      <Select
        className={classes.filter ?? ''}
        aria-label={t('role')}
        data={[
          { value: '', label: t('anyRole') },
          ...known.map((name) => ({ value: name, label: roleTitle(app, name) })),
        ]}
        value={search.role ?? ''}
        allowDeselect={false}
        onChange={(role) => change({ role: roleNames.find((one) => one === role) })}
      />
      <Select
        className={classes.filter ?? ''}
        aria-label={t('state')}
        data={[
          { value: '', label: t('anyState') },
          { value: 'active', label: t('active') },
          { value: 'inactive', label: t('inactive') },
        ]}
        value={search.state ?? ''}
        allowDeselect={false}
        onChange={(state) => change({ state: state === 'active' || state === 'inactive' ? state : undefined })}
      />
      {filtered ? (
        <Button variant="subtle" onClick={() => change({ q: undefined, role: undefined, state: undefined })}>
          {app('state.clearFilters')}
        </Button>
      ) : null}
    </Group>
  );
}

const restMs = 300;

/** Searches once typing rests; follows the address where something else changes it. */
function SearchField({ value, onSearch }: { value: string; onSearch: (text: string) => void }) {
  const t = useTexts(peopleTexts);
  const app = useTexts(appTexts);
  const [typed, setTyped] = useState(value);
  const [node, setNode] = useState<HTMLInputElement | null>(null);
  useEffect(() => setTyped(value), [value]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only what is typed starts a search.
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => onSearch(typed), restMs);
    return () => clearTimeout(timer);
  }, [typed]);
  useShortcut({ keys: '/', label: app('shortcut.search'), scope: 'page', run: () => node?.focus() });
  return (
    <TextInput
      ref={setNode}
      className={classes.search ?? ''}
      type="search"
      aria-label={t('search')}
      placeholder={t('searchHint')}
      leftSection={<Icon name="search" size={16} />}
      value={typed}
      maxLength={200}
      onChange={(event) => setTyped(event.currentTarget.value)}
    />
  );
}
