/** Going on in a company that is not linked yet: its short name, and the password there. */
import { Stack, Text, TextInput } from '@mantine/core';
import { router } from '../app/router.tsx';
import { enterCompany } from '../app/session.ts';
import { FormFoot, useServerForm } from '../kit/form.tsx';
import { useTexts } from '../kit/texts.ts';
import { SecretInput } from './secret-input.tsx';
import { accountsTexts } from './texts.ts';

export function OtherCompany({ onDone }: { onDone: () => void }) {
  const t = useTexts(accountsTexts);
  const other = useServerForm({
    initialValues: { company: '', password: '' },
    paths: { company_id: 'company' },
    send: async ({ company, password }) => {
      const body = { company_id: company.trim(), ...(password === '' ? {} : { password }) };
      await enterCompany(body);
      onDone();
      router.history.push('/');
    },
  });
  const { form } = other;
  return (
    <form onSubmit={other.onSubmit} noValidate>
      <Stack gap="md">
        <Text size="sm">{t('other.about')}</Text>
        <TextInput label={t('other.company')} autoCapitalize="none" autoFocus {...form.getInputProps('company')} />
        <SecretInput label={t('other.password')} autoComplete="off" {...form.getInputProps('password')} />
        <FormFoot of={other} label={t('other.submit')} />
      </Stack>
    </form>
  );
}
