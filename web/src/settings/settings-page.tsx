/** The company's own settings: name, registration, what is refused; its facts and its use of the quota to be seen. */
import { Progress, Radio, Stack, Text, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { lowestRole } from '../../../src/kernel/roles.ts';
import type { OwnCompany } from '../../../src/modules/accounts/contract.ts';
import { roleTitle } from '../app/role-title.ts';
import { client, start } from '../app/session.ts';
import { appTexts } from '../kit/app-texts.ts';
import { DataState } from '../kit/data-state.tsx';
import { FactList } from '../kit/fact-list.tsx';
import { FormFoot, useServerForm } from '../kit/form.tsx';
import { useFormats } from '../kit/formats.ts';
import { Section } from '../kit/section.tsx';
import { useTexts } from '../kit/texts.ts';
import { showDone } from '../kit/toast.tsx';
import { DeniedTypes } from './denied-types.tsx';
import { SettingsFrame } from './settings-frame.tsx';
import { settingsTexts } from './texts.ts';

export function useOwnCompany() {
  return useQuery({
    queryKey: ['own company'],
    queryFn: ({ signal }) => client.accounts.getOwnCompany({ signal }),
  });
}

export function SettingsPage() {
  const t = useTexts(settingsTexts);
  const company = useOwnCompany();
  return (
    <SettingsFrame tab="general" narrow>
      <DataState
        what={t('nav')}
        loading={company.isPending}
        error={company.error}
        onRetry={() => void company.refetch()}
        count={company.data === undefined ? 0 : 1}
        empty={{ icon: 'settings', title: t('nav') }}
      >
        {company.data === undefined ? null : (
          <Stack gap="lg">
            <Section title={t('company.title')}>
              <CompanyForm company={company.data} />
            </Section>
            <Section title={t('usage.title')}>
              <Use company={company.data} />
            </Section>
            <Section title={t('types.title')} about={t('types.about')}>
              <DeniedTypes />
            </Section>
            <Section title={t('facts.title')}>
              <Facts company={company.data} />
            </Section>
          </Stack>
        )}
      </DataState>
    </SettingsFrame>
  );
}

function CompanyForm({ company }: { company: OwnCompany }) {
  const t = useTexts(settingsTexts);
  const app = useTexts(appTexts);
  const queries = useQueryClient();
  const save = useServerForm({
    initialValues: { name: company.name, registration: company.registration },
    async send(body) {
      const saved = await client.accounts.updateOwnCompany({ body });
      queries.setQueryData(['own company'], saved);
      showDone(app('app.saved'));
      // The head of the page has the name from the session.
      if (saved.name !== company.name) await start(true);
    },
  });
  const role = roleTitle(app, lowestRole[company.roles]);
  return (
    <form onSubmit={save.onSubmit} noValidate>
      <Stack gap="md" maw={480}>
        <TextInput
          label={t('company.name')}
          description={t('company.nameHint')}
          autoComplete="off"
          {...save.form.getInputProps('name')}
        />
        <Radio.Group label={t('company.registration')} {...save.form.getInputProps('registration')}>
          <Stack gap="xs" mt="xs">
            <Radio value="closed" label={t('company.closed')} />
            <Radio value="open" label={t('company.open', { role })} />
          </Stack>
        </Radio.Group>
        <FormFoot of={save} label={app('app.save')} />
      </Stack>
    </form>
  );
}

function Use({ company }: { company: OwnCompany }) {
  const t = useTexts(settingsTexts);
  const formats = useFormats();
  const { quota_bytes: quota, usage } = company;
  const used = formats.size(usage.bytes);
  const share = quota === null || quota === 0 ? 0 : Math.min(1, usage.bytes / quota);
  return (
    <Stack gap="md">
      <div>
        <Text size="xs" c="dimmed">
          {t('usage.storage')}
        </Text>
        <Text size="sm" mb={quota === null ? 0 : 6}>
          {quota === null
            ? t('usage.unlimited', { used })
            : `${t('usage.of', { used, quota: formats.size(quota) })} (${formats.percent(share)})`}
        </Text>
        {quota === null ? null : (
          <>
            <Progress value={share * 100} color={share > 0.9 ? 'red' : 'blue'} aria-label={t('usage.label')} />
            <Text size="xs" c="dimmed" mt={6}>
              {t('usage.quotaHint')}
            </Text>
          </>
        )}
      </div>
      <FactList
        columns={{ base: 1, xs: 3 }}
        facts={[
          [t('usage.users'), formats.number(usage.users)],
          [t('usage.documents'), formats.number(usage.documents)],
          [t('usage.files'), formats.number(usage.files)],
        ]}
      />
    </Stack>
  );
}

function Facts({ company }: { company: OwnCompany }) {
  const t = useTexts(settingsTexts);
  const formats = useFormats();
  return (
    <FactList
      columns={{ base: 1, xs: 3 }}
      facts={[
        [t('facts.slug'), <bdi key="slug">{company.slug}</bdi>],
        [t('facts.email'), <bdi key="email">{company.email}</bdi>],
        [t('facts.created'), formats.date(company.created_at)],
      ]}
    />
  );
}
