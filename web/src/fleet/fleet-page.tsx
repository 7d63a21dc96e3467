/** The first page of the operator console. */
import { Page, PageHeader } from '../kit/page-header.tsx';
import { useTexts } from '../kit/texts.ts';
import { fleetTexts } from './texts.ts';

export function FleetPage() {
  const t = useTexts(fleetTexts);
  return (
    <Page>
      <PageHeader title={t('nav')} />
    </Page>
  );
}
