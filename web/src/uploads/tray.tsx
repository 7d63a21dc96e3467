/** The tray at the bottom end corner: every upload of this tab, on whatever page one is. */
import { ActionIcon, Button, Group, Modal, Paper, Text } from '@mantine/core';
import { useState } from 'react';
import { useReach } from '../app/reach.ts';
import { Icon } from '../kit/icon.tsx';
import { useTexts } from '../kit/texts.ts';
import { isFailed, isUnfinished, type UploadItem } from './item.ts';
import { cancelAll, clearEnded } from './queue.ts';
import { useUploads } from './store.ts';
import { uploadsTexts } from './texts.ts';
import classes from './tray.module.css';
import { UploadList } from './upload-list.tsx';

/** What still needs somebody, or time, stands above what has come to its end. */
function inOrder(items: readonly UploadItem[]): readonly UploadItem[] {
  const open = (item: UploadItem) => isUnfinished(item) || isFailed(item);
  return [...items.filter(open), ...items.filter((item) => !open(item))];
}

export function Tray() {
  const t = useTexts(uploadsTexts);
  const items = inOrder(useUploads());
  const reach = useReach();
  const [collapsed, setCollapsed] = useState(false);
  const [asking, setAsking] = useState(false);
  const unfinished = items.filter(isUnfinished).length;
  const arrived = items.filter(({ documentId }) => documentId !== undefined).length;
  const failed = items.filter(isFailed).length;
  const processing = items.some(({ phase }) => phase === 'processing');
  if (items.length === 0) return null;
  const close = () => {
    if (unfinished > 0) setAsking(true);
    else cancelAll();
  };
  const title =
    unfinished > 0
      ? t('tray.count', { done: arrived, total: items.length })
      : arrived > 0
        ? t('tray.allDone', { count: arrived })
        : t('tray.ended');
  return (
    <Paper
      component="aside"
      aria-label={t('tray.label')}
      withBorder
      shadow="lg"
      className={classes.tray ?? ''}
      data-raised={reach === 'up' ? undefined : true}
    >
      <div className={classes.head}>
        <Icon name="upload" />
        <Text fw={650} size="sm" component="h2" className={classes.title ?? ''}>
          {title}
          {failed === 0 ? null : <span className={classes.failed}>, {t('tray.failed', { count: failed })}</span>}
        </Text>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={32}
          aria-expanded={!collapsed}
          aria-label={t(collapsed ? 'tray.expand' : 'tray.collapse')}
          onClick={() => setCollapsed(!collapsed)}
        >
          <Icon name={collapsed ? 'chevron-up' : 'chevron'} />
        </ActionIcon>
        <ActionIcon variant="subtle" color="gray" size={32} aria-label={t('tray.close')} onClick={close}>
          <Icon name="close" />
        </ActionIcon>
      </div>
      {collapsed ? null : (
        <>
          <UploadList items={items} label={t('tray.label')} height="min(22rem, 45dvh)" />
          {items.length > unfinished ? (
            <Group justify="space-between" wrap="nowrap" className={classes.foot ?? ''}>
              <Text size="xs" c="dimmed">
                {processing ? t('tray.safe') : ''}
              </Text>
              <Button variant="subtle" size="compact-xs" onClick={clearEnded} className={classes.clear ?? ''}>
                {t('tray.clear')}
              </Button>
            </Group>
          ) : null}
        </>
      )}
      <Modal opened={asking} onClose={() => setAsking(false)} title={t('close.title', { count: unfinished })}>
        <Text size="sm">{t('close.about')}</Text>
        <Group justify="flex-end" mt="lg">
          <Button variant="default" onClick={() => setAsking(false)} data-autofocus>
            {t('close.stay')}
          </Button>
          <Button
            color="red"
            onClick={() => {
              setAsking(false);
              cancelAll();
            }}
          >
            {t('close.stop')}
          </Button>
        </Group>
      </Modal>
    </Paper>
  );
}
