/** Versions, newest first: upload another one, show, download and restore each. */
import { Badge, Button, Group, Stack, Text } from '@mantine/core';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { DocumentVersion } from '../../../../../src/modules/documents/contract.ts';
import { client } from '../../../app/session.ts';
import { DataState } from '../../../kit/data-state.tsx';
import { useFormats } from '../../../kit/formats.ts';
import { Icon } from '../../../kit/icon.tsx';
import { MoreButton } from '../../../kit/next-page.tsx';
import { useTexts } from '../../../kit/texts.ts';
import { Time } from '../../../kit/time.tsx';
import { showDone, showProblem } from '../../../kit/toast.tsx';
import { download } from '../download.ts';
import { documentChanged, documentKey, type Loaded } from '../queries.ts';
import { documentTexts } from '../texts.ts';
import { NewVersion } from './new-version.tsx';
import classes from './panel.module.css';

export interface VersionsTabProps {
  readonly loaded: Loaded;
  readonly shown: number;
  /** Undefined: the newest, whichever that is. */
  readonly onShow: (version: number | undefined) => void;
}

export function VersionsTab({ loaded, shown, onShow }: VersionsTabProps) {
  const t = useTexts(documentTexts);
  const { document } = loaded;
  const queries = useQueryClient();
  const [busy, setBusy] = useState<number>();
  const list = useInfiniteQuery({
    queryKey: [...documentKey(document.id), 'versions'],
    queryFn: ({ pageParam, signal }) =>
      client.documents.listVersions({
        params: { id: document.id },
        query: { limit: '50', ...(pageParam === '' ? {} : { cursor: pageParam }) },
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: ({ next_cursor }) => next_cursor,
  });
  const versions = list.data?.pages.flatMap(({ items }) => items) ?? [];
  const restore = async (from: number) => {
    setBusy(from);
    try {
      const restored = await client.documents.restoreVersion({ params: { id: document.id, n: String(from) } });
      onShow(undefined);
      showDone(t('versions.restored', { from, version: restored.version }));
      await documentChanged(queries, document.id);
    } catch (error) {
      showProblem(error);
    } finally {
      setBusy(undefined);
    }
  };
  return (
    <Stack gap="md">
      {document.trashed_at === null ? <NewVersion loaded={loaded} onDone={() => onShow(undefined)} /> : null}
      <DataState
        what={t('tab.versions')}
        loading={list.isPending}
        error={list.error}
        onRetry={() => void list.refetch()}
        count={versions.length}
        empty={{ icon: 'history', title: t('versions.empty') }}
        rows={3}
      >
        <ul className={classes.list} aria-label={t('tab.versions')}>
          {versions.map((version) => (
            <Row
              key={version.id}
              of={version}
              document={document.id}
              shown={version.version === shown}
              busy={busy === version.version}
              onShow={() => onShow(version.current ? undefined : version.version)}
              onRestore={() => void restore(version.version)}
            />
          ))}
        </ul>
        <MoreButton list={list} />
      </DataState>
    </Stack>
  );
}

interface RowProps {
  readonly of: DocumentVersion;
  readonly document: string;
  readonly shown: boolean;
  readonly busy: boolean;
  readonly onShow: () => void;
  readonly onRestore: () => void;
}

function Row({ of, document, shown, busy, onShow, onRestore }: RowProps) {
  const t = useTexts(documentTexts);
  const formats = useFormats();
  const { version } = of;
  return (
    <li className={classes.row}>
      <Group gap="xs">
        <Text size="sm" fw={600}>
          {t('page.version', { version })}
        </Text>
        {of.current ? (
          <Badge size="sm" radius="sm" variant="light">
            {t('versions.current')}
          </Badge>
        ) : null}
      </Group>
      <Text size="xs" c="dimmed" component="div">
        {formats.size(of.size_bytes)} · <Time value={of.created_at} />{' '}
        <bdi>{t('versions.by', { name: of.created_by.full_name })}</bdi>
        {of.restored_from === null ? '' : ` · ${t('versions.restoredFrom', { version: of.restored_from })}`}
      </Text>
      <Group gap={4} mt={4}>
        <Button
          size="compact-xs"
          variant="subtle"
          disabled={shown}
          onClick={onShow}
          aria-label={shown ? undefined : t('versions.show', { version })}
        >
          {t(shown ? 'versions.shown' : 'versions.showShort')}
        </Button>
        <Button
          size="compact-xs"
          variant="subtle"
          leftSection={<Icon name="download" size={14} />}
          onClick={() => void download(document, version).catch(showProblem)}
          aria-label={t('page.downloadVersion', { version })}
        >
          {t('page.download')}
        </Button>
        {of.current ? null : (
          <Button
            size="compact-xs"
            variant="subtle"
            leftSection={<Icon name="restore" size={14} />}
            loading={busy}
            onClick={onRestore}
            aria-label={t('versions.restore', { version })}
          >
            {t('versions.restoreShort')}
          </Button>
        )}
      </Group>
    </li>
  );
}
