/**
 * The uploads of this tab, in the order in which they came: what the tray shows and the queue works on. Changes of phase
 * are told at once, progress at most four times a second.
 */
import { useSyncExternalStore } from 'react';
import { isUnfinished, type UploadItem } from './item.ts';
import { forgetFile, forgetRecord, keepRecord } from './keep.ts';

/** An upload with what nobody is shown. */
export interface Entry {
  item: UploadItem;
  file: File | undefined;
  /** Set while a request is under way. */
  abort: AbortController | undefined;
  /** Attempts since bytes last moved. */
  attempts: number;
  /** How often it began from nothing because the server no longer knew it. */
  restarts: number;
  /** The server may know it although no id has come back. */
  begun: boolean;
  /** When bytes last moved. */
  movedAt: number;
  timer: ReturnType<typeof setTimeout> | undefined;
  /** Gives this upload free for other tabs. */
  release: (() => void) | undefined;
  samples: { at: number; sent: number }[];
}

const entries = new Map<string, Entry>();
const listeners = new Set<() => void>();
let snapshot: readonly UploadItem[] = [];
let owner: string | undefined;
let telling: ReturnType<typeof setTimeout> | undefined;

export const currentOwner = (): string | undefined => owner;
export function setOwner(next: string | undefined): void {
  owner = next;
}

function tellNow(): void {
  clearTimeout(telling);
  telling = undefined;
  snapshot = [...entries.values()].map(({ item }) => item);
  for (const listener of listeners) listener();
}

function tell(soon: boolean): void {
  if (soon) telling ??= setTimeout(tellNow, 0);
  else telling ??= setTimeout(tellNow, 250);
}

export function onUploads(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
export const currentUploads = (): readonly UploadItem[] => snapshot;
export const useUploads = (): readonly UploadItem[] => useSyncExternalStore(onUploads, currentUploads);

export const allEntries = (): readonly Entry[] => [...entries.values()];
export const entryOf = (key: string): Entry | undefined => entries.get(key);

export function addEntry(item: UploadItem, file: File | undefined, more: Partial<Entry> = {}): Entry {
  const entry: Entry = {
    item,
    file,
    abort: undefined,
    attempts: 0,
    restarts: 0,
    begun: false,
    movedAt: Date.now(),
    timer: undefined,
    release: undefined,
    samples: [],
    ...more,
  };
  entries.set(item.key, entry);
  tell(true);
  return entry;
}

/** Changes what is shown, and what is remembered of it. */
export function change(entry: Entry, patch: Partial<UploadItem>): void {
  const before = entry.item;
  entry.item = { ...before, ...patch };
  if (!entries.has(before.key)) return;
  const phaseChanged = entry.item.phase !== before.phase;
  tell(phaseChanged || patch.refusal !== undefined);
  if (phaseChanged || patch.uploadId !== undefined || patch.onConflict !== undefined) remember(entry);
}

export function remember(entry: Entry): void {
  if (owner === undefined) return;
  const { item, begun } = entry;
  if (!isUnfinished(item)) {
    forget(entry);
    return;
  }
  const { key, name, size, modified, type, basketId, basketName, version, uploadId, onConflict } = item;
  const facts = { key, name, size, modified, type, basketId, basketName, version, uploadId, onConflict };
  keepRecord(owner, { ...facts, begun, paused: item.phase === 'paused' });
}

function forget(entry: Entry): void {
  if (owner !== undefined) forgetRecord(owner, entry.item.key);
  void forgetFile(entry.item.key);
  entry.release?.();
  entry.release = undefined;
}

export function removeEntry(entry: Entry): void {
  clearTimeout(entry.timer);
  entries.delete(entry.item.key);
  forget(entry);
  tell(true);
}

/** Another person is there: nothing of the former stays in sight; what is remembered stays his. */
export function emptyStore(): void {
  for (const entry of entries.values()) {
    clearTimeout(entry.timer);
    entry.release?.();
  }
  entries.clear();
  tellNow();
}
