/** The actions of one row of people; nothing for those whom one may not change. */
import { ActionIcon, Menu } from '@mantine/core';
import type { UserAnswer } from '../../../src/modules/accounts/contract.ts';
import { Icon } from '../kit/icon.tsx';
import { useTexts } from '../kit/texts.ts';
import { usePersonActions } from './person-actions.tsx';
import { peopleTexts } from './texts.ts';

export function PersonMenu({ person }: { person: UserAnswer }) {
  const t = useTexts(peopleTexts);
  const actions = usePersonActions(person);
  if (actions.length === 0) return null;
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={t('actionsFor', { name: person.full_name })}>
          <Icon name="dots" size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {actions.map(({ id, label, icon, danger, run }) => (
          <Menu.Item
            key={id}
            {...(danger === true ? { color: 'red' } : {})}
            leftSection={<Icon name={icon} size={16} />}
            onClick={run}
          >
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
