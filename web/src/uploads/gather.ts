/** Files out of what a person drops, pastes or chooses; folders are walked through. */

/** Whether a drag carries files: text and links that are dragged about are none of ours. */
export const carriesFiles = (transfer: DataTransfer | null): transfer is DataTransfer =>
  transfer?.types.includes('Files') === true;

/** How many files a drag carries, as far as a browser tells before the drop; a folder counts as one. */
export const filesIn = (transfer: DataTransfer): number =>
  [...transfer.items].filter(({ kind }) => kind === 'file').length;

/** Reads what is there at once: afterwards the browser takes it away. */
export async function filesOfDrop(transfer: DataTransfer): Promise<readonly File[]> {
  const items = [...transfer.items].filter(({ kind }) => kind === 'file');
  const taken = items.map((item) => ({ entry: item.webkitGetAsEntry?.() ?? null, file: item.getAsFile() }));
  if (taken.length === 0) return [...transfer.files];
  const found = await Promise.all(
    taken.map(async ({ entry, file }) => {
      if (entry?.isDirectory === true) return await filesBelow(entry as FileSystemDirectoryEntry);
      return file === null ? [] : [file];
    }),
  );
  return found.flat();
}

async function filesBelow(folder: FileSystemDirectoryEntry): Promise<readonly File[]> {
  const reader = folder.createReader();
  const files: File[] = [];
  // It gives a hundred at a time, and none at the end.
  for (;;) {
    const entries = await new Promise<FileSystemEntry[]>((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (entries.length === 0) return files;
    for (const entry of entries) {
      if (isLitter(entry.name)) continue;
      if (entry.isDirectory) files.push(...(await filesBelow(entry as FileSystemDirectoryEntry)));
      else {
        const file = await new Promise<File | undefined>((resolve) =>
          (entry as FileSystemFileEntry).file(resolve, () => resolve(undefined)),
        );
        if (file !== undefined) files.push(file);
      }
    }
  }
}

/** What systems leave in folders. */
const isLitter = (name: string): boolean => ['.DS_Store', 'Thumbs.db', 'desktop.ini'].includes(name);

/** A picture out of the clipboard is always called the same: it gets the time as its name. */
export function filesOfPaste(transfer: DataTransfer | null, now = new Date()): readonly File[] {
  return [...(transfer?.files ?? [])].map((file) => {
    if (!/^image\.[a-z]+$/.test(file.name)) return file;
    const stamp = now.toISOString().slice(0, 19).replace('T', ' ').replaceAll(':', '.');
    const name = `${stamp}${file.name.slice('image'.length)}`;
    return new File([file], name, { type: file.type, lastModified: file.lastModified });
  });
}

/** The browser's own window for choosing. Gives nothing where it was closed. */
export function chooseFiles(what: 'files' | 'folder' | 'one'): Promise<readonly File[]> {
  return new Promise((resolve) => {
    const input = document.createElement('input');
    input.type = 'file';
    input.multiple = what !== 'one';
    input.webkitdirectory = what === 'folder';
    input.addEventListener('change', () => {
      resolve([...(input.files ?? [])].filter(({ name }) => what !== 'folder' || !isLitter(name)));
    });
    input.addEventListener('cancel', () => resolve([]));
    input.click();
  });
}
