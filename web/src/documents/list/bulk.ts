/**
 * One action on many documents. The server takes them one by one: four travel at a time, what is refused stays out of
 * the way of the rest, and it can be stopped between two.
 */
import type { Document } from '../../../../src/modules/documents/contract.ts';

const atOnce = 4;

export interface BulkOutcome {
  /** As they are now. */
  readonly done: readonly Document[];
  readonly failed: readonly { readonly document: Document; readonly error: unknown }[];
  readonly stopped: boolean;
}

export async function forEachDocument(
  documents: readonly Document[],
  run: (document: Document) => Promise<Document>,
  onProgress: (done: number) => void,
  signal: AbortSignal,
): Promise<BulkOutcome> {
  const done: Document[] = [];
  const failed: { document: Document; error: unknown }[] = [];
  let next = 0;
  const worker = async () => {
    while (next < documents.length && !signal.aborted) {
      const document = documents[next]!;
      next += 1;
      try {
        done.push(await run(document));
      } catch (error) {
        failed.push({ document, error });
      }
      onProgress(done.length + failed.length);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { done, failed, stopped: signal.aborted };
}
