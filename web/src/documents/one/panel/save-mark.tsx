/** The quiet word beside a field (saving, saved, not saved yet), and both sides of a conflict until one is chosen. */
import { Alert, Button, Group, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { Icon } from '../../../kit/icon.tsx';
import { useTexts } from '../../../kit/texts.ts';
import { documentTexts } from '../texts.ts';
import type { FieldSave, SaveState } from './field-save.ts';
import classes from './panel.module.css';

export function SaveMark({ state }: { state: SaveState }) {
  const t = useTexts(documentTexts);
  const known = state === 'saving' || state === 'saved' || state === 'unsaved';
  return (
    <span role="status" className={classes.mark}>
      {state === 'saved' ? <Icon name="check" size={14} /> : null}
      {known ? t(`save.${state}`) : null}
    </span>
  );
}

/** @param draw a value as people read it; empty where there is nothing */
export function ConflictNote<Value>({ of, draw }: { of: FieldSave<Value>; draw: (value: Value) => ReactNode }) {
  const t = useTexts(documentTexts);
  const { conflict } = of;
  if (conflict === undefined) return null;
  const { theirs, by } = conflict;
  const title =
    theirs === undefined
      ? t('save.replaced')
      : by === undefined
        ? t('save.conflictSomebody')
        : t('save.conflict', { name: by });
  return (
    <Alert role="alert" color="red" variant="light" icon={<Icon name="alert" />} title={title} p="sm">
      {theirs === undefined ? (
        <Text size="sm">{t('save.replacedHint')}</Text>
      ) : (
        <dl className={classes.sides}>
          <dt>{t('save.now')}</dt>
          <dd>
            <Side>{draw(theirs)}</Side>
          </dd>
          <dt>{t('save.yours')}</dt>
          <dd>
            <Side>{draw(of.value)}</Side>
          </dd>
        </dl>
      )}
      <Group gap="xs" mt="xs">
        <Button size="xs" variant="default" onClick={() => void of.keepMine()}>
          {t('save.keepMine')}
        </Button>
        <Button size="xs" variant="default" onClick={of.takeTheirs}>
          {t('save.takeTheirs')}
        </Button>
      </Group>
    </Alert>
  );
}

function Side({ children }: { children: ReactNode }) {
  const t = useTexts(documentTexts);
  return children === '' ? <em>{t('save.nothing')}</em> : <bdi>{children}</bdi>;
}
