/** One person at the side of the list: the facts, and what may be done. Its address can be handed on. */
import { Badge, Button, Drawer, Group, Skeleton, Stack, Text } from '@mantine/core';
import { useModals } from '@mantine/modals';
import type { UserAnswer } from '../../../src/modules/accounts/contract.ts';
import { appTexts } from '../kit/app-texts.ts';
import { type Fact, FactList } from '../kit/fact-list.tsx';
import { Icon } from '../kit/icon.tsx';
import { ProblemAlert } from '../kit/problem.tsx';
import { useTexts } from '../kit/texts.ts';
import { Time } from '../kit/time.tsx';
import { RoleBadge, StateBadge } from './badges.tsx';
import { usePersonActions } from './person-actions.tsx';
import { usePerson, useRightsOver } from './queries.ts';
import { RoleFacts } from './role-facts.tsx';
import { peopleTexts } from './texts.ts';

export function PersonDrawer({ id, onClose }: { id: string | undefined; onClose: () => void }) {
  const t = useTexts(peopleTexts);
  const app = useTexts(appTexts);
  const { data, error } = usePerson(id);
  const { modals } = useModals();
  const person = id === undefined ? undefined : data;
  return (
    <Drawer
      opened={id !== undefined}
      onClose={onClose}
      position="right"
      size="md"
      // Escape closes a dialog above first.
      closeOnEscape={modals.length === 0}
      trapFocus={modals.length === 0}
      title={
        <Text span fw={650} size="lg">
          <bdi>{person?.full_name ?? t('person.title')}</bdi>
        </Text>
      }
      closeButtonProps={{ 'aria-label': app('app.close') }}
    >
      {person === undefined ? error === null ? <Waiting /> : <ProblemAlert error={error} /> : <Facts person={person} />}
    </Drawer>
  );
}

function Waiting() {
  const t = useTexts(appTexts);
  return (
    <Stack role="status" aria-label={t('app.loading')}>
      <Skeleton height={20} />
      <Skeleton height={20} />
      <Skeleton height={20} />
    </Stack>
  );
}

function Facts({ person }: { person: UserAnswer }) {
  const t = useTexts(peopleTexts);
  const actions = usePersonActions(person);
  const { self, roles } = useRightsOver(person);
  const role = roles.find(({ name }) => name === person.role);
  const last = person.last_sign_in_at;
  const facts: readonly Fact[] = [
    [t('column.email'), <bdi key="email">{person.email}</bdi>],
    [t('person.username'), <bdi key="username">{person.username}</bdi>],
    [
      t('column.role'),
      <Group key="role" gap="xs">
        <RoleBadge role={person.role} />
        {self ? <Badge variant="default">{t('you')}</Badge> : null}
      </Group>,
    ],
    [t('column.state'), <StateBadge key="state" active={person.is_active} />],
    [t('column.lastSignIn'), last === null ? t('never') : <Time key="last" value={last} />],
    [t('column.joined'), <Time key="joined" value={person.created_at} />],
    [t('person.changed'), <Time key="changed" value={person.updated_at} />],
  ];
  return (
    <Stack gap="lg">
      <FactList facts={facts} />
      {role === undefined ? null : (
        <div>
          <Text size="xs" c="dimmed" mb={4}>
            {t('person.may')}
          </Text>
          <RoleFacts role={role} />
        </div>
      )}
      {actions.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t(self ? 'person.self' : 'person.above')}
        </Text>
      ) : (
        <Stack gap="xs" align="stretch">
          {actions.map(({ id, label, icon, danger, run }) => (
            <Button
              key={id}
              variant={danger === true ? 'light' : 'default'}
              {...(danger === true ? { color: 'red' } : {})}
              justify="flex-start"
              leftSection={<Icon name={icon} size={16} />}
              onClick={run}
            >
              {label}
            </Button>
          ))}
        </Stack>
      )}
    </Stack>
  );
}
