/** Short messages at the edge: done, done with a way back, refused. Spoken by screen readers. */
import { Button, Group, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { appTexts } from './app-texts.ts';
import { currentLanguage } from './language.ts';
import { ProblemNote } from './problem.tsx';
import { translate } from './texts.ts';

export function showDone(message: string): void {
  notifications.show({ message, color: 'teal', autoClose: 4_000, role: 'status' });
}

/** A refusal that has no place of its own on the page. */
export function showProblem(error: unknown): void {
  notifications.show({ message: <ProblemNote error={error} />, color: 'red', autoClose: 12_000, role: 'alert' });
}

/** Says what was done and offers to take it back; the time runs on only while nobody is at it. */
export function showUndo(message: string, undo: () => Promise<unknown>): void {
  const id = notifications.show({
    autoClose: 10_000,
    role: 'status',
    message: (
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm">{message}</Text>
        <Button
          size="compact-sm"
          variant="light"
          onClick={() => {
            notifications.hide(id);
            undo().catch(showProblem);
          }}
        >
          {translate(appTexts, currentLanguage(), 'app.undo')}
        </Button>
      </Group>
    ),
  });
}
