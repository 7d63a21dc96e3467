/** Changing the own password; every other device then has to sign in again. */
import { Stack } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { client, useSignedIn } from '../app/session.ts';
import { FormFoot, useServerForm } from '../kit/form.tsx';
import { useTexts } from '../kit/texts.ts';
import { showDone } from '../kit/toast.tsx';
import { PasswordField } from './password-field.tsx';
import { SecretInput } from './secret-input.tsx';
import { accountsTexts } from './texts.ts';

export function ChangePassword() {
  const t = useTexts(accountsTexts);
  const queries = useQueryClient();
  const { user, company } = useSignedIn();
  const required = (value: string) => (value === '' ? t('signIn.required') : null);
  const change = useServerForm({
    initialValues: { current_password: '', new_password: '' },
    validate: { current_password: required, new_password: required },
    send: async (body) => {
      await client.accounts.changePassword({ body });
      form.reset();
      showDone(t('account.changed'));
      await queries.invalidateQueries({ queryKey: ['sessions'] });
    },
  });
  const { form } = change;
  return (
    <form onSubmit={change.onSubmit} noValidate>
      <Stack gap="md" maw={400}>
        <input type="hidden" name="username" autoComplete="username" value={user.username} readOnly />
        <SecretInput
          label={t('account.current')}
          autoComplete="current-password"
          {...form.getInputProps('current_password')}
        />
        <PasswordField
          label={t('password.new')}
          words={[user.username, user.email, user.full_name, company?.name ?? '']}
          {...form.getInputProps('new_password')}
          value={form.values.new_password}
        />
        <FormFoot of={change} label={t('account.change')} />
      </Stack>
    </form>
  );
}
