/**
 * Sends one upload until it is there, or until somebody has to decide. What may pass (a broken connection, a server that
 * restarts, a limit of requests) is tried again with growing pauses for as long as the page lives.
 */
import { ProblemError } from '../../../src/client/index.ts';
import { client } from '../app/session.ts';
import type { Refusal, VersionOf } from './item.ts';
import { previewState } from './preview-state.ts';
import { change, type Entry, remember } from './store.ts';

/** Why a transfer was stopped from here. */
export type Stop = 'paused' | 'removed' | 'stalled' | 'left';

const longestPauseMs = 30_000;
/** Without a byte for so long it counts as stalled, and is begun anew after the second time. */
const stalledMs = 4_000;
const givenUpMs = 45_000;
/** The last bytes are answered when they are durable. */
const finishMs = 180_000;

export async function send(entry: Entry, again: (entry: Entry) => void): Promise<void> {
  const abort = new AbortController();
  entry.abort = abort;
  entry.movedAt = Date.now();
  entry.samples = [];
  const watch = setInterval(() => watchOver(entry, abort), 500);
  change(entry, { phase: 'sending', refusal: undefined, stalled: false });
  try {
    const file = entry.file;
    if (file === undefined || !(await isReadable(file))) {
      entry.file = undefined;
      change(entry, { phase: 'missing' });
      return;
    }
    const documentId = await transfer(entry, file, abort.signal);
    change(entry, { phase: 'processing', documentId, sent: entry.item.size, speed: undefined, stalled: false });
    void watchPreview(entry, documentId);
  } catch (error) {
    change(entry, { speed: undefined, stalled: false });
    if (abort.signal.aborted) {
      if (abort.signal.reason === 'stalled') wait(entry, undefined, again);
      return;
    }
    await settle(entry, error, again);
  } finally {
    clearInterval(watch);
    if (entry.abort === abort) entry.abort = undefined;
  }
}

/** As a version of a document that is there. The key makes it one version, however often it has to be begun. */
async function transferVersion(entry: Entry, of: VersionOf, file: File, signal: AbortSignal): Promise<string> {
  progressed(entry, 0);
  const { id } = await client.documents.upload(file, {
    filename: entry.item.name,
    versionOf: of.documentId,
    ...(of.etag === undefined ? {} : { ifMatch: of.etag }),
    // Another condition is another request.
    idempotencyKey: `${entry.item.key}${of.etag === undefined ? '-again' : ''}`,
    // What stands round the file in the form is sent as well.
    onProgress: ({ sentBytes }) => progressed(entry, Math.min(file.size, sentBytes)),
    signal,
  });
  return id;
}

function progressed(entry: Entry, sent: number): void {
  if (sent !== entry.item.sent) entry.movedAt = Date.now();
  if (sent > entry.item.sent) entry.attempts = 0;
  entry.samples.push({ at: Date.now(), sent });
  change(entry, { sent, stalled: false });
}

async function transfer(entry: Entry, file: File, signal: AbortSignal): Promise<string> {
  const { name, type, basketId, version, uploadId, onConflict } = entry.item;
  if (version !== undefined) return await transferVersion(entry, version, file, signal);
  const mayBeThere = entry.begun && uploadId === undefined;
  if (uploadId === undefined && !entry.begun) {
    entry.begun = true;
    remember(entry);
  }
  const options = {
    filename: name,
    signal,
    onBegun: (id: string) => change(entry, { uploadId: id }),
    onProgress: (sent: number) => progressed(entry, sent),
    ...(type === '' ? {} : { mimeType: type }),
    ...(basketId === undefined ? {} : { basketId }),
    ...(onConflict === undefined ? {} : { onConflict }),
  };
  try {
    return await client.documents.transfer(file, uploadId === undefined ? options : { ...options, uploadId });
  } catch (error) {
    // The answer with the id was lost: the upload that holds the name is this one.
    const holder = mayBeThere ? holderOf(error) : undefined;
    if (holder === undefined || !(await isFresh(holder, file.size))) throw error;
    change(entry, { uploadId: holder });
    return await client.documents.transfer(file, { ...options, uploadId: holder });
  }
}

function holderOf(error: unknown): string | undefined {
  if (!(error instanceof ProblemError) || error.code !== 'filename_taken') return undefined;
  const { upload_id: id } = error.problem as { upload_id?: unknown };
  return typeof id === 'string' ? id : undefined;
}

/** What the server has of an upload that a former page began; one that has arrived needs its file no more. */
export async function lookAt(entry: Entry): Promise<void> {
  const { uploadId } = entry.item;
  if (uploadId === undefined) return;
  try {
    const headers = { 'tus-resumable': '1.0.0' };
    const answer = await client.open('getUploadOffset', { params: { id: uploadId }, headers });
    const documentId = answer.headers.get('strongroom-document');
    if (documentId === null) change(entry, { sent: Number(answer.headers.get('upload-offset') ?? 0) });
    else {
      change(entry, { phase: 'processing', documentId, sent: entry.item.size });
      void watchPreview(entry, documentId);
    }
  } catch {
    // It is found out when it goes on.
  }
}

/** Nothing has been sent into it, and it waits for exactly so many bytes. */
async function isFresh(uploadId: string, size: number): Promise<boolean> {
  const headers = { 'tus-resumable': '1.0.0' };
  const answer = await client.open('getUploadOffset', { params: { id: uploadId }, headers });
  return Number(answer.headers.get('upload-length')) === size && answer.headers.get('upload-offset') === '0';
}

/** The file may have been moved or changed on its disk since it was chosen. */
async function isReadable(file: File): Promise<boolean> {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

/** Speed over the last seconds, and whether anything moves at all. */
function watchOver(entry: Entry, abort: AbortController): void {
  const now = Date.now();
  const still = now - entry.movedAt;
  entry.samples = entry.samples.filter(({ at }) => now - at < 5_000);
  const [first, last] = [entry.samples[0], entry.samples.at(-1)];
  const spanMs = first === undefined ? 0 : now - first.at;
  const speed = first === undefined || spanMs < 800 ? undefined : ((last!.sent - first.sent) * 1_000) / spanMs;
  const { sent, size } = entry.item;
  const finishing = sent >= size;
  change(entry, { speed: speed === 0 ? undefined : speed, stalled: still > stalledMs && !finishing });
  if (still > (finishing ? finishMs : givenUpMs)) abort.abort('stalled' satisfies Stop);
}

/** Decides what a refusal means. */
async function settle(entry: Entry, error: unknown, again: (entry: Entry) => void): Promise<void> {
  if (!(error instanceof ProblemError)) {
    change(entry, { phase: 'failed', refusal: { code: 'server', error } });
    return;
  }
  const { status, code } = error;
  const known = entry.item.uploadId !== undefined;
  if (code === 'filename_taken') {
    change(entry, { phase: 'conflict', uploadId: undefined, sent: 0, heldByUpload: holderOf(error) !== undefined });
    entry.begun = false;
    remember(entry);
    return;
  }
  const gone = known && (status === 404 || status === 410);
  if (gone && entry.restarts < 2) {
    entry.restarts += 1;
    entry.begun = false;
    change(entry, { uploadId: undefined, sent: 0 });
    remember(entry);
    wait(entry, 0, again);
    return;
  }
  const passes = status === 0 || status === 401 || status === 408 || status === 409 || status === 423;
  if (passes || status === 429 || status >= 500) {
    wait(entry, error.retryAfter, again);
    return;
  }
  const refusal = refusalOf(error, known, entry.item.version !== undefined);
  change(entry, { phase: refusal.code === 'server' ? 'failed' : 'refused', refusal, uploadId: undefined });
}

function refusalOf(error: ProblemError, known: boolean, version: boolean): Refusal {
  const { code, status } = error;
  if (code === 'etag_mismatch') return { code: 'overtaken', error };
  if (version && status === 404) return { code: 'document_gone', error };
  if (code === 'file_too_large') return { code: 'too_large', error };
  if (code === 'quota_exceeded') return { code: 'quota', error };
  if (code === 'type_denied') return { code: 'type', error };
  if (code === 'filename_invalid') return { code: 'name', error };
  if (status === 403) return { code: 'not_allowed', error };
  if (status === 404 && !known) return { code: 'basket_gone', error };
  return { code: 'server', error };
}

/** Tries again: 1, 2, 4 … 30 seconds later, a little apart from the others. Offline it waits for the network instead. */
function wait(entry: Entry, seconds: number | undefined, again: (entry: Entry) => void): void {
  change(entry, { phase: 'waiting' });
  clearTimeout(entry.timer);
  if (!navigator.onLine) return;
  const grown = Math.min(longestPauseMs, 1_000 * 2 ** entry.attempts) * (0.75 + Math.random() / 2);
  entry.attempts += 1;
  entry.timer = setTimeout(() => again(entry), seconds === undefined ? grown : seconds * 1_000);
}

async function watchPreview(entry: Entry, documentId: string): Promise<void> {
  const abort = new AbortController();
  entry.abort = abort;
  const preview = await previewState(documentId, abort.signal);
  if (!abort.signal.aborted) change(entry, { phase: 'done', preview });
}
