/** A dialog for what cannot be taken back: the button works once the name stands there, letter by letter. */
import { Button, Group, Stack, Text, TextInput } from '@mantine/core';
import { modals } from '@mantine/modals';
import { type ReactNode, useState } from 'react';
import { appTexts } from './app-texts.ts';
import { ProblemAlert } from './problem.tsx';
import { useTexts } from './texts.ts';

export interface ConfirmByName {
  readonly title: string;
  /** What will happen. */
  readonly about: ReactNode;
  readonly name: string;
  readonly confirm: string;
  /** Does it; what it throws is shown in the dialog, which stays. */
  readonly run: () => Promise<unknown>;
}

export function confirmByName(what: ConfirmByName): void {
  const modalId = 'confirm-by-name';
  modals.open({ modalId, title: what.title, children: <Form {...what} close={() => modals.close(modalId)} /> });
}

function Form({ about, name, confirm, run, close }: ConfirmByName & { close: () => void }) {
  const t = useTexts(appTexts);
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const submit = async () => {
    if (typed !== name || busy) return;
    setBusy(true);
    setProblem(undefined);
    try {
      await run();
      close();
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  };
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Stack gap="md">
        <Text size="sm" component="div">
          {about}
        </Text>
        <TextInput
          label={t('confirm.type', { name })}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          autoComplete="off"
          spellCheck={false}
          data-autofocus
        />
        <ProblemAlert error={problem} />
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {t('app.cancel')}
          </Button>
          <Button type="submit" color="red" loading={busy} disabled={typed !== name}>
            {confirm}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
