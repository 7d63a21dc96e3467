/** A dialog that says what will happen before it does it; a refusal is shown in it, and it stays. */
import { Button, Group, Stack, Text } from '@mantine/core';
import { modals } from '@mantine/modals';
import { type ReactNode, useState } from 'react';
import { appTexts } from '../kit/app-texts.ts';
import { ProblemAlert } from '../kit/problem.tsx';
import { useTexts } from '../kit/texts.ts';

export interface Ask {
  readonly title: string;
  /** What it means. */
  readonly about: string;
  readonly confirm: string;
  readonly danger?: boolean;
  /** Does it. What it gives back is shown in place of the question; without that the dialog closes. */
  readonly run: () => Promise<ReactNode>;
}

export function ask(what: Ask): void {
  const modalId = 'ask';
  modals.open({ modalId, title: what.title, children: <Question {...what} close={() => modals.close(modalId)} /> });
}

function Question({ about, confirm, danger = false, run, close }: Ask & { close: () => void }) {
  const app = useTexts(appTexts);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const [answer, setAnswer] = useState<ReactNode>();
  const go = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      const shown = await run();
      if (shown === undefined || shown === null) close();
      else setAnswer(shown);
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  if (answer !== undefined) return answer;
  return (
    <Stack gap="md">
      <Text size="sm">{about}</Text>
      <ProblemAlert error={problem} />
      <Group justify="flex-end">
        <Button variant="default" onClick={close}>
          {app('app.cancel')}
        </Button>
        <Button {...(danger ? { color: 'red' } : {})} loading={busy} onClick={() => void go()} data-autofocus>
          {confirm}
        </Button>
      </Group>
    </Stack>
  );
}
