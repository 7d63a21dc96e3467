/** One upload: name, size, bar, what happens, and what can be done about it. */
import { ActionIcon, Button, Group, Progress, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { ProblemError } from '../../../src/client/index.ts';
import { useReach } from '../app/reach.ts';
import { appTexts } from '../kit/app-texts.ts';
import { useFormats } from '../kit/formats.ts';
import { Icon, type IconName } from '../kit/icon.tsx';
import { RequestId } from '../kit/problem.tsx';
import { useTexts } from '../kit/texts.ts';
import { chooseFiles } from './gather.ts';
import { isActive, isFailed, isUnfinished, type UploadItem } from './item.ts';
import { cancel, giveFileAgain, pause, resume } from './queue.ts';
import { uploadsTexts } from './texts.ts';
import classes from './upload-row.module.css';
import { paceText, refusalText, shareOf, stateText } from './words.ts';

const icons: Readonly<Record<UploadItem['phase'], IconName>> = {
  queued: 'clock',
  sending: 'upload',
  waiting: 'offline',
  paused: 'pause',
  missing: 'help',
  conflict: 'help',
  processing: 'refresh',
  done: 'check',
  refused: 'alert',
  failed: 'alert',
  skipped: 'close',
};

export function UploadRow({ item }: { item: UploadItem }) {
  const t = useTexts(uploadsTexts);
  const formats = useFormats();
  const refused = isFailed(item);
  const tone = refused ? 'failed' : item.phase === 'done' ? 'done' : item.stalled ? 'stalled' : undefined;
  return (
    <div className={classes.row} data-tone={tone} data-phase={item.phase}>
      <span className={classes.icon}>
        <Icon name={icons[item.phase]} />
      </span>
      <div className={classes.body}>
        <div className={classes.head}>
          <Name item={item} />
          <Text size="xs" c="dimmed" component="span" className={classes.size ?? ''}>
            {formats.size(item.size)}
          </Text>
        </div>
        {isUnfinished(item) ? (
          <Progress.Root size="sm" my={4}>
            <Progress.Section
              value={shareOf(item) * 100}
              aria-label={t('row.progress', { name: item.name })}
              color={item.stalled || item.phase === 'waiting' ? 'gray' : 'blue'}
            />
          </Progress.Root>
        ) : null}
        <State item={item} />
      </div>
      <Actions item={item} />
    </div>
  );
}

function Name({ item }: { item: UploadItem }) {
  const t = useTexts(uploadsTexts);
  const name = <bdi>{item.name === '' ? '—' : item.name}</bdi>;
  const { basketName: basket, version } = item;
  const leadsTo = item.documentId ?? version?.documentId;
  const where =
    version !== undefined
      ? t('row.versionOf', { document: version.name })
      : basket === undefined
        ? undefined
        : t('row.in', { basket });
  return (
    <Text size="sm" fw={550} component="span" className={classes.name ?? ''} title={item.name}>
      {leadsTo === undefined ? name : <Link to={`/documents/${leadsTo}`}>{name}</Link>}
      {where === undefined ? null : (
        <Text size="xs" c="dimmed" component="span">
          {' '}
          <bdi>{where}</bdi>
        </Text>
      )}
    </Text>
  );
}

function State({ item }: { item: UploadItem }) {
  const t = useTexts(uploadsTexts);
  const app = useTexts(appTexts);
  const formats = useFormats();
  const offline = useReach() === 'offline';
  const refusal = refusalText(item, t, formats, {
    network: app('error.network'),
    unexpected: app('error.unexpected'),
  });
  const error = item.refusal?.error;
  const requestId = error instanceof ProblemError && item.refusal?.code === 'server' ? error.problem.instance : '';
  const pace = paceText(item, t, formats);
  return (
    <>
      {refusal === undefined ? null : (
        <Text size="xs" className={classes.refusal ?? ''}>
          {refusal}
        </Text>
      )}
      <Text size="xs" c="dimmed" component="div" className={classes.state ?? ''}>
        <span>{stateText(item, t, formats, offline)}</span>
        {pace === '' ? null : <span>{pace}</span>}
      </Text>
      {requestId === '' ? null : <RequestId id={requestId} />}
      {item.phase === 'missing' ? <ChooseAgain item={item} /> : null}
    </>
  );
}

function ChooseAgain({ item }: { item: UploadItem }) {
  const t = useTexts(uploadsTexts);
  const choose = async () => {
    const [file] = await chooseFiles('one');
    if (file !== undefined) await giveFileAgain(item.key, file);
  };
  return (
    <Button
      size="compact-xs"
      variant="light"
      mt={4}
      aria-label={t('row.chooseName', { name: item.name })}
      onClick={() => void choose()}
    >
      {t('row.choose')}
    </Button>
  );
}

function Actions({ item }: { item: UploadItem }) {
  const t = useTexts(uploadsTexts);
  const { key, name, phase } = item;
  const again = phase === 'failed' || (phase === 'refused' && item.refusal?.error !== undefined);
  return (
    <Group gap={2} wrap="nowrap" align="flex-start">
      {isActive(item) ? (
        <Act icon="pause" label={t('row.pause', { name })} run={() => pause(key)} />
      ) : phase === 'paused' ? (
        <Act icon="play" label={t('row.resume', { name })} run={() => resume(key)} />
      ) : again ? (
        <Act icon="refresh" label={t('row.retry', { name })} run={() => resume(key)} />
      ) : null}
      {phase === 'waiting' ? <Act icon="refresh" label={t('row.retry', { name })} run={() => resume(key)} /> : null}
      <Act icon="close" label={t(isUnfinished(item) ? 'row.cancel' : 'row.remove', { name })} run={() => cancel(key)} />
    </Group>
  );
}

function Act({ icon, label, run }: { icon: IconName; label: string; run: () => void }): ReactNode {
  return (
    <ActionIcon variant="subtle" color="gray" size={28} aria-label={label} title={label} onClick={run}>
      <Icon name={icon} size={16} />
    </ActionIcon>
  );
}
