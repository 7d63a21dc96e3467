/** What can be done with one document, beside it. */
import { Menu } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import type { Document } from '../../../../src/modules/documents/contract.ts';
import { Icon, type IconName } from '../../kit/icon.tsx';
import { useTexts } from '../../kit/texts.ts';
import { documentsTexts } from '../texts.ts';
import classes from './list.module.css';

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
  // A list has thousands: the menu is made for the row where it is asked for.
  const [asked, setAsked] = useState(false);
  const label = t('row.actions', { name: row.filename });
  if (!asked) {
    return (
      <button
        type="button"
        className={classes.dots}
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={false}
        onClick={() => setAsked(true)}
      >
        <Icon name="dots" />
      </button>
    );
  }
  return (
    <Menu position="bottom-end" withinPortal shadow="md" defaultOpened>
      <Menu.Target>
        <button type="button" className={classes.dots} aria-label={label} data-autofocus>
          <Icon name="dots" />
        </button>
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
