/** The first page of uploads. */
import { Page, PageHeader } from '../kit/page-header.tsx';
import { useTexts } from '../kit/texts.ts';
import { uploadsTexts } from './texts.ts';

export function UploadsPage() {
  const t = useTexts(uploadsTexts);
  return (
    <Page>
      <PageHeader title={t('nav')} />
    </Page>
  );
}
