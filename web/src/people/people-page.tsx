/** The first page of people and invitations. */
import { Page, PageHeader } from '../kit/page-header.tsx';
import { useTexts } from '../kit/texts.ts';
import { peopleTexts } from './texts.ts';

export function PeoplePage() {
  const t = useTexts(peopleTexts);
  return (
    <Page>
      <PageHeader title={t('nav')} />
    </Page>
  );
}
