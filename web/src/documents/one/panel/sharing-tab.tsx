/** With whom the document is shared: people and roles, what they may do; added, changed and taken back. */
import { ActionIcon, Button, Group, Select, Stack, Text } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Document, Share } from '../../../../../src/modules/documents/contract.ts';
import { client } from '../../../app/session.ts';
import { DataState } from '../../../kit/data-state.tsx';
import { Icon } from '../../../kit/icon.tsx';
import { ProblemAlert } from '../../../kit/problem.tsx';
import { useTexts } from '../../../kit/texts.ts';
import { showDone, showProblem, showUndo } from '../../../kit/toast.tsx';
import { documentKey } from '../queries.ts';
import { isForbidden, useRights, useShares } from '../rights.ts';
import { documentTexts } from '../texts.ts';
import classes from './panel.module.css';
import { isPerson, useGrantees, useNames } from './people.ts';

type Access = Share['access'];

export function SharingTab({ document }: { document: Document }) {
  const t = useTexts(documentTexts);
  const rights = useRights(document);
  const shares = useShares(document.id);
  const items = shares.data?.items ?? [];
  const nameOf = useNames(items.map(({ grantee }) => grantee));
  const { put, remove } = useSharing(document.id, nameOf);
  if (isForbidden(shares.error)) return <Text size="sm">{t('sharing.hidden')}</Text>;
  return (
    <Stack gap="md">
      {rights.full && document.trashed_at === null ? (
        <AddShare taken={items} owner={document.owner.id} onShare={put} />
      ) : (
        <Text size="sm" c="dimmed">
          {t('sharing.viewOnly')}
        </Text>
      )}
      <Text size="sm">
        {t('sharing.owner')}: <bdi>{document.owner.full_name}</bdi>
      </Text>
      <DataState
        what={t('tab.sharing')}
        loading={shares.isPending}
        error={shares.error}
        onRetry={() => void shares.refetch()}
        count={items.length}
        empty={{ icon: 'share', title: t('sharing.empty'), hint: t('sharing.emptyHint') }}
        rows={2}
      >
        <ul className={classes.list} aria-label={t('tab.sharing')}>
          {items.map((share) => (
            <Row
              key={share.grantee}
              of={share}
              name={nameOf(share.grantee)}
              editable={rights.full}
              onChange={(access) =>
                void put(share.grantee, access).then(
                  () => showDone(t('sharing.changed', { name: nameOf(share.grantee), access })),
                  showProblem,
                )
              }
              onRemove={() => void remove(share).catch(showProblem)}
            />
          ))}
        </ul>
      </DataState>
      {document.basket_id === null ? null : (
        <Text size="xs" c="dimmed">
          {t('sharing.basket')}
        </Text>
      )}
    </Stack>
  );
}

function useSharing(id: string, nameOf: (grantee: string) => string) {
  const t = useTexts(documentTexts);
  const queries = useQueryClient();
  const refresh = () =>
    Promise.all(
      ['shares', 'history'].map((part) => queries.invalidateQueries({ queryKey: [...documentKey(id), part] })),
    );
  const put = async (grantee: string, access: Access) => {
    await client.documents.putDocumentShare({ params: { id, grantee }, body: { access } });
    await refresh();
  };
  const remove = async ({ grantee, access }: Share) => {
    const name = nameOf(grantee);
    await client.documents.deleteDocumentShare({ params: { id, grantee } });
    showUndo(t('sharing.removed', { name }), () => put(grantee, access));
    await refresh();
  };
  return { put, remove };
}

interface AddShareProps {
  readonly taken: readonly Share[];
  readonly owner: string;
  readonly onShare: (grantee: string, access: Access) => Promise<void>;
}

function AddShare({ taken, owner, onShare }: AddShareProps) {
  const t = useTexts(documentTexts);
  const [grantee, setGrantee] = useState<string | null>(null);
  const [chosen, setChosen] = useState('');
  const [access, setAccess] = useState<Access>('read');
  const [search, setSearch] = useState('');
  const [asked] = useDebouncedValue(search === chosen ? '' : search, 250);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const { people, roles, loading } = useGrantees(asked);
  const free = (list: typeof people) =>
    list
      .filter(({ id }) => id !== owner && (id === grantee || !taken.some((share) => share.grantee === id)))
      .map(({ id, name }) => ({ value: id, label: name }));
  const data = [
    { group: t('sharing.people'), items: free(people) },
    { group: t('sharing.roles'), items: free(roles) },
  ];
  const share = async () => {
    if (grantee === null) return;
    setBusy(true);
    setProblem(undefined);
    try {
      await onShare(grantee, access);
      showDone(t('sharing.shared', { name: chosen }));
      setGrantee(null);
      setChosen('');
      setSearch('');
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Stack gap="xs">
      <Select
        label={t('sharing.add')}
        description={t('sharing.hint')}
        data={data.filter(({ items }) => items.length > 0)}
        value={grantee}
        onChange={(value, option) => {
          setGrantee(value);
          setChosen(option?.label ?? '');
        }}
        searchable
        clearable
        searchValue={search}
        onSearchChange={setSearch}
        // The server has searched people already; roles are few.
        filter={({ options }) => options}
        nothingFoundMessage={loading ? '…' : t('sharing.nobody')}
      />
      <Group gap="xs" align="end" wrap="nowrap">
        <AccessSelect label={t('sharing.rights')} value={access} onChange={setAccess} />
        <Button onClick={() => void share()} disabled={grantee === null} loading={busy}>
          {t('sharing.share')}
        </Button>
      </Group>
      <ProblemAlert error={problem} />
    </Stack>
  );
}

interface AccessSelectProps {
  readonly label: string;
  readonly hidden?: boolean;
  readonly value: Access;
  readonly readOnly?: boolean;
  readonly onChange: (access: Access) => void;
}

function AccessSelect({ label, hidden = false, value, readOnly = false, onChange }: AccessSelectProps) {
  const t = useTexts(documentTexts);
  return (
    <Select
      className={classes.rights ?? ''}
      size={hidden ? 'xs' : 'sm'}
      {...(hidden ? {} : { label })}
      aria-label={label}
      data={[
        { value: 'read', label: t('sharing.read') },
        { value: 'write', label: t('sharing.write') },
      ]}
      value={value}
      readOnly={readOnly}
      allowDeselect={false}
      onChange={(next) => {
        if ((next === 'read' || next === 'write') && next !== value) onChange(next);
      }}
    />
  );
}

interface RowProps {
  readonly of: Share;
  readonly name: string;
  readonly editable: boolean;
  readonly onChange: (access: Access) => void;
  readonly onRemove: () => void;
}

function Row({ of, name, editable, onChange, onRemove }: RowProps) {
  const t = useTexts(documentTexts);
  return (
    <li className={classes.row}>
      <Group gap="xs" wrap="nowrap">
        <Icon name={isPerson(of.grantee) ? 'person' : 'people'} />
        <Text size="sm" className={classes.grow ?? ''}>
          <bdi>{name}</bdi>
        </Text>
        <AccessSelect
          label={t('sharing.rightsOf', { name })}
          hidden
          value={of.access}
          readOnly={!editable}
          onChange={onChange}
        />
        {editable ? (
          <ActionIcon variant="subtle" color="gray" aria-label={t('sharing.remove', { name })} onClick={onRemove}>
            <Icon name="close" size={16} />
          </ActionIcon>
        ) : null}
      </Group>
    </li>
  );
}
