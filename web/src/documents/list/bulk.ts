/**
 * One action on many documents. Moving, tagging, trashing and restoring are one request for up to a thousand, by the
 * filter itself where all that it finds are chosen; more go in turns, and can be stopped between two. Deleting for good
 * goes one by one, four at a time.
 */
import { ProblemError } from '../../../../src/client/index.ts';
import {
  type BulkAction,
  type BulkItem,
  bulkLimit,
  type Document,
} from '../../../../src/modules/documents/contract.ts';
import { client } from '../../app/session.ts';
import { countOf, type Target } from './selection.ts';
import { everyDocument } from './use-documents.ts';

/** What stayed as it was, and why. */
export interface Failure {
  /** Undefined where nobody may see it, or it is there no more. */
  readonly filename: string | undefined;
  readonly code: string;
  /** In the server's words. */
  readonly why: string;
}

export interface BulkOutcome {
  readonly done: readonly BulkItem[];
  readonly failed: readonly Failure[];
}

export interface Course {
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, count: number) => void;
}

/** Ids that the person has chosen once before, whose rows may be out of sight. */
export async function actOnIds(ids: readonly string[], action: BulkAction, course: Course): Promise<BulkOutcome> {
  return actOnRows(
    ids.map((id) => ({ id })),
    action,
    course,
  );
}

/** @throws ProblemError where nothing of it was done */
export async function actOn(target: Target, action: BulkAction, course: Course): Promise<BulkOutcome> {
  if (target.kind === 'rows') return actOnRows(target.rows, action, course);
  const { sort: _, ...filter } = target.filter;
  if (target.count <= bulkLimit) {
    try {
      return outcomeOf(await client.documents.bulkDocuments({ body: { filter, action }, signal: course.signal }));
    } catch (error) {
      // Meanwhile there may be more of them than were counted.
      if (!(error instanceof ProblemError && error.code === 'too_many_documents')) throw error;
    }
  }
  return actOnRows(await everyDocument(target.filter, course.signal), action, course);
}

type Named = Pick<Document, 'id'> & { readonly filename?: string };

async function actOnRows(rows: readonly Named[], action: BulkAction, course: Course): Promise<BulkOutcome> {
  const done: BulkItem[] = [];
  const failed: Failure[] = [];
  for (let first = 0; first < rows.length && !course.signal.aborted; first += bulkLimit) {
    const turn = rows.slice(first, first + bulkLimit);
    const ids = turn.map(({ id }) => id);
    try {
      const answer = outcomeOf(await client.documents.bulkDocuments({ body: { ids, action } }), turn);
      done.push(...answer.done);
      failed.push(...answer.failed);
    } catch (error) {
      if (first === 0) throw error;
      // What the turns before have done is done, and is said.
      const { code, why } = reasonOf(error);
      failed.push(...rows.slice(first).map(({ filename }): Failure => ({ filename, code, why })));
      break;
    }
    course.onProgress(done.length + failed.length, rows.length);
  }
  return { done, failed };
}

/** @param rows what the person chose, whose names are known here */
function outcomeOf({ items }: { readonly items: readonly BulkItem[] }, rows: readonly Named[] = []): BulkOutcome {
  const names = new Map(rows.map(({ id, filename }) => [id, filename]));
  const failed = items.filter(({ status }) => status === 'failed');
  return {
    done: items.filter(({ status }) => status === 'done'),
    failed: failed.map(({ id, filename = names.get(id), code = 'unknown', title = '' }) => ({
      filename,
      code,
      why: title,
    })),
  };
}

function reasonOf(error: unknown): { code: string; why: string } {
  if (error instanceof ProblemError) return { code: error.code, why: error.problem.detail };
  return { code: 'network', why: '' };
}

const atOnce = 4;

export async function purgeAll(target: Target, { signal, onProgress }: Course): Promise<BulkOutcome> {
  const rows = target.kind === 'rows' ? target.rows : await everyDocument(target.filter, signal);
  const done: BulkItem[] = [];
  const failed: Failure[] = [];
  let next = 0;
  const worker = async () => {
    while (next < rows.length && !signal.aborted) {
      const { id, filename } = rows[next]!;
      next += 1;
      try {
        await client.documents.deleteDocument({ params: { id }, query: { purge: 'true' } });
        done.push({ id, status: 'done', filename });
      } catch (error) {
        failed.push({ filename, ...reasonOf(error) });
      }
      onProgress(done.length + failed.length, rows.length);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, countOf(target)) }, worker));
  return { done, failed };
}
