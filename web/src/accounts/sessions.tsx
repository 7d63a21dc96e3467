/** The devices on which one is signed in, each with its end. */
import { Badge, Button, Group, Stack, Text } from '@mantine/core';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { SessionAnswer } from '../../../src/modules/accounts/contract.ts';
import { client } from '../app/session.ts';
import { DataState } from '../kit/data-state.tsx';
import { Icon } from '../kit/icon.tsx';
import { MoreButton } from '../kit/next-page.tsx';
import { useTexts } from '../kit/texts.ts';
import { Time } from '../kit/time.tsx';
import { showDone, showProblem } from '../kit/toast.tsx';
import { deviceOf } from './device.ts';
import classes from './sessions.module.css';
import { accountsTexts } from './texts.ts';

export function Sessions() {
  const t = useTexts(accountsTexts);
  const queries = useQueryClient();
  const [ending, setEnding] = useState<string>();
  const list = useInfiniteQuery({
    queryKey: ['sessions'],
    queryFn: ({ pageParam, signal }) =>
      client.accounts.listSessions({
        query: { limit: '50', ...(pageParam === '' ? {} : { cursor: pageParam }) },
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: ({ next_cursor }) => next_cursor,
  });
  const sessions = list.data?.pages.flatMap(({ items }) => items) ?? [];
  const end = async (id: string, run: () => Promise<unknown>, said: string) => {
    setEnding(id);
    try {
      await run();
      showDone(said);
      await queries.invalidateQueries({ queryKey: ['sessions'] });
    } catch (error) {
      showProblem(error);
    } finally {
      setEnding(undefined);
    }
  };
  return (
    <DataState
      what={t('account.sessions')}
      loading={list.isPending}
      error={list.error}
      onRetry={() => void list.refetch()}
      count={sessions.length}
      empty={{ icon: 'laptop', title: t('account.noSessions') }}
      rows={2}
    >
      <Stack component="ul" gap={0} className={classes.list ?? ''}>
        {sessions.map((session) => (
          <Row
            key={session.id}
            session={session}
            busy={ending === session.id}
            onEnd={() =>
              void end(session.id, () => client.accounts.endSession({ params: { id: session.id } }), t('account.ended'))
            }
          />
        ))}
      </Stack>
      <Group mt="md">
        <MoreButton list={list} />
        {sessions.length < 2 ? null : (
          <Button
            variant="default"
            loading={ending === 'others'}
            onClick={() => void end('others', () => client.accounts.endOtherSessions(), t('account.endedOthers'))}
          >
            {t('account.endOthers')}
          </Button>
        )}
      </Group>
    </DataState>
  );
}

function Row({ session, busy, onEnd }: { session: SessionAnswer; busy: boolean; onEnd: () => void }) {
  const t = useTexts(accountsTexts);
  const device = deviceOf(session.user_agent);
  const name = device === undefined ? t('account.unknownDevice') : t('account.device', { ...device });
  return (
    <Group component="li" className={classes.row ?? ''} wrap="nowrap" gap="md">
      <Icon name={session.client === 'web' ? 'laptop' : 'server'} />
      <div className={classes.facts}>
        <Group gap="xs">
          <Text size="sm" fw={500}>
            {name}
          </Text>
          {session.current ? (
            <Badge size="sm" radius="sm" variant="light">
              {t('account.this')}
            </Badge>
          ) : null}
        </Group>
        <Text size="xs" c="dimmed" component="div">
          {t('account.lastSeen')} <Time value={session.last_seen_at} />
          {session.ip === null ? '' : ` · ${session.ip}`}
        </Text>
      </div>
      {session.current ? null : (
        <Button
          size="compact-sm"
          variant="subtle"
          color="red"
          loading={busy}
          onClick={onEnd}
          aria-label={t('account.endOf', { device: name })}
        >
          {t('account.end')}
        </Button>
      )}
    </Group>
  );
}
