/** States in words and colours; never in colours alone. */
import { Badge, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTexts } from '../kit/texts.ts';
import type { CompanyState, ItemStatus, RunStatus } from './kinds.ts';
import { companyNameQuery } from './queries.ts';
import { fleetTexts } from './texts.ts';

export type StepStatus = 'pending' | 'running' | 'done' | 'failed' | 'undone';

const colors = {
  active: 'teal',
  creating: 'blue',
  suspended: 'gray',
  deleting: 'red',
  purging: 'red',
  failed: 'red',
  running: 'blue',
  succeeded: 'teal',
  done: 'teal',
  stopped: 'gray',
  undone: 'gray',
  pending: 'gray',
  waiting: 'gray',
  skipped: 'gray',
} as const;

export function StateBadge({ state }: { state: CompanyState | ItemStatus | RunStatus | StepStatus }) {
  const t = useTexts(fleetTexts);
  return (
    <Badge variant={colors[state] === 'gray' ? 'default' : 'light'} color={colors[state]} radius="sm">
      {t(`state.${state}`)}
    </Badge>
  );
}

/** A company's name that leads to its page; its id until the name is known. */
export function CompanyLink({ id, name }: { id: string; name?: string }) {
  const { data } = useQuery({ ...companyNameQuery(id), enabled: name === undefined });
  return (
    <Text
      component={Link}
      to={`/operator/companies/${id}`}
      size="sm"
      fw={500}
      lh="1.5rem"
      display="inline-block"
      maw="100%"
      truncate
      style={{ verticalAlign: 'middle' }}
      c="var(--mantine-color-anchor)"
    >
      <bdi>{name ?? data?.name ?? id}</bdi>
    </Text>
  );
}
