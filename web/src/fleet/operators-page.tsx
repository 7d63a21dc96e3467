/** Those who run the installation. The last active one stays. */
import { Badge, Button, Group, Stack, TextInput } from '@mantine/core';
import { modals } from '@mantine/modals';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import type { OperatorAnswer } from '../../../src/modules/accounts/contract.ts';
import { SecretInput } from '../accounts/secret-input.tsx';
import { client, useSignedIn } from '../app/session.ts';
import { confirmByName } from '../kit/confirm-by-name.tsx';
import { DataState } from '../kit/data-state.tsx';
import { FormFoot, useServerForm } from '../kit/form.tsx';
import { Icon } from '../kit/icon.tsx';
import { NextPageFailed, useNextPage } from '../kit/next-page.tsx';
import { Page, PageHeader } from '../kit/page-header.tsx';
import { useTexts } from '../kit/texts.ts';
import { Time } from '../kit/time.tsx';
import { showDone, showProblem } from '../kit/toast.tsx';
import { type Column, VirtualTable } from '../kit/virtual-table.tsx';
import { operatorsQuery } from './queries.ts';
import { fleetTexts } from './texts.ts';

export function OperatorsPage() {
  const t = useTexts(fleetTexts);
  const list = useInfiniteQuery(operatorsQuery);
  const onEnd = useNextPage(list);
  const rows = useMemo(() => list.data?.pages.flatMap(({ items }) => items) ?? [], [list.data]);
  const columns = useColumns();
  const add = () => {
    const modalId = 'new-operator';
    modals.open({ modalId, title: t('operators.add'), children: <NewOperator close={() => modals.close(modalId)} /> });
  };
  return (
    <Page>
      <PageHeader
        title={t('nav.operators')}
        about={t('operators.about')}
        actions={
          <Button leftSection={<Icon name="plus" />} onClick={add}>
            {t('operators.add')}
          </Button>
        }
      />
      <DataState
        what={t('nav.operators')}
        loading={list.isPending}
        error={list.error}
        onRetry={() => void list.refetch()}
        count={rows.length}
        empty={{ icon: 'people', title: t('operators.empty') }}
        rows={3}
      >
        <VirtualTable
          label={t('nav.operators')}
          columns={columns}
          rows={rows}
          rowKey={({ id }) => id}
          rowHeight={52}
          onEnd={onEnd}
        />
        <NextPageFailed list={list} />
      </DataState>
    </Page>
  );
}

function useColumns(): readonly Column<OperatorAnswer>[] {
  const t = useTexts(fleetTexts);
  const { user } = useSignedIn();
  return [
    {
      id: 'name',
      title: t('operators.username'),
      width: 'minmax(8rem, 1fr)',
      cell: (one) => (
        <Group gap="xs" wrap="nowrap">
          <bdi>{one.username}</bdi>
          {one.id === user.id ? (
            <Badge variant="light" radius="sm">
              {t('operators.you')}
            </Badge>
          ) : null}
        </Group>
      ),
    },
    {
      id: 'email',
      title: t('company.email'),
      width: 'minmax(9rem, 1fr)',
      wideOnly: true,
      cell: ({ email }) => <bdi>{email}</bdi>,
    },
    {
      id: 'state',
      title: t('company.state'),
      width: '8rem',
      wideOnly: true,
      cell: (one) => t(one.is_active ? 'operators.active' : 'operators.inactive'),
    },
    {
      id: 'seen',
      title: t('operators.lastSignIn'),
      width: '9rem',
      wideOnly: true,
      cell: (one) => (one.last_sign_in_at === null ? t('size.never') : <Time value={one.last_sign_in_at} />),
    },
    {
      id: 'actions',
      title: t('operators.actions'),
      hiddenTitle: true,
      width: 'minmax(13rem, max-content)',
      align: 'end',
      cell: (one) => <RowActions one={one} />,
    },
  ];
}

function RowActions({ one }: { one: OperatorAnswer }) {
  const t = useTexts(fleetTexts);
  const queries = useQueryClient();
  const refresh = () => queries.invalidateQueries({ queryKey: operatorsQuery.queryKey });
  const [busy, setBusy] = useState(false);
  const params = { id: one.id };
  const toggle = async () => {
    setBusy(true);
    try {
      await client.accounts.updateOperator({ params, body: { is_active: !one.is_active } });
    } catch (error) {
      showProblem(error);
    } finally {
      setBusy(false);
      await refresh();
    }
  };
  const remove = () =>
    confirmByName({
      title: t('operators.removeTitle', { name: one.username }),
      about: t('operators.removeAbout'),
      name: one.username,
      confirm: t('operators.remove'),
      run: async () => {
        await client.accounts.deleteOperator({ params });
        showDone(t('operators.removed', { name: one.username }));
        await refresh();
      },
    });
  return (
    <Group gap={4} justify="flex-end" wrap="nowrap">
      <Button size="compact-sm" variant="subtle" loading={busy} onClick={() => void toggle()}>
        {t(one.is_active ? 'operators.deactivate' : 'operators.activate')}
      </Button>
      <Button size="compact-sm" variant="subtle" color="red" onClick={remove}>
        {t('operators.remove')}
      </Button>
    </Group>
  );
}

function NewOperator({ close }: { close: () => void }) {
  const t = useTexts(fleetTexts);
  const queries = useQueryClient();
  const add = useServerForm({
    initialValues: { username: '', email: '', full_name: '', password: '' },
    send: async ({ full_name, ...body }) => {
      await client.accounts.createOperator({ body: { ...body, ...(full_name === '' ? {} : { full_name }) } });
      showDone(t('operators.added', { name: body.username }));
      close();
      await queries.invalidateQueries({ queryKey: operatorsQuery.queryKey });
    },
  });
  const { form } = add;
  return (
    <form onSubmit={add.onSubmit} noValidate>
      <Stack gap="md">
        <TextInput
          label={t('operators.username')}
          description={t('operators.usernameHint')}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          data-autofocus
          {...form.getInputProps('username')}
        />
        <TextInput label={t('operators.fullName')} autoComplete="off" {...form.getInputProps('full_name')} />
        <TextInput label={t('company.email')} type="email" autoComplete="off" {...form.getInputProps('email')} />
        <SecretInput
          label={t('operators.password')}
          description={t('operators.passwordHint')}
          autoComplete="new-password"
          {...form.getInputProps('password')}
        />
        <FormFoot of={add} label={t('operators.add')} />
      </Stack>
    </form>
  );
}
