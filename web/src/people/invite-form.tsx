/**
 * Invites one person or several. Each is sent on its own: who was refused stays in the form with the reason beside the
 * field, who was not gets a link, which is shown here alone. Roles are those that the inviter may give.
 */
import { ActionIcon, Alert, Button, Fieldset, Group, Select, SimpleGrid, Stack, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { randomId } from '@mantine/hooks';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ProblemError } from '../../../src/client/index.ts';
import type { NewInvitationAnswer } from '../../../src/modules/accounts/contract.ts';
import { roleTitle } from '../app/role-title.ts';
import { client } from '../app/session.ts';
import { appTexts } from '../kit/app-texts.ts';
import { DataState } from '../kit/data-state.tsx';
import { FormFoot, useServerForm } from '../kit/form.tsx';
import { Icon } from '../kit/icon.tsx';
import { type Translate, useTexts } from '../kit/texts.ts';
import { OneTimeLink } from './one-time-link.tsx';
import { peopleChanged, type RoleAnswer, useRoles } from './queries.ts';
import type { RoleName } from './search.ts';
import { peopleTexts } from './texts.ts';

interface Invitee {
  readonly key: string;
  readonly email: string;
  readonly full_name: string;
  readonly role: RoleName;
}
type Invitees = { readonly people: Invitee[] };
type T = Translate<keyof typeof peopleTexts.en & string>;

const most = 20;

export function InviteForm({ close }: { close: () => void }) {
  const t = useTexts(peopleTexts);
  const roles = useRoles();
  const grantable = roles.data?.filter(({ may_grant }) => may_grant) ?? [];
  return (
    <DataState
      what={t('role')}
      loading={roles.isPending}
      error={roles.error}
      onRetry={() => void roles.refetch()}
      count={grantable.length}
      empty={{ icon: 'people', title: t('may.givesNone') }}
      rows={3}
    >
      <Form roles={grantable} close={close} />
    </DataState>
  );
}

/** Where a refusal of one person belongs: beside its fields; undefined where it is about none of them. */
function errorsOf(t: T, error: unknown): Readonly<Record<string, string>> | undefined {
  if (!(error instanceof ProblemError)) return undefined;
  if (error.code === 'already_user') return { email: t('invite.alreadyUser') };
  if (error.code === 'already_invited') return { email: t('invite.alreadyInvited') };
  if (error.code === 'role_not_granted') return { role: error.problem.detail };
  const errors = error.problem.errors ?? [];
  if (errors.length === 0 || errors.some(({ path }) => !['email', 'full_name', 'role'].includes(path)))
    return undefined;
  return Object.fromEntries(errors.map(({ path, message }) => [path, message]));
}

function Form({ roles, close }: { roles: readonly RoleAnswer[]; close: () => void }) {
  const t = useTexts(peopleTexts);
  const queries = useQueryClient();
  const [made, setMade] = useState<readonly NewInvitationAnswer[]>([]);
  const lowest = roles.at(-1)!.name as RoleName;
  const nobody = (): Invitee => ({ key: randomId(), email: '', full_name: '', role: lowest });
  const invite = useServerForm<Invitees>({
    initialValues: { people: [nobody()] },
    validate: {
      people: {
        email: (value, { people }) =>
          value === ''
            ? t('invite.required')
            : people.filter(({ email }) => email === value).length > 1
              ? t('invite.twice')
              : null,
        full_name: (value) => (value === '' ? t('invite.required') : null),
      },
    },
    async send({ people }) {
      const done: NewInvitationAnswer[] = [];
      const left: Invitee[] = [];
      const errors: Record<string, string> = {};
      let problem: unknown;
      for (const one of people) {
        const { email, full_name, role } = one;
        try {
          done.push(await client.accounts.invite({ body: { email, full_name, role } }));
        } catch (error) {
          const own = errorsOf(t, error);
          if (own === undefined) problem = error;
          for (const [path, message] of Object.entries(own ?? {})) errors[`people.${left.length}.${path}`] = message;
          left.push(one);
        }
      }
      setMade((before) => [...before, ...done]);
      form.setValues({ people: left });
      form.setErrors(errors);
      if (done.length > 0) await peopleChanged(queries);
      const first = Object.keys(errors)[0];
      if (first !== undefined) setTimeout(() => form.getInputNode(first)?.focus(), 0);
      if (problem !== undefined) throw problem;
    },
  });
  const { form } = invite;
  const { people } = form.values;
  return (
    <Stack gap="lg">
      <Made made={made} refused={people.length > 0} />
      {people.length === 0 ? (
        <Button variant="default" onClick={close} style={{ alignSelf: 'flex-end' }} data-autofocus>
          {t('link.close')}
        </Button>
      ) : (
        <form onSubmit={invite.onSubmit} noValidate>
          <Stack gap="md">
            {people.map(({ key }, at) => (
              <InviteeFields key={key} form={form} at={at} roles={roles} alone={people.length === 1} />
            ))}
            <Button
              variant="subtle"
              leftSection={<Icon name="plus" size={16} />}
              disabled={people.length >= most}
              onClick={() => form.insertListItem('people', nobody())}
              style={{ alignSelf: 'flex-start' }}
            >
              {t('invite.add')}
            </Button>
            <FormFoot of={invite} label={t('invite.send', { count: people.length })} />
          </Stack>
        </form>
      )}
    </Stack>
  );
}

function Made({ made, refused }: { made: readonly NewInvitationAnswer[]; refused: boolean }) {
  const t = useTexts(peopleTexts);
  if (made.length === 0) return null;
  return (
    <Stack gap="sm">
      <Alert role="status" color="teal" variant="light" icon={<Icon name="check" />} p="sm">
        {t('invite.made', { count: made.length })}
        {refused ? ` ${t('invite.some')}` : ''}
      </Alert>
      {made.map(({ id, full_name: name, setup_url: url, expires_at: until }) => (
        <OneTimeLink key={id} name={name} url={url} expiresAt={until} />
      ))}
    </Stack>
  );
}

function InviteeFields(props: {
  form: UseFormReturnType<Invitees>;
  at: number;
  roles: readonly RoleAnswer[];
  alone: boolean;
}) {
  const { form, at, roles, alone } = props;
  const t = useTexts(peopleTexts);
  const app = useTexts(appTexts);
  const number = at + 1;
  const fields = (
    <SimpleGrid cols={{ base: 1, sm: 3 }} spacing="sm">
      <TextInput
        type="email"
        label={t('invite.email')}
        autoComplete="off"
        spellCheck={false}
        // The dialog's own search for the first field comes before this form has loaded.
        autoFocus
        {...form.getInputProps(`people.${at}.email`)}
      />
      <TextInput label={t('invite.name')} autoComplete="off" {...form.getInputProps(`people.${at}.full_name`)} />
      <Select
        label={t('invite.role')}
        data={roles.map(({ name }) => ({ value: name, label: roleTitle(app, name) }))}
        allowDeselect={false}
        {...form.getInputProps(`people.${at}.role`)}
      />
    </SimpleGrid>
  );
  if (alone) return fields;
  return (
    <Fieldset legend={t('invite.person', { number })} variant="unstyled">
      <Group align="flex-start" wrap="nowrap" gap="xs">
        <div style={{ flex: 1 }}>{fields}</div>
        <ActionIcon
          variant="subtle"
          color="gray"
          mt={26}
          aria-label={t('invite.remove', { number })}
          onClick={() => form.removeListItem('people', at)}
        >
          <Icon name="close" size={16} />
        </ActionIcon>
      </Group>
    </Fieldset>
  );
}
