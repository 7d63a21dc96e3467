/** Asks what to do with a file whose name is taken: new version, keep both, skip; for one or for all. */
import { Button, Checkbox, Modal, Stack, Text } from '@mantine/core';
import { useRef, useState } from 'react';
import { useTexts } from '../kit/texts.ts';
import { answerConflict, type Choice } from './queue.ts';
import { useUploads } from './store.ts';
import { uploadsTexts } from './texts.ts';

const choices = [
  ['version', 'conflict.version', 'conflict.versionHint'],
  ['rename', 'conflict.keep', 'conflict.keepHint'],
  ['skip', 'conflict.skip', 'conflict.skipHint'],
] as const satisfies readonly (readonly [Choice, string, string])[];

export function ConflictDialog() {
  const t = useTexts(uploadsTexts);
  const item = useUploads().find(({ phase }) => phase === 'conflict');
  /** What it asked about stays readable while it closes. */
  const last = useRef(item);
  last.current = item ?? last.current;
  const shown = last.current;
  const [all, setAll] = useState(false);
  const answer = (choice: Choice) => {
    if (item !== undefined) answerConflict(item.key, choice, all);
    setAll(false);
  };
  const name = `\u2068${shown?.name ?? ''}\u2069`;
  return (
    <Modal
      opened={item !== undefined}
      // Closed without an answer: nothing happens to the file.
      onClose={() => answer('skip')}
      title={t('conflict.title')}
    >
      <Stack gap="sm">
        <Text size="sm">{t(shown?.heldByUpload === true ? 'conflict.upload' : 'conflict.document', { name })}</Text>
        {choices.map(([choice, label, hint]) => (
          <div key={choice}>
            <Button
              fullWidth
              variant={choice === 'version' ? 'filled' : 'default'}
              aria-describedby={`conflict-${choice}`}
              onClick={() => answer(choice)}
            >
              {t(label)}
            </Button>
            <Text size="xs" c="dimmed" mt={4} id={`conflict-${choice}`}>
              {t(hint)}
            </Text>
          </div>
        ))}
        <Checkbox label={t('conflict.all')} checked={all} onChange={(event) => setAll(event.currentTarget.checked)} />
      </Stack>
    </Modal>
  );
}
