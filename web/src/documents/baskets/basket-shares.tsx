/** With whom a basket is shared: people and roles that the sharer can see, to read or to write. */
import { ActionIcon, Button, Group, NativeSelect, Select, Stack, Text } from '@mantine/core';
import { modals } from '@mantine/modals';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Basket, Share } from '../../../../src/modules/documents/contract.ts';
import { roleTitle } from '../../app/role-title.ts';
import { client } from '../../app/session.ts';
import { appTexts } from '../../kit/app-texts.ts';
import { DataState } from '../../kit/data-state.tsx';
import { Icon } from '../../kit/icon.tsx';
import { useTexts } from '../../kit/texts.ts';
import { showProblem } from '../../kit/toast.tsx';
import { documentsTexts } from '../texts.ts';

export function openBasketShares(title: string, basket: Basket): void {
  modals.open({ modalId: 'basket-shares', title, size: 'lg', children: <BasketShares basket={basket} /> });
}

type Access = Share['access'];

/** The names of whom a share can be given to, by what the server calls them. */
function useGrantees() {
  const app = useTexts(appTexts);
  const people = useQuery({
    queryKey: ['people', 'grantees'],
    queryFn: ({ signal }) =>
      client.accounts.listUsers({ query: { limit: '200', is_active: 'true', sort: 'full_name' }, signal }),
  });
  const roles = useQuery({
    queryKey: ['people', 'roles'],
    queryFn: ({ signal }) => client.accounts.listRoles({ signal }),
  });
  return {
    people: (people.data?.items ?? []).map(({ id, full_name, email }) => ({
      value: id,
      label: `${full_name} (${email})`,
    })),
    roles: (roles.data?.items ?? []).map(({ name }) => ({ value: name, label: roleTitle(app, name) })),
  };
}

function BasketShares({ basket }: { basket: Basket }) {
  const t = useTexts(documentsTexts);
  const queries = useQueryClient();
  const grantees = useGrantees();
  const names = new Map([...grantees.people, ...grantees.roles].map(({ value, label }) => [value, label]));
  const queryKey = ['basket-shares', basket.id];
  const shares = useQuery({
    queryKey,
    queryFn: ({ signal }) => client.documents.listBasketShares({ params: { id: basket.id }, signal }),
  });
  const change = async (run: Promise<unknown>) => {
    try {
      await run;
    } catch (error) {
      showProblem(error);
    }
    await queries.invalidateQueries({ queryKey });
  };
  const put = (grantee: string, access: Access) =>
    change(client.documents.putBasketShare({ params: { id: basket.id, grantee }, body: { access } }));
  const items = shares.data?.items ?? [];
  return (
    <Stack gap="md">
      <AddShare
        groups={[
          { group: t('shares.roles'), items: grantees.roles },
          { group: t('shares.people'), items: grantees.people.filter(({ value }) => value !== basket.owner.id) },
        ]}
        add={put}
      />
      <DataState
        what={t('shares.list')}
        loading={shares.isPending}
        error={shares.error}
        onRetry={() => void shares.refetch()}
        count={items.length}
        empty={{ icon: 'lock', title: t('shares.none') }}
        rows={2}
      >
        <Stack component="ul" gap="xs" p={0} m={0} style={{ listStyle: 'none' }}>
          {items.map(({ grantee, access }) => (
            <Group component="li" key={grantee} wrap="nowrap">
              <Text size="sm" flex={1} truncate>
                <bdi>{names.get(grantee) ?? grantee}</bdi>
              </Text>
              <AccessField value={access} onChange={(next) => void put(grantee, next)} />
              <ActionIcon
                variant="subtle"
                color="red"
                aria-label={t('shares.remove', { name: names.get(grantee) ?? grantee })}
                onClick={() => void change(client.documents.deleteBasketShare({ params: { id: basket.id, grantee } }))}
              >
                <Icon name="close" />
              </ActionIcon>
            </Group>
          ))}
        </Stack>
      </DataState>
    </Stack>
  );
}

function AccessField({ value, onChange }: { value: Access; onChange: (access: Access) => void }) {
  const t = useTexts(documentsTexts);
  return (
    <NativeSelect
      aria-label={t('shares.access')}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value as Access)}
      data={(['read', 'write'] as const).map((access) => ({ value: access, label: t(`shares.${access}`) }))}
    />
  );
}

interface AddShareProps {
  readonly groups: { group: string; items: { value: string; label: string }[] }[];
  readonly add: (grantee: string, access: Access) => Promise<void>;
}

function AddShare({ groups, add }: AddShareProps) {
  const t = useTexts(documentsTexts);
  const [grantee, setGrantee] = useState<string | null>(null);
  const [access, setAccess] = useState<Access>('read');
  const submit = async () => {
    if (grantee === null) return;
    await add(grantee, access);
    setGrantee(null);
  };
  return (
    <Group align="flex-end" gap="xs">
      <Select
        flex={1}
        miw={200}
        label={t('shares.who')}
        searchable
        data={groups}
        value={grantee}
        onChange={setGrantee}
        data-autofocus
      />
      <AccessField value={access} onChange={setAccess} />
      <Button disabled={grantee === null} onClick={() => void submit()}>
        {t('shares.add')}
      </Button>
    </Group>
  );
}
