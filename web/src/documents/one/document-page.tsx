/**
 * The page of one document: preview at the start side, panel at the end side; on phones the panel below. The address
 * holds the document, the tab and an earlier version that is shown.
 */
import { Alert, Button, Center, Skeleton, Stack, Text } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useRouter, useSearch } from '@tanstack/react-router';
import { useRef } from 'react';
import { ProblemError } from '../../../../src/client/index.ts';
import { client } from '../../app/session.ts';
import { appTexts } from '../../kit/app-texts.ts';
import { useCommands } from '../../kit/commands.ts';
import { Icon } from '../../kit/icon.tsx';
import { Page, PageHeader, useTitle } from '../../kit/page-header.tsx';
import { ProblemNote } from '../../kit/problem.tsx';
import { useTexts } from '../../kit/texts.ts';
import { showDone, showProblem, showUndo } from '../../kit/toast.tsx';
import classes from './document-page.module.css';
import { download } from './download.ts';
import { About, Actions } from './header.tsx';
import { useDocumentKeys } from './keys.ts';
import { useNeighbours } from './neighbours.ts';
import { Panel, type TabName } from './panel/panel.tsx';
import { Preview } from './preview/preview.tsx';
import { documentChanged, documentQuery, type Loaded } from './queries.ts';
import { useRights } from './rights.ts';
import { documentTexts } from './texts.ts';

export interface DocumentSearch {
  readonly tab?: TabName | undefined;
  readonly version?: number | undefined;
}

export function DocumentPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const loaded = useQuery(documentQuery(id));
  if (loaded.data !== undefined) return <Shown key={id} loaded={loaded.data} />;
  if (loaded.error === null) return <Loading />;
  const gone = loaded.error instanceof ProblemError && loaded.error.status === 404;
  return gone ? <Gone /> : <Failed error={loaded.error} onRetry={() => void loaded.refetch()} />;
}

function Shown({ loaded }: { loaded: Loaded }) {
  const t = useTexts(documentTexts);
  const { document } = loaded;
  const { id, filename } = document;
  const queries = useQueryClient();
  const navigate = useNavigate();
  const router = useRouter();
  const search = useSearch({ strict: false }) as DocumentSearch;
  const neighbours = useNeighbours(id);
  const rights = useRights(document);
  const saveAll = useRef<() => void>(() => undefined);
  const version = search.version ?? document.version;
  // One entry of the history for the whole walk: back leads to the list.
  const open = (to: string) => navigate({ href: `/documents/${to}`, replace: true });
  const look = (next: DocumentSearch) => {
    const query = new URLSearchParams();
    const { tab, version: shown } = { ...search, ...next };
    if (tab !== undefined && tab !== 'info') query.set('tab', tab);
    if (shown !== undefined) query.set('version', String(shown));
    void navigate({ href: `/documents/${id}${query.size > 0 ? `?${query}` : ''}`, replace: true });
  };
  const back = () => {
    if (router.history.canGoBack()) router.history.back();
    else void navigate({ href: '/documents' });
  };
  const restore = async () => {
    await client.documents.restoreDocument({ params: { id } });
    await documentChanged(queries, id);
    showDone(t('page.restored', { name: filename }));
  };
  const trash = async () => {
    const headers = loaded.etag === undefined ? {} : { 'if-match': loaded.etag };
    await client.documents.deleteDocument({ params: { id }, headers });
    showUndo(t('page.trashed', { name: filename }), restore);
    back();
    await documentChanged(queries, id);
  };
  const goTo = (to: string | undefined) => (to === undefined ? undefined : () => void open(to));
  const actions = {
    previous: goTo(neighbours.previous),
    next: goTo(neighbours.next),
    download: () => void download(id).catch(showProblem),
    trash: rights.manages && document.trashed_at === null ? () => void trash().catch(showProblem) : undefined,
    copyLink: () =>
      void navigator.clipboard
        .writeText(`${location.origin}/documents/${id}`)
        .then(() => showDone(t('page.copied')), showProblem),
  };
  useDocumentKeys({
    labels: { previous: t('page.previous'), next: t('page.next'), back: t('page.back'), save: t('page.save') },
    previous: actions.previous,
    next: actions.next,
    back,
    save: () => saveAll.current(),
  });
  useCommands([
    { id: 'document-download', label: t('page.download'), icon: 'download', run: actions.download },
    ...(actions.trash === undefined
      ? []
      : [{ id: 'document-trash', label: t('page.trash'), icon: 'trash', run: actions.trash } as const]),
  ]);
  return (
    <Page>
      <PageHeader
        title={filename}
        about={<About document={document} onBack={back} />}
        actions={<Actions {...actions} neighbours={neighbours} />}
      />
      {document.trashed_at === null ? null : <InTrash onRestore={() => void restore().catch(showProblem)} />}
      <div className={classes.frame} {...dropsOn(loaded)}>
        <section className={`${classes.card} ${classes.preview}`} aria-label={t('preview.title')}>
          <OldVersion shown={version} newest={document.version} onNewest={() => look({ version: undefined })} />
          <div className={classes.viewer}>
            <Preview
              key={version}
              document={document}
              version={version}
              onDownload={() => void download(id, version).catch(showProblem)}
            />
          </div>
        </section>
        <aside className={`${classes.card} ${classes.panel}`} aria-label={t('page.panel')}>
          <Panel
            loaded={loaded}
            tab={search.tab ?? 'info'}
            onTab={(tab) => look({ tab })}
            saveAll={saveAll}
            shown={version}
            onShow={(shown) => look({ version: shown })}
          />
        </aside>
      </div>
    </Page>
  );
}

/** A file that is dropped while the page is open becomes a version; one in the trash takes none. */
function dropsOn({ document: { id, filename, trashed_at }, etag }: Loaded) {
  if (trashed_at !== null) return {};
  return { 'data-upload-version': id, 'data-upload-name': filename, 'data-upload-etag': etag };
}

function OldVersion({ shown, newest, onNewest }: { shown: number; newest: number; onNewest: () => void }) {
  const t = useTexts(documentTexts);
  if (shown === newest) return null;
  return (
    <div className={classes.old} role="status">
      <Text size="sm">{t('preview.old', { shown, newest })}</Text>
      <Button size="compact-sm" variant="default" onClick={onNewest}>
        {t('preview.newest')}
      </Button>
    </div>
  );
}

function InTrash({ onRestore }: { onRestore: () => void }) {
  const t = useTexts(documentTexts);
  return (
    <Alert variant="light" icon={<Icon name="trash" />} mb="md" p="sm">
      {t('page.inTrash')}{' '}
      <Button size="compact-sm" variant="default" onClick={onRestore}>
        {t('page.restore')}
      </Button>
    </Alert>
  );
}

function Loading() {
  const app = useTexts(appTexts);
  const t = useTexts(documentTexts);
  return (
    <Page>
      <div role="status" aria-label={app('state.loading', { what: t('page.loading') })}>
        <Skeleton height={28} width="40%" mb="lg" />
        <div className={classes.frame}>
          <Skeleton height="100%" radius="md" mih={240} />
          <Skeleton height="100%" radius="md" mih={240} />
        </div>
      </div>
    </Page>
  );
}

function Gone() {
  const t = useTexts(documentTexts);
  useTitle(t('page.gone'));
  return (
    <Page>
      <Center py={72}>
        <Stack align="center" gap="sm" maw={460}>
          <Text c="dimmed" component="span" lh={0}>
            <Icon name="document" size={40} />
          </Text>
          <Text component="h1" fw={650} size="lg" ta="center" m={0}>
            {t('page.gone')}
          </Text>
          <Text c="dimmed" ta="center">
            {t('page.goneHint')}
          </Text>
          <Button component={Link} to="/documents" variant="light">
            {t('page.toList')}
          </Button>
        </Stack>
      </Center>
    </Page>
  );
}

function Failed({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const app = useTexts(appTexts);
  return (
    <Page>
      <PageHeader title={app('state.error')} />
      <Alert role="alert" color="red" variant="light" icon={<Icon name="alert" />}>
        <ProblemNote error={error} />
        <Button mt="sm" size="xs" variant="light" color="red" onClick={onRetry}>
          {app('app.retry')}
        </Button>
      </Alert>
    </Page>
  );
}
