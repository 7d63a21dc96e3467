/** Search, filters, order, columns and view: all of it kept in the address. */
import {
  ActionIcon,
  Autocomplete,
  Button,
  Checkbox,
  Group,
  NativeSelect,
  Popover,
  Stack,
  TextInput,
} from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { type ReactNode, type RefObject, useEffect, useState } from 'react';
import {
  type Basket,
  type Document,
  type DocumentSort,
  documentSorts,
} from '../../../../src/modules/documents/contract.ts';
import { useSignedIn } from '../../app/session.ts';
import { Icon } from '../../kit/icon.tsx';
import { useTexts } from '../../kit/texts.ts';
import { documentsTexts } from '../texts.ts';
import { columnNames, useColumnChoice } from './columns.tsx';
import { knownTypes, typeTitle } from './kinds.ts';
import classes from './list.module.css';
import { OwnerField } from './owner-field.tsx';
import { seesOthers } from './rights.ts';
import { type DocumentsSearch, defaultSort, type View } from './search.ts';

export type ChangeSearch = (
  change: { readonly [Name in keyof DocumentsSearch]?: DocumentsSearch[Name] | undefined },
) => void;

export interface FilterBarProps {
  readonly search: DocumentsSearch;
  readonly change: ChangeSearch;
  readonly view: View;
  readonly field: RefObject<HTMLInputElement | null>;
  readonly rows: readonly Document[];
  readonly baskets: readonly Basket[];
  /** Stands before the rest, on narrow windows. */
  readonly before?: ReactNode;
}

export function FilterBar({ search, change, view, field, rows, baskets, before }: FilterBarProps) {
  const t = useTexts(documentsTexts);
  return (
    <Group className={classes.bar ?? ''} gap="xs" role="search" aria-label={t('filter.region')}>
      {before}
      <SearchField q={search.q} change={change} field={field} />
      <FilterButton search={search} change={change} rows={rows} baskets={baskets} />
      <NativeSelect
        className={classes.order ?? ''}
        aria-label={t('sort.label')}
        value={search.sort ?? defaultSort}
        onChange={(event) => change({ sort: event.currentTarget.value as DocumentSort })}
        data={documentSorts.map((sort) => ({ value: sort, label: t(`sort.${sort}`) }))}
      />
      {view === 'table' ? <ColumnButton /> : null}
      <ActionIcon.Group>
        {(['table', 'cards'] as const).map((name) => (
          <ActionIcon
            key={name}
            size={36}
            variant={view === name ? 'light' : 'default'}
            aria-pressed={view === name}
            aria-label={t(`view.${name}`)}
            onClick={() => change({ view: name })}
          >
            <Icon name={name} />
          </ActionIcon>
        ))}
      </ActionIcon.Group>
    </Group>
  );
}

const waitMs = 300;

interface SearchFieldProps {
  readonly q: string | undefined;
  readonly change: ChangeSearch;
  readonly field: RefObject<HTMLInputElement | null>;
}

export function SearchField({ q, change, field }: SearchFieldProps) {
  const t = useTexts(documentsTexts);
  const [typed, setTyped] = useState(q ?? '');
  const send = useDebouncedCallback(
    (text: string) => change({ q: text.trim() === '' ? undefined : text.trim() }),
    waitMs,
  );
  // The address changed by itself (back, a chip): the field follows, unless somebody is at it.
  useEffect(() => {
    if (document.activeElement !== field.current) setTyped(q ?? '');
  }, [q, field]);
  return (
    <TextInput
      ref={field}
      className={classes.search ?? ''}
      type="search"
      aria-label={t('search.label')}
      placeholder={t('search.label')}
      maxLength={200}
      leftSection={<Icon name="search" size={16} />}
      value={typed}
      onChange={(event) => {
        setTyped(event.currentTarget.value);
        send(event.currentTarget.value);
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        // Clears first, leaves then.
        if (typed === '') event.currentTarget.blur();
        setTyped('');
        send('');
      }}
    />
  );
}

type FilterFormProps = Pick<FilterBarProps, 'search' | 'change' | 'rows' | 'baskets'>;

function FilterButton(props: FilterFormProps) {
  const t = useTexts(documentsTexts);
  return (
    <Popover position="bottom-start" shadow="md" width={352} trapFocus returnFocus withinPortal>
      <Popover.Target>
        <Button variant="default" leftSection={<Icon name="filter" size={16} />}>
          {t('filter.open')}
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label={t('filter.open')}>
        <FilterForm {...props} />
      </Popover.Dropdown>
    </Popover>
  );
}

const inside = { withinPortal: false } as const;

function FilterForm({ search, change, rows, baskets }: FilterFormProps) {
  const t = useTexts(documentsTexts);
  const session = useSignedIn();
  const types = [...new Set([...Object.keys(knownTypes), ...rows.map((row) => row.mime_type), search.type ?? ''])];
  const tags = [...new Set(rows.flatMap((row) => row.tags))].sort();
  const any = { value: '', label: t('filter.any') };
  const set = (name: keyof DocumentsSearch, value: string) => change({ [name]: value === '' ? undefined : value });
  return (
    <Stack gap="sm">
      <NativeSelect
        label={t('filter.type')}
        value={search.type ?? ''}
        onChange={(event) => set('type', event.currentTarget.value)}
        data={[any, ...types.filter((type) => type !== '').map((type) => ({ value: type, label: typeTitle(t, type) }))]}
      />
      <NativeSelect
        label={t('filter.basket')}
        value={search.basket ?? ''}
        onChange={(event) => set('basket', event.currentTarget.value)}
        data={[any, ...baskets.map(({ id, name }) => ({ value: id, label: name }))]}
      />
      {seesOthers(session) ? (
        <OwnerField value={search.owner} onChange={(owner) => change({ owner })} rows={rows} />
      ) : null}
      <TagField value={search.tag ?? ''} tags={tags} onChange={(tag) => set('tag', tag)} />
      <Group gap="xs" grow>
        {(['from', 'to'] as const).map((name) => (
          <TextInput
            key={name}
            type="date"
            label={t(`filter.${name}`)}
            value={search[name] ?? ''}
            onChange={(event) => set(name, event.currentTarget.value)}
          />
        ))}
      </Group>
    </Stack>
  );
}

/** Asked for once typing rests or a tag is chosen: half a tag finds nothing. */
function TagField({ value, tags, onChange }: { value: string; tags: string[]; onChange: (tag: string) => void }) {
  const t = useTexts(documentsTexts);
  const [typed, setTyped] = useState(value);
  const send = useDebouncedCallback(onChange, waitMs * 2);
  return (
    <Autocomplete
      label={t('filter.tag')}
      data={tags}
      value={typed}
      maxLength={64}
      comboboxProps={inside}
      onChange={(tag) => {
        setTyped(tag);
        send(tag.trim());
      }}
    />
  );
}

function ColumnButton() {
  const t = useTexts(documentsTexts);
  const [chosen, choose] = useColumnChoice();
  return (
    <Popover position="bottom-end" shadow="md" trapFocus returnFocus withinPortal>
      <Popover.Target>
        <ActionIcon variant="default" size={36} aria-label={t('columns.label')} visibleFrom="sm">
          <Icon name="columns" />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown aria-label={t('columns.label')}>
        <Checkbox.Group
          label={t('columns.label')}
          value={[...chosen]}
          onChange={(next) => choose(next as typeof chosen)}
        >
          <Stack gap="xs" mt="xs">
            {columnNames.map((name) => (
              <Checkbox key={name} value={name} label={t(`column.${name}`)} />
            ))}
          </Stack>
        </Checkbox.Group>
      </Popover.Dropdown>
    </Popover>
  );
}
