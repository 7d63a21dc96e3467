/** The first page of the documents workspace. */
import { Page, PageHeader } from '../kit/page-header.tsx';
import { useTexts } from '../kit/texts.ts';
import { documentsTexts } from './texts.ts';

export function DocumentsPage() {
  const t = useTexts(documentsTexts);
  return (
    <Page>
      <PageHeader title={t('nav')} />
    </Page>
  );
}
