/** Files that must be there after a power loss: what fsync and rename need beside each other. */
import { mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Forces a file's bytes, or a folder's entries, to the disk. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** fsync of the file, rename, fsync of the folder. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await syncPath(from);
  await rename(from, to);
  await syncPath(dirname(to));
}

/** Makes a folder with those above it (0700) and fsyncs every folder that got a new entry. */
export async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = path; ; made = dirname(made)) {
    await syncPath(dirname(made));
    if (made === first || made === dirname(made)) return;
  }
}
