/** The second phase: after the bytes have arrived, the server reads the document and makes its preview. */
import { ProblemError } from '../../../src/client/index.ts';
import { client } from '../app/session.ts';

export type PreviewState = 'ready' | 'none' | 'failed' | 'later';

/** How long somebody may want to see it; it goes on without being watched. */
const watchedMs = 120_000;
const mostWatched = 3;
let watched = 0;
const waiting: (() => void)[] = [];

/** Asks until the preview is there or will never be. A few at a time. */
export async function previewState(documentId: string, signal: AbortSignal): Promise<PreviewState> {
  if (watched >= mostWatched) await new Promise<void>((resolve) => waiting.push(resolve));
  watched += 1;
  try {
    return await ask(documentId, signal);
  } finally {
    watched -= 1;
    waiting.shift()?.();
  }
}

async function ask(documentId: string, signal: AbortSignal): Promise<PreviewState> {
  const until = Date.now() + watchedMs;
  for (let wait = 400; Date.now() < until && !signal.aborted; wait = Math.min(wait * 1.5, 4_000)) {
    try {
      const answer = await client.open('previewDocument', { params: { id: documentId }, signal });
      await answer.body?.cancel();
      if (answer.status !== 202) return 'ready';
    } catch (error) {
      if (signal.aborted) return 'later';
      if (error instanceof ProblemError) {
        if (error.code === 'preview_unsupported') return 'none';
        if (error.code === 'preview_failed') return 'failed';
        // The document is gone meanwhile, or is not for this person any more.
        if (error.status === 404 || error.status === 403) return 'later';
      }
    }
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
  return 'later';
}
