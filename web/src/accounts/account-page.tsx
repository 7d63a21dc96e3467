/** The own account: who one is, password, devices, language and appearance. */
import { Badge, SegmentedControl, Select, Stack, Switch, Text, useMantineColorScheme } from '@mantine/core';
import { useId } from 'react';
import { schemes } from '../app/menus.tsx';
import { roleTitle } from '../app/role-title.ts';
import { useSignedIn } from '../app/session.ts';
import { appTexts } from '../kit/app-texts.ts';
import { type Fact, FactList } from '../kit/fact-list.tsx';
import { chooseLanguage, type Language, languageNames, languages, useLanguage } from '../kit/language.ts';
import { Page, PageHeader } from '../kit/page-header.tsx';
import { Section } from '../kit/section.tsx';
import { useStored } from '../kit/stored.ts';
import { useTexts } from '../kit/texts.ts';
import { showProblem } from '../kit/toast.tsx';
import { ChangePassword } from './change-password.tsx';
import { Sessions } from './sessions.tsx';
import { accountsTexts } from './texts.ts';

export function AccountPage() {
  const t = useTexts(accountsTexts);
  return (
    <Page narrow>
      <PageHeader title={t('account.title')} />
      <Stack gap="lg">
        <Section title={t('account.profile')}>
          <Profile />
        </Section>
        <Section title={t('account.password')} about={t('account.passwordAbout')}>
          <ChangePassword />
        </Section>
        <Section title={t('account.sessions')}>
          <Sessions />
        </Section>
        <Section title={t('account.appearance')}>
          <Appearance />
        </Section>
      </Stack>
    </Page>
  );
}

function Profile() {
  const t = useTexts(accountsTexts);
  const app = useTexts(appTexts);
  const { user, company } = useSignedIn();
  const facts: readonly Fact[] = [
    [t('account.name'), <bdi key="name">{user.full_name}</bdi>],
    [t('account.username'), <bdi key="username">{user.username}</bdi>],
    [t('account.email'), <bdi key="email">{user.email}</bdi>],
    [
      t('account.role'),
      <Badge key="role" variant="light" radius="sm">
        {roleTitle(app, user.role)}
      </Badge>,
    ],
    ...(company === null ? [] : [[t('account.company'), <bdi key="company">{company.name}</bdi>] as const]),
  ];
  return (
    <Stack gap="md">
      <FactList facts={facts} columns={{ base: 1, xs: 2 }} />
      {company === null ? null : (
        <Text size="xs" c="dimmed">
          {t('account.nameHint')}
        </Text>
      )}
    </Stack>
  );
}

function Appearance() {
  const t = useTexts(accountsTexts);
  const app = useTexts(appTexts);
  const language = useLanguage();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const [singleKeys, setSingleKeys] = useStored('single-keys');
  const themeLabel = useId();
  return (
    <Stack gap="lg" align="flex-start">
      <Select
        label={app('app.language')}
        data={languages.map((value) => ({ value, label: languageNames[value] }))}
        value={language}
        allowDeselect={false}
        onChange={(value) => {
          if (value !== null) void chooseLanguage(value as Language).catch(showProblem);
        }}
      />
      <div>
        <Text size="sm" fw={500} id={themeLabel} mb={4}>
          {app('app.theme')}
        </Text>
        <SegmentedControl
          aria-labelledby={themeLabel}
          value={colorScheme}
          onChange={(value) => setColorScheme(value as (typeof schemes)[number])}
          data={schemes.map((value) => ({ value, label: app(`app.theme.${value}`) }))}
        />
      </div>
      <Switch
        label={t('account.singleKeys')}
        description={t('account.singleKeysHint')}
        checked={singleKeys !== 'off'}
        onChange={(event) => setSingleKeys(event.currentTarget.checked ? undefined : 'off')}
      />
    </Stack>
  );
}
