/**
 * What a browser remembers of unfinished uploads, so that a reload or a crash loses none: facts in localStorage, one
 * entry for each upload (tabs then never write over each other), and the files themselves in IndexedDB. Kept by company
 * and person; the files go when somebody signs out.
 */
import type { UploadItem } from './item.ts';

export type Kept = Pick<
  UploadItem,
  'key' | 'name' | 'size' | 'modified' | 'type' | 'basketId' | 'basketName' | 'version' | 'uploadId' | 'onConflict'
> & { readonly paused: boolean; readonly begun: boolean };

const prefix = (owner: string): string => `strongroom.uploads.${owner}.`;

export function keepRecord(owner: string, record: Kept): void {
  try {
    localStorage.setItem(prefix(owner) + record.key, JSON.stringify(record));
  } catch {
    // Not remembered: the upload goes on while the page lives.
  }
}

export function forgetRecord(owner: string, key: string): void {
  try {
    localStorage.removeItem(prefix(owner) + key);
  } catch {
    // Nothing was kept.
  }
}

export function keptRecord(owner: string, key: string): Kept | undefined {
  try {
    const text = localStorage.getItem(prefix(owner) + key);
    return text === null ? undefined : (JSON.parse(text) as Kept);
  } catch {
    return undefined;
  }
}

/** In the order in which they were begun: keys begin with the time. */
export function keptRecords(owner: string): readonly Kept[] {
  try {
    return Object.keys(localStorage)
      .filter((name) => name.startsWith(prefix(owner)))
      .sort()
      .flatMap((name) => keptRecord(owner, name.slice(prefix(owner).length)) ?? []);
  } catch {
    return [];
  }
}

// --- Files -----------------------------------------------------------------------------------------------------------

/** Larger ones would be copied for too long: the file is asked for again. */
const largestKept = 2_000_000_000;

interface KeptFile {
  readonly owner: string;
  readonly file: File;
}

let opening: Promise<IDBDatabase> | undefined;

function open(): Promise<IDBDatabase> {
  opening ??= new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open('strongroom.uploads', 1);
    request.onupgradeneeded = () => request.result.createObjectStore('files');
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opening;
}

async function inStore<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const transaction = (await open()).transaction('files', mode);
  const request = act(transaction.objectStore('files'));
  return await new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = () => reject(transaction.error);
    transaction.onerror = () => reject(transaction.error);
  });
}

/** Whether it could be kept. */
export async function keepFile(owner: string, key: string, file: File): Promise<boolean> {
  if (file.size > largestKept) return false;
  try {
    await inStore('readwrite', (store) => store.put({ owner, file } satisfies KeptFile, key));
    return true;
  } catch {
    // No room, or a private window.
    return false;
  }
}

export async function keptFile(owner: string, key: string): Promise<File | undefined> {
  try {
    const kept = (await inStore('readonly', (store) => store.get(key))) as KeptFile | undefined;
    return kept?.owner === owner ? kept.file : undefined;
  } catch {
    return undefined;
  }
}

export async function forgetFile(key: string): Promise<void> {
  await inStore('readwrite', (store) => store.delete(key)).catch(() => undefined);
}

/** Nobody who comes to this browser later finds the files of who signed out. */
export async function forgetAllFiles(): Promise<void> {
  await inStore('readwrite', (store) => store.clear()).catch(() => undefined);
}
