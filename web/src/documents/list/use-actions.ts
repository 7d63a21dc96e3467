/**
 * What can be done with chosen documents. What was done shows in every list at once, what was not is told, and what
 * went into the trash or elsewhere can be taken back from the message that says so.
 */
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import {
  type BulkAction,
  type BulkItem,
  bulkLimit,
  type Document,
} from '../../../../src/modules/documents/contract.ts';
import { useTexts } from '../../kit/texts.ts';
import { showDone, showProblem, showUndo } from '../../kit/toast.tsx';
import { download } from '../one/download.ts';
import { documentsTexts } from '../texts.ts';
import { downloadArchive } from './archive.ts';
import { actOn, actOnIds, type BulkOutcome, type Course, purgeAll } from './bulk.ts';
import { showRefusal, tellFailures } from './failures.ts';
import { countOf, type Target } from './selection.ts';
import { everyDocument, patchDocuments, refreshDocuments } from './use-documents.ts';

export interface Running {
  readonly done: number;
  readonly count: number;
  /** Where there are turns between which it can be stopped. */
  readonly stop: (() => void) | undefined;
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

/** How a document looks after an action, as far as lists show it; undefined where it is gone. */
function changed(action: BulkAction | undefined): ((document: Document) => Document) | undefined {
  const now = new Date().toISOString();
  switch (action?.type) {
    case undefined:
      return undefined;
    case 'trash':
      return (document) => ({ ...document, trashed_at: now });
    case 'restore':
      return (document) => ({ ...document, trashed_at: null });
    case 'move':
      return (document) => ({ ...document, basket_id: action.basket_id, updated_at: now });
    case 'tag': {
      const { add = [], remove = [] } = action;
      return (document) => {
        const tags = [...new Set([...document.tags.filter((tag) => !remove.includes(tag)), ...add])];
        return { ...document, tags, updated_at: now };
      };
    }
  }
}

/** The ids by the basket that each was in. */
function byOrigin(done: readonly BulkItem[]): [string | null, string[]][] {
  const groups = Map.groupBy(done, ({ moved_from }) => moved_from ?? null);
  return [...groups].map(([basket, items]) => [basket, items.map(({ id }) => id)]);
}

type Run = (course: Course) => Promise<BulkOutcome>;

/** One thing at a time, with its progress. */
function useCourse() {
  const [running, setRunning] = useState<Running>();
  const busy = useRef(false);

  async function run(count: number, turns: number, work: Run): Promise<BulkOutcome | undefined> {
    if (busy.current || count === 0) return undefined;
    busy.current = true;
    const gone = new AbortController();
    const stop = count > turns ? () => gone.abort() : undefined;
    const told = (done: number, of: number) => count > 1 && setRunning({ done, count: of, stop });
    try {
      told(0, count);
      return await work({ signal: gone.signal, onProgress: told });
    } catch (error) {
      if (!gone.signal.aborted) showProblem(error);
      return undefined;
    } finally {
      busy.current = false;
      setRunning(undefined);
    }
  }

  return { running, run };
}

/** @param onDone told when something was done, to choose nothing any more */
export function useDocumentActions(onDone: () => void): DocumentActions {
  const t = useTexts(documentsTexts);
  const queries = useQueryClient();
  const { running, run } = useCourse();

  /** Runs, shows it, says it; `undo` gets what was done. An action that is none: they are gone for good. */
  async function act(
    target: Target,
    action: BulkAction | undefined,
    say: (count: number, first: string) => string,
    undo?: (done: readonly BulkItem[]) => Promise<unknown>,
  ): Promise<void> {
    const outcome =
      action === undefined
        ? await run(countOf(target), 1, (course) => purgeAll(target, course))
        : await run(countOf(target), bulkLimit, (course) => actOn(target, action, course));
    if (outcome === undefined) return;
    const { done, failed } = outcome;
    patchDocuments(queries, new Set(done.map(({ id }) => id)), changed(action));
    tellFailures(t, failed);
    if (done.length > 0) {
      onDone();
      const message = say(done.length, done[0]!.filename ?? '');
      if (undo === undefined) showDone(message);
      else showUndo(message, () => undo(done));
    }
    // More than what is loaded was changed, or something that is shown is there no more.
    if (target.kind === 'matching' || failed.some(({ code }) => code === 'not_found')) await refreshDocuments(queries);
    // Lists that are not in sight ask again when they are opened; those in sight have it already.
    await queries.invalidateQueries({ queryKey: ['documents'], refetchType: 'none' });
  }

  async function takeBack(steps: readonly { ids: readonly string[]; action: BulkAction }[]): Promise<void> {
    const count = steps.reduce((sum, { ids }) => sum + ids.length, 0);
    const outcome = await run(count, Number.POSITIVE_INFINITY, async (course) => {
      const all: BulkOutcome[] = [];
      for (const { ids, action } of steps) all.push(await actOnIds(ids, action, course));
      return { done: all.flatMap(({ done }) => done), failed: all.flatMap(({ failed }) => failed) };
    });
    // Also after a failure in between: what was taken back shows.
    await refreshDocuments(queries);
    if (outcome === undefined) return;
    tellFailures(t, outcome.failed);
    if (outcome.done.length > 0) showDone(t('undo.done', { count: outcome.done.length }));
  }

  async function save(target: Target): Promise<void> {
    const [only] = target.kind === 'rows' ? target.rows : [];
    try {
      if (only !== undefined && countOf(target) === 1) {
        await download(only.id);
        return;
      }
      const { signal } = new AbortController();
      const rows = target.kind === 'rows' ? target.rows : await everyDocument(target.filter, signal, bulkLimit + 1);
      if (rows.length > bulkLimit) {
        showRefusal(t('archive.tooMany', { count: countOf(target) }));
        return;
      }
      const ids = rows.map(({ id }) => id);
      await downloadArchive(ids, showProblem);
      showDone(t('archive.started', { count: ids.length }));
    } catch (error) {
      showProblem(error);
    }
  }

  return {
    running,
    trash: (target) =>
      act(
        target,
        { type: 'trash' },
        (count, name) => t('trash.done', { count, name }),
        (done) => takeBack([{ ids: done.map(({ id }) => id), action: { type: 'restore' } }]),
      ),
    restore: (target) => act(target, { type: 'restore' }, (count, name) => t('restore.done', { count, name })),
    purge: (target) => act(target, undefined, (count, name) => t('purge.done', { count, name })),
    move: (target, basketId) =>
      act(
        target,
        { type: 'move', basket_id: basketId },
        (count, name) => t('move.done', { count, name }),
        (done) =>
          takeBack(byOrigin(done).map(([basket_id, ids]) => ({ ids, action: { type: 'move', basket_id } as const }))),
      ),
    tag: (target, { add, remove }) =>
      act(target, { type: 'tag', add: [...add], remove: [...remove] }, (count, name) =>
        t('tags.done', { count, name }),
      ),
    download: save,
  };
}
