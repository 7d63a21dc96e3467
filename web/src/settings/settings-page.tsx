/** The first page of settings of the company. */
import { Page, PageHeader } from '../kit/page-header.tsx';
import { useTexts } from '../kit/texts.ts';
import { settingsTexts } from './texts.ts';

export function SettingsPage() {
  const t = useTexts(settingsTexts);
  return (
    <Page>
      <PageHeader title={t('nav')} />
    </Page>
  );
}
