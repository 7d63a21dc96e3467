/** Metadata: rows of names and values, saved as a whole when one leaves them. */
import { ActionIcon, Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { Icon } from '../../../kit/icon.tsx';
import { useTold } from '../../../kit/problem.tsx';
import { useTexts } from '../../../kit/texts.ts';
import { documentTexts } from '../texts.ts';
import { type Fact, factsOf, factsText, type Metadata, metadataOf } from './facts.ts';
import type { FieldSave } from './field-save.ts';
import classes from './panel.module.css';
import { ConflictNote, SaveMark } from './save-mark.tsx';

interface Row extends Fact {
  readonly id: number;
}

let made = 0;
const rowsOf = (metadata: Metadata): Row[] =>
  factsOf(metadata).map((fact) => {
    made += 1;
    return { ...fact, id: made };
  });

export function MetadataField({ of, readOnly }: { of: FieldSave<Metadata>; readOnly: boolean }) {
  const t = useTexts(documentTexts);
  const { rows, set, problem } = useRows(of);
  const told = useTold(of.error);
  const frame = useRef<HTMLFieldSetElement>(null);
  const save = () => {
    if (problem === undefined) void of.save();
  };
  const change = (id: number, part: Partial<Fact>) =>
    set(rows.map((row) => (row.id === id ? { ...row, ...part } : row)));
  const error =
    problem === undefined ? (of.state === 'refused' ? told.message : undefined) : t(problem.text, { key: problem.key });
  return (
    <fieldset
      ref={frame}
      className={classes.fieldset}
      onBlur={({ relatedTarget }) => {
        if (!frame.current?.contains(relatedTarget as Node | null)) save();
      }}
      onKeyDown={({ key }) => {
        if (key === 'Enter') save();
      }}
    >
      <legend className={classes.legend}>
        {t('info.metadata')} <SaveMark state={of.state} />
      </legend>
      <Stack gap={6}>
        {rows.length === 0 ? (
          <Text size="xs" c="dimmed">
            {t('info.noFacts')}
          </Text>
        ) : null}
        {rows.map((row, at) => (
          <Group key={row.id} gap={6} wrap="nowrap">
            <TextInput
              size="xs"
              className={classes.key ?? ''}
              aria-label={t('info.key', { number: at + 1 })}
              placeholder={t('info.keyPlaceholder')}
              value={row.key}
              maxLength={100}
              readOnly={readOnly}
              onChange={({ currentTarget }) => change(row.id, { key: currentTarget.value })}
            />
            <TextInput
              size="xs"
              className={classes.value ?? ''}
              aria-label={t('info.value', { key: row.key })}
              placeholder={t('info.valuePlaceholder')}
              value={row.text}
              readOnly={readOnly}
              onChange={({ currentTarget }) => change(row.id, { text: currentTarget.value })}
            />
            {readOnly ? null : (
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={t('info.removeFact', { key: row.key })}
                onClick={() => {
                  const left = set(rows.filter(({ id }) => id !== row.id));
                  if (left !== undefined) void of.save(left);
                }}
              >
                <Icon name="close" size={16} />
              </ActionIcon>
            )}
          </Group>
        ))}
        {error === undefined ? null : (
          <Text size="xs" c="var(--mantine-color-error)" role="alert">
            {error}
          </Text>
        )}
        <ConflictNote of={of} draw={factsText} />
        {readOnly ? null : (
          <Button
            size="compact-xs"
            variant="subtle"
            className={classes.add ?? ''}
            leftSection={<Icon name="plus" size={14} />}
            onClick={() => {
              made += 1;
              set([...rows, { id: made, key: '', text: '', kind: 'text' }]);
              focusLastKey(frame.current);
            }}
          >
            {t('info.addFact')}
          </Button>
        )}
      </Stack>
    </fieldset>
  );
}

function focusLastKey(frame: HTMLElement | null): void {
  setTimeout(() => {
    const inputs = frame?.querySelectorAll<HTMLInputElement>(`.${classes.key} input`);
    inputs?.item(inputs.length - 1)?.focus();
  }, 0);
}

/** Rows as they are typed; what they say together is the value, where they say anything. */
function useRows(of: FieldSave<Metadata>) {
  const [rows, setRows] = useState(() => rowsOf(of.value));
  const read = metadataOf(rows);
  const said = 'metadata' in read ? JSON.stringify(read.metadata) : undefined;
  const kept = JSON.stringify(of.value);
  const invalid = 'problem' in read;
  const idle = of.state === 'idle' || of.state === 'saved';
  // Somebody else's change, or theirs taken: shown, where nothing of one's own stands here.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only what is kept, not what is typed.
  useEffect(() => {
    if (idle && !invalid && said !== kept) setRows(rowsOf(of.value));
  }, [kept, idle]);
  const set = (next: Row[]): Metadata | undefined => {
    setRows(next);
    const result = metadataOf(next);
    if (!('metadata' in result)) return undefined;
    of.change(result.metadata);
    return result.metadata;
  };
  return { rows, set, problem: 'problem' in read ? read.problem : undefined };
}
