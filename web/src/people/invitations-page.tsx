/** Invitations in all their states; the open ones can be sent again or withdrawn, those that ran out sent again. */
import { Box, Button, Group, SegmentedControl, Select, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { InvitationAnswer } from '../../../src/modules/accounts/contract.ts';
import { client, useSignedIn } from '../app/session.ts';
import { DataState } from '../kit/data-state.tsx';
import { useFormats } from '../kit/formats.ts';
import { NextPageFailed, useNextPage } from '../kit/next-page.tsx';
import { useTexts } from '../kit/texts.ts';
import { Time } from '../kit/time.tsx';
import { showDone } from '../kit/toast.tsx';
import { type Column, VirtualTable } from '../kit/virtual-table.tsx';
import { ask } from './ask.tsx';
import { RoleBadge, StatusBadge } from './badges.tsx';
import classes from './people.module.css';
import { InviteButton, PeopleFrame } from './people-frame.tsx';
import { LinkShown } from './person-actions.tsx';
import { peopleChanged, useInvitations, usePerson, useRoles } from './queries.ts';
import { invitationsSearch, statuses } from './search.ts';
import { peopleTexts } from './texts.ts';

export function InvitationsPage() {
  const t = useTexts(peopleTexts);
  const search = invitationsSearch(useSearch({ strict: false }));
  const navigate = useNavigate();
  const list = useInvitations(search);
  const onEnd = useNextPage(list);
  const columns = useColumns();
  const invitations = list.data?.pages.flatMap(({ items }) => items) ?? [];
  const total = list.data?.pages[0]?.total;
  const choose = (status: string | null) =>
    void navigate({ to: '/people/invitations', search: invitationsSearch({ status }), replace: true });
  const choices = [
    { value: '', label: t('invitations.all') },
    ...statuses.map((value) => ({ value, label: t(`status.${value}`) })),
  ];
  return (
    <PeopleFrame tab="invitations">
      <Group mb="md">
        <SegmentedControl
          visibleFrom="sm"
          aria-label={t('invitations.status')}
          data={choices}
          value={search.status ?? ''}
          onChange={choose}
        />
        <Select
          hiddenFrom="sm"
          className={classes.search ?? ''}
          aria-label={t('invitations.status')}
          data={choices}
          value={search.status ?? ''}
          allowDeselect={false}
          onChange={choose}
        />
      </Group>
      <DataState
        what={t('invitations.what')}
        loading={list.isPending}
        error={list.error}
        onRetry={() => void list.refetch()}
        count={invitations.length}
        onClearFilters={search.status === undefined ? undefined : () => choose(null)}
        empty={{
          icon: 'mail',
          title: t('invitations.empty'),
          hint: t('invitations.emptyHint'),
          action: <InviteButton />,
        }}
      >
        <VirtualTable
          label={t('invitations.what')}
          columns={columns}
          rows={invitations}
          rowKey={({ id }) => id}
          total={total}
          rowHeight={64}
          onEnd={onEnd}
        />
        <NextPageFailed list={list} />
      </DataState>
    </PeopleFrame>
  );
}

function useColumns(): readonly Column<InvitationAnswer>[] {
  const t = useTexts(peopleTexts);
  const formats = useFormats();
  return [
    {
      id: 'person',
      title: t('column.person'),
      width: 'minmax(7.5rem, 2fr)',
      cell: ({ full_name: name, email, status }) => (
        <>
          <Text size="sm" fw={500} truncate>
            <bdi>{name}</bdi>
          </Text>
          <Text size="xs" c="dimmed" truncate>
            <bdi>{email}</bdi>
          </Text>
          <Box hiddenFrom="sm" lh={1}>
            <StatusBadge status={status} size="xs" />
          </Box>
        </>
      ),
    },
    {
      id: 'role',
      title: t('column.role'),
      width: 'minmax(7rem, 1fr)',
      wideOnly: true,
      cell: ({ role }) => <RoleBadge role={role} />,
    },
    {
      id: 'status',
      title: t('column.state'),
      width: 'minmax(9rem, 0.75fr)',
      // Below the name where there is no room for a column.
      wideOnly: true,
      cell: ({ status }) => <StatusBadge status={status} />,
    },
    {
      id: 'by',
      title: t('column.invitedBy'),
      width: 'minmax(8rem, 1fr)',
      wideOnly: true,
      cell: ({ invited_by: by }) => <Inviter id={by} />,
    },
    {
      id: 'sent',
      title: t('column.sent'),
      width: 'minmax(7rem, 0.75fr)',
      wideOnly: true,
      cell: ({ created_at: at }) => <Time value={at} />,
    },
    {
      id: 'expires',
      title: t('column.expires'),
      width: 'minmax(8rem, 0.75fr)',
      wideOnly: true,
      cell: ({ status, expires_at: at }) => (status === 'pending' || status === 'expired' ? formats.date(at) : '–'),
    },
    {
      id: 'actions',
      title: t('column.actions'),
      width: 'minmax(7rem, 13rem)',
      align: 'end',
      hiddenTitle: true,
      cell: (invitation) => <Actions invitation={invitation} />,
    },
  ];
}

/** Who invited, as far as one may see them: those above oneself have no name here. */
function Inviter({ id }: { id: string | null }) {
  const { user } = useSignedIn();
  const known = id?.startsWith('user_') === true && id !== user.id ? id : undefined;
  const { data } = usePerson(known);
  if (id === user.id) return <bdi>{user.full_name}</bdi>;
  return known === undefined || data === undefined ? '–' : <bdi>{data.full_name}</bdi>;
}

function Actions({ invitation }: { invitation: InvitationAnswer }) {
  const t = useTexts(peopleTexts);
  const queries = useQueryClient();
  const { data: roles = [] } = useRoles();
  const { id, full_name: name, status, role } = invitation;
  if (status !== 'pending' && status !== 'expired') return null;
  const mayGive = roles.some((one) => one.name === role && one.may_grant);
  const resend = () =>
    ask({
      title: t('resend.title', { name }),
      about: t('resend.about'),
      confirm: t('resend'),
      async run() {
        const made = await client.accounts.resendInvitation({ params: { id } });
        await peopleChanged(queries);
        return (
          <LinkShown
            about={t('invite.made', { count: 1 })}
            name={name}
            url={made.setup_url}
            expiresAt={made.expires_at}
          />
        );
      },
    });
  const withdraw = () =>
    ask({
      title: t('withdraw.title', { name }),
      about: t('withdraw.about'),
      confirm: t('withdraw'),
      danger: true,
      async run() {
        await client.accounts.cancelInvitation({ params: { id } });
        await peopleChanged(queries);
        showDone(t('withdraw.done', { name }));
        return null;
      },
    });
  return (
    <Group gap={4} justify="flex-end">
      {mayGive ? (
        <Button size="compact-xs" variant="light" onClick={resend} aria-label={t('resend.for', { name })}>
          {t('resend')}
        </Button>
      ) : null}
      <Button
        size="compact-xs"
        variant="subtle"
        color="red"
        onClick={withdraw}
        aria-label={t('withdraw.for', { name })}
      >
        {t('withdraw')}
      </Button>
    </Group>
  );
}
