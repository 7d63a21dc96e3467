/** What happened to the document, newest first, in sentences. */
import { Stack, Text } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import type { HistoryEntry } from '../../../../../src/modules/documents/contract.ts';
import { client } from '../../../app/session.ts';
import { DataState } from '../../../kit/data-state.tsx';
import { MoreButton } from '../../../kit/next-page.tsx';
import { type Translate, useTexts } from '../../../kit/texts.ts';
import { Time } from '../../../kit/time.tsx';
import { documentKey } from '../queries.ts';
import type { en } from '../texts.en.ts';
import { documentTexts } from '../texts.ts';
import classes from './panel.module.css';
import { useNames } from './people.ts';

export function ActivityTab({ id }: { id: string }) {
  const t = useTexts(documentTexts);
  const list = useInfiniteQuery({
    queryKey: [...documentKey(id), 'history'],
    queryFn: ({ pageParam, signal }) =>
      client.documents.listHistory({
        params: { id },
        query: { limit: '50', ...(pageParam === '' ? {} : { cursor: pageParam }) },
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: ({ next_cursor }) => next_cursor,
  });
  const entries = list.data?.pages.flatMap(({ items }) => items) ?? [];
  const nameOf = useNames(
    entries.flatMap(({ details: { grantee } }) => (typeof grantee === 'string' ? [grantee] : [])),
  );
  return (
    <DataState
      what={t('tab.activity')}
      loading={list.isPending}
      error={list.error}
      onRetry={() => void list.refetch()}
      count={entries.length}
      empty={{ icon: 'history', title: t('activity.empty') }}
      rows={4}
    >
      <Stack gap="md">
        <ol className={classes.list} aria-label={t('tab.activity')}>
          {entries.map((entry) => (
            <li key={entry.id} className={classes.row}>
              <Text size="sm">
                <bdi>{sentence(t, entry, nameOf)}</bdi>
              </Text>
              <Text size="xs" c="dimmed" component="div">
                <Time value={entry.at} />
              </Text>
            </li>
          ))}
        </ol>
        <MoreButton list={list} />
      </Stack>
    </DataState>
  );
}

type Key = keyof typeof en;
/** As the history names what happened to a document. */
const known = new Set([
  'created',
  'version_added',
  'updated',
  'trashed',
  'restored',
  'shared',
  'unshared',
  'downloaded',
  'previewed',
  'corrupt',
]);

function sentence(t: Translate<Key>, entry: HistoryEntry, nameOf: (grantee: string) => string): string {
  const { action, details } = entry;
  const actor = entry.actor.full_name ?? t('activity.somebody');
  const text = (name: string): string => (details[name] === undefined ? '' : String(details[name]));
  if (!known.has(action)) return t('activity.other', { actor, action });
  return t(keyOf(action, details), {
    actor,
    version: text('version'),
    from: text('restored_from'),
    before: text('previous_filename'),
    after: text('filename'),
    access: text('access'),
    grantee: text('grantee') === '' ? '' : nameOf(text('grantee')),
  });
}

function keyOf(action: string, details: HistoryEntry['details']): Key {
  const from = details.restored_from;
  if (action === 'version_added' && from !== null && from !== undefined) {
    return 'activity.document.version_restored';
  }
  if (action === 'updated') {
    if (typeof details.previous_filename === 'string') return 'activity.document.renamed';
    if (details.fields === 'basket_id') return 'activity.document.moved';
    if (details.fields === 'metadata') return 'activity.document.metadata';
    if (details.fields === 'tags') return 'activity.document.tags';
  }
  return `activity.document.${action}` as Key;
}
