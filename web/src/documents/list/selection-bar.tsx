/** Stands in the place of the toolbar while rows are chosen: how many, the rest of them, and what to do with them. */
import { ActionIcon, Button, Group, Progress, Text } from '@mantine/core';
import { useFormats } from '../../kit/formats.ts';
import { Icon } from '../../kit/icon.tsx';
import { useTexts } from '../../kit/texts.ts';
import { documentsTexts } from '../texts.ts';
import classes from './list.module.css';
import type { RowAction } from './row-menu.tsx';
import type { Selection } from './selection.ts';
import type { Running } from './use-actions.ts';

export interface SelectionBarProps {
  readonly selection: Selection;
  readonly total: number;
  readonly actions: readonly RowAction[];
  readonly running: Running | undefined;
}

export function SelectionBar({ selection, total, actions, running }: SelectionBarProps) {
  const t = useTexts(documentsTexts);
  const formats = useFormats();
  if (running !== undefined) return <RunningBar running={running} />;
  return (
    <Group className={`${classes.bar} ${classes.chosen}`} gap="xs" role="region" aria-label={t('select.region')}>
      <ActionIcon variant="subtle" color="gray" onClick={selection.clear} aria-label={t('select.clear')}>
        <Icon name="close" />
      </ActionIcon>
      <Text size="sm" fw={600} role="status">
        {t('select.count', { count: selection.count })}
      </Text>
      {!selection.matching && selection.count < total ? (
        <Button size="compact-sm" variant="subtle" onClick={selection.all}>
          {t('select.all', { count: formats.number(total) })}
        </Button>
      ) : null}
      <Group gap={6} ms="auto">
        {actions.map(({ label, icon, run, danger = false }) => (
          <Button
            key={label}
            size="compact-sm"
            variant="default"
            onClick={run}
            leftSection={<Icon name={icon} size={16} />}
            {...(danger ? { c: 'var(--mantine-color-error)' } : {})}
          >
            {label}
          </Button>
        ))}
      </Group>
    </Group>
  );
}

function RunningBar({ running: { done, count, stop } }: { running: Running }) {
  const t = useTexts(documentsTexts);
  const said = t('bulk.running', { done, count });
  return (
    <Group className={`${classes.bar} ${classes.chosen}`} gap="md" wrap="nowrap">
      <Text size="sm" fw={600}>
        {said}
      </Text>
      <Progress.Root flex={1}>
        <Progress.Section value={count === 0 ? 0 : (done / count) * 100} aria-label={said} />
      </Progress.Root>
      {stop === undefined ? null : (
        <Button size="compact-sm" variant="default" onClick={stop}>
          {t('bulk.stop')}
        </Button>
      )}
    </Group>
  );
}
