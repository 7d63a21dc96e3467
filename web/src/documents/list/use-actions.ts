/**
 * What can be done with chosen documents. What was done shows in every list at once, what was not is told, and what
 * went into the trash or elsewhere can be taken back from the message that says so.
 */
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { ProblemError } from '../../../../src/client/index.ts';
import type { Document } from '../../../../src/modules/documents/contract.ts';
import { client } from '../../app/session.ts';
import { useTexts } from '../../kit/texts.ts';
import { showDone, showProblem, showUndo } from '../../kit/toast.tsx';
import { download } from '../one/download.ts';
import { documentsTexts } from '../texts.ts';
import { type BulkOutcome, forEachDocument } from './bulk.ts';
import { countOf, type Target } from './selection.ts';
import { everyDocument, patchDocuments, refreshDocuments, staysIn } from './use-documents.ts';

export interface Running {
  readonly done: number;
  readonly count: number;
  readonly stop: () => void;
}

export interface TagChange {
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

export interface DocumentActions {
  /** Set while something runs. */
  readonly running: Running | undefined;
  readonly trash: (target: Target) => Promise<void>;
  readonly restore: (target: Target) => Promise<void>;
  readonly purge: (target: Target) => Promise<void>;
  readonly move: (target: Target, basketId: string | null) => Promise<void>;
  readonly tag: (target: Target, change: TagChange) => Promise<void>;
  readonly download: (target: Target) => Promise<void>;
}

type Step = (document: Document) => Promise<Document>;

const calls = {
  async trash(document) {
    await client.documents.deleteDocument({ params: { id: document.id } });
    return { ...document, trashed_at: new Date().toISOString() };
  },
  restore: ({ id }) => client.documents.restoreDocument({ params: { id } }),
  async purge(document) {
    await client.documents.deleteDocument({ params: { id: document.id }, query: { purge: 'true' } });
    return document;
  },
} satisfies Record<string, Step>;

const moveTo =
  (basketOf: (document: Document) => string | null): Step =>
  (document) =>
    client.documents.updateDocument({ params: { id: document.id }, body: { basket_id: basketOf(document) } });

const retag =
  ({ add, remove }: TagChange): Step =>
  (document) => {
    const tags = [...new Set([...document.tags.filter((tag) => !remove.includes(tag)), ...add])];
    return client.documents.updateDocument({ params: { id: document.id }, body: { tags } });
  };

const downloadOne: Step = async (document) => {
  await download(document.id);
  return document;
};

/** @param onDone told when something was done, to choose nothing any more */
export function useDocumentActions(onDone: () => void): DocumentActions {
  const t = useTexts(documentsTexts);
  const queries = useQueryClient();
  const [running, setRunning] = useState<Running>();
  const busy = useRef(false);

  async function run(target: Target, step: Step): Promise<BulkOutcome | undefined> {
    if (busy.current || countOf(target) === 0) return undefined;
    busy.current = true;
    const gone = new AbortController();
    const stop = () => gone.abort();
    const told = (done: number, count: number) => setRunning({ done, count, stop });
    try {
      if (countOf(target) > 1) told(0, countOf(target));
      const rows = target.kind === 'rows' ? target.rows : await everyDocument(target.filter, gone.signal);
      const progress = rows.length > 1 ? (done: number) => told(done, rows.length) : () => undefined;
      return await forEachDocument(rows, step, progress, gone.signal);
    } catch (error) {
      if (!gone.signal.aborted) showProblem(error);
      return undefined;
    } finally {
      busy.current = false;
      setRunning(undefined);
    }
  }

  function tellFailed({ failed }: BulkOutcome): void {
    const first = failed[0]?.error;
    if (first === undefined) return;
    if (failed.length === 1 || !(first instanceof ProblemError)) {
      showProblem(first);
      return;
    }
    // One message for all of them: how many, and why the first was.
    const { errors: _, ...problem } = first.problem;
    showProblem(
      new ProblemError({ ...problem, detail: t('bulk.failed', { count: failed.length, why: problem.detail }) }),
    );
  }

  function show({ done }: BulkOutcome, stays: typeof staysIn = staysIn): void {
    patchDocuments(queries, new Map(done.map((document) => [document.id, document])), stays);
  }

  /** Runs, shows it, says it; `undo` gets what was done. */
  async function act(
    target: Target,
    step: Step,
    say: (count: number, first: string) => string,
    undo?: (before: readonly Document[], done: readonly Document[]) => Promise<unknown>,
  ): Promise<void> {
    const before = new Map<string, Document>();
    const outcome = await run(target, (document) => {
      before.set(document.id, document);
      return step(document);
    });
    if (outcome === undefined) return;
    show(outcome, step === calls.purge ? () => false : staysIn);
    tellFailed(outcome);
    if (outcome.done.length === 0) return;
    onDone();
    const message = say(outcome.done.length, outcome.done[0]!.filename);
    if (undo === undefined) showDone(message);
    else
      showUndo(message, () =>
        undo(
          outcome.done.map(({ id }) => before.get(id)!),
          outcome.done,
        ),
      );
    // Lists that are not in sight ask again when they are opened; those in sight have it already.
    await queries.invalidateQueries({ queryKey: ['documents'], refetchType: 'none' });
  }

  async function takeBack(rows: readonly Document[], step: Step): Promise<void> {
    const outcome = await run({ kind: 'rows', rows }, step);
    if (outcome === undefined) return;
    await refreshDocuments(queries);
    tellFailed(outcome);
    if (outcome.done.length > 0) showDone(t('undo.done', { count: outcome.done.length }));
  }

  return {
    running,
    trash: (target) =>
      act(
        target,
        calls.trash,
        (count, name) => t('trash.done', { count, name }),
        (_, done) => takeBack(done, calls.restore),
      ),
    restore: (target) => act(target, calls.restore, (count, name) => t('restore.done', { count, name })),
    purge: (target) => act(target, calls.purge, (count, name) => t('purge.done', { count, name })),
    move: (target, basketId) =>
      act(
        target,
        moveTo(() => basketId),
        (count, name) => t('move.done', { count, name }),
        (before, done) => {
          const origin = new Map(before.map(({ id, basket_id }) => [id, basket_id]));
          return takeBack(
            done,
            moveTo(({ id }) => origin.get(id) ?? null),
          );
        },
      ),
    tag: (target, change) => act(target, retag(change), (count, name) => t('tags.done', { count, name })),
    download: async (target) => {
      const outcome = await run(target, downloadOne);
      if (outcome !== undefined) tellFailed(outcome);
    },
  };
}
