/** Buttons that bring files into the queue, for any page; where nothing may be uploaded there are none. */
import { Button, Group } from '@mantine/core';
import { Icon } from '../kit/icon.tsx';
import { useTexts } from '../kit/texts.ts';
import { chooseFiles } from './gather.ts';
import { addFiles } from './queue.ts';
import { useUploadTarget } from './target.ts';
import { uploadsTexts } from './texts.ts';

/** Opens the browser's window for choosing; what is chosen goes where the address says. */
export function useChooseUploads(): (what: 'files' | 'folder') => void {
  const target = useUploadTarget();
  return (what) => {
    void chooseFiles(what).then((files) => addFiles(files, target));
  };
}

export function UploadButtons({ folder = true }: { folder?: boolean }) {
  const t = useTexts(uploadsTexts);
  const choose = useChooseUploads();
  const { allowed } = useUploadTarget();
  if (!allowed) return null;
  return (
    <Group gap="xs">
      {folder ? (
        <Button variant="default" leftSection={<Icon name="basket" />} onClick={() => choose('folder')}>
          {t('pick.folder')}
        </Button>
      ) : null}
      <Button leftSection={<Icon name="upload" />} onClick={() => choose('files')}>
        {t('pick.files')}
      </Button>
    </Group>
  );
}
