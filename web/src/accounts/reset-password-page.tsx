/** A new password by the one-time link of a mail; every session ends with it. */
import { Alert, Anchor, Stack } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { client } from '../app/session.ts';
import { FormFoot, useServerForm } from '../kit/form.tsx';
import { Icon } from '../kit/icon.tsx';
import { useTexts } from '../kit/texts.ts';
import { CardTitle } from './card-title.tsx';
import { useOneTimeToken } from './one-time-token.ts';
import { PasswordField } from './password-field.tsx';
import { accountsTexts } from './texts.ts';

export function ResetPasswordPage() {
  const t = useTexts(accountsTexts);
  const token = useOneTimeToken();
  const [done, setDone] = useState(false);
  const reset = useServerForm({
    initialValues: { password: '' },
    send: async ({ password }) => {
      await client.accounts.resetPassword({ body: { token, password } });
      setDone(true);
    },
  });
  const { form } = reset;
  return (
    <>
      <CardTitle title={t('reset.title')} about={done ? undefined : t('reset.about')} />
      {token === '' ? (
        <Alert color="yellow" icon={<Icon name="alert" />} mb="md">
          {t('reset.noToken')}
        </Alert>
      ) : null}
      {done ? (
        <Alert color="teal" role="status" icon={<Icon name="check" />} mb="md">
          {t('reset.done')}
        </Alert>
      ) : (
        <form onSubmit={reset.onSubmit} noValidate>
          <Stack gap="md" mb="md">
            <PasswordField label={t('password.new')} {...form.getInputProps('password')} value={form.values.password} />
            <FormFoot of={reset} label={t('reset.submit')} full />
          </Stack>
        </form>
      )}
      <Anchor component={Link} to="/sign-in" size="sm">
        {t('invitation.toSignIn')}
      </Anchor>
    </>
  );
}
