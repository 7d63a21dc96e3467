/** The own account: who one is, password, devices, language and appearance. */
import { Page, PageHeader } from '../kit/page-header.tsx';
import { useTexts } from '../kit/texts.ts';
import { accountsTexts } from './texts.ts';

export function AccountPage() {
  const t = useTexts(accountsTexts);
  return (
    <Page narrow>
      <PageHeader title={t('account.title')} />
    </Page>
  );
}
