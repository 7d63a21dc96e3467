/** Role, state of a person, state of an invitation: each a word in a frame, never a colour alone. */
import { Badge } from '@mantine/core';
import { roleTitle } from '../app/role-title.ts';
import { appTexts } from '../kit/app-texts.ts';
import { useTexts } from '../kit/texts.ts';
import type { Status } from './search.ts';
import { peopleTexts } from './texts.ts';

export function RoleBadge({ role }: { role: string }) {
  const t = useTexts(appTexts);
  return (
    <Badge variant="light" radius="sm" tt="none">
      {roleTitle(t, role)}
    </Badge>
  );
}

export function StateBadge({ active }: { active: boolean }) {
  const t = useTexts(peopleTexts);
  return (
    <Badge variant={active ? 'light' : 'default'} color="teal" radius="sm" tt="none">
      {t(active ? 'active' : 'inactive')}
    </Badge>
  );
}

const colors: Readonly<Record<Status, string>> = {
  pending: 'blue',
  accepted: 'teal',
  expired: 'red',
  cancelled: 'gray',
};

export function StatusBadge({ status, size = 'md' }: { status: Status; size?: 'xs' | 'md' }) {
  const t = useTexts(peopleTexts);
  return (
    <Badge
      variant={status === 'cancelled' ? 'default' : 'light'}
      color={colors[status]}
      size={size}
      radius="sm"
      tt="none"
      data-status={status}
    >
      {t(`status.${status}`)}
    </Badge>
  );
}
