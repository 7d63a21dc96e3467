/** Every filter that is on, each with its end, and how much they leave. */
import { ActionIcon, Button, Group, Text } from '@mantine/core';
import type { Basket, Document } from '../../../../src/modules/documents/contract.ts';
import { appTexts } from '../../kit/app-texts.ts';
import { useFormats } from '../../kit/formats.ts';
import { Icon } from '../../kit/icon.tsx';
import { useTexts } from '../../kit/texts.ts';
import { documentsTexts } from '../texts.ts';
import type { ChangeSearch } from './filter-bar.tsx';
import { typeTitle } from './kinds.ts';
import classes from './list.module.css';
import { useOwnerName } from './owner-field.tsx';
import { type DocumentsSearch, type FilterName, filterNames, isFiltered } from './search.ts';

export interface FilterChipsProps {
  readonly search: DocumentsSearch;
  readonly change: ChangeSearch;
  readonly rows: readonly Document[];
  readonly baskets: ReadonlyMap<string, Basket>;
  /** Undefined while it is not known. */
  readonly total: number | undefined;
}

export const withoutFilters = { q: undefined, ...Object.fromEntries(filterNames.map((name) => [name, undefined])) };

export function FilterChips({ search, change, rows, baskets, total }: FilterChipsProps) {
  const t = useTexts(documentsTexts);
  const app = useTexts(appTexts);
  const formats = useFormats();
  const owner = useOwnerName(search.owner, rows);
  const shown: Record<FilterName, string | undefined> = {
    type: search.type === undefined ? undefined : typeTitle(t, search.type),
    basket: search.basket === undefined ? undefined : (baskets.get(search.basket)?.name ?? '…'),
    owner: search.owner === undefined ? undefined : (owner ?? t('filter.someone')),
    tag: search.tag,
    // A day, the same everywhere.
    from: search.from === undefined ? undefined : formats.date(`${search.from}T12:00:00`),
    to: search.to === undefined ? undefined : formats.date(`${search.to}T12:00:00`),
  };
  return (
    <Group gap="xs" mb="xs" mih={28}>
      <Text size="sm" c="dimmed" role="status">
        {total === undefined ? '' : t('list.count', { count: total })}
      </Text>
      {filterNames.map((name) => {
        const value = shown[name];
        if (value === undefined) return null;
        return (
          <span key={name} className={classes.chip}>
            <Text span size="sm" c="dimmed">
              {t(`filter.${name}`)}
            </Text>
            <bdi>{value}</bdi>
            <ActionIcon
              size="sm"
              radius="xl"
              variant="subtle"
              color="gray"
              aria-label={t('filter.remove', { name: t(`filter.${name}`), value })}
              onClick={() => change({ [name]: undefined })}
            >
              <Icon name="close" size={14} />
            </ActionIcon>
          </span>
        );
      })}
      {isFiltered(search) ? (
        <Button size="compact-sm" variant="subtle" onClick={() => change(withoutFilters)}>
          {app('state.clearFilters')}
        </Button>
      ) : null}
    </Group>
  );
}
