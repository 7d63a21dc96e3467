/** Signing in; whoever came from an address goes on there. */
import { Alert, Anchor, Collapse, Stack, TextInput, UnstyledButton } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Link, useRouter, useSearch } from '@tanstack/react-router';
import { client, enter, useSession } from '../app/session.ts';
import { FormFoot, useServerForm } from '../kit/form.tsx';
import { Icon } from '../kit/icon.tsx';
import { useTexts } from '../kit/texts.ts';
import { CardTitle } from './card-title.tsx';
import { SecretInput } from './secret-input.tsx';
import { accountsTexts } from './texts.ts';

export function SignInPage() {
  const t = useTexts(accountsTexts);
  const router = useRouter();
  const session = useSession();
  const { next } = useSearch({ strict: false }) as { next?: string };
  const [several, { toggle }] = useDisclosure(false);
  const required = (value: string) => (value === '' ? t('signIn.required') : null);
  const signIn = useServerForm({
    initialValues: { username: '', password: '', company: '' },
    validate: { username: required, password: required },
    send: async ({ username, password, company }) => {
      const body = { username, password, ...(company.trim() === '' ? {} : { company: company.trim() }) };
      const { companies } = await enter(() => client.accounts.login({ body }));
      const choose = companies.length > 1 && body.company === undefined;
      const search = next === undefined ? '' : `?${new URLSearchParams({ next })}`;
      router.history.replace(choose ? `/choose-company${search}` : (next ?? '/'));
    },
  });
  const { form } = signIn;
  return (
    <>
      <CardTitle title={t('signIn.title')} />
      {session.status === 'anonymous' && session.ended ? (
        <Alert color="blue" variant="light" mb="md" icon={<Icon name="clock" />} role="status">
          {t('signIn.ended')}
        </Alert>
      ) : null}
      <form onSubmit={signIn.onSubmit} noValidate>
        <Stack gap="md">
          <TextInput
            label={t('signIn.name')}
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            data-autofocus
            autoFocus
            key={form.key('username')}
            {...form.getInputProps('username')}
          />
          <SecretInput
            label={t('signIn.password')}
            autoComplete="current-password"
            key={form.key('password')}
            {...form.getInputProps('password')}
          />
          <Collapse expanded={several}>
            <TextInput
              label={t('signIn.company')}
              description={t('signIn.companyHint')}
              autoComplete="organization"
              autoCapitalize="none"
              key={form.key('company')}
              {...form.getInputProps('company')}
            />
          </Collapse>
          <FormFoot of={signIn} label={t('signIn.title')} full />
          <Stack gap={8} align="flex-start">
            <UnstyledButton onClick={toggle} aria-expanded={several} c="dimmed" fz="sm">
              {t('signIn.several')} <Icon name={several ? 'chevron-up' : 'chevron'} size={12} />
            </UnstyledButton>
            <Anchor component={Link} to="/forgot" size="sm">
              {t('signIn.forgot')}
            </Anchor>
          </Stack>
        </Stack>
      </form>
    </>
  );
}
