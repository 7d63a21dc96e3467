/** Questions before something is done with documents: into which basket, which tags, and whether for good. */
import { Button, Group, NativeSelect, Stack, TagsInput, Text } from '@mantine/core';
import { modals } from '@mantine/modals';
import { type ReactNode, useState } from 'react';
import type { Basket } from '../../../../src/modules/documents/contract.ts';
import { appTexts } from '../../kit/app-texts.ts';
import { confirmByName } from '../../kit/confirm-by-name.tsx';
import { type Translate, useTexts } from '../../kit/texts.ts';
import { type DocumentsKey, documentsTexts } from '../texts.ts';
import type { TagChange } from './use-actions.ts';

const modalId = 'documents';
const close = () => modals.close(modalId);

interface Asked {
  readonly title: string;
  readonly body: ReactNode;
}
const ask = ({ title, body }: Asked) => modals.open({ modalId, title, children: body });

function Foot({ label, disabled = false, danger = false }: { label: string; disabled?: boolean; danger?: boolean }) {
  const t = useTexts(appTexts);
  return (
    <Group justify="flex-end">
      <Button variant="default" onClick={close}>
        {t('app.cancel')}
      </Button>
      <Button type="submit" disabled={disabled} {...(danger ? { color: 'red' } : {})}>
        {label}
      </Button>
    </Group>
  );
}

function Form({ onSubmit, children }: { onSubmit: () => void; children: ReactNode }) {
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        close();
        onSubmit();
      }}
    >
      <Stack gap="md">{children}</Stack>
    </form>
  );
}

/** @param run with the basket's id, null for none */
export function askForBasket(title: string, baskets: readonly Basket[], run: (id: string | null) => void): void {
  ask({ title, body: <BasketForm baskets={baskets} run={run} /> });
}

function BasketForm({ baskets, run }: { baskets: readonly Basket[]; run: (id: string | null) => void }) {
  const t = useTexts(documentsTexts);
  const [chosen, choose] = useState('');
  // Into baskets in which one may only read nothing can be put.
  const open = baskets.filter(({ access }) => access !== 'read');
  return (
    <Form onSubmit={() => run(chosen === '' ? null : chosen)}>
      <NativeSelect
        label={t('move.target')}
        value={chosen}
        onChange={(event) => choose(event.currentTarget.value)}
        data={[{ value: '', label: t('move.none') }, ...open.map(({ id, name }) => ({ value: id, label: name }))]}
        data-autofocus
      />
      <Foot label={t('action.move')} />
    </Form>
  );
}

export function askForTags(
  title: string,
  known: readonly string[],
  present: readonly string[],
  run: (change: TagChange) => void,
): void {
  ask({ title, body: <TagForm known={known} present={present} run={run} /> });
}

interface TagFormProps {
  readonly known: readonly string[];
  readonly present: readonly string[];
  readonly run: (change: TagChange) => void;
}

/** What is left empty stays as it is. */
function TagForm({ known, present, run }: TagFormProps) {
  const t = useTexts(documentsTexts);
  const [add, setAdd] = useState<string[]>([]);
  const [remove, setRemove] = useState<string[]>([]);
  return (
    <Form onSubmit={() => run({ add, remove })}>
      <TagsInput
        label={t('tags.add')}
        data={[...known]}
        value={add}
        onChange={setAdd}
        acceptValueOnBlur
        data-autofocus
      />
      <TagsInput label={t('tags.remove')} data={[...present]} value={remove} onChange={setRemove} acceptValueOnBlur />
      <Text size="xs" c="dimmed">
        {t('tags.hint')}
      </Text>
      <Foot label={t('action.tag')} disabled={add.length + remove.length === 0} />
    </Form>
  );
}

/** One is asked about; more have to be typed. */
export function confirmPurge(
  t: Translate<DocumentsKey>,
  count: number,
  name: string | undefined,
  run: () => Promise<unknown>,
): void {
  const title = t('purge.title', { count });
  if (count > 1 || name === undefined) {
    const about = t('purge.about', { count });
    confirmByName({ title, about, name: t('purge.phrase', { count }), confirm: t('action.purge'), run });
    return;
  }
  ask({
    title,
    body: (
      <Form onSubmit={() => void run()}>
        <Text size="sm">{t('purge.one', { name })}</Text>
        <Foot label={t('action.purge')} danger />
      </Form>
    ),
  });
}
