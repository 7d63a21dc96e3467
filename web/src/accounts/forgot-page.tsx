/** A forgotten password: asks for a link by mail. The answer is the same whether there is such an account or not. */
import { Alert, Anchor, Stack, TextInput } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { client } from '../app/session.ts';
import { FormFoot, useServerForm } from '../kit/form.tsx';
import { Icon } from '../kit/icon.tsx';
import { useTexts } from '../kit/texts.ts';
import { CardTitle } from './card-title.tsx';
import { accountsTexts } from './texts.ts';

export function ForgotPage() {
  const t = useTexts(accountsTexts);
  const [sent, setSent] = useState(false);
  const forgot = useServerForm({
    initialValues: { username: '', company: '' },
    validate: { username: (value) => (value === '' ? t('signIn.required') : null) },
    send: async ({ username, company }) => {
      const body = { username, ...(company.trim() === '' ? {} : { company: company.trim() }) };
      await client.accounts.forgotPassword({ body });
      setSent(true);
    },
  });
  const { form } = forgot;
  return (
    <>
      <CardTitle title={t('forgot.title')} about={t('forgot.about')} />
      {sent ? (
        <Alert color="teal" role="status" icon={<Icon name="mail" />} mb="md">
          {t('forgot.sent')}
        </Alert>
      ) : (
        <form onSubmit={forgot.onSubmit} noValidate>
          <Stack gap="md" mb="md">
            <TextInput
              label={t('signIn.name')}
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              autoFocus
              {...form.getInputProps('username')}
            />
            <TextInput
              label={t('signIn.company')}
              description={t('signIn.companyHint')}
              autoComplete="organization"
              autoCapitalize="none"
              {...form.getInputProps('company')}
            />
            <FormFoot of={forgot} label={t('forgot.submit')} full />
          </Stack>
        </form>
      )}
      <Anchor component={Link} to="/sign-in" size="sm">
        {t('forgot.back')}
      </Anchor>
    </>
  );
}
