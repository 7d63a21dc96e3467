/** One company: what it is, how large, whether its database answers, what was done to it, and what may be done now. */

import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Company } from '../../../src/modules/fleet/contract.ts';
import { DataState } from '../kit/data-state.tsx';
import { FactList } from '../kit/fact-list.tsx';
import { useFormats } from '../kit/formats.ts';
import { Icon } from '../kit/icon.tsx';
import { Page, PageHeader } from '../kit/page-header.tsx';
import { Section } from '../kit/section.tsx';
import { useTexts } from '../kit/texts.ts';
import { StateBadge } from './badges.tsx';
import { CompanyActions, useCompanyVerbs } from './company-actions.tsx';
import { CompanyJournal } from './company-journal.tsx';
import { CompanySize } from './company-size.tsx';
import { DatabaseTestSection } from './database-test.tsx';
import { companyQuery, statusQuery } from './queries.ts';
import { companyRoute } from './routes.ts';
import { SizeOverTime } from './size-over-time.tsx';
import { fleetTexts } from './texts.ts';

export function CompanyPage() {
  const t = useTexts(fleetTexts);
  const { id } = companyRoute.useParams();
  const query = useQuery(companyQuery(id));
  const { data: company } = query;
  return (
    <Page>
      <PageHeader
        title={company?.name ?? t('company.one')}
        about={
          company === undefined ? undefined : (
            <Group gap="xs" mt={4}>
              <StateBadge state={company.status} />
              <bdi>{company.slug}</bdi>
            </Group>
          )
        }
        actions={
          <>
            <Button component={Link} to="/operator/companies" variant="default" leftSection={<Icon name="back" />}>
              {t('nav.companies')}
            </Button>
            {company === undefined ? null : <CompanyActions company={company} />}
          </>
        }
      />
      <DataState
        what={t('company.one')}
        loading={query.isPending}
        error={query.error}
        onRetry={() => void query.refetch()}
        count={company === undefined ? 0 : 1}
        empty={{ icon: 'building', title: t('company.gone') }}
      >
        {company === undefined ? null : (
          <Stack gap="lg" key={company.id}>
            <Notice company={company} />
            <CompanyFacts company={company} />
            <CompanySize company={company} />
            <SizeOverTime id={company.id} />
            <DatabaseTestSection key={company.status} company={company} />
            <CompanyJournal id={company.id} />
          </Stack>
        )}
      </DataState>
    </Page>
  );
}

/** What the state means for the people of the company, and the way out of it. */
function Notice({ company }: { company: Company }) {
  const t = useTexts(fleetTexts);
  const formats = useFormats();
  const { busy, resume, restore, purge } = useCompanyVerbs(company);
  const { status } = company;
  const note = (color: string, title: string, about: string, actions?: ReactNode) => (
    <Alert color={color} variant="light" icon={<Icon name="info" />} title={title}>
      <Text size="sm">{about}</Text>
      {actions === undefined ? null : <Group mt="sm">{actions}</Group>}
    </Alert>
  );
  if (status === 'suspended') {
    return note(
      'blue',
      t('notice.suspended'),
      t('notice.suspendedAbout'),
      <Button size="xs" loading={busy === 'resume'} onClick={resume}>
        {t('verb.resume')}
      </Button>,
    );
  }
  if (status === 'deleting') {
    const until = company.purge_after;
    return note(
      'red',
      t('notice.deleting'),
      until === null
        ? t('notice.deletingAbout')
        : t('notice.deletingUntil', { date: formats.time(until), left: formats.relative(until) }),
      <>
        <Button size="xs" loading={busy === 'restore'} onClick={restore}>
          {t('verb.restore')}
        </Button>
        <Button size="xs" variant="default" onClick={purge}>
          {t('verb.purge')}
        </Button>
      </>,
    );
  }
  if (status === 'purging') return note('red', t('notice.purging'), t('notice.purgingAbout'));
  if (status === 'creating') return note('blue', t('notice.creating'), t('notice.creatingAbout'));
  if (status === 'failed') return note('red', t('notice.failed'), t('notice.failedAbout'));
  return null;
}

function CompanyFacts({ company }: { company: Company }) {
  const t = useTexts(fleetTexts);
  const formats = useFormats();
  const { data: status } = useQuery(statusQuery);
  const head = status?.migrations?.head;
  const { schema_version: schema } = company;
  return (
    <Section title={t('company.facts')}>
      <FactList
        columns={{ base: 2, md: 3 }}
        facts={[
          [t('company.email'), <bdi key="email">{company.email}</bdi>],
          [t('company.placement'), t(`placement.${company.placement}`)],
          [t('company.region'), company.region ?? '–'],
          [
            t('company.schema'),
            head === undefined
              ? formats.number(schema)
              : t(schema < head ? 'company.schemaBehind' : 'company.schemaHead', { schema, head }),
          ],
          [t('company.preset'), t(`preset.${company.roles}`)],
          [t('company.registration'), t(`registration.${company.registration}`)],
          [t('company.database'), <bdi key="database">{company.database_name}</bdi>],
          [t('company.bucket'), <bdi key="bucket">{company.bucket}</bdi>],
          [t('company.created'), formats.time(company.created_at)],
          ...(company.deleted_at === null
            ? []
            : ([[t('company.deletedAt'), formats.time(company.deleted_at)]] as const)),
        ]}
      />
    </Section>
  );
}
