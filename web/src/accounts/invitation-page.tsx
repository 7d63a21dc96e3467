/** An invitation: who invites, to which company, as what; a password accepts it. */
import { Anchor, Stack, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useRouter } from '@tanstack/react-router';
import { ProblemError } from '../../../src/client/index.ts';
import { roleTitle } from '../app/role-title.ts';
import { client, enter } from '../app/session.ts';
import { Pending } from '../app/states.tsx';
import { appTexts } from '../kit/app-texts.ts';
import { FormFoot, useServerForm } from '../kit/form.tsx';
import { useFormats } from '../kit/formats.ts';
import { ProblemAlert } from '../kit/problem.tsx';
import { useTexts } from '../kit/texts.ts';
import { CardTitle } from './card-title.tsx';
import { useOneTimeToken } from './one-time-token.ts';
import { PasswordField } from './password-field.tsx';
import { accountsTexts } from './texts.ts';

export function InvitationPage() {
  const t = useTexts(accountsTexts);
  const app = useTexts(appTexts);
  const formats = useFormats();
  const token = useOneTimeToken();
  const { data, error, isPending } = useQuery({
    queryKey: ['invitation', token],
    queryFn: ({ signal }) => client.accounts.getInvitation({ params: { token }, signal }),
    staleTime: Number.POSITIVE_INFINITY,
    enabled: token !== '',
  });
  if (token === '' || (error instanceof ProblemError && [404, 410, 422].includes(error.status))) return <Over />;
  if (isPending) return <Pending />;
  if (data === undefined) return <ProblemAlert error={error} />;
  return (
    <>
      <CardTitle
        title={t('invitation.title')}
        about={
          <>
            <Text c="var(--mantine-color-text)" size="md">
              <bdi>
                <b>{data.company.name}</b>
              </bdi>{' '}
              {t('invitation.about')} <b>{roleTitle(app, data.role)}</b>
            </Text>
            {t('invitation.for', { name: data.full_name, email: data.email, date: formats.date(data.expires_at) })}
          </>
        }
      />
      <AcceptForm token={token} words={[data.email, data.full_name, data.company.name]} email={data.email} />
    </>
  );
}

function Over() {
  const t = useTexts(accountsTexts);
  return (
    <>
      <CardTitle title={t('invitation.over')} about={t('invitation.overHint')} />
      <Anchor component={Link} to="/sign-in">
        {t('invitation.toSignIn')}
      </Anchor>
    </>
  );
}

function AcceptForm({ token, words, email }: { token: string; words: readonly string[]; email: string }) {
  const t = useTexts(accountsTexts);
  const router = useRouter();
  const accept = useServerForm({
    initialValues: { username: '', password: '' },
    send: async ({ username, password }) => {
      const body = { token, password, ...(username === '' ? {} : { username }) };
      await enter(() => client.accounts.acceptInvitation({ body }));
      router.history.replace('/');
    },
  });
  const { form } = accept;
  return (
    <form onSubmit={accept.onSubmit} noValidate>
      <Stack gap="md">
        <input type="hidden" name="email" autoComplete="username" value={email} readOnly />
        <TextInput
          label={t('invitation.username')}
          description={t('invitation.usernameHint')}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          {...form.getInputProps('username')}
        />
        <PasswordField
          label={t('password.choose')}
          words={[...words, form.values.username]}
          {...form.getInputProps('password')}
          value={form.values.password}
        />
        <FormFoot of={accept} label={t('invitation.submit')} full />
      </Stack>
    </form>
  );
}
