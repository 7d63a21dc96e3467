/** What can be done with one document, beside it. */
import { ActionIcon, Menu } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Document } from '../../../../src/modules/documents/contract.ts';
import { Icon, type IconName } from '../../kit/icon.tsx';
import { useTexts } from '../../kit/texts.ts';
import { documentsTexts } from '../texts.ts';

export interface RowAction {
  readonly label: string;
  readonly icon: IconName;
  readonly run: () => void;
  readonly danger?: boolean;
}

export function RowMenu({
  row,
  actions,
}: {
  row: Document;
  actions: (row: Document) => readonly RowAction[];
}): ReactNode {
  const t = useTexts(documentsTexts);
  return (
    <Menu position="bottom-end" withinPortal shadow="md">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={t('row.actions', { name: row.filename })}>
          <Icon name="dots" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {actions(row).map(({ label, icon, run, danger = false }) => (
          <Menu.Item
            key={label}
            leftSection={<Icon name={icon} size={16} />}
            onClick={run}
            {...(danger ? { color: 'red' } : {})}
          >
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
