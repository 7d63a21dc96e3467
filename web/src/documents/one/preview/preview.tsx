/**
 * The preview of a document: what the server made of it, in a viewer that is loaded when it is needed; else one designed
 * state each for being made, having failed, and kinds that are never shown. Everything ends at the download.
 */
import { Alert, Button, Center, Loader, Skeleton, Stack, Text } from '@mantine/core';
import { lazy, type ReactNode, Suspense, useEffect, useState } from 'react';
import type { Document } from '../../../../../src/modules/documents/contract.ts';
import { appTexts } from '../../../kit/app-texts.ts';
import { Icon, type IconName } from '../../../kit/icon.tsx';
import { ProblemAlert, ProblemNote } from '../../../kit/problem.tsx';
import { useTexts } from '../../../kit/texts.ts';
import { documentTexts } from '../texts.ts';
import { loadAgain } from './load-again.ts';
import classes from './preview.module.css';
import { type Shown, useRendition } from './rendition.ts';

const PagesViewer = lazy(async () => ({
  default: (await loadAgain(() => import('./pages-viewer.tsx'))).PagesViewer,
}));
const TextViewer = lazy(async () => ({
  default: (await loadAgain(() => import('./text-viewer.tsx'))).TextViewer,
}));

export interface PreviewProps {
  readonly document: Document;
  readonly version: number;
  readonly onDownload: () => void;
}

export function Preview(props: PreviewProps) {
  const { document, version } = props;
  const t = useTexts(documentTexts);
  const app = useTexts(appTexts);
  const shown = useRendition({ document, version });
  if (shown.data === undefined && shown.error !== null) {
    return (
      <div className={classes.state}>
        <Stack maw={440}>
          <ProblemAlert error={shown.error} />
          <Button variant="light" onClick={() => void shown.refetch()}>
            {app('app.retry')}
          </Button>
        </Stack>
      </div>
    );
  }
  if (shown.data === undefined) return <Waiting label={t('preview.loading')} />;
  if (shown.data.status !== 'ready') return <NotShown {...props} shown={shown.data} />;
  const { kind } = shown.data;
  const Viewer = kind === 'pdf' || kind === 'image' ? PagesViewer : TextViewer;
  return (
    <Suspense fallback={<Waiting label={t('preview.loading')} />}>
      <Viewer document={document} version={version} ready={shown.data} />
    </Suspense>
  );
}

function Waiting({ label }: { label: string }) {
  return (
    <div className={classes.waiting} role="status" aria-label={label}>
      <Skeleton height="100%" radius="sm" />
    </div>
  );
}

const limits = new Set(['time', 'memory', 'output', 'limits']);
const told = new Set(['encrypted', 'too_large']);

function NotShown({ shown, onDownload }: PreviewProps & { shown: Exclude<Shown, { status: 'ready' }> }) {
  const t = useTexts(documentTexts);
  if (shown.status === 'pending') return <Pending onDownload={onDownload} />;
  if (shown.status === 'lost') {
    return (
      <div className={classes.state}>
        <Alert role="alert" color="red" variant="light" icon={<Icon name="alert" />} title={t('preview.lost')}>
          <ProblemNote error={shown.error} />
        </Alert>
      </div>
    );
  }
  if (shown.status === 'unsupported') {
    return (
      <State
        icon="document"
        title={t('preview.unsupported')}
        hint={t('preview.unsupportedHint')}
        onDownload={onDownload}
      />
    );
  }
  const { reason } = shown;
  if (reason === 'empty') return <State icon="document" title={t('preview.emptyText')} onDownload={onDownload} />;
  const known = told.has(reason) ? (reason as 'encrypted' | 'too_large') : limits.has(reason) ? 'limits' : 'unreadable';
  return (
    <State
      icon={known === 'encrypted' ? 'lock' : 'alert'}
      title={t('preview.failed')}
      hint={t(`preview.failed.${known}`)}
      onDownload={onDownload}
    />
  );
}

const slowAfter = 45_000;

function Pending({ onDownload }: { onDownload: () => void }) {
  const t = useTexts(documentTexts);
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), slowAfter);
    return () => clearTimeout(timer);
  }, []);
  return (
    <State
      icon="clock"
      mark={<Loader size="sm" type="dots" />}
      title={t('preview.pending')}
      hint={t(slow ? 'preview.slow' : 'preview.pendingHint')}
      onDownload={slow ? onDownload : undefined}
    />
  );
}

interface StateProps {
  readonly icon: IconName;
  readonly mark?: ReactNode;
  readonly title: string;
  readonly hint?: string;
  readonly onDownload: (() => void) | undefined;
}

function State({ icon, mark, title, hint, onDownload }: StateProps) {
  const t = useTexts(documentTexts);
  return (
    <Center className={classes.state ?? ''} role="status">
      <Stack align="center" gap="sm" maw={420}>
        <Text c="dimmed" component="span" lh={0}>
          {mark ?? <Icon name={icon} size={40} />}
        </Text>
        <Text fw={600} ta="center">
          {title}
        </Text>
        {hint === undefined ? null : (
          <Text c="dimmed" size="sm" ta="center">
            {hint}
          </Text>
        )}
        {onDownload === undefined ? null : (
          <Button variant="light" leftSection={<Icon name="download" />} onClick={onDownload}>
            {t('page.download')}
          </Button>
        )}
      </Stack>
    </Center>
  );
}
