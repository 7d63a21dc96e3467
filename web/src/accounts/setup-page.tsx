/** The first visit: the one-time link of the first start makes the first operator, who is then signed in. */
import { Alert, Stack, TextInput } from '@mantine/core';
import { useRouter } from '@tanstack/react-router';
import { client, enter } from '../app/session.ts';
import { FormFoot, useServerForm } from '../kit/form.tsx';
import { Icon } from '../kit/icon.tsx';
import { useTexts } from '../kit/texts.ts';
import { CardTitle } from './card-title.tsx';
import { useOneTimeToken } from './one-time-token.ts';
import { PasswordField } from './password-field.tsx';
import { accountsTexts } from './texts.ts';

export function SetupPage() {
  const t = useTexts(accountsTexts);
  const router = useRouter();
  const token = useOneTimeToken();
  const setup = useServerForm({
    initialValues: { username: '', email: '', password: '' },
    send: async (values) => {
      await enter(() => client.accounts.setup({ body: { token, ...values } }));
      router.history.replace('/');
    },
  });
  const { form } = setup;
  const { username, email, password } = form.values;
  return (
    <>
      <CardTitle title={t('setup.title')} about={t('setup.about')} />
      {token === '' ? (
        <Alert color="yellow" icon={<Icon name="alert" />} mb="md">
          {t('setup.noToken')}
        </Alert>
      ) : null}
      <form onSubmit={setup.onSubmit} noValidate>
        <Stack gap="md">
          <TextInput
            label={t('setup.username')}
            description={t('setup.usernameHint')}
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            autoFocus
            {...form.getInputProps('username')}
          />
          <TextInput label={t('setup.email')} type="email" autoComplete="email" {...form.getInputProps('email')} />
          <PasswordField
            label={t('password.choose')}
            words={[username, email]}
            {...form.getInputProps('password')}
            value={password}
          />
          <FormFoot of={setup} label={t('setup.submit')} full />
        </Stack>
      </form>
    </>
  );
}
