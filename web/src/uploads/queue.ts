/**
 * The queue of uploads: three at a time, whatever way the files came. It lives as long as the page, belongs to who is
 * signed in, and goes on with what a former page left.
 *
 * Guarantee: an upload is sent by one tab alone (Web Locks), and nothing of another person's or company's queue is seen.
 */
import { queryClient } from '../app/query.ts';
import { currentReach, onReach } from '../app/reach.ts';
import { client, currentSession, onIdentity, type Session } from '../app/session.ts';
import { forgetLimits, type Limits, limits, refusalOf } from './checks.ts';
import { isActive, isFailed, isSameFile, isUnfinished, type Refusal, type Target, type UploadItem } from './item.ts';
import { forgetAllFiles, type Kept, keepFile, keptFile, keptRecord, keptRecords } from './keep.ts';
import { lookAt, type Stop, send } from './sender.ts';
import {
  addEntry,
  allEntries,
  change,
  currentOwner,
  currentUploads,
  type Entry,
  emptyStore,
  entryOf,
  onUploads,
  remember,
  removeEntry,
  setOwner,
} from './store.ts';

const parallel = 3;
/** What was answered "for all", until everything has come to an end. */
let forAll: Choice | undefined;

export type Choice = 'version' | 'rename' | 'skip';

function pump(): void {
  const all = allEntries();
  let free = parallel - all.filter(({ item }) => item.phase === 'sending').length;
  for (const entry of all) {
    if (free <= 0) return;
    if (entry.item.phase !== 'queued') continue;
    free -= 1;
    void send(entry, enqueue).then(() => {
      if (entry.item.phase === 'conflict' && forAll !== undefined) decide(entry, forAll);
      // Who opens it to look finds the newer version.
      if (entry.item.refusal?.code === 'overtaken') void queryClient.invalidateQueries();
      pump();
    });
  }
  if (!all.some(({ item }) => isUnfinished(item))) forAll = undefined;
}

function enqueue(entry: Entry): void {
  clearTimeout(entry.timer);
  if (entryOf(entry.item.key) !== entry) return;
  change(entry, { phase: 'queued' });
  pump();
}

// --- In --------------------------------------------------------------------------------------------------------------

let counter = 0;
/** Sorted as they came, and unlike those of any other tab. */
const newKey = (): string => {
  counter += 1;
  const random = Math.random().toString(36).slice(2, 8);
  return `${Date.now().toString(36)}-${String(counter).padStart(6, '0')}-${random}`;
};

const blank = {
  sent: 0,
  speed: undefined,
  stalled: false,
  uploadId: undefined,
  documentId: undefined,
  onConflict: undefined,
  heldByUpload: false,
  refusal: undefined,
  preview: undefined,
  kept: false,
} as const;

/** Takes files into the queue; those that cannot go are shown with the reason. */
export async function addFiles(files: readonly File[], target: Target): Promise<void> {
  const owner = currentOwner();
  if (owner === undefined || files.length === 0) return;
  const known = await limits();
  if (currentOwner() !== owner) return;
  for (const file of files) {
    const missed = allEntries().find(({ item }) => item.phase === 'missing' && isSameFile(item, file));
    if (missed !== undefined) {
      await giveFile(missed, file);
      continue;
    }
    const refusal = refusalHere(file, files.length, target, known);
    const item: UploadItem = {
      ...blank,
      key: newKey(),
      name: file.name,
      size: file.size,
      modified: file.lastModified,
      type: file.type,
      basketId: target.basketId,
      basketName: target.basketName,
      version: target.version,
      phase: refusal === undefined ? 'queued' : 'refused',
      refusal,
    };
    const entry = addEntry(item, file);
    if (refusal === undefined) {
      void lock(entry);
      remember(entry);
      keepLater(owner, entry, file);
    }
  }
  pump();
}

function refusalHere(file: File, together: number, target: Target, known: Limits): Refusal | undefined {
  if (!target.allowed) return { code: 'not_allowed' };
  if (target.version !== undefined && together > 1) return { code: 'one_version' };
  return refusalOf(file, known);
}

let keeping: Promise<unknown> = Promise.resolve();
/** One after the other: files are copied by the browser. */
function keepLater(owner: string, entry: Entry, file: File): void {
  keeping = keeping.then(async () => {
    if (currentOwner() !== owner || !isUnfinished(entry.item)) return;
    const kept = await keepFile(owner, entry.item.key, file);
    change(entry, { kept });
    // It may have come to its end while it was copied.
    if (!isUnfinished(entry.item) || entryOf(entry.item.key) !== entry) remember(entry);
  });
}

async function giveFile(entry: Entry, file: File): Promise<void> {
  entry.file = file;
  const owner = currentOwner();
  if (owner !== undefined) keepLater(owner, entry, file);
  change(entry, { refusal: undefined });
  enqueue(entry);
}

/** The file of an upload that a former page began. It has to be the same one, or the bytes would not fit together. */
export async function giveFileAgain(key: string, file: File): Promise<void> {
  const entry = entryOf(key);
  if (entry === undefined) return;
  if (isSameFile(entry.item, file)) await giveFile(entry, file);
  else change(entry, { refusal: { code: 'other_file' } });
}

// --- What people do --------------------------------------------------------------------------------------------------

function stop(entry: Entry, why: Stop): void {
  clearTimeout(entry.timer);
  entry.abort?.abort(why);
  entry.abort = undefined;
}

export function pause(key: string): void {
  const entry = entryOf(key);
  if (entry === undefined || !isActive(entry.item)) return;
  change(entry, { phase: 'paused', speed: undefined, stalled: false });
  stop(entry, 'paused');
  pump();
}

/** Goes on, or tries once more. */
export function resume(key: string): void {
  const entry = entryOf(key);
  if (entry === undefined) return;
  entry.attempts = 0;
  entry.restarts = 0;
  if (isFailed(entry.item)) {
    forgetLimits();
    entry.begun = false;
    const { version, refusal } = entry.item;
    // Who tries again after having been told goes on top of what is there.
    const onTop = version !== undefined && refusal?.code === 'overtaken' ? { ...version, etag: undefined } : version;
    change(entry, { sent: 0, refusal: undefined, version: onTop });
  }
  enqueue(entry);
}

/** Gives it up, here and at the server; what has arrived as a document stays there. */
export function cancel(key: string): void {
  const entry = entryOf(key);
  if (entry === undefined) return;
  const { uploadId, documentId } = entry.item;
  stop(entry, 'removed');
  removeEntry(entry);
  if (uploadId !== undefined && documentId === undefined) {
    // Where this does not arrive, the upload expires by itself.
    const input = { params: { id: uploadId }, headers: { 'tus-resumable': '1.0.0' } };
    client.uploads.terminateUpload(input).catch(() => undefined);
  }
  pump();
}

export function cancelAll(): void {
  for (const { item } of allEntries()) cancel(item.key);
}

/** Takes away what has come to its end. */
export function clearEnded(): void {
  for (const entry of allEntries()) {
    if (!isUnfinished(entry.item)) cancel(entry.item.key);
  }
}

function decide(entry: Entry, choice: Choice): void {
  if (choice === 'skip') {
    change(entry, { phase: 'skipped' });
    return;
  }
  change(entry, { onConflict: choice, heldByUpload: false });
  enqueue(entry);
}

/** What to do with a file whose name is taken. */
export function answerConflict(key: string, choice: Choice, all: boolean): void {
  if (all) forAll = choice;
  const concerned = all ? allEntries() : allEntries().filter(({ item }) => item.key === key);
  for (const entry of concerned) {
    if (entry.item.phase === 'conflict') decide(entry, choice);
  }
  pump();
}

// --- After a reload --------------------------------------------------------------------------------------------------

/** Held while this tab has the upload; others wait for it, and take over when the tab is gone. */
function lock(entry: Entry): Promise<boolean> {
  return new Promise((resolve) => {
    if (navigator.locks === undefined) {
      resolve(true);
      return;
    }
    const held = () =>
      new Promise<void>((release) => {
        entry.release = release;
        resolve(true);
      });
    navigator.locks.request(`strongroom.upload.${entry.item.key}`, held).catch(() => resolve(false));
  });
}

async function takeOver(owner: string, record: Kept): Promise<void> {
  const { key, paused, begun, ...facts } = record;
  const item: UploadItem = { ...blank, ...facts, key, phase: 'missing' };
  const waiting = { item, release: undefined } as unknown as Entry;
  if (!(await lock(waiting))) return;
  // Another tab may have ended it while this one waited.
  const now = keptRecord(owner, key);
  if (currentOwner() !== owner || now === undefined || entryOf(key) !== undefined) {
    waiting.release?.();
    return;
  }
  const file = await keptFile(owner, key);
  const fits = file !== undefined && file.size === item.size;
  const phase = !fits ? 'missing' : paused ? 'paused' : 'queued';
  const { uploadId, onConflict } = now;
  const entry = addEntry({ ...item, uploadId, onConflict, phase, kept: fits }, fits ? file : undefined, {
    begun,
    release: waiting.release,
  });
  if (phase !== 'queued') void lookAt(entry);
  pump();
}

function follow(session: Session): void {
  for (const entry of allEntries()) stop(entry, 'left');
  emptyStore();
  forgetLimits();
  forAll = undefined;
  if (session.status === 'anonymous') void forgetAllFiles();
  const owner =
    session.status === 'signed-in' && session.company !== null ? `${session.company.id}.${session.user.id}` : undefined;
  setOwner(owner);
  if (owner === undefined) return;
  for (const record of keptRecords(owner)) void takeOver(owner, record);
}

// --- While the page lives --------------------------------------------------------------------------------------------

function goOn(): void {
  for (const entry of allEntries()) {
    if (entry.item.phase !== 'waiting') continue;
    entry.attempts = 0;
    enqueue(entry);
  }
}

let documents = 0;
let refreshing: ReturnType<typeof setTimeout> | undefined;
/** Lists on the page show what has arrived. */
function refreshLists(): void {
  const arrived = currentUploads().filter(({ documentId }) => documentId !== undefined).length;
  const more = arrived > documents;
  documents = arrived;
  if (!more || refreshing !== undefined) return;
  refreshing = setTimeout(() => {
    refreshing = undefined;
    void queryClient.invalidateQueries();
  }, 800);
}

let running = false;
/** Once, when the shell of somebody who is signed in first stands there. */
export function startQueue(): void {
  if (running) return;
  running = true;
  onIdentity(follow);
  onUploads(refreshLists);
  window.addEventListener('online', goOn);
  onReach(() => {
    if (currentReach() === 'up') goOn();
  });
  window.addEventListener('beforeunload', (event) => {
    // What the browser keeps goes on after the page is back.
    if (currentUploads().some((item) => isActive(item) && !item.kept)) event.preventDefault();
  });
  follow(currentSession());
}
