/** The person's uploads that are not finished, and the ways to bring more. */
import { Paper } from '@mantine/core';
import { useSignedIn } from '../app/session.ts';
import { DataState } from '../kit/data-state.tsx';
import { Page, PageHeader } from '../kit/page-header.tsx';
import { useTexts } from '../kit/texts.ts';
import { isFailed, isUnfinished } from './item.ts';
import { useUploads } from './store.ts';
import { uploadsTexts } from './texts.ts';
import { UploadButtons } from './upload-buttons.tsx';
import { UploadList } from './upload-list.tsx';

export function UploadsPage() {
  const t = useTexts(uploadsTexts);
  const { company } = useSignedIn();
  const items = useUploads().filter((item) => isUnfinished(item) || isFailed(item));
  return (
    <Page>
      <PageHeader
        title={t('nav')}
        about={t('page.about', { company: `\u2068${company?.name ?? ''}\u2069` })}
        actions={<UploadButtons />}
      />
      <DataState
        what={t('nav')}
        loading={false}
        error={undefined}
        onRetry={() => undefined}
        count={items.length}
        empty={{
          icon: 'upload',
          title: t('page.empty'),
          hint: t('page.emptyHint'),
          action: <UploadButtons folder={false} />,
        }}
      >
        <Paper withBorder>
          <UploadList items={items} label={t('page.list')} height="calc(100dvh - 14rem)" />
        </Paper>
      </DataState>
    </Page>
  );
}
