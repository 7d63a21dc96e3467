/** Uploads beside every page of a company: queue, tray, place to drop, dialog, commands. */
import { useCommands } from '../kit/commands.ts';
import { useShortcut } from '../kit/shortcuts.ts';
import { useTexts } from '../kit/texts.ts';
import { Announcer } from './announcer.tsx';
import { ConflictDialog } from './conflict-dialog.tsx';
import { DropOverlay } from './drop-overlay.tsx';
import { startQueue } from './queue.ts';
import { useUploadTarget } from './target.ts';
import { uploadsTexts } from './texts.ts';
import { Tray } from './tray.tsx';
import { useChooseUploads } from './upload-buttons.tsx';

startQueue();

export function UploadsBeside() {
  const t = useTexts(uploadsTexts);
  const choose = useChooseUploads();
  const { allowed } = useUploadTarget();
  const upload = () => choose('files');
  useShortcut(allowed ? { keys: 'u', label: t('pick.files'), scope: 'everywhere', run: upload } : undefined);
  useCommands(
    allowed
      ? [
          { id: 'upload-files', label: t('pick.files'), icon: 'upload', run: upload },
          { id: 'upload-folder', label: t('pick.folder'), icon: 'basket', run: () => choose('folder') },
        ]
      : [],
  );
  return (
    <>
      <Announcer />
      <Tray />
      <DropOverlay />
      <ConflictDialog />
    </>
  );
}
