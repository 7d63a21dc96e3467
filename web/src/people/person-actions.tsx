/** What may be done with a person, each with a dialog that says what it means. Nothing where nothing may be done. */
import { Button, Radio, Stack, Text, TextInput } from '@mantine/core';
import { modals } from '@mantine/modals';
import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { UserAnswer } from '../../../src/modules/accounts/contract.ts';
import { roleTitle } from '../app/role-title.ts';
import { client } from '../app/session.ts';
import { appTexts } from '../kit/app-texts.ts';
import { FormFoot, useServerForm } from '../kit/form.tsx';
import type { IconName } from '../kit/icon.tsx';
import { type Translate, useTexts } from '../kit/texts.ts';
import { showDone } from '../kit/toast.tsx';
import { ask } from './ask.tsx';
import { OneTimeLink } from './one-time-link.tsx';
import { peopleChanged, type RoleAnswer, useRightsOver } from './queries.ts';
import { RoleFacts } from './role-facts.tsx';
import type { RoleName } from './search.ts';
import { peopleTexts } from './texts.ts';

export interface PersonAction {
  readonly id: 'rename' | 'role' | 'reset' | 'deactivate' | 'reactivate';
  readonly label: string;
  readonly icon: IconName;
  readonly danger?: boolean;
  readonly run: () => void;
}

type T = Translate<keyof typeof peopleTexts.en & string>;

export function usePersonActions(person: UserAnswer): readonly PersonAction[] {
  const t = useTexts(peopleTexts);
  const app = useTexts(appTexts);
  const queries = useQueryClient();
  const { below, grantable, roles } = useRightsOver(person);
  if (!below) return [];
  const choices = roles.filter(({ name }) => name === person.role || grantable.some((one) => one.name === name));
  const { full_name: name } = person;
  const rename: PersonAction = {
    id: 'rename',
    label: t('action.rename'),
    icon: 'edit',
    run: () => openDialog(t('rename.title', { name }), (close) => <Rename person={person} close={close} />),
  };
  const role: PersonAction = {
    id: 'role',
    label: t('action.role'),
    icon: 'key',
    run: () =>
      openDialog(t('role.title', { name }), (close) => <ChangeRole person={person} choices={choices} close={close} />),
  };
  const reset: PersonAction = {
    id: 'reset',
    label: t('action.reset'),
    icon: 'lock',
    run: () => askReset(t, person),
  };
  const state = person.is_active ? deactivation(t, queries, person) : reactivation(t, app, queries, person);
  return [rename, ...(choices.length > 1 ? [role] : []), ...(person.is_active ? [reset] : []), state];
}

function deactivation(t: T, queries: QueryClient, person: UserAnswer): PersonAction {
  const { id, full_name: name } = person;
  return {
    id: 'deactivate',
    label: t('action.deactivate'),
    icon: 'pause',
    danger: true,
    run: () =>
      ask({
        title: t('deactivate.title', { name }),
        about: t('deactivate.about', { name }),
        confirm: t('action.deactivate'),
        danger: true,
        async run() {
          await client.accounts.deactivateUser({ params: { id } });
          await peopleChanged(queries);
          showDone(t('deactivate.done', { name }));
          return null;
        },
      }),
  };
}

function reactivation(
  t: T,
  app: Parameters<typeof roleTitle>[0],
  queries: QueryClient,
  person: UserAnswer,
): PersonAction {
  const { id, full_name: name } = person;
  return {
    id: 'reactivate',
    label: t('action.reactivate'),
    icon: 'play',
    run: () =>
      ask({
        title: t('reactivate.title', { name }),
        about: t('reactivate.about', { name, role: roleTitle(app, person.role) }),
        confirm: t('action.reactivate'),
        async run() {
          await client.accounts.updateUser({ params: { id }, body: { is_active: true } });
          await peopleChanged(queries);
          showDone(t('reactivate.done', { name }));
          return null;
        },
      }),
  };
}

function askReset(t: T, { id, full_name: name, email }: UserAnswer): void {
  ask({
    title: t('reset.title', { name }),
    about: t('reset.about', { name }),
    confirm: t('reset.confirm'),
    async run() {
      const answer = await client.accounts.sendPasswordReset({ params: { id } });
      if (answer.reset_url === undefined) {
        showDone(t('reset.sent', { email }));
        return null;
      }
      return <LinkShown about={t('reset.link')} name={name} url={answer.reset_url} expiresAt={answer.expires_at} />;
    },
  });
}

/** The end of a dialog whose result is a link. */
export function LinkShown(props: { about?: string; name: string; url: string; expiresAt: string }) {
  const t = useTexts(peopleTexts);
  return (
    <Stack gap="md">
      {props.about === undefined ? null : (
        <Text size="sm" role="status">
          {props.about}
        </Text>
      )}
      <OneTimeLink name={props.name} url={props.url} expiresAt={props.expiresAt} />
      <Button variant="default" onClick={() => modals.closeAll()} style={{ alignSelf: 'flex-end' }}>
        {t('link.close')}
      </Button>
    </Stack>
  );
}

function openDialog(title: string, body: (close: () => void) => ReactNode): void {
  const modalId = 'person';
  modals.open({ modalId, title, children: body(() => modals.close(modalId)) });
}

function Rename({ person, close }: { person: UserAnswer; close: () => void }) {
  const t = useTexts(peopleTexts);
  const app = useTexts(appTexts);
  const queries = useQueryClient();
  const rename = useServerForm({
    initialValues: { full_name: person.full_name },
    async send(body) {
      await client.accounts.updateUser({ params: { id: person.id }, body });
      await peopleChanged(queries);
      showDone(t('rename.done'));
      close();
    },
  });
  return (
    <form onSubmit={rename.onSubmit} noValidate>
      <Stack gap="md">
        <TextInput
          label={t('rename.label')}
          autoComplete="off"
          data-autofocus
          {...rename.form.getInputProps('full_name')}
        />
        <FormFoot of={rename} label={app('app.save')} />
      </Stack>
    </form>
  );
}

function ChangeRole(props: { person: UserAnswer; choices: readonly RoleAnswer[]; close: () => void }) {
  const { person, choices, close } = props;
  const t = useTexts(peopleTexts);
  const app = useTexts(appTexts);
  const queries = useQueryClient();
  const change = useServerForm({
    initialValues: { role: person.role as RoleName },
    async send(body) {
      if (body.role !== person.role) {
        await client.accounts.updateUser({ params: { id: person.id }, body });
        await peopleChanged(queries);
        showDone(t('role.done', { name: person.full_name, role: roleTitle(app, body.role) }));
      }
      close();
    },
  });
  const title = ({ name }: RoleAnswer) => `${roleTitle(app, name)}${name === person.role ? ` (${t('role.now')})` : ''}`;
  const chosen = choices.find(({ name }) => name === change.form.values.role);
  return (
    <form onSubmit={change.onSubmit} noValidate>
      <Stack gap="md">
        <Text size="sm">{t('role.about')}</Text>
        <Radio.Group label={t('role.label')} {...change.form.getInputProps('role')}>
          <Stack gap="xs" mt="xs">
            {choices.map((role) => (
              <Radio key={role.name} value={role.name} label={title(role)} />
            ))}
          </Stack>
        </Radio.Group>
        {chosen === undefined ? null : (
          <div>
            <Text size="sm" fw={600} mb={4}>
              {t('person.may')}
            </Text>
            <RoleFacts role={chosen} />
          </div>
        )}
        <FormFoot of={change} label={t('action.role')} />
      </Stack>
    </form>
  );
}
